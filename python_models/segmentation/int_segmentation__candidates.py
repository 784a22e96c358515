"""Every candidate of every declared segmentation, fitted and measured."""

from customer_segmentation.segmentation import search_segmentations


def model(dbt, session):
    """Search the declared segmentations."""
    features = dbt.ref("int_features__customer_days")
    variables = dbt.config.meta_get("variables")
    return search_segmentations(features, variables)
