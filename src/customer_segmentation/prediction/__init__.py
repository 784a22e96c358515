"""Prediction: who a new customer will be, and what each customer will spend."""

from customer_segmentation.prediction.drifting import measure_drift
from customer_segmentation.prediction.evaluations import evaluate_backtests
from customer_segmentation.prediction.purchase_backtests import backtest_purchases
from customer_segmentation.prediction.scoring import score_purchases, score_segments
from customer_segmentation.prediction.segment_backtests import backtest_segments
from customer_segmentation.prediction.split_tables import split_records
from customer_segmentation.prediction.training import LearnedFrom, train_models

__all__ = [
    "LearnedFrom",
    "backtest_purchases",
    "backtest_segments",
    "evaluate_backtests",
    "measure_drift",
    "score_purchases",
    "score_segments",
    "split_records",
    "train_models",
]
