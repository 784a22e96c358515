"""What all models of interests share: outcomes, probabilities and calibration."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import KFold

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.feature_kinds import Numbers
from customer_segmentation.prediction.interests.histories import (
    HISTORY,
    CategoryHistories,
    categories_of,
)
from customer_segmentation.prediction.seasons import CategorySales, Season
from customer_segmentation.prediction.settings import SEED

__all__ = [
    "InterestModel",
    "Interests",
    "InterestsOfToday",
    "log_loss_of",
    "normalised",
]

FOLDS = 3
# every category may be the next one: this share of a prediction is spread over all
SPREAD = 0.01
# probabilities are raised to a power in this range when they are calibrated
POWERS = (0.2, 3.0)
# customers times categories that are predicted at once: models hold several numbers of
# each
SLICE = 2_000_000


class InterestModel(ABC, BaseEstimator):
    """A model of the main category of the next purchases.

    Attributes
    ----------
    is_calibrated : bool
        Whether the probabilities are calibrated on out-of-fold predictions.
    """

    is_calibrated: ClassVar[bool] = False

    @abstractmethod
    def fit(
        self,
        histories: CategoryHistories,
        chosen: NDArray[np.int64],
        popularity: Numbers,
    ) -> Self:
        """Learn from n customers.

        Parameters
        ----------
        histories : CategoryHistories
            What they bought before.
        chosen : ndarray of shape (n,)
            Position of their main category afterwards.
        popularity : ndarray of shape (k,)
            Share of the customers by main category, above 0.
        """

    @abstractmethod
    def predict(self, histories: CategoryHistories, popularity: Numbers) -> Numbers:
        """Return the probability of each category, shape (n, k); rows sum to 1."""


class Interests(BaseEstimator):
    """The categories that customers will be interested in next.

    Parameters
    ----------
    model : InterestModel
        Not fitted.

    Attributes
    ----------
    categories_ : ndarray of shape (k,)
        Ids of the categories that the customers bought before or after, ascending.
    popularity_ : ndarray of shape (k,)
        Share of the customers by main category, with half a customer added to each.
    power_ : float
        Calibration: probabilities are raised to this power, then sum to 1 again.
    model_ : InterestModel
        Fitted.
    """

    def __init__(self, model: InterestModel) -> None:
        self.model = model

    def fit(
        self, features: pd.DataFrame, outcomes: pd.DataFrame, season: Season
    ) -> Self:
        """Learn from n customers who bought afterwards.

        Parameters
        ----------
        features : pandas.DataFrame of shape (n, d)
            With ``category_history``.
        outcomes : pandas.DataFrame
            With ``category_id``, the main category of the same customers.
        season : Season
            Sales by category in the days of the outcomes, one year before.

        Raises
        ------
        InputError
            If there is no customer.
        """
        if features.empty:
            raise InputError("interests: there is no customer to learn from")
        actual = outcomes["category_id"].to_numpy(dtype=np.int64)
        self.categories_ = np.union1d(categories_of(features[HISTORY]), actual)
        chosen = np.searchsorted(self.categories_, actual)
        counts = np.bincount(chosen, minlength=len(self.categories_)) + 0.5
        self.popularity_ = counts / counts.sum()
        histories = CategoryHistories.read(features, self.categories_, _sales(season))
        self.power_ = 1.0
        if self.model.is_calibrated and len(chosen) >= 2 * FOLDS:
            self.power_ = _power(self._out_of_fold(histories, chosen), chosen)
        self.model_ = clone(self.model).fit(histories, chosen, self.popularity_)
        return self

    def predict(self, features: pd.DataFrame, season: Season) -> pd.DataFrame:
        """Return the probability of each category to be the main one.

        Returns
        -------
        pandas.DataFrame of shape (n, k)
            A column per category id, given that the customer buys.
        """
        rows = max(1, SLICE // len(self.categories_))
        slices = [
            self._predict(features[first : first + rows], season)
            for first in range(0, max(1, len(features)), rows)
        ]
        return pd.DataFrame(np.concatenate(slices), features.index, self.categories_)

    def _predict(self, features: pd.DataFrame, season: Season) -> Numbers:
        histories = CategoryHistories.read(features, self.categories_, _sales(season))
        found = self.model_.predict(histories, self.popularity_)
        raised = _raised(found, self.power_)
        spread: Numbers = (1 - SPREAD) * raised + SPREAD * self.popularity_
        return spread

    def _out_of_fold(
        self, histories: CategoryHistories, chosen: NDArray[np.int64]
    ) -> Numbers:
        found = np.zeros(histories.spend.shape)
        folds = KFold(FOLDS, shuffle=True, random_state=SEED)
        for train, test in folds.split(found):
            model = clone(self.model)
            model.fit(histories.take(train), chosen[train], self.popularity_)
            found[test] = model.predict(histories.take(test), self.popularity_)
        return found


@dataclass(frozen=True)
class InterestsOfToday:
    """A model of interests among the categories that products have today.

    Categories that are learned anew may be fewer than those that a model knows.

    Parameters
    ----------
    model : Interests
        Fitted.
    categories : frozenset of int
        Ids of today's categories; the model need not know them all.
    """

    model: Interests
    categories: frozenset[int]

    def predict(self, features: pd.DataFrame, season: Season) -> pd.DataFrame:
        """Return the probability of each category of today to be the main one.

        Returns
        -------
        pandas.DataFrame of shape (n, k)
            As ``Interests.predict``, without the other categories.
        """
        found = self.model.predict(features, season)
        is_known = found.columns.isin(self.categories)
        if is_known.all():
            return found
        known = found.loc[:, is_known]
        return known.div(known.sum(axis=1), axis=0)


def _sales(season: Season) -> Mapping[int, float]:
    return season.categories if isinstance(season, CategorySales) else {}


def log_loss_of(probabilities: Numbers, chosen: NDArray[np.int64]) -> float:
    """Return minus the mean logarithm of the probability of what was chosen."""
    of_chosen = probabilities[np.arange(len(chosen)), chosen]
    return float(-np.mean(np.log(np.maximum(of_chosen, 1e-15))))


def normalised(weights: Numbers) -> Numbers:
    """Return weights of shape (n, k) as probabilities."""
    probabilities: Numbers = weights / weights.sum(axis=1, keepdims=True)
    return probabilities


def _raised(probabilities: Numbers, power: float) -> Numbers:
    return normalised(np.maximum(probabilities, 1e-15) ** power)


def _power(probabilities: Numbers, chosen: NDArray[np.int64]) -> float:
    """Return the power that makes out-of-fold probabilities most probable."""
    best = minimize_scalar(
        lambda power: log_loss_of(_raised(probabilities, power), chosen),
        bounds=POWERS,
        method="bounded",
    )
    return float(round(best.x, 3))
