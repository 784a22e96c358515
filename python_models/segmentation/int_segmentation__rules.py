"""What a shallow tree says of the segments."""

from customer_segmentation.segmentation import explain_segments


def model(dbt, session):
    """Explain the segments by rules of at most three conditions."""
    features = dbt.ref("customer_features")
    assignments = dbt.ref("int_segmentation__assignments")
    variables = dbt.config.meta_get("variables")
    return explain_segments(features, assignments, variables)
