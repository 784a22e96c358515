"""Models of a multiple of recent behaviour, and of the order of customers."""

import warnings
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge, TweedieRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import SplineTransformer

from customer_segmentation.prediction.feature_kinds import Numbers, column_of
from customer_segmentation.prediction.settings import SEED

__all__ = [
    "BASE_OF_PURCHASES",
    "BASE_OF_SPEND",
    "QuantileGroups",
    "RankModel",
    "RatioModel",
]

# recent behaviour, weighted so that it is the best single guess
BASE_OF_SPEND = {
    "decayed_spend_180": 0.5,
    "spend_365": 0.25,
    "decayed_spend_90": 0.25,
}
BASE_OF_PURCHASES = {
    "decayed_purchases_180": 0.5,
    "purchases_365": 0.25,
    "decayed_purchases_90": 0.25,
}
# share of the mean base that is added to the base of each customer
OFFSET = 0.07
# weights grow with this power of the base: large customers are known better
WEIGHT_POWER = 0.5
GROUPS = 40
# number of trees of each model, and their settings
RATIO_TREES, RANK_TREES = 50, 65
TREES = {
    "learning_rate": 0.1,
    "max_leaf_nodes": 6,
    "max_features": 0.3,
    "early_stopping": False,
    "random_state": SEED,
}


class QuantileGroups(TransformerMixin, BaseEstimator):
    """Replaces numbers by their quantile group: on few values, boosting is fast.

    Parameters
    ----------
    groups : int
        Maximum number of groups of a column.

    Attributes
    ----------
    bounds_ : list of ndarray
        The distinct inner bounds of the groups, for each column.

    Examples
    --------
    >>> QuantileGroups(2).fit_transform(np.array([[1.0], [2.0], [3.0], [4.0]])).ravel()
    array([0., 0., 1., 1.])
    """

    def __init__(self, groups: int = GROUPS) -> None:
        self.groups = groups

    def fit(self, columns: Numbers, y: object = None) -> Self:
        """Find the bounds of columns of shape (n, d)."""
        shares = np.linspace(0, 1, self.groups + 1)[1:-1]
        self.bounds_ = [np.unique(np.quantile(one, shares)) for one in columns.T]
        return self

    def transform(self, columns: Numbers) -> Numbers:
        """Return the groups, numbered from 0, shape (n, d)."""
        groups = [
            np.searchsorted(bounds, column)
            for bounds, column in zip(self.bounds_, columns.T, strict=True)
        ]
        return np.column_stack(groups).astype(float)


class RatioModel(BaseEstimator):
    """Expects a multiple of what customers did recently.

    The multiple is the geometric mean of a generalised linear model (Tweedie, with a
    logarithmic link) and, with trees, of gradient boosting with a Poisson loss. Large
    customers are therefore predicted in proportion. Trees alone would predict at most
    the largest mean.

    Parameters
    ----------
    base : mapping of str to float
        Features and their weights in the base.
    has_trees : bool
        Whether to boost too.

    Attributes
    ----------
    known_ : dict of str to float
        The part of the base that has values.
    offset_ : float
        Added to the base.
    is_zero_ : bool
        Whether all outcomes learned from are 0.
    unit_ : float
        Mean multiple, the unit of the models.
    max_ : float
        Logarithm of the largest multiple learned from; no larger one is predicted.
    glm_ : TweedieRegressor
    trees_ : Pipeline or None
    """

    def __init__(self, base: Mapping[str, float], has_trees: bool = False) -> None:
        self.base = base
        self.has_trees = has_trees

    def fit(self, features: pd.DataFrame, columns: Numbers, actual: Numbers) -> Self:
        """Learn from n customers.

        Parameters
        ----------
        features : pandas.DataFrame
            With the features of the base.
        columns : ndarray of shape (n, d)
            What the multiple depends on.
        actual : ndarray of shape (n,)
            Outcomes, none below 0.
        """
        self.known_ = {
            name: weight
            for name, weight in self.base.items()
            if column_of(features, name) is not None
        }
        base = self._base_of(features)
        mean = float(base.mean())
        self.offset_ = OFFSET * mean if mean > 0 else 1.0
        self.is_zero_ = not actual.any()
        if self.is_zero_:
            return self
        level = base + self.offset_
        ratio = actual / level
        self.unit_ = float(ratio.mean())
        ratio = ratio / self.unit_
        self.max_ = float(np.log(ratio.max()))
        weight = level**WEIGHT_POWER
        weight /= weight.mean()
        self.glm_ = _fitted_glm(columns, ratio, weight)
        self.trees_ = _fitted_trees(columns, ratio, weight) if self.has_trees else None
        return self

    def predict(self, features: pd.DataFrame, columns: Numbers) -> Numbers:
        """Return the expected outcomes of n customers, shape (n,)."""
        if self.is_zero_:
            return np.zeros(len(features))
        level = self._base_of(features) + self.offset_
        log: Numbers = columns @ self.glm_.coef_ + self.glm_.intercept_
        if self.trees_ is not None:
            boosted = self.trees_.predict(columns)
            log = (log + np.log(np.maximum(boosted, 1e-9))) / 2
        return level * self.unit_ * np.exp(np.minimum(log, self.max_))

    def _base_of(self, features: pd.DataFrame) -> Numbers:
        """Return the base, which is equal for all customers if none of it is known."""
        if not self.known_:
            return np.ones(len(features))
        total = np.zeros(len(features))
        for name, weight in self.known_.items():
            values = column_of(features, name)
            if values is not None:
                total += weight * np.nan_to_num(np.maximum(values, 0.0))
        return total / sum(self.known_.values())


class RankModel(BaseEstimator):
    """The order of customers: the mean of two regressions of the rank of the outcome.

    Attributes
    ----------
    splines_, trees_ : Pipeline
        A ridge regression of splines, and gradient boosting.
    """

    def fit(self, columns: Numbers, actual: Numbers) -> Self:
        """Learn from columns of shape (n, d) and n outcomes."""
        rank = rankdata(actual) / len(actual)
        self.splines_: Pipeline = make_pipeline(
            SplineTransformer(5, degree=2), Ridge(alpha=100.0)
        )
        self.splines_.fit(columns, rank)
        trees = HistGradientBoostingRegressor(
            max_iter=RANK_TREES, min_samples_leaf=30, l2_regularization=20, **TREES
        )
        self.trees_: Pipeline = make_pipeline(QuantileGroups(), trees)
        self.trees_.fit(columns, rank)
        return self

    def predict(self, columns: Numbers) -> Numbers:
        """Return the expected ranks, from 0 to 1, shape (n,)."""
        ranks: Numbers = self.splines_.predict(columns) + self.trees_.predict(columns)
        return ranks / 2


def _fitted_glm(columns: Numbers, ratio: Numbers, weight: Numbers) -> Any:
    model = TweedieRegressor(
        power=1.5, alpha=0.3, link="log", max_iter=200, solver="newton-cholesky"
    )
    with warnings.catch_warnings():
        # if the model starts at the optimum no step is better, and lbfgs takes over
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(columns, ratio, sample_weight=weight)


def _fitted_trees(columns: Numbers, ratio: Numbers, weight: Numbers) -> Pipeline:
    trees = HistGradientBoostingRegressor(
        loss="poisson",
        max_iter=RATIO_TREES,
        min_samples_leaf=40,
        l2_regularization=10,
        **TREES,
    )
    model = make_pipeline(QuantileGroups(), trees)
    return model.fit(
        columns, ratio, histgradientboostingregressor__sample_weight=weight
    )
