"""What every candidate predicts for customers it did not learn from."""

from customer_segmentation.prediction import (
    PredictionSettings,
    PurchaseData,
    backtest_purchases,
)


def model(dbt, session):
    """Back-test the candidates of next purchases."""
    customer_days = dbt.ref("int_features__customer_days")
    first_purchases = dbt.ref("int_features__first_purchases")
    outcomes = dbt.ref("int_prediction__outcomes")
    seasons = dbt.ref("int_prediction__seasons")
    splits = dbt.ref("int_features__splits")
    variables = dbt.config.meta_get("variables")
    settings = PredictionSettings.read(variables)
    data = PurchaseData.read(customer_days, first_purchases, outcomes, seasons, splits)
    return backtest_purchases(data, settings)
