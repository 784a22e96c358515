"""How much more often than by chance each pair of products is bought together."""

from customer_segmentation.exploration import compare_with_chance


def model(dbt, session):
    """Compare the pairs with baskets that keep their sizes."""
    pairs = dbt.ref("int_exploration__product_pairs")
    scope_products = dbt.ref("int_exploration__scope_products")
    scope_baskets = dbt.ref("int_exploration__scope_baskets")
    return compare_with_chance(pairs, scope_products, scope_baskets)
