"""Estimators of next purchases: with an interval of the spend, and in a season."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.purchases.intervals import SpendInterval
from customer_segmentation.prediction.purchases.model import PurchaseModel, spend_of
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
    "spend_high",
)
OUTCOMES = ("has_returned", "purchases", "spend")
# with fewer customers no fold can be held out
MIN_CUSTOMERS = 10


class NextPurchases(BaseEstimator):
    """Predicts probability of return, purchases, spend, and an interval of the spend.

    The order of the customers does not matter. The interval is learned from
    out-of-fold predictions.

    Parameters
    ----------
    model : PurchaseModel
        Not fitted.

    Attributes
    ----------
    model_ : PurchaseModel
        Fitted.
    interval_ : SpendInterval or None
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
        self.interval_: SpendInterval | None = None
        spend = spend_of(outcomes)
        if expected is not None and spend is not None:
            self.interval_ = SpendInterval().fit(expected, spend)
        return self

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return what is expected of n customers, in their order and with their index.

        Returns
        -------
        pandas.DataFrame of shape (n, 5)
            ``return_probability`` is from 0 to 1, and ``expected_purchases`` not below
            it. ``expected_spend``, ``spend_low`` and ``spend_high`` are in the currency
            of the source system, and ``nan`` if it has no amounts.
        """
        columns = dict.fromkeys(PREDICTED, np.full(len(features), np.nan))
        if len(features):
            found = self.model_.predict(features)
            returns = np.clip(found.return_probability, 0.0, 1.0)
            columns["return_probability"] = returns
            columns["expected_purchases"] = np.maximum(found.purchases, returns)
            if found.spend is not None and self.interval_ is not None:
                spend = np.maximum(found.spend, 0.0)
                columns["expected_spend"] = spend
                low, high = self.interval_.predict(spend)
                columns["spend_low"], columns["spend_high"] = low, high
        return pd.DataFrame(columns, index=features.index)


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
        pandas.DataFrame of shape (n, 5)
            As of ``NextPurchases.predict``.
        """
        found = self.estimator_.predict(features)
        if not self.estimator_.learns_level:
            return found
        purchases, spend = season_factors(season, self.training_season)
        # purchases come at a rate, and the rate grows with the factor
        no_return = 1 - found["return_probability"].to_numpy()
        returns = 1 - no_return**purchases
        expected = found["expected_purchases"].to_numpy() * purchases
        changed: dict[str, Any] = {
            "return_probability": returns,
            "expected_purchases": np.maximum(expected, returns),
        }
        for name in ("expected_spend", "spend_low", "spend_high"):
            changed[name] = found[name] * spend
        return found.assign(**changed)


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
