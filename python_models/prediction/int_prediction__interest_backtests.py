"""Which categories every candidate predicts for customers it did not learn from."""

from customer_segmentation.prediction import (
    InterestData,
    PredictionSettings,
    backtest_interests,
)


def model(dbt, session):
    """Back-test the candidates of interests."""
    histories = dbt.ref("int_prediction__category_histories")
    outcomes = dbt.ref("int_prediction__category_outcomes")
    seasons = dbt.ref("int_prediction__category_seasons")
    splits = dbt.ref("int_features__splits")
    variables = dbt.config.meta_get("variables")
    data = InterestData.read(histories, outcomes, seasons, splits)
    return backtest_interests(data, PredictionSettings.read(variables))
