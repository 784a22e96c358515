"""The nearest prototype of every customer, from the last fit; nothing is fitted."""

from customer_segmentation.segmentation import assign_customers


def model(dbt, session):
    """Assign all customers, in batches."""
    features = dbt.ref("customer_features")
    fits = dbt.ref("int_segmentation__fits")
    variables = dbt.config.meta_get("variables")
    return assign_customers(features, fits, variables)
