"""Models of what customers will do next, each of one idea; see ``spending``.

All have ``fit(features, outcomes, horizon_days)`` and ``predict(features)``. The
latter returns the probability of return, the expected purchases and the expected spend
of each customer; spend is None where nobody's was known at the fit.
"""

from typing import Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_segmentation.prediction.purchases.columns import (
    FirstPurchaseColumns,
    NumberColumns,
    column_of,
)
from customer_segmentation.prediction.purchases.parts import Calibration, Chance, Level
from customer_segmentation.prediction.purchases.ratio_blend import (
    BASE_OF_PURCHASES,
    BASE_OF_SPEND,
    RatioBlend,
    RatioModel,
)

__all__ = ["Baseline", "Blend", "Hurdle", "Tweedie", "spend_of"]

YEAR = 365.0
# a new customer has no other past
BASKET = {"basket_value": 1.0}

Numbers = NDArray[np.float64]
Expected = tuple[Numbers, Numbers, Numbers | None]


def spend_of(outcomes: pd.DataFrame) -> Numbers | None:
    """Return what was spent, None if it is known of nobody; unknown is nothing."""
    spend = column_of(outcomes, "spend")
    return None if spend is None else np.maximum(np.nan_to_num(spend), 0.0)


def _counts_of(outcomes: pd.DataFrame) -> Numbers:
    return outcomes["purchases"].to_numpy(dtype=float)


def _returns_of(outcomes: pd.DataFrame) -> NDArray[np.bool_]:
    return outcomes["has_returned"].to_numpy(dtype=bool)


class Baseline:
    """No model: what was spent before will be spent again.

    Parameters
    ----------
    spend, purchases : str
        Features that say what was.
    days : float or None
        How many days they are of; None if they say what a horizon of any length will.
    """

    def __init__(self, spend: str, purchases: str | None, days: float | None) -> None:
        self.spend = spend
        self.purchases = purchases
        self.days = days

    def fit(
        self, features: pd.DataFrame, outcomes: pd.DataFrame, horizon_days: int
    ) -> Self:
        """Take note of the horizon, and of how many purchases follow on average."""
        self.times = horizon_days / self.days if self.days else 1.0
        self.mean_purchases = float(_counts_of(outcomes).mean())
        self.share = float(_returns_of(outcomes).mean())
        self.has_spend = spend_of(outcomes) is not None
        return self

    def predict(self, features: pd.DataFrame) -> Expected:
        """Return what was; of who has done nothing, nothing."""
        spend = self._before(features, self.spend) if self.has_spend else None
        if self.purchases is None:
            count = len(features)
            return (
                np.full(count, self.share),
                np.full(count, self.mean_purchases),
                spend,
            )
        purchases = self._before(features, self.purchases)
        return -np.expm1(-purchases), purchases, spend

    def _before(self, features: pd.DataFrame, name: str) -> Numbers:
        values = column_of(features, name)
        if values is None:
            return np.zeros(len(features))
        return np.maximum(np.nan_to_num(values), 0.0) * self.times


class Hurdle:
    """Whether customers return, times how much those buy who do, calibrated.

    Parameters
    ----------
    columns : {"numbers", "first_purchase", "first_purchase_and_day"}
        Which it reads.
    c, alpha : float
        Of ``Chance`` and of ``Level``.
    is_calibrated : bool
        Whether the product is calibrated on the outcomes; else it is the mean of a
        lognormal (the zero-inflated lognormal of Wang, Liu & Miao 2019,
        arXiv:1912.07753, with linear parts).
    """

    def __init__(
        self,
        columns: Literal["numbers", "first_purchase", "first_purchase_and_day"],
        c: float,
        alpha: float,
        is_calibrated: bool,
    ) -> None:
        self.columns: NumberColumns | FirstPurchaseColumns
        if columns == "numbers":
            self.columns = NumberColumns()
        else:
            self.columns = FirstPurchaseColumns(columns == "first_purchase_and_day")
        self.c = c
        self.alpha = alpha
        self.is_calibrated = is_calibrated

    def fit(
        self, features: pd.DataFrame, outcomes: pd.DataFrame, horizon_days: int
    ) -> Self:
        """Learn from the features and outcomes of n customers."""
        columns = self.columns.fit(features).transform(features)
        self.chance = Chance(self.c).fit(columns, _returns_of(outcomes))
        self.purchases = self._amount(columns, _counts_of(outcomes))
        spend = spend_of(outcomes)
        self.spend = None if spend is None else self._amount(columns, spend)
        return self

    def predict(self, features: pd.DataFrame) -> Expected:
        """Return what is expected of n customers."""
        columns = self.columns.transform(features)
        return (
            self.chance.predict(columns),
            self.purchases.predict(columns),
            None if self.spend is None else self.spend.predict(columns),
        )

    def _amount(self, columns: Numbers, bought: Numbers) -> "_HurdleAmount":
        amount = _HurdleAmount(Chance(self.c), Level(self.alpha), self.is_calibrated)
        return amount.fit(columns, bought)


class _HurdleAmount:
    def __init__(self, chance: Chance, level: Level, is_calibrated: bool) -> None:
        self.chance = chance
        self.level = level
        self.is_calibrated = is_calibrated

    def fit(self, columns: Numbers, bought: Numbers) -> Self:
        self.is_nothing = not bought.any()
        self.chance.fit(columns, bought > 0)
        self.level.fit(columns, bought)
        self.calibration = None
        if self.is_calibrated:
            self.calibration = Calibration().fit(self._score(columns), bought)
        return self

    def predict(self, columns: Numbers) -> Numbers:
        if self.is_nothing:
            return np.zeros(len(columns))
        score = self._score(columns)
        return score if self.calibration is None else self.calibration.predict(score)

    def _score(self, columns: Numbers) -> Numbers:
        log = self.level.predict(columns)
        if not self.is_calibrated:
            log = log + self.level.variance / 2
        return self.chance.predict(columns) * np.exp(log)


class Tweedie:
    """A generalised linear model of outcomes over what was done of late.

    Parameters
    ----------
    base_of_spend, base_of_purchases : dict of str to float
        As in ``RatioModel``.
    """

    def __init__(
        self, base_of_spend: dict[str, float], base_of_purchases: dict[str, float]
    ) -> None:
        self.base_of_spend = base_of_spend
        self.base_of_purchases = base_of_purchases

    def fit(
        self, features: pd.DataFrame, outcomes: pd.DataFrame, horizon_days: int
    ) -> Self:
        """Learn from the features and outcomes of n customers."""
        self.columns = NumberColumns().fit(features)
        columns = self.columns.transform(features)
        self.chance = Chance(0.05).fit(columns, _returns_of(outcomes))
        self.purchases = RatioModel(self.base_of_purchases, has_trees=False)
        self.purchases.fit(features, columns, _counts_of(outcomes))
        spend = spend_of(outcomes)
        self.spend = None
        if spend is not None:
            self.spend = RatioModel(self.base_of_spend, has_trees=False)
            self.spend.fit(features, columns, spend)
        return self

    def predict(self, features: pd.DataFrame) -> Expected:
        """Return what is expected of n customers."""
        columns = self.columns.transform(features)
        return (
            self.chance.predict(columns),
            self.purchases.predict(features, columns),
            None if self.spend is None else self.spend.predict(features, columns),
        )


class Blend:
    """``RatioBlend`` of spend, beside simple models of return and of purchases.

    Where there are no amounts it is of purchases.

    Attributes
    ----------
    of_others : ndarray of shape (n,) or None
        The spend expected of those learned from by models that did not know them. For
        the interval; whoever has read it may set it to None.
    """

    def fit(
        self, features: pd.DataFrame, outcomes: pd.DataFrame, horizon_days: int
    ) -> Self:
        """Learn from the features and outcomes of n customers."""
        self.columns = NumberColumns().fit(features)
        columns = self.columns.transform(features)
        self.chance = Chance(0.05)
        self.chance.fit(columns, _returns_of(outcomes))
        spend, counts = spend_of(outcomes), _counts_of(outcomes)
        self.spend, self.purchases, self.of_others = None, None, None
        if spend is None:
            self.purchases = RatioBlend(BASE_OF_PURCHASES)
            self.purchases.fit(features, counts)
        else:
            self.spend = RatioBlend(BASE_OF_SPEND)
            self.of_others = self.spend.fit(features, spend)
            self.ratio = RatioModel(BASE_OF_PURCHASES, has_trees=False)
            self.ratio.fit(features, columns, counts)
        return self

    def predict(self, features: pd.DataFrame) -> Expected:
        """Return what is expected of n customers."""
        columns = self.columns.transform(features)
        chance = self.chance.predict(columns)
        if self.spend is None:
            return chance, self.purchases.predict(features), None
        purchases = self.ratio.predict(features, columns)
        return chance, purchases, self.spend.predict(features)
