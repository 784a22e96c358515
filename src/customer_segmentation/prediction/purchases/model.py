"""What all models of next purchases share: their outcomes and expectations."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from customer_segmentation.prediction.feature_kinds import Numbers, column_of
from customer_segmentation.prediction.settings import SEED

__all__ = [
    "EventProbability",
    "Expected",
    "PurchaseModel",
    "folds_of",
    "has_returned",
    "purchases_of",
    "spend_of",
]

# out-of-fold predictions show how far outcomes lie from what is expected
FOLDS = 3


class Expected(NamedTuple):
    """What a model expects of n customers.

    Parameters
    ----------
    return_probability, purchases : ndarray of shape (n,)
        Probability of a purchase within the horizon, and number of purchases.
    spend : ndarray of shape (n,) or None
        None if the spend of no customer was known when the model was fitted.
    """

    return_probability: Numbers
    purchases: Numbers
    spend: Numbers | None

    def bounded(self) -> "Expected":
        """Return the nearest expectations that are possible.

        A probability is from 0 to 1, who returns makes a purchase, and no customer
        spends less than nothing.
        """
        returns = np.clip(self.return_probability, 0.0, 1.0)
        spend = None if self.spend is None else np.maximum(self.spend, 0.0)
        return Expected(returns, np.maximum(self.purchases, returns), spend)

    def in_season(self, purchases: float, spend: float) -> "Expected":
        """Return what is expected if purchases and spend change by these factors."""
        # purchases come at a rate, and the rate grows with the factor
        returns = 1 - (1 - self.return_probability) ** purchases
        return Expected(
            returns,
            np.maximum(self.purchases * purchases, returns),
            None if self.spend is None else self.spend * spend,
        )


class EventProbability(BaseEstimator):
    """The probability of an event: a logistic regression.

    Parameters
    ----------
    c : float
        Inverse penalty of the regression.

    Attributes
    ----------
    share_ : float
        Share of customers with the event, shrunk towards a half by one customer.
    regression_ : LogisticRegression or None
        None if all customers or none had the event: then the share is predicted.
    """

    def __init__(self, c: float = 1.0) -> None:
        self.c = c

    def fit(self, columns: Numbers, happened: NDArray[np.bool_]) -> Self:
        """Learn from columns of shape (n, d) and n events."""
        self.share_ = float((happened.sum() + 0.5) / (len(happened) + 1))
        self.regression_: LogisticRegression | None = None
        if 0 < happened.sum() < len(happened):
            self.regression_ = LogisticRegression(C=self.c, max_iter=10_000)
            self.regression_.fit(columns, happened)
        return self

    def predict(self, columns: Numbers) -> Numbers:
        """Return the probabilities, shape (n,)."""
        if self.regression_ is None:
            return np.full(len(columns), self.share_)
        probabilities: Numbers = self.regression_.predict_proba(columns)[:, 1]
        return probabilities


class PurchaseModel(ABC, BaseEstimator):
    """A model of next purchases.

    Attributes
    ----------
    learns_level : bool
        Whether the model learns from outcomes how much customers buy. A model that does
        not learns no season either, and cannot memorise customers.
    """

    learns_level: ClassVar[bool] = True

    @abstractmethod
    def fit(
        self, features: pd.DataFrame, outcomes: pd.DataFrame, horizon_days: int
    ) -> Self:
        """Learn from n customers.

        Parameters
        ----------
        features : pandas.DataFrame of shape (n, d)
            One row per customer.
        outcomes : pandas.DataFrame of shape (n, 3)
            ``has_returned``, ``purchases`` and ``spend`` of the same customers.
        horizon_days : int
            Length of the outcomes in days.
        """

    @abstractmethod
    def predict(self, features: pd.DataFrame) -> Expected:
        """Return what the model expects of n customers within the horizon."""

    def fit_out_of_fold(
        self, features: pd.DataFrame, outcomes: pd.DataFrame, horizon_days: int
    ) -> Expected | None:
        """Fit as ``fit`` does, and return the out-of-fold expectations.

        Returns
        -------
        Expected or None
            What the same model expects of each customer if it learns from others; None
            if no spend is known.
        """
        self.fit(features, outcomes, horizon_days)
        if spend_of(outcomes) is None:
            return None
        if not self.learns_level:
            return self.predict(features)
        found = np.zeros((3, len(features)))
        for train, test in folds_of(len(features)):
            model = clone(self)
            model.fit(features.iloc[train], outcomes.iloc[train], horizon_days)
            one = model.predict(features.iloc[test])
            # a fold may hold all customers whose spend is known
            spend = np.zeros(len(test)) if one.spend is None else one.spend
            found[:, test] = one.return_probability, one.purchases, spend
        return Expected(*found)


def folds_of(count: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return the rows to learn from, and those to predict, of each fold."""
    yield from KFold(FOLDS, shuffle=True, random_state=SEED).split(np.zeros(count))


def spend_of(outcomes: pd.DataFrame) -> Numbers | None:
    """Return the spend, None if no customer's is known; unknown spend counts as 0."""
    spend = column_of(outcomes, "spend")
    return None if spend is None else np.maximum(np.nan_to_num(spend), 0.0)


def purchases_of(outcomes: pd.DataFrame) -> Numbers:
    """Return the number of purchases."""
    purchases: Numbers = outcomes["purchases"].to_numpy(dtype=float)
    return purchases


def has_returned(outcomes: pd.DataFrame) -> NDArray[np.bool_]:
    """Return whether each customer has returned."""
    returned: NDArray[np.bool_] = outcomes["has_returned"].to_numpy(dtype=bool)
    return returned
