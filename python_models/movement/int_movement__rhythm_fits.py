"""The rhythm in which the customers of each source system buy."""

from customer_segmentation.movement import fit_rhythms


def model(dbt, session):
    """Fit the rhythms."""
    histories = dbt.ref("int_movement__histories")
    variables = dbt.config.meta_get("variables")
    return fit_rhythms(histories, variables)
