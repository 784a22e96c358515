"""How much more often than by chance two products or categories go together."""

from customer_segmentation.exploration import compare_with_chance


def model(dbt, session):
    """Compare the pairs with baskets that keep their sizes."""
    pairs = dbt.ref("int_exploration__entity_pairs")
    scope_entities = dbt.ref("int_exploration__scope_entities")
    scope_baskets = dbt.ref("int_exploration__scope_baskets")
    return compare_with_chance(pairs, scope_entities, scope_baskets)
