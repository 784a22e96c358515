"""What the champions predict for today's existing customers."""

from customer_segmentation.prediction import score_purchases


def model(dbt, session):
    """Score the customers in batches."""
    customers = dbt.ref("int_features__customer_days")
    model_registry = dbt.ref("model_registry")
    models = dbt.ref("int_prediction__models")
    seasons = dbt.ref("int_prediction__seasons")
    return score_purchases(customers, model_registry, models, seasons, "existing")
