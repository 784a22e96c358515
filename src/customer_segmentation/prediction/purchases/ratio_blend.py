"""The blend of existing customers: what they will do over what they did of late."""

import warnings
from collections.abc import Mapping
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge, TweedieRegressor
from sklearn.model_selection import KFold
from sklearn.preprocessing import SplineTransformer

from customer_segmentation.prediction.purchases.columns import NumberColumns, column_of

__all__ = ["BASE_OF_PURCHASES", "BASE_OF_SPEND", "RatioBlend", "RatioModel"]

# what was spent of late, by shares that make it the best single guess
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
# of the mean base, added to each
LEAST_SHARE = 0.07
# weights grow with the base to this power: large customers are known better
WEIGHT_POWER = 0.5
GLM = {"power": 1.5, "alpha": 0.3, "link": "log", "max_iter": 200}
TREES = {
    "learning_rate": 0.1,
    "max_leaf_nodes": 6,
    "max_features": 0.3,
    "early_stopping": False,
    "random_state": 0,
}
LEVELS = 40
FOLDS = 3
# below the one quantile of the predictions the order is that of the ranks, above the
# other that of the means
RANKS_UP_TO, MEANS_FROM = 0.45, 0.95

Numbers = NDArray[np.float64]


class RatioModel:
    """Expects a multiple of what the customer did of late.

    The multiple is the geometric mean of a generalised linear model (Tweedie, log link)
    and, if asked for, of gradient boosting with a Poisson loss. Large customers are so
    predicted in proportion, where trees alone know no more than the largest mean.

    Parameters
    ----------
    base : mapping of str to float
        Features and the shares that they have in the base; those missing are left out.
    has_trees : bool
        Whether to boost too.

    Attributes
    ----------
    known : dict of str to float
        Those of the base that have values.
    least : float
        Added to the base.
    is_nothing : bool
        Whether nobody learned from did anything.
    """

    def __init__(self, base: Mapping[str, float], has_trees: bool) -> None:
        self.base = dict(base)
        self.has_trees = has_trees

    def fit(self, features: pd.DataFrame, columns: Numbers, actual: Numbers) -> Self:
        """Learn from n customers: features, columns of (n, d), outcomes from 0 on."""
        self.known = {
            name: share
            for name, share in self.base.items()
            if column_of(features, name) is not None
        }
        recent = self._recent(features)
        mean = float(recent.mean())
        self.least = LEAST_SHARE * mean if mean > 0 else 1.0
        self.is_nothing = not actual.any()
        if self.is_nothing:
            return self
        level = recent + self.least
        ratio = actual / level
        self.unit = float(ratio.mean())
        ratio = ratio / self.unit
        weight = level**WEIGHT_POWER
        weight /= weight.mean()
        self.glm = TweedieRegressor(solver="newton-cholesky", **GLM)
        with warnings.catch_warnings():
            # where the start is the optimum, no step is better; lbfgs takes over then
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.glm.fit(columns, ratio, sample_weight=weight)
        self.highest = float(np.log(ratio.max()))
        self.trees = None
        if self.has_trees:
            self.cuts = _cuts(columns)
            self.trees = HistGradientBoostingRegressor(
                loss="poisson",
                max_iter=50,
                min_samples_leaf=40,
                l2_regularization=10,
                **TREES,
            )
            self.trees.fit(_levels(columns, self.cuts), ratio, sample_weight=weight)
        return self

    def predict(self, features: pd.DataFrame, columns: Numbers) -> Numbers:
        """Return what is expected of n customers, shape (n,)."""
        if self.is_nothing:
            return np.zeros(len(features))
        level = self._recent(features) + self.least
        log = columns @ self.glm.coef_ + self.glm.intercept_
        if self.trees is not None:
            boosted = self.trees.predict(_levels(columns, self.cuts))
            log = (log + np.log(np.maximum(boosted, 1e-9))) / 2
        # no multiple is greater than the greatest seen
        return level * self.unit * np.exp(np.minimum(log, self.highest))

    def _recent(self, features: pd.DataFrame) -> Numbers:
        """Return the base; if nothing of it was known, as much for everybody."""
        if not self.known:
            return np.ones(len(features))
        total = np.zeros(len(features))
        for name, share in self.known.items():
            values = column_of(features, name)
            if values is not None:
                total += share * np.nan_to_num(np.maximum(values, 0.0))
        return total / sum(self.known.values())


class RankModel:
    """The order of customers, as the mean of two regressions of the outcome's rank."""

    def fit(self, columns: Numbers, actual: Numbers) -> Self:
        """Learn from columns of shape (n, d) and n outcomes."""
        rank = rankdata(actual) / len(actual)
        self.cuts = _cuts(columns)
        self.splines = SplineTransformer(5, degree=2).fit(columns)
        self.ridge = Ridge(alpha=100.0).fit(self.splines.transform(columns), rank)
        self.trees = HistGradientBoostingRegressor(
            max_iter=65, min_samples_leaf=30, l2_regularization=20, **TREES
        ).fit(_levels(columns, self.cuts), rank)
        return self

    def predict(self, columns: Numbers) -> Numbers:
        """Return the mean of the two expected ranks, shape (n,)."""
        boosted = self.trees.predict(_levels(columns, self.cuts))
        return (self.ridge.predict(self.splines.transform(columns)) + boosted) / 2


class RatioBlend:
    """Expected outcomes with the order of ranks below and of means above.

    Who will spend little is told best by a model of ranks, who will spend much by one
    of means. Ranks are given the values of the means by quantiles, as customers had
    them whom neither model had learned from, and the two go over into each other by the
    logarithm.

    Parameters
    ----------
    base : mapping of str to float
        As in ``RatioModel``.

    Attributes
    ----------
    rank_values, mean_values : ndarray of shape (quantiles,)
        Quantiles of what the two models say of customers that they do not know.
    low, high : float
        Below the one the order is that of ranks, above the other that of means.
    """

    def __init__(self, base: Mapping[str, float]) -> None:
        self.base = dict(base)

    def fit(self, features: pd.DataFrame, actual: Numbers) -> Numbers:
        """Learn from the features and outcomes of n customers, at least ten.

        Returns
        -------
        ndarray of shape (n,)
            What models of the same kind expect of them that do not know them.
        """
        count = len(actual)
        means, ranks = np.zeros(count), np.zeros(count)
        self._fit_parts(features, actual)
        folds = KFold(FOLDS, shuffle=True, random_state=0)
        for others, fold in folds.split(means):
            parts = type(self)(self.base)._fit_parts(
                features.iloc[others], actual[others]
            )
            means[fold], ranks[fold] = parts._predict_parts(features.iloc[fold])
        self.shares = np.linspace(0, 1, 201)
        self.rank_values = np.quantile(ranks, self.shares)
        self.mean_values = np.quantile(means, self.shares)
        low, high = np.quantile(means, [RANKS_UP_TO, MEANS_FROM])
        self.low = float(max(low, np.finfo(float).tiny))
        self.high = float(high)
        return self._blended(means, ranks)

    def predict(self, features: pd.DataFrame) -> Numbers:
        """Return what is expected of n customers, shape (n,)."""
        return self._blended(*self._predict_parts(features))

    def _fit_parts(self, features: pd.DataFrame, actual: Numbers) -> Self:
        self.columns = NumberColumns().fit(features)
        columns = self.columns.transform(features)
        self.means = RatioModel(self.base, has_trees=True)
        self.means.fit(features, columns, actual)
        self.ranks = RankModel().fit(columns, actual)
        return self

    def _predict_parts(self, features: pd.DataFrame) -> tuple[Numbers, Numbers]:
        columns = self.columns.transform(features)
        return self.means.predict(features, columns), self.ranks.predict(columns)

    def _blended(self, means: Numbers, ranks: Numbers) -> Numbers:
        as_means = np.interp(
            np.interp(ranks, self.rank_values, self.shares),
            self.shares,
            self.mean_values,
        )
        tiny = np.finfo(float).tiny
        logs = np.log(np.maximum(means, tiny)), np.log(np.maximum(as_means, tiny))
        if self.high <= self.low:
            return means
        span = np.log(self.high / self.low)
        of_means = np.clip((sum(logs) / 2 - np.log(self.low)) / span, 0, 1)
        return np.exp(of_means * logs[0] + (1 - of_means) * logs[1])


def _cuts(columns: Numbers) -> list[Numbers]:
    shares = np.linspace(0, 1, LEVELS + 1)[1:-1]
    return [np.unique(np.quantile(column, shares)) for column in columns.T]


def _levels(columns: Numbers, cuts: list[Numbers]) -> Numbers:
    """Return in which of its quantile groups each number lies.

    Few levels keep boosting fast where customers have weights.
    """
    found = [np.searchsorted(cut, c) for c, cut in zip(columns.T, cuts, strict=True)]
    return np.column_stack(found).astype(float)
