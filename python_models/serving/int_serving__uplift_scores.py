"""What a message adds, customer by customer, where it was sent at random."""

from customer_segmentation.serving.targeting import score_uplift


def model(dbt, session):
    """Predict the effect on each customer from those of the other folds."""
    customers = dbt.ref("int_serving__uplift_customers")
    group_sums = dbt.ref("int_serving__group_sums")
    return score_uplift(customers, group_sums)
