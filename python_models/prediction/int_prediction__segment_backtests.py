"""Which segment every classifier predicts for customers it did not learn from."""

from customer_segmentation.prediction import (
    PredictionSettings,
    SegmentData,
    backtest_segments,
)


def model(dbt, session):
    """Back-test the classifiers of segments."""
    customer_days = dbt.ref("int_features__customer_days")
    first_purchases = dbt.ref("int_features__first_purchases")
    rfm_segments = dbt.ref("int_rfm__segments")
    fits = dbt.ref("int_segmentation__fits")
    splits = dbt.ref("int_features__splits")
    variables = dbt.config.meta_get("variables")
    settings = PredictionSettings.read(variables)
    data = SegmentData.read(
        customer_days, first_purchases, rfm_segments, fits, splits, settings
    )
    return backtest_segments(data, settings)
