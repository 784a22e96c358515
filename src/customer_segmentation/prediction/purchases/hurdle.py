"""Hurdle models: whether customers buy at all, times how much those buy who do."""

from typing import Literal, Self

import numpy as np
import pandas as pd
from scipy.optimize import nnls
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge

from customer_segmentation.prediction.feature_kinds import Numbers
from customer_segmentation.prediction.preparation import Preparation
from customer_segmentation.prediction.purchases.expected import (
    EventProbability,
    Expected,
)
from customer_segmentation.prediction.purchases.first_purchases import (
    FirstPurchaseColumns,
)
from customer_segmentation.prediction.purchases.model import (
    PurchaseModel,
    has_returned,
    purchases_of,
    spend_of,
)

__all__ = ["AmountCalibration", "Hurdle", "HurdleAmount", "LogAmount"]

# fewer buyers teach only their mean
MIN_BUYERS = 20
# no customer is expected to buy more than this multiple of the largest buyer
MAX_MULTIPLE = 10
# of the calibration: rounds of weights, their power, and the minimum expectation as a
# share of the mean
ROUNDS = 8
WEIGHT_POWER = -1.5
MIN_EXPECTED = 0.05


class LogAmount(BaseEstimator):
    """How much buyers buy: a ridge regression of the logarithm.

    Parameters
    ----------
    alpha : float
        Penalty of the regression.

    Attributes
    ----------
    mean_ : float
        Mean logarithm, predicted if there are fewer than ``MIN_BUYERS`` buyers.
    variance_ : float
        Variance of the logarithm around the prediction.
    max_ : float
        Largest logarithm that is predicted.
    regression_ : Ridge or None
        None if there are too few buyers.
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def fit(self, columns: Numbers, amounts: Numbers) -> Self:
        """Learn from columns of shape (n, d) and n amounts; 0 is ignored."""
        is_buyer = amounts > 0
        log = np.log(amounts[is_buyer])
        self.mean_ = float(log.mean()) if len(log) else 0.0
        self.variance_ = float(log.var()) if len(log) else 0.0
        self.max_ = float(log.max()) + np.log(MAX_MULTIPLE) if len(log) else 0.0
        self.regression_: Ridge | None = None
        if len(log) >= MIN_BUYERS:
            self.regression_ = Ridge(alpha=self.alpha).fit(columns[is_buyer], log)
            residuals = log - self.regression_.predict(columns[is_buyer])
            self.variance_ = float(np.var(residuals))
        return self

    def predict(self, columns: Numbers) -> Numbers:
        """Return the expected logarithms, shape (n,)."""
        if self.regression_ is None:
            return np.full(len(columns), self.mean_)
        predicted: Numbers = self.regression_.predict(columns)
        return np.minimum(predicted, self.max_)


class AmountCalibration(BaseEstimator):
    """Turns scores into expected amounts, which rise with the score.

    The expected amount is a quadratic of the score with coefficients of at least 0. Its
    weights fall with the expectation, so that the many small customers count as well.
    Expected amounts add up to the actual total.

    Attributes
    ----------
    coefficients_ : ndarray of shape (3,)
        Of 1, u and u squared, where u is the score divided by ``mean_``.
    mean_, max_ : float
        Of the scores learned from; larger scores count as the maximum.
    """

    def fit(self, scores: Numbers, amounts: Numbers) -> Self:
        """Learn from n scores and n amounts, none of them below 0."""
        total = float(amounts.sum())
        self.mean_, self.max_ = float(scores.mean()), float(scores.max())
        self.coefficients_ = np.zeros(3)
        if total <= 0 or self.mean_ <= 0:
            self.coefficients_[0] = total / len(amounts)
            self.mean_ = self.mean_ if self.mean_ > 0 else 1.0
            return self
        powers = self._powers(scores)
        expected = scores * total / scores.sum()
        for _ in range(ROUNDS):
            expected = np.maximum(expected, MIN_EXPECTED * total / len(amounts))
            root = np.sqrt(expected**WEIGHT_POWER)
            coefficients, _ = nnls(powers * root[:, np.newaxis], amounts * root)
            expected = powers @ coefficients
        scale = total / expected.sum() if expected.sum() > 0 else 1.0
        self.coefficients_ = coefficients * scale
        return self

    def predict(self, scores: Numbers) -> Numbers:
        """Return the expected amounts, shape (n,)."""
        expected: Numbers = self._powers(scores) @ self.coefficients_
        return expected

    def _powers(self, scores: Numbers) -> Numbers:
        u = np.minimum(scores, self.max_) / self.mean_
        return np.column_stack([np.ones(len(u)), u, u**2])


class HurdleAmount(BaseEstimator):
    """The expected amount: the probability of buying times the amount of buyers.

    Parameters
    ----------
    c, alpha : float
        Of ``EventProbability`` and of ``LogAmount``.
    is_calibrated : bool
        Whether the product is calibrated on the amounts. Otherwise the amount of buyers
        is the mean of a lognormal distribution.

    Attributes
    ----------
    probability_ : EventProbability
    log_amount_ : LogAmount
    calibration_ : AmountCalibration or None
        None if not calibrated.
    is_zero_ : bool
        Whether no customer learned from bought anything.
    """

    def __init__(
        self, c: float = 1.0, alpha: float = 1.0, is_calibrated: bool = True
    ) -> None:
        self.c = c
        self.alpha = alpha
        self.is_calibrated = is_calibrated

    def fit(self, columns: Numbers, amounts: Numbers) -> Self:
        """Learn from columns of shape (n, d) and n amounts, none below 0."""
        self.is_zero_ = not amounts.any()
        self.probability_ = EventProbability(self.c).fit(columns, amounts > 0)
        self.log_amount_ = LogAmount(self.alpha).fit(columns, amounts)
        self.calibration_: AmountCalibration | None = None
        if self.is_calibrated:
            scores = self._scores(columns)
            self.calibration_ = AmountCalibration().fit(scores, amounts)
        return self

    def predict(self, columns: Numbers) -> Numbers:
        """Return the expected amounts, shape (n,)."""
        if self.is_zero_:
            return np.zeros(len(columns))
        scores = self._scores(columns)
        if self.calibration_ is None:
            return scores
        return self.calibration_.predict(scores)

    def _scores(self, columns: Numbers) -> Numbers:
        log = self.log_amount_.predict(columns)
        if not self.is_calibrated:
            log = log + self.log_amount_.variance_ / 2
        return self.probability_.predict(columns) * np.exp(log)


class Hurdle(PurchaseModel):
    """Hurdle models of the number of purchases and of the spend.

    Without calibration it is the zero-inflated lognormal of Wang, Liu and Miao (2019,
    arXiv:1912.07753) with linear parts.

    Parameters
    ----------
    columns : {"numbers", "first_purchase", "first_purchase_and_day"}
        What it reads: all numbers and flags, or facts of the first purchase.
    c, alpha, is_calibrated
        As in ``HurdleAmount``.

    Attributes
    ----------
    columns_ : Preparation or FirstPurchaseColumns
    return_probability_ : EventProbability
    purchases_ : HurdleAmount
    spend_ : HurdleAmount or None
        None if no spend is known.
    """

    def __init__(
        self,
        columns: Literal[
            "numbers", "first_purchase", "first_purchase_and_day"
        ] = "numbers",
        c: float = 1.0,
        alpha: float = 1.0,
        is_calibrated: bool = True,
    ) -> None:
        self.columns = columns
        self.c = c
        self.alpha = alpha
        self.is_calibrated = is_calibrated

    def fit(
        self, features: pd.DataFrame, outcomes: pd.DataFrame, horizon_days: int
    ) -> Self:
        """Learn from the features and outcomes of n customers."""
        self.columns_: Preparation | FirstPurchaseColumns
        if self.columns == "numbers":
            self.columns_ = Preparation(has_categories=False)
        else:
            has_day = self.columns == "first_purchase_and_day"
            self.columns_ = FirstPurchaseColumns(has_day)
        columns = self.columns_.fit_transform(features)
        self.return_probability_ = EventProbability(self.c)
        self.return_probability_.fit(columns, has_returned(outcomes))
        self.purchases_ = self._amount().fit(columns, purchases_of(outcomes))
        spend = spend_of(outcomes)
        self.spend_ = None if spend is None else self._amount().fit(columns, spend)
        return self

    def predict(self, features: pd.DataFrame) -> Expected:
        """Return what is expected of n customers."""
        columns = self.columns_.transform(features)
        return Expected(
            self.return_probability_.predict(columns),
            self.purchases_.predict(columns),
            None if self.spend_ is None else self.spend_.predict(columns),
        )

    def _amount(self) -> HurdleAmount:
        return HurdleAmount(self.c, self.alpha, self.is_calibrated)
