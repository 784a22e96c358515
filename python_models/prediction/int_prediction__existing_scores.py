"""What the champions expect of today's existing customers; nothing is fitted."""

from customer_segmentation.prediction import score_purchases


def model(dbt, session):
    """Score them, in batches."""
    customers = dbt.ref("customer_snapshots")
    champions = dbt.ref("int_prediction__champions")
    models = dbt.ref("int_prediction__models")
    seasons = dbt.ref("int_prediction__seasons")
    return score_purchases(customers, champions, models, seasons, "existing")
