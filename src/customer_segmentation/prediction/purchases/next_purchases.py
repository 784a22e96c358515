"""Estimators of next purchases: with an interval of the spend, and in a season."""

from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.purchases.expected import (
    Expected,
)
from customer_segmentation.prediction.purchases.intervals import SpendQuantiles
from customer_segmentation.prediction.purchases.model import (
    PurchaseModel,
    spend_of,
)
from customer_segmentation.prediction.seasons import (
    UNKNOWN,
    Season,
    season_factors,
)

__all__ = ["PREDICTED", "InSeason", "NextPurchases"]

PREDICTED = (
    "return_probability",
    "expected_purchases",
    "expected_spend",
    "spend_low",
    "spend_median",
    "spend_high",
)
OUTCOMES = ("has_returned", "purchases", "spend")
# with fewer customers no fold can be held out
MIN_CUSTOMERS = 10


class NextPurchases(BaseEstimator):
    """Predicts probability of return, purchases, and spend with median and interval.

    The order of the customers does not matter. Median and interval are learned from
    out-of-fold predictions.

    Parameters
    ----------
    model : PurchaseModel
        Not fitted.

    Attributes
    ----------
    model_ : PurchaseModel
        Fitted.
    quantiles_ : SpendQuantiles or None
        None if no spend is known.
    """

    def __init__(self, model: PurchaseModel) -> None:
        self.model = model

    @property
    def learns_level(self) -> bool:
        """Whether the model learns from outcomes how much customers buy."""
        return self.model.learns_level

    def fit(
        self, features: pd.DataFrame, outcomes: pd.DataFrame, horizon_days: int
    ) -> Self:
        """Learn from customers whose outcome is known.

        Parameters
        ----------
        features : pandas.DataFrame of shape (n, d)
            One row per customer; unknown values are null.
        outcomes : pandas.DataFrame of shape (n, 3)
            ``has_returned``, ``purchases`` and ``spend`` of the same customers in the
            same order. ``spend`` is null if the source system has no amounts.
        horizon_days : int
            Length of the outcomes in days.

        Raises
        ------
        InputError
            If there are too few customers, or an outcome is missing.
        """
        outcomes = _checked(features, outcomes)
        order = _canonical_order(features, outcomes)
        features = features.iloc[order].reset_index(drop=True)
        outcomes = outcomes.iloc[order].reset_index(drop=True)
        self.model_: PurchaseModel = clone(self.model)
        expected = self.model_.fit_out_of_fold(features, outcomes, int(horizon_days))
        self.quantiles_: SpendQuantiles | None = None
        spend = spend_of(outcomes)
        if expected is not None and spend is not None:
            self.quantiles_ = SpendQuantiles().fit(expected.bounded(), spend)
        return self

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return what is expected of n customers, in their order and with their index.

        Returns
        -------
        pandas.DataFrame of shape (n, 6)
            ``return_probability`` is from 0 to 1, and ``expected_purchases`` not below
            it. ``expected_spend``, ``spend_low``, ``spend_median`` and ``spend_high``
            are in the currency of the source system, and ``nan`` if it has no amounts.
        """
        return self.describe(self.expect(features), features.index)

    def expect(self, features: pd.DataFrame) -> Expected:
        """Return what the model expects of n customers, as far as it is possible."""
        if not len(features):
            return Expected(np.zeros(0), np.zeros(0), None)
        return self.model_.predict(features).bounded()

    def describe(self, expected: Expected, index: pd.Index) -> pd.DataFrame:
        """Return expectations as a table, with the quantiles of the spend.

        Parameters
        ----------
        expected : Expected
            From ``expect``; in another season if that is known.
        index : pandas.Index of shape (n,)
            Of the customers.
        """
        columns = dict.fromkeys(PREDICTED, np.full(len(index), np.nan))
        columns["return_probability"] = expected.return_probability
        columns["expected_purchases"] = expected.purchases
        if expected.spend is not None and self.quantiles_ is not None:
            columns["expected_spend"] = expected.spend
            for name, values in self.quantiles_.predict(expected)._asdict().items():
                columns[f"spend_{name}"] = values
        return pd.DataFrame(columns, index=index)


class InSeason(BaseEstimator):
    """A model of next purchases whose level follows the season.

    A model learns the level of the season after its as-of date. Another season brings
    more or less. The year before each date tells how much, and it is known when the
    model predicts. Models that learn no level keep theirs: the baselines and the
    buy-till-you-die models.

    Parameters
    ----------
    estimator : NextPurchases
        Not fitted.
    training_season : Season
        The season of the outcomes that the estimator learns from.

    Attributes
    ----------
    estimator_ : NextPurchases
        Fitted.
    """

    def __init__(
        self, estimator: NextPurchases, training_season: Season = UNKNOWN
    ) -> None:
        self.estimator = estimator
        self.training_season = training_season

    def fit(
        self, features: pd.DataFrame, outcomes: pd.DataFrame, horizon_days: int
    ) -> Self:
        """Learn as ``NextPurchases.fit`` does."""
        self.estimator_: NextPurchases = clone(self.estimator)
        self.estimator_.fit(features, outcomes, horizon_days)
        return self

    def predict(self, features: pd.DataFrame, season: Season) -> pd.DataFrame:
        """Return what is expected of n customers in a season.

        Parameters
        ----------
        features : pandas.DataFrame of shape (n, d)
            As in ``NextPurchases.predict``.
        season : Season
            The season of the horizon. If it is unknown, the level does not change.

        Returns
        -------
        pandas.DataFrame of shape (n, 6)
            As of ``NextPurchases.predict``. Its quantiles are those of customers of
            whom as much is expected without the season: who returns more probably has
            other quantiles, not only larger ones.
        """
        expected = self.estimator_.expect(features)
        if self.estimator_.learns_level:
            factors = season_factors(season, self.training_season)
            expected = expected.in_season(*factors)
        return self.estimator_.describe(expected, features.index)


def _canonical_order(*frames: pd.DataFrame) -> NDArray[np.int64]:
    """Return an order of the rows that depends only on their values."""
    hashes = [
        pd.util.hash_pandas_object(frame, index=False).to_numpy() for frame in frames
    ]
    return np.lexsort(hashes[::-1])


def _checked(features: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return the outcomes as booleans and floats."""
    if len(features) != len(outcomes):
        raise InputError(
            f"next purchases: {len(features)} rows of features and {len(outcomes)} of "
            "outcomes; give both for the same customers"
        )
    if len(features) < MIN_CUSTOMERS:
        raise InputError(
            f"next purchases: there are {len(features)} customers to learn from; give "
            f"at least {MIN_CUSTOMERS}"
        )
    if missing := [column for column in OUTCOMES if column not in outcomes]:
        raise InputError(
            f"next purchases: the outcomes have no column {', '.join(missing)}; add it"
        )
    for column in ("has_returned", "purchases"):
        if nulls := int(outcomes[column].isna().sum()):
            raise InputError(
                f"next purchases: {column} is null for {nulls} customers; learn from "
                "customers with known outcomes"
            )
    return pd.DataFrame(
        {
            "has_returned": outcomes["has_returned"].to_numpy(dtype=bool),
            "purchases": outcomes["purchases"].to_numpy(dtype=float),
            "spend": outcomes["spend"].to_numpy(dtype=float, na_value=np.nan),
        }
    )
