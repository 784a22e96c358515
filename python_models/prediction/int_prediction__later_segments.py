"""The segment of each customer some time after the first purchase, by today's fits."""

from customer_segmentation.segmentation import assign_customers


def model(dbt, session):
    """Assign the customers as they were then, in batches."""
    features = dbt.ref("int_prediction__later_features")
    fits = dbt.ref("int_segmentation__fits")
    variables = dbt.config.meta_get("variables")
    return assign_customers(features, fits, variables)
