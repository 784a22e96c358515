"""The segment that the champions expect today's new customers to come to."""

from customer_segmentation.prediction import score_segments


def model(dbt, session):
    """Score them, in batches."""
    customers = dbt.ref("first_purchase_features")
    champions = dbt.ref("int_prediction__champions")
    models = dbt.ref("int_prediction__models")
    return score_segments(customers, champions, models)
