"""Which days the models of each source system learn from, and are judged on."""

from customer_segmentation.prediction.split_tables import split_records


def model(dbt, session):
    """Split what each source system has recorded."""
    records = dbt.ref("int_prediction__records")
    variables = dbt.config.meta_get("variables")
    return split_records(records, variables)
