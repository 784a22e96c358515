"""How well every candidate predicts, with bootstrap intervals."""

from customer_segmentation.prediction import evaluate_backtests


def model(dbt, session):
    """Measure the back-tests."""
    purchases = dbt.ref("int_prediction__backtests")
    segments = dbt.ref("int_prediction__segment_backtests")
    interests = dbt.ref("int_prediction__interest_backtests")
    return evaluate_backtests(purchases, segments, interests)
