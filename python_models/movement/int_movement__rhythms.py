"""How much of its own rhythm each customer has left; nothing is fitted."""

from customer_segmentation.movement import score_rhythms


def model(dbt, session):
    """Score the customers in batches."""
    histories = dbt.ref("int_movement__histories")
    fits = dbt.ref("int_movement__rhythm_fits")
    return score_rhythms(histories, fits)
