"""What each campaign did, from sums over its groups."""

from customer_segmentation.serving.campaigns import measure_campaigns


def model(dbt, session):
    """Estimate the effects."""
    group_sums = dbt.ref("int_serving__group_sums")
    return measure_campaigns(group_sums)
