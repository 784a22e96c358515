"""Rules of at most three conditions that describe the segments."""

from customer_segmentation.segmentation import explain_segments


def model(dbt, session):
    """Describe the segments."""
    features = dbt.ref("int_features__customer_days")
    assignments = dbt.ref("int_segmentation__assignments")
    variables = dbt.config.meta_get("variables")
    return explain_segments(features, assignments, variables)
