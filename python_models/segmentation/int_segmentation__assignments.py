"""The segment of every customer by the last fit; nothing is fitted."""

from customer_segmentation.segmentation import assign_customers


def model(dbt, session):
    """Assign all customers, in batches."""
    features = dbt.ref("int_features__customer_days")
    fits = dbt.ref("int_segmentation__fits")
    variables = dbt.config.meta_get("variables")
    return assign_customers(features, fits, variables)
