"""The naive baseline: what customers spent before, they spend again."""

from typing import ClassVar, Self

import numpy as np
import pandas as pd

from customer_segmentation.prediction.feature_kinds import Numbers, column_of
from customer_segmentation.prediction.purchases.expected import (
    Expected,
)
from customer_segmentation.prediction.purchases.model import (
    PurchaseModel,
    has_returned,
    purchases_of,
    spend_of,
)

__all__ = ["Baseline"]


class Baseline(PurchaseModel):
    """Expects that customers repeat what they did.

    Parameters
    ----------
    spend : str
        The feature that holds what customers spent.
    purchases : str or None
        The feature that holds their number of purchases. If None, all customers are
        expected to return and buy as the customers learned from do on average.
    days : float or None
        How many days the features cover. If None, they are what a horizon of any length
        brings.

    Attributes
    ----------
    factor_ : float
        The horizon as a multiple of the days that the features cover.
    mean_purchases_, return_share_ : float
        Of the customers learned from.
    has_spend_ : bool
        Whether the spend of any customer is known.
    """

    learns_level: ClassVar[bool] = False

    def __init__(
        self,
        spend: str = "spend_365",
        purchases: str | None = None,
        days: float | None = None,
    ) -> None:
        self.spend = spend
        self.purchases = purchases
        self.days = days

    def fit(
        self, features: pd.DataFrame, outcomes: pd.DataFrame, horizon_days: int
    ) -> Self:
        """Note the horizon, and the means of the outcomes."""
        self.factor_ = horizon_days / self.days if self.days else 1.0
        self.mean_purchases_ = float(purchases_of(outcomes).mean())
        self.return_share_ = float(has_returned(outcomes).mean())
        self.has_spend_ = spend_of(outcomes) is not None
        return self

    def predict(self, features: pd.DataFrame) -> Expected:
        """Return what n customers did before; missing features count as 0."""
        count = len(features)
        spend = self._repeated(features, self.spend) if self.has_spend_ else None
        if self.purchases is None:
            returns = np.full(count, self.return_share_)
            return Expected(returns, np.full(count, self.mean_purchases_), spend)
        purchases = self._repeated(features, self.purchases)
        # the probability of one purchase at least, at this rate
        return Expected(-np.expm1(-purchases), purchases, spend)

    def _repeated(self, features: pd.DataFrame, name: str) -> Numbers:
        values = column_of(features, name)
        if values is None:
            return np.zeros(len(features))
        return np.maximum(np.nan_to_num(values), 0.0) * self.factor_
