"""The category of every product by the last fit; nothing is fitted."""

from customer_segmentation.products import assign_products


def model(dbt, session):
    """Assign all products, in batches."""
    products = dbt.ref("products")
    fits = dbt.ref("int_products__fits")
    variables = dbt.config.meta_get("variables")
    return assign_products(products, fits, variables)
