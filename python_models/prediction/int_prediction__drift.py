"""How much today's customers differ from the training sets of the champions."""

from customer_segmentation.prediction import measure_drift


def model(dbt, session):
    """Compare features and predictions."""
    customer_days = dbt.ref("int_features__customer_days")
    first_purchases = dbt.ref("int_features__first_purchases")
    model_registry = dbt.ref("model_registry")
    models = dbt.ref("int_prediction__models")
    category_histories = dbt.ref("int_prediction__category_histories")
    return measure_drift(
        customer_days,
        first_purchases,
        model_registry,
        models,
        category_histories,
    )
