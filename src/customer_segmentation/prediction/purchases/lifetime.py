"""Buy-till-you-die models as candidates: expected purchases times expected value."""

from typing import ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import clone

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.btyd.gamma_gamma import GammaGamma
from customer_segmentation.prediction.btyd.history_model import HistoryModel
from customer_segmentation.prediction.feature_kinds import Numbers, column_of
from customer_segmentation.prediction.purchases.expected import (
    Expected,
)
from customer_segmentation.prediction.purchases.model import (
    PurchaseModel,
    spend_of,
)

__all__ = ["Lifetime"]

NEEDED = ("purchase_days", "interpurchase_days", "recency_days")

History = tuple[Numbers, Numbers, Numbers]


class Lifetime(PurchaseModel):
    """A model of purchase days times a model of their value.

    The unit of time is the day, and all purchases of a day count as one. The model
    learns from histories alone. Of the outcomes it reads only whether any spend is
    known. Customers without a known purchase have a history of no days.

    Parameters
    ----------
    purchases : HistoryModel
        BG/NBD or Pareto/NBD, not fitted.
    value : GammaGamma
        Not fitted.

    Attributes
    ----------
    horizon_days_ : float
    purchases_ : HistoryModel or None
        None if no customer learned from came back.
    has_spend_ : bool
        Whether the spend of any customer is known.
    value_ : GammaGamma or None
        None if no customer bought on two days.
    mean_value_ : float
        Mean value of a purchase day, which is expected of all customers without
        ``value_``.
    """

    learns_level: ClassVar[bool] = False

    def __init__(self, purchases: HistoryModel, value: GammaGamma) -> None:
        self.purchases = purchases
        self.value = value

    def fit(
        self, features: pd.DataFrame, outcomes: pd.DataFrame, horizon_days: int
    ) -> Self:
        """Learn from the features of n customers.

        Raises
        ------
        InputError
            If a column of the histories is missing.
        """
        self.horizon_days_ = float(horizon_days)
        history = _histories(features)
        repeats = history[0]
        self.purchases_: HistoryModel | None = None
        # if no customer ever came back the likelihood has no maximum, and none will
        if repeats.any():
            self.purchases_ = clone(self.purchases).fit(*history)
        self.has_spend_ = spend_of(outcomes) is not None
        self.value_: GammaGamma | None = None
        self.mean_value_ = 0.0
        if self.has_spend_:
            values = _mean_values(features)
            self.mean_value_ = float(values.mean())
            # the days that the mean is of, for customers who bought on two days or more
            days = np.where((values > 0) & (repeats > 0), repeats + 1, 0.0)
            if days.any():
                self.value_ = clone(self.value).fit(days, values)
        return self

    def predict(self, features: pd.DataFrame) -> Expected:
        """Return what is expected of n customers."""
        history = _histories(features)
        returns, purchases = np.zeros(len(features)), np.zeros(len(features))
        if self.purchases_ is not None:
            horizon = self.horizon_days_
            returns = self.purchases_.return_probability(horizon, *history)
            purchases = self.purchases_.expected_purchases(horizon, *history)
        if not self.has_spend_:
            return Expected(returns, purchases, None)
        value = np.full(len(features), self.mean_value_)
        if self.value_ is not None:
            days = history[0] + 1
            value = self.value_.expected_value(days, _mean_values(features))
            # with few repeat buyers the expected value may be infinite
            value = np.where(np.isfinite(value), value, self.mean_value_)
        return Expected(returns, purchases, purchases * value)


def _histories(features: pd.DataFrame) -> History:
    """Return repeat purchases, and days from the first to the last and to today."""
    if missing := [name for name in NEEDED if name not in features]:
        raise InputError(
            f"buy-till-you-die: there is no column {', '.join(missing)}; add it, or "
            "remove these candidates"
        )
    days, between, since = (
        np.zeros(len(features)) if values is None else np.nan_to_num(values)
        for values in (column_of(features, name) for name in NEEDED)
    )
    repeats = np.maximum(np.round(days) - 1, 0.0)
    # the mean interval times their number is a whole number of days, one each at least
    recency = np.maximum(np.round(repeats * between), repeats)
    return repeats, recency, recency + np.maximum(since, 0.0)


def _mean_values(features: pd.DataFrame) -> Numbers:
    """Return the mean value of a purchase day, net of returns and not below 0."""
    total, days = column_of(features, "monetary"), column_of(features, "purchase_days")
    if total is None or days is None:
        return np.zeros(len(features))
    mean = np.nan_to_num(total) / np.maximum(np.nan_to_num(days), 1.0)
    return np.maximum(mean, 0.0)
