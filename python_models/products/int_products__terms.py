"""Names and telling terms of the categories of the last fits."""

from customer_segmentation.products import list_terms


def model(dbt, session):
    """List the terms."""
    fits = dbt.ref("int_products__fits")
    variables = dbt.config.meta_get("variables")
    return list_terms(fits, variables)
