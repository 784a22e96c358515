"""The segments that the champions predict for today's new customers."""

from customer_segmentation.prediction import score_segments


def model(dbt, session):
    """Score the customers in batches."""
    customers = dbt.ref("int_features__first_purchases")
    model_registry = dbt.ref("model_registry")
    models = dbt.ref("int_prediction__models")
    return score_segments(customers, model_registry, models)
