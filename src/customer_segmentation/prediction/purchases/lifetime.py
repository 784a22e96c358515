"""Buy-till-you-die models as candidates: purchases by rate and leaving, times value."""

from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.btyd import BgNbd, GammaGamma, ParetoNbd
from customer_segmentation.prediction.purchases.columns import column_of
from customer_segmentation.prediction.purchases.models import Expected, spend_of

__all__ = ["Lifetime"]

# so that ten customers have a maximum too; many hardly notice it
SHRINKAGE = 1.0
NEEDED = ("purchase_days", "interpurchase_days", "recency_days")

Numbers = NDArray[np.float64]
History = tuple[Numbers, Numbers, Numbers]


class Lifetime:
    """BG/NBD or Pareto/NBD, and Gamma-Gamma for the value of a day with purchases.

    Time is in days, and a day with purchases counts once. It learns from histories
    alone, so what customers did after the cutoff is not read, but for whether there are
    amounts. A customer of whom no purchase is known has a history of no days.

    Parameters
    ----------
    is_pareto : bool
        Whether customers leave at a time (Pareto/NBD) or after a purchase (BG/NBD).

    Attributes
    ----------
    purchases : BgNbd, ParetoNbd or None
        None where nobody learned from came back.
    mean_value : float
        Of a day with purchases, for all if nobody bought twice.
    """

    def __init__(self, is_pareto: bool) -> None:
        self.is_pareto = is_pareto

    def fit(
        self, features: pd.DataFrame, outcomes: pd.DataFrame, horizon_days: int
    ) -> Self:
        """Learn from the features of n customers.

        Raises
        ------
        InputError
            If there is no column of histories.
        """
        self.horizon_days = float(horizon_days)
        history = _histories(features)
        model = ParetoNbd if self.is_pareto else BgNbd
        self.purchases: BgNbd | ParetoNbd | None = None
        # if nobody ever came back the likelihood has no maximum, and nobody will
        if history[0].any():
            self.purchases = model.fit(*history, shrinkage=SHRINKAGE)
        self.has_spend = spend_of(outcomes) is not None
        self.value: GammaGamma | None = None
        self.mean_value = 0.0
        if self.has_spend:
            value = _values(features)
            self.mean_value = float(value.mean())
            # of how many days the value is the mean, of those who bought again
            days = np.where((value > 0) & (history[0] > 0), history[0] + 1, 0.0)
            if days.any():
                self.value = GammaGamma.fit(days, value, shrinkage=SHRINKAGE)
        return self

    def predict(self, features: pd.DataFrame) -> Expected:
        """Return what is expected of n customers."""
        history = _histories(features)
        chance, purchases = np.zeros(len(features)), np.zeros(len(features))
        if self.purchases is not None:
            chance = self.purchases.return_probability(self.horizon_days, *history)
            purchases = self.purchases.expected_purchases(self.horizon_days, *history)
        if not self.has_spend:
            return chance, purchases, None
        each = np.full(len(features), self.mean_value)
        if self.value is not None:
            each = self.value.expected_value(history[0] + 1, _values(features))
            # with few who bought again, the mean of all may be infinite
            each = np.where(np.isfinite(each), each, self.mean_value)
        return chance, purchases, purchases * each


def _histories(features: pd.DataFrame) -> History:
    """Return repeat purchases, days from the first to the last, and to the cutoff."""
    if missing := [name for name in NEEDED if name not in features]:
        raise InputError(
            f"buy-till-you-die: there is no column {', '.join(missing)}; give it, or "
            "leave these candidates out"
        )
    days, between, since = (
        np.zeros(len(features)) if values is None else np.nan_to_num(values)
        for values in (column_of(features, name) for name in NEEDED)
    )
    repeats = np.maximum(np.round(days) - 1, 0.0)
    # the mean interval times their number is a whole number of days, one each at least
    recency = np.maximum(np.round(repeats * between), repeats)
    return repeats, recency, recency + np.maximum(since, 0.0)


def _values(features: pd.DataFrame) -> Numbers:
    """Return the mean value of a day with purchases, net of returns, 0 at least."""
    total, days = column_of(features, "monetary"), column_of(features, "purchase_days")
    if total is None or days is None:
        return np.zeros(len(features))
    mean = np.nan_to_num(total) / np.maximum(np.nan_to_num(days), 1.0)
    return np.maximum(mean, 0.0)
