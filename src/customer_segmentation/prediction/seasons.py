"""Seasons on record: what each source system sold in the days after a cutoff."""

from collections.abc import Mapping
from datetime import date
from typing import Self

import pandas as pd

from customer_segmentation import engine
from customer_segmentation.prediction.purchases import UNKNOWN, Season

__all__ = ["Seasons"]

SEASONS = [
    *("source_system", "origin_date", "horizon_days", "days_before"),
    *("purchases", "spend"),
]


class Seasons:
    """The seasons on record, by source system, cutoff, horizon and days before."""

    def __init__(self, by_key: Mapping[tuple[str, date, int, int], Season]) -> None:
        self.by_key = by_key

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

    def to_come(self, source_system: str, day: date, horizon_days: int) -> Season:
        """Return what was sold in the days after a cutoff, for those who learn."""
        return self.by_key.get((source_system, day, horizon_days, 0), UNKNOWN)

    def year_before(self, source_system: str, day: date, horizon_days: int) -> Season:
        """Return what was sold in those days a year before, for those who predict."""
        return self.by_key.get((source_system, day, horizon_days, 365), UNKNOWN)
