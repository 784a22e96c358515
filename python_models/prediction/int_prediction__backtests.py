"""What every candidate predicted of customers that it did not learn from."""

from customer_segmentation.prediction import backtest_purchases


def model(dbt, session):
    """Test the candidates on past days."""
    existing = dbt.ref("customer_snapshots")
    new = dbt.ref("first_purchase_features")
    outcomes = dbt.ref("int_prediction__outcomes")
    splits = dbt.ref("int_prediction__splits")
    seasons = dbt.ref("int_prediction__seasons")
    variables = dbt.config.meta_get("variables")
    return backtest_purchases(existing, new, outcomes, splits, seasons, variables)
