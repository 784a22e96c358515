"""Prediction: who a new customer will be, and what each customer will spend."""

from customer_segmentation.prediction.backtests import (
    backtest_interests,
    backtest_purchases,
    backtest_segments,
)
from customer_segmentation.prediction.data import (
    PurchaseData,
    SegmentData,
    TrainingData,
)
from customer_segmentation.prediction.drift import measure_drift
from customer_segmentation.prediction.evaluations import evaluate_backtests
from customer_segmentation.prediction.interest_data import InterestData
from customer_segmentation.prediction.scoring import (
    score_interests,
    score_purchases,
    score_segments,
)
from customer_segmentation.prediction.settings import PredictionSettings
from customer_segmentation.prediction.training import train_models

__all__ = [
    "InterestData",
    "PredictionSettings",
    "PurchaseData",
    "SegmentData",
    "TrainingData",
    "backtest_interests",
    "backtest_purchases",
    "backtest_segments",
    "evaluate_backtests",
    "measure_drift",
    "score_interests",
    "score_purchases",
    "score_segments",
    "train_models",
]
