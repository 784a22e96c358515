"""Buy-till-you-die models as candidates: purchase days, their purchases and value."""

from typing import ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

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

__all__ = ["Lifetime", "PurchasesPerDay"]

NEEDED = ("purchase_days", "interpurchase_days", "recency_days")

History = tuple[Numbers, Numbers, Numbers]


class Lifetime(PurchaseModel):
    """A model of purchase days, times their purchases, and times their value.

    The unit of time is the day. The models of histories count all purchases of a day as
    one, so ``PurchasesPerDay`` says how many there are. The model learns from histories
    alone. Of the outcomes it reads only whether any spend is known. Customers without a
    known purchase have a history of no days.

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
    per_day_ : PurchasesPerDay
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
        self.per_day_ = PurchasesPerDay().fit(*_purchases_and_days(features))
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
        returns, days = np.zeros(len(features)), np.zeros(len(features))
        if self.purchases_ is not None:
            horizon = self.horizon_days_
            returns = self.purchases_.return_probability(horizon, *history)
            days = self.purchases_.expected_purchases(horizon, *history)
        purchases = days * self.per_day_.predict(*_purchases_and_days(features))
        if not self.has_spend_:
            return Expected(returns, purchases, None)
        value = np.full(len(features), self.mean_value_)
        if self.value_ is not None:
            known_days = history[0] + 1
            value = self.value_.expected_value(known_days, _mean_values(features))
            # with few repeat buyers the expected value may be infinite
            value = np.where(np.isfinite(value), value, self.mean_value_)
        return Expected(returns, purchases, days * value)


class PurchasesPerDay(BaseEstimator):
    """How many purchases a customer makes on a purchase day.

    The purchases of a day after its first one are Poisson at the customer's own rate,
    and the rates are gamma over the customers. So a customer's rate is shrunk towards
    that of all: the fewer days, the more.

    Attributes
    ----------
    rate_ : float
        Further purchases on a purchase day, over all customers.
    weight_ : float
        Of a day of the customer against the rate of all: variance of the rates over
        their mean, by the method of moments; 0 if customers do not differ.

    Examples
    --------
    >>> model = PurchasesPerDay().fit(np.array([2.0, 2.0]), np.array([1.0, 1.0]))
    >>> model.predict(np.array([1.0]), np.array([1.0]))
    array([2.])
    """

    def fit(self, purchases: Numbers, days: Numbers) -> Self:
        """Learn from the purchases and the purchase days of n customers."""
        is_known = days > 0
        further, days = (purchases - days)[is_known], days[is_known]
        total = float(days.sum())
        self.rate_ = float(further.sum()) / total if total else 0.0
        self.weight_ = 0.0
        # how much of the days tells customers apart: none if there is only one customer
        apart = total - float(days @ days) / total if total else 0.0
        if self.rate_ > 0 and apart > 0:
            squares = float(days @ (further / days - self.rate_) ** 2)
            by_chance = (len(days) - 1) * self.rate_
            self.weight_ = max((squares - by_chance) / apart / self.rate_, 0.0)
        return self

    def predict(self, purchases: Numbers, days: Numbers) -> Numbers:
        """Return the purchases on a purchase day, at least 1, shape (n,)."""
        further = self.weight_ * (purchases - days) + self.rate_
        per_day: Numbers = 1 + further / (self.weight_ * days + 1)
        return per_day


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


def _purchases_and_days(features: pd.DataFrame) -> tuple[Numbers, Numbers]:
    """Return purchases, at least one on each purchase day, and purchase days."""
    days = column_of(features, "purchase_days")
    days = np.zeros(len(features)) if days is None else np.nan_to_num(days)
    purchases = column_of(features, "frequency")
    if purchases is None:
        return days, days
    return np.maximum(np.nan_to_num(purchases), days), days


def _mean_values(features: pd.DataFrame) -> Numbers:
    """Return the mean value of a purchase day, net of returns and not below 0."""
    total, days = column_of(features, "monetary"), column_of(features, "purchase_days")
    if total is None or days is None:
        return np.zeros(len(features))
    mean = np.nan_to_num(total) / np.maximum(np.nan_to_num(days), 1.0)
    return np.maximum(mean, 0.0)
