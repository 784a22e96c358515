"""The season: how much more is to come than there was in the days learned from."""

import math
from typing import Any, Self

import numpy as np
import pandas as pd

from customer_segmentation.prediction.purchases.next_purchases import NextPurchases
from customer_segmentation.prediction.seasons import UNKNOWN, Season

__all__ = ["UNKNOWN", "InSeason", "Season"]

# a factor beyond these says more of the shop's youth than of its seasons
LEAST, GREATEST = 1 / 3, 3.0


class InSeason:
    """A model of next purchases whose level follows the season.

    A model learns how much comes in the days after its cutoff. Another season brings
    more or less; how much, the same days of the year before tell, which are known when
    one predicts. Models that learn no level, as the rules of thumb and those of buying
    until one dies, are left as they are.

    Parameters
    ----------
    estimator : NextPurchases
        Not fitted.
    learned : Season
        Of the days learned from.

    Attributes
    ----------
    purchases, spend : float
        Of the days learned from.
    """

    def __init__(self, estimator: NextPurchases, learned: Season) -> None:
        self.estimator = estimator
        self.purchases = learned.purchases
        self.spend = learned.spend

    def fit(
        self, features: pd.DataFrame, outcomes: pd.DataFrame, horizon_days: int
    ) -> Self:
        """As ``NextPurchases.fit``."""
        self.estimator.fit(features, outcomes, horizon_days)
        return self

    def predict(self, features: pd.DataFrame, season: Season) -> pd.DataFrame:
        """Return what is expected in a season; unknown, it is the one learned from.

        Parameters
        ----------
        features : pandas.DataFrame
            As of ``NextPurchases.predict``, and so is what is returned.
        season : Season
            What the shop sold a year before in the days to come.
        """
        found = self.estimator.predict(features)
        if not self.estimator.learns_level:
            return found
        more_purchases = _factor(season.purchases, self.purchases)
        more_spend = _factor(season.spend, self.spend)
        # purchases come at a rate, of which the probability of one follows
        stays_away = 1 - found["return_probability"].to_numpy()
        changed: dict[str, Any] = {
            "return_probability": 1 - stays_away**more_purchases,
            "expected_purchases": found["expected_purchases"] * more_purchases,
        }
        changed["expected_purchases"] = np.maximum(
            changed["expected_purchases"], changed["return_probability"]
        )
        for name in ("expected_spend", "spend_low", "spend_high"):
            changed[name] = found[name] * more_spend
        return found.assign(**changed)


def _factor(to_come: float, learned: float) -> float:
    """Return one season over another, 1 where one is not known."""
    if math.isnan(to_come) or math.isnan(learned) or learned <= 0 or to_come <= 0:
        return 1.0
    return min(max(to_come / learned, LEAST), GREATEST)
