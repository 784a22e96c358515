"""What all models of next purchases share: their outcomes and expectations."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import KFold

from customer_segmentation.prediction.feature_kinds import Numbers, column_of
from customer_segmentation.prediction.purchases.expected import Expected
from customer_segmentation.prediction.settings import SEED

__all__ = [
    "PurchaseModel",
    "folds_of",
    "has_returned",
    "purchases_of",
    "spend_of",
]

# out-of-fold predictions show how far outcomes lie from what is expected
FOLDS = 3


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
