"""The categories of products; earlier fits are kept."""

from customer_segmentation.products import fit_categories


def model(dbt, session):
    """Learn categories; those that continue the last fit keep their ids."""
    products = dbt.ref("products")
    kinds = dbt.ref("product_kinds")
    variables = dbt.config.meta_get("variables")
    # the sessions of both engines have this method
    earlier = session.sql(f"select * from {dbt.this}") if dbt.is_incremental else None
    return fit_categories(products, kinds, variables, earlier)
