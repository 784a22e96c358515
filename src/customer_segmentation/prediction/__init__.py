"""Prediction: who a new customer will be, and what each customer will spend."""

from customer_segmentation.prediction.tables import split_records

__all__ = ["split_records"]
