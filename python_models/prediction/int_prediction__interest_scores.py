"""The categories that the champions predict for today's customers."""

from customer_segmentation.prediction import score_interests


def model(dbt, session):
    """Score the customers in batches."""
    histories = dbt.ref("int_prediction__category_histories")
    model_registry = dbt.ref("model_registry")
    models = dbt.ref("int_prediction__models")
    seasons = dbt.ref("int_prediction__category_seasons")
    product_categories = dbt.ref("product_categories")
    return score_interests(
        histories, model_registry, models, seasons, product_categories
    )
