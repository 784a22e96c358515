"""Which segment every classifier predicted of new customers it did not learn from."""

from customer_segmentation.prediction import backtest_segments


def model(dbt, session):
    """Test the classifiers on past days."""
    new = dbt.ref("first_purchase_features")
    targets = dbt.ref("int_prediction__segment_targets")
    splits = dbt.ref("int_prediction__splits")
    variables = dbt.config.meta_get("variables")
    return backtest_segments(new, targets, splits, variables)
