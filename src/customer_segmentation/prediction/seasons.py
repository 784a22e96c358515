"""Seasons: how much more customers buy in some days of a year than in others."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Self

import pandas as pd

from customer_segmentation import engine

__all__ = [
    "UNKNOWN",
    "UNKNOWN_SALES",
    "CategorySales",
    "CategorySeasons",
    "Season",
    "Seasons",
    "season_factors",
]

KEYS = ["source_system", "as_of_date", "horizon_days"]
SOLD = [
    *("purchases", "purchases_of_year"),
    *("spend", "spend_of_year"),
    *("squared_spend", "squared_spend_of_year"),
]
YEAR_DAYS = 365
# variance of the logarithm of a factor: seasons of shops halve or double sales
PRIOR_VARIANCE = 0.5**2
# a larger change says more about a changed shop than about its season
MIN_FACTOR, MAX_FACTOR = 1 / 3, 3.0


@dataclass(frozen=True)
class Season:
    """The seasonal indices of a source system in some days; ``nan`` if unknown.

    An index is what existing customers buy in these days of a year, over what they buy
    in as many days of the whole year: 1 without a season.

    Parameters
    ----------
    purchases_index, spend_index : float
        Of the number of purchases, and of their amounts, net of returns.
    purchases_variance, spend_variance : float
        Sampling variances of the logarithms of the indices.
    """

    purchases_index: float = math.nan
    spend_index: float = math.nan
    purchases_variance: float = 0.0
    spend_variance: float = 0.0


UNKNOWN = Season()


@dataclass(frozen=True)
class CategorySales(Season):
    """What a source system sells of each category in some days.

    Parameters
    ----------
    categories : mapping of int to float
        Sales by category id; empty if unknown.
    """

    categories: Mapping[int, float] = field(default_factory=dict)


UNKNOWN_SALES = CategorySales()


@dataclass(frozen=True)
class Seasons:
    """All known seasons.

    Parameters
    ----------
    by_key : mapping
        Seasons by source system, as-of date and horizon in days.
    """

    by_key: Mapping[tuple[str, date, int], Season]

    @classmethod
    def read(cls, seasons: engine.Relation) -> Self:
        """Read ``int_prediction__seasons``."""
        rows = engine.read(seasons, [*KEYS, *SOLD], order_by=KEYS)
        rows[SOLD] = rows[SOLD].astype(float)
        found = {}
        for row in rows.itertuples(index=False):
            share = row.horizon_days / YEAR_DAYS
            # the variance of a number of purchases is the number itself
            purchases = _index(
                *(row.purchases, row.purchases_of_year),
                *(row.purchases, row.purchases_of_year, share),
            )
            spend = _index(
                *(row.spend, row.spend_of_year),
                *(row.squared_spend, row.squared_spend_of_year, share),
            )
            day = pd.Timestamp(row.as_of_date).date()
            found[row.source_system, day, int(row.horizon_days)] = Season(
                purchases[0], spend[0], purchases[1], spend[1]
            )
        return cls(found)

    def on(self, source_system: str, day: date, horizon_days: int) -> Season:
        """Return the season of the horizon after a date, as known on the date."""
        return self.by_key.get((source_system, day, horizon_days), UNKNOWN)


@dataclass(frozen=True)
class CategorySeasons:
    """Sales by category in the predicted days, one year before.

    Parameters
    ----------
    by_key : mapping
        Sales by source system, as-of date and horizon in days.
    """

    by_key: Mapping[tuple[str, date, int], CategorySales]

    @classmethod
    def read(cls, seasons: engine.Relation) -> Self:
        """Read ``int_prediction__category_seasons``."""
        keys = ["source_system", "as_of_date", "horizon_days"]
        columns = [*keys, "category_id", "purchases", "spend"]
        rows = engine.read(seasons, columns, order_by=[*keys, "category_id"])
        found = {}
        for (name, day, horizon), sold in rows.groupby(keys):
            # without amounts, purchases are the sales
            sales = sold["spend" if (sold["spend"] > 0).any() else "purchases"]
            key = name, pd.Timestamp(day).date(), int(horizon)
            by_category = zip(sold["category_id"], sales, strict=True)
            found[key] = CategorySales(
                categories={int(one): float(value) for one, value in by_category}
            )
        return cls(found)

    def on(self, source_system: str, day: date, horizon_days: int) -> CategorySales:
        """Return the sales one year before the days that begin on a date."""
        return self.by_key.get((source_system, day, horizon_days), UNKNOWN_SALES)


def season_factors(season: Season, training_season: Season) -> tuple[float, float]:
    """Return what a season multiplies purchases and spend by.

    Parameters
    ----------
    season, training_season : Season
        The season to predict for, and the one that a model learned in.

    Examples
    --------
    >>> season_factors(Season(2.0, 9.0), Season(1.0, 1.0))
    (2.0, 3.0)
    >>> season_factors(Season(2.0), Season(1.0, purchases_variance=0.25))
    (1.4142135623730951, 1.0)
    """
    purchases = _factor(
        *(season.purchases_index, training_season.purchases_index),
        season.purchases_variance + training_season.purchases_variance,
    )
    spend = _factor(
        *(season.spend_index, training_season.spend_index),
        season.spend_variance + training_season.spend_variance,
    )
    return purchases, spend


def _factor(index: float, training_index: float, variance: float) -> float:
    """Return one seasonal index over the other, 1 if one of them is unknown.

    The logarithm of the ratio is shrunk towards 0 by its sampling variance.
    """
    if not (index > 0 and training_index > 0):
        return 1.0
    weight = PRIOR_VARIANCE / (PRIOR_VARIANCE + variance)
    factor: float = (index / training_index) ** weight
    return min(max(factor, MIN_FACTOR), MAX_FACTOR)


def _index(
    sold: float, of_year: float, squares: float, squares_of_year: float, share: float
) -> tuple[float, float]:
    """Return a seasonal index, and the sampling variance of its logarithm.

    The index is a share of a sum of independent purchases; its variance follows from
    their squares by the delta method.

    Parameters
    ----------
    sold, of_year : float
        Sales in the days, and in the year that they belong to.
    squares, squares_of_year : float
        Sums of the squares of these sales.
    share : float
        The days as a share of the year.

    Examples
    --------
    >>> _index(100.0, 400.0, 100.0, 400.0, 0.125)
    (2.0, 0.0075)
    """
    if not (sold > 0 and of_year > 0):
        return math.nan, 0.0
    part = sold / of_year
    variance = ((1 - 2 * part) * squares + part**2 * squares_of_year) / sold**2
    return part / share, variance
