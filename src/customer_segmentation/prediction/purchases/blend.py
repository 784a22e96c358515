"""Models of existing customers: multiples of recent behaviour, alone and with ranks."""

from collections.abc import Mapping
from typing import Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from customer_segmentation.prediction.feature_kinds import Numbers
from customer_segmentation.prediction.preparation import Preparation
from customer_segmentation.prediction.purchases.expected import (
    EventProbability,
    Expected,
)
from customer_segmentation.prediction.purchases.model import (
    PurchaseModel,
    folds_of,
    has_returned,
    purchases_of,
    spend_of,
)
from customer_segmentation.prediction.purchases.ratio import (
    BASE_OF_PURCHASES,
    BASE_OF_SPEND,
    RankModel,
    RatioModel,
)

__all__ = ["Blend", "RatioBlend", "Tweedie"]

# quantiles of the expected means: up to the first the ranks decide the order, from the
# second on the means do
RANKS_UP_TO, MEANS_FROM = 0.45, 0.95
RETURN_C = 0.05
TINY = float(np.finfo(float).tiny)


class RatioBlend(BaseEstimator):
    """Blends means and ranks: small outcomes by rank, large ones by mean.

    A model of ranks orders small customers best, a model of means large ones. Ranks get
    the values of the means at the same quantile of out-of-fold predictions. Between the
    small and the large customers, the weights change with the logarithm of the
    expectation.

    Parameters
    ----------
    base : mapping of str to float
        As in ``RatioModel``.

    Attributes
    ----------
    columns_ : Preparation
    means_ : RatioModel
    ranks_ : RankModel
    shares_ : ndarray of shape (quantiles,)
        The quantiles, from 0 to 1.
    rank_values_, mean_values_ : ndarray of shape (quantiles,)
        Quantiles of the out-of-fold predictions of ranks and of means.
    low_, high_ : float
        Up to the first the order is that of ranks, from the second on that of means.
    """

    def __init__(self, base: Mapping[str, float]) -> None:
        self.base = base

    def fit(self, features: pd.DataFrame, actual: Numbers) -> Self:
        """Learn from the features and outcomes of n customers, at least ten."""
        self.fit_out_of_fold(features, actual)
        return self

    def fit_out_of_fold(self, features: pd.DataFrame, actual: Numbers) -> Numbers:
        """Fit, and return the out-of-fold predictions of n customers, shape (n,)."""
        count = len(actual)
        means, ranks = np.zeros(count), np.zeros(count)
        for train, test in folds_of(count):
            fold = clone(self)._fit_parts(features.iloc[train], actual[train])
            means[test], ranks[test] = fold._predict_parts(features.iloc[test])
        self._fit_parts(features, actual)
        self.shares_ = np.linspace(0, 1, 201)
        self.rank_values_ = np.quantile(ranks, self.shares_)
        self.mean_values_ = np.quantile(means, self.shares_)
        low, high = np.quantile(means, [RANKS_UP_TO, MEANS_FROM])
        self.low_, self.high_ = float(max(low, TINY)), float(high)
        return self._blended(means, ranks)

    def predict(self, features: pd.DataFrame) -> Numbers:
        """Return the expected outcomes of n customers, shape (n,)."""
        return self._blended(*self._predict_parts(features))

    def _fit_parts(self, features: pd.DataFrame, actual: Numbers) -> Self:
        self.columns_ = Preparation(has_categories=False)
        columns = self.columns_.fit_transform(features)
        self.means_ = RatioModel(self.base, has_trees=True)
        self.means_.fit(features, columns, actual)
        self.ranks_ = RankModel().fit(columns, actual)
        return self

    def _predict_parts(self, features: pd.DataFrame) -> tuple[Numbers, Numbers]:
        columns = self.columns_.transform(features)
        return self.means_.predict(features, columns), self.ranks_.predict(columns)

    def _blended(self, means: Numbers, ranks: Numbers) -> Numbers:
        if self.high_ <= self.low_:
            return means
        shares = np.interp(ranks, self.rank_values_, self.shares_)
        ranks_as_means = np.interp(shares, self.shares_, self.mean_values_)
        of_means, of_ranks = (
            np.log(np.maximum(values, TINY)) for values in (means, ranks_as_means)
        )
        span = np.log(self.high_ / self.low_)
        middle = (of_means + of_ranks) / 2
        weight = np.clip((middle - np.log(self.low_)) / span, 0, 1)
        blended: Numbers = np.exp(weight * of_means + (1 - weight) * of_ranks)
        return blended


class Tweedie(PurchaseModel):
    """A generalised linear model of the multiple of recent behaviour.

    Parameters
    ----------
    base_of_spend, base_of_purchases : mapping of str to float
        As in ``RatioModel``.

    Attributes
    ----------
    columns_ : Preparation
    return_probability_ : EventProbability
    purchases_ : RatioModel
    spend_ : RatioModel or None
        None if no spend is known.
    """

    def __init__(
        self,
        base_of_spend: Mapping[str, float] = BASE_OF_SPEND,
        base_of_purchases: Mapping[str, float] = BASE_OF_PURCHASES,
    ) -> None:
        self.base_of_spend = base_of_spend
        self.base_of_purchases = base_of_purchases

    def fit(
        self, features: pd.DataFrame, outcomes: pd.DataFrame, horizon_days: int
    ) -> Self:
        """Learn from the features and outcomes of n customers."""
        self.columns_ = Preparation(has_categories=False)
        columns = self.columns_.fit_transform(features)
        self.return_probability_ = EventProbability(RETURN_C)
        self.return_probability_.fit(columns, has_returned(outcomes))
        self.purchases_ = RatioModel(self.base_of_purchases)
        self.purchases_.fit(features, columns, purchases_of(outcomes))
        spend = spend_of(outcomes)
        self.spend_: RatioModel | None = None
        if spend is not None:
            self.spend_ = RatioModel(self.base_of_spend).fit(features, columns, spend)
        return self

    def predict(self, features: pd.DataFrame) -> Expected:
        """Return what is expected of n customers."""
        columns = self.columns_.transform(features)
        return Expected(
            self.return_probability_.predict(columns),
            self.purchases_.predict(features, columns),
            None if self.spend_ is None else self.spend_.predict(features, columns),
        )


class Blend(PurchaseModel):
    """``RatioBlend`` of the spend, and simpler models of return and of purchases.

    If no spend is known, ``RatioBlend`` is of the number of purchases.

    Attributes
    ----------
    columns_ : Preparation
    return_probability_ : EventProbability
    purchases_ : RatioModel or RatioBlend
        The latter if no spend is known.
    spend_ : RatioBlend or None
        None if no spend is known.
    """

    purchases_: RatioModel | RatioBlend

    def fit(
        self, features: pd.DataFrame, outcomes: pd.DataFrame, horizon_days: int
    ) -> Self:
        """Learn from the features and outcomes of n customers."""
        purchases, spend = purchases_of(outcomes), spend_of(outcomes)
        self._fit_simple(features, outcomes)
        self.spend_: RatioBlend | None = None
        if spend is None:
            self.purchases_ = RatioBlend(BASE_OF_PURCHASES).fit(features, purchases)
        else:
            self.spend_ = RatioBlend(BASE_OF_SPEND).fit(features, spend)
        return self

    def fit_out_of_fold(
        self, features: pd.DataFrame, outcomes: pd.DataFrame, horizon_days: int
    ) -> Expected | None:
        """Fit, and return what is expected out of fold.

        The blend of the spend needs its out-of-fold predictions itself. So folds fit
        the simpler models only.
        """
        spend = spend_of(outcomes)
        if spend is None:
            self.fit(features, outcomes, horizon_days)
            return None
        self._fit_simple(features, outcomes)
        self.spend_ = RatioBlend(BASE_OF_SPEND)
        expected = self.spend_.fit_out_of_fold(features, spend)
        found = np.zeros((2, len(features)))
        for train, test in folds_of(len(features)):
            fold = clone(self)
            fold._fit_simple(features.iloc[train], outcomes.iloc[train])
            found[:, test] = fold._predict_simple(features.iloc[test])
        return Expected(found[0], found[1], expected)

    def predict(self, features: pd.DataFrame) -> Expected:
        """Return what is expected of n customers."""
        returns, purchases = self._predict_simple(features)
        spend = None if self.spend_ is None else self.spend_.predict(features)
        return Expected(returns, purchases, spend)

    def _fit_simple(self, features: pd.DataFrame, outcomes: pd.DataFrame) -> None:
        """Fit what is not blended if the spend is known: return and purchases."""
        self.columns_ = Preparation(has_categories=False)
        columns = self.columns_.fit_transform(features)
        self.return_probability_ = EventProbability(RETURN_C)
        self.return_probability_.fit(columns, has_returned(outcomes))
        self.purchases_ = RatioModel(BASE_OF_PURCHASES)
        self.purchases_.fit(features, columns, purchases_of(outcomes))

    def _predict_simple(self, features: pd.DataFrame) -> tuple[Numbers, Numbers]:
        columns = self.columns_.transform(features)
        returns = self.return_probability_.predict(columns)
        if isinstance(self.purchases_, RatioBlend):
            return returns, self.purchases_.predict(features)
        return returns, self.purchases_.predict(features, columns)
