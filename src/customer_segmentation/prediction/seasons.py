"""Seasons: what a whole source system sells in the days after an as-of date."""

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
]

SEASONS = [
    *("source_system", "as_of_date", "horizon_days", "days_before"),
    *("purchases", "spend"),
]


@dataclass(frozen=True)
class Season:
    """What a whole source system sells in some days; ``nan`` if unknown.

    Parameters
    ----------
    purchases : float
        Number of purchases.
    spend : float
        Their amounts, net of returns.
    """

    purchases: float = math.nan
    spend: float = math.nan


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
        Seasons by source system, as-of date, horizon in days and days before. The last
        is 0 for the horizon after the as-of date, and 365 for the same days one year
        earlier.
    """

    by_key: Mapping[tuple[str, date, int, int], Season]

    @classmethod
    def read(cls, seasons: engine.Relation) -> Self:
        """Read ``int_prediction__seasons``."""
        rows = engine.read(seasons, SEASONS, order_by="source_system")
        return cls(
            {
                (name, pd.Timestamp(day).date(), int(horizon), int(before)): Season(
                    float(purchases), float(spend)
                )
                for name, day, horizon, before, purchases, spend in rows.itertuples(
                    index=False
                )
            }
        )

    def after(self, source_system: str, day: date, horizon_days: int) -> Season:
        """Return the season after an as-of date, which a training set includes."""
        return self.by_key.get((source_system, day, horizon_days, 0), UNKNOWN)

    def year_before(self, source_system: str, day: date, horizon_days: int) -> Season:
        """Return the same days one year earlier, known when a model predicts."""
        return self.by_key.get((source_system, day, horizon_days, 365), UNKNOWN)


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

    def year_before(
        self, source_system: str, day: date, horizon_days: int
    ) -> CategorySales:
        """Return the sales one year before the days that begin on a date."""
        return self.by_key.get((source_system, day, horizon_days), UNKNOWN_SALES)
