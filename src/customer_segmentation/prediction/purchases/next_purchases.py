"""The next purchases of customers, with an interval: any candidate, by its name."""

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.purchases.candidates import (
    CANDIDATES,
    candidates_of,
)
from customer_segmentation.prediction.purchases.columns import canonical_order
from customer_segmentation.prediction.purchases.intervals import SpendInterval
from customer_segmentation.prediction.purchases.lifetime import Lifetime
from customer_segmentation.prediction.purchases.models import (
    Baseline,
    Blend,
    Numbers,
    spend_of,
)

__all__ = ["CANDIDATES", "PREDICTED", "NextPurchases", "candidates_of"]

PREDICTED = (
    "return_probability",
    "expected_purchases",
    "expected_spend",
    "spend_low",
    "spend_high",
)
OUTCOMES = ("has_returned", "purchases", "spend")
# of fewer nothing is held out
LEAST_CUSTOMERS = 10
# to learn how far outcomes lie from what was expected of others
FOLDS = 3


class NextPurchases:
    """Predicts the probability of return, purchases, spend and its interval.

    The same customers in another order make the same model. Interval ends come from
    what customers spent whom a model of the same kind had not learned from.

    Parameters
    ----------
    name : str
        Of a candidate.

    Attributes
    ----------
    model : object
        The candidate's model.
    interval : SpendInterval or None
        None where there are no amounts.
    horizon_days : int
        How far ahead it looks.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def fit(
        self, features: pd.DataFrame, outcomes: pd.DataFrame, horizon_days: int
    ) -> Self:
        """Learn from customers whose outcome is known.

        Parameters
        ----------
        features : pandas.DataFrame of shape (n, d)
            One row per customer; whatever is not known is null.
        outcomes : pandas.DataFrame of shape (n, 3)
            ``has_returned``, ``purchases`` and ``spend`` of the same customers in the
            same order; spend is null where the source system has no amounts.
        horizon_days : int
            How long the outcomes are.

        Raises
        ------
        InputError
            If there are too few to learn from, or an outcome is missing.
        """
        features, outcomes = _checked(self.name, features, outcomes)
        order = canonical_order(features, outcomes)
        features = features.iloc[order].reset_index(drop=True)
        outcomes = outcomes.iloc[order].reset_index(drop=True)
        self.horizon_days = int(horizon_days)
        self.model = self._made()
        self.model.fit(features, outcomes, self.horizon_days)
        self.interval = None
        spend = spend_of(outcomes)
        if spend is not None:
            self.interval = SpendInterval().fit(
                self._of_others(features, outcomes), spend
            )
        return self

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return what is expected of m customers, in their order and with their index.

        Returns
        -------
        pandas.DataFrame of shape (m, 5)
            ``return_probability`` from 0 to 1; ``expected_purchases``, at least the
            probability; ``expected_spend``, ``spend_low`` and ``spend_high`` in the
            money of the source system, nan where it has no amounts.
        """
        count = len(features)
        unknown = np.full(count, np.nan)
        if count == 0:
            found = [unknown] * len(PREDICTED)
        else:
            chance, purchases, spend = self.model.predict(features)
            chance = np.clip(chance, 0.0, 1.0)
            ends = (unknown, unknown)
            if spend is not None:
                spend = np.maximum(spend, 0.0)
                ends = self.interval.predict(spend)
            found = [
                chance,
                np.maximum(purchases, chance),
                unknown if spend is None else spend,
                *ends,
            ]
        return pd.DataFrame(
            dict(zip(PREDICTED, found, strict=True)), index=features.index
        )

    @property
    def learns_level(self) -> bool:
        """Whether how much it expects comes from the outcomes learned from."""
        return not isinstance(self.model, Baseline | Lifetime)

    def _made(self) -> Any:
        if self.name not in CANDIDATES:
            raise InputError(
                f"{self.name!r} is no candidate; known are {', '.join(CANDIDATES)}"
            )
        return CANDIDATES[self.name].make()

    def _of_others(self, features: pd.DataFrame, outcomes: pd.DataFrame) -> Numbers:
        """Return the spend expected of each by a model that did not know them."""
        if isinstance(self.model, Blend):
            # it has made them for itself, and need not keep them
            expected, self.model.of_others = self.model.of_others, None
            return expected
        # few parameters hardly learn a customer by heart
        if isinstance(self.model, Baseline | Lifetime):
            return np.maximum(self.model.predict(features)[2], 0.0)
        expected = np.zeros(len(features))
        folds = KFold(FOLDS, shuffle=True, random_state=0)
        for others, fold in folds.split(expected):
            model = self._made()
            model.fit(features.iloc[others], outcomes.iloc[others], self.horizon_days)
            found = model.predict(features.iloc[fold])[2]
            expected[fold] = 0.0 if found is None else found
        return np.maximum(expected, 0.0)


def _checked(
    name: str, features: pd.DataFrame, outcomes: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    if len(features) != len(outcomes):
        raise InputError(
            f"{name}: {len(features)} rows of features and {len(outcomes)} of "
            "outcomes; give both of the same customers"
        )
    if len(features) < LEAST_CUSTOMERS:
        raise InputError(
            f"{name}: there are {len(features)} customers to learn from; give at least "
            f"{LEAST_CUSTOMERS}"
        )
    missing = [column for column in OUTCOMES if column not in outcomes]
    if missing:
        raise InputError(
            f"{name}: the outcomes have no column {', '.join(missing)}; add it"
        )
    for column in ("has_returned", "purchases"):
        if outcomes[column].isna().any():
            raise InputError(
                f"{name}: {column} is null for {int(outcomes[column].isna().sum())} "
                "customers; learn from those whose outcome is known"
            )
    return features, pd.DataFrame(
        {
            "has_returned": outcomes["has_returned"].to_numpy(dtype=bool),
            "purchases": outcomes["purchases"].to_numpy(dtype=float),
            "spend": outcomes["spend"].to_numpy(dtype=float, na_value=np.nan),
        }
    )
