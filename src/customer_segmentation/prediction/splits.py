"""Splits: the dates that a model learns from, and those that it is judged on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import pandas as pd
import pyarrow as pa

from customer_segmentation import engine

__all__ = ["SPLIT_COLUMNS", "DateRange", "Split", "read_splits", "split_facts"]

# what both tables of back-tests say of a split
SPLIT_COLUMNS = (
    ("source_system", pa.string()),
    ("task", pa.string()),
    ("population", pa.string()),
    ("split", pa.string()),
    ("horizon_days", pa.int32()),
    ("is_cross_validated", pa.bool_()),
)
SPLITS = [
    *(name for name, _ in SPLIT_COLUMNS),
    *("train_from_date", "train_to_date", "test_from_date", "test_to_date"),
    "as_of_date",
]


@dataclass(frozen=True)
class DateRange:
    """From one date to another, both included.

    Parameters
    ----------
    first, last : date
        For existing customers one as-of date; for new customers the first and the last
        date of a first purchase.
    """

    first: date
    last: date


@dataclass(frozen=True)
class Split:
    """The customers that a model learns from and those that it predicts.

    Parameters
    ----------
    source_system, task, population : str
        What is predicted for which customers.
    name : str
        ``score``: today's customers. ``fit``: customers with a known outcome, for the
        model that scores. ``test``: the last of these. ``selection``: earlier ones, on
        which the champion is chosen.
    horizon_days : int
        Length of the outcome.
    is_cross_validated : bool
        Whether folds of the same customers are predicted in turn, since there are no
        earlier customers to learn from.
    train, test : DateRange or None
        The customers to learn from, None for ``score``, and those to predict, None for
        ``fit``.
    as_of_date : date
        Events on or after this date are ignored.
    """

    source_system: str
    task: str
    population: Literal["existing", "new"]
    name: Literal["score", "fit", "test", "selection"]
    horizon_days: int
    is_cross_validated: bool
    train: DateRange | None
    test: DateRange | None
    as_of_date: date

    @property
    def is_backtest(self) -> bool:
        """Whether it compares predictions with known outcomes."""
        return self.name in ("selection", "test")


def read_splits(splits: engine.Relation, task: str) -> tuple[Split, ...]:
    """Read the splits of a task from ``int_features__splits``, in a fixed order.

    Parameters
    ----------
    splits : engine.Relation
        The table.
    task : {"next_purchases", "segment"}
        Which splits.
    """
    rows = engine.read(splits, SPLITS, order_by="source_system", where={"task": task})
    found = [_from_row(row) for row in rows.to_dict("records")]
    return tuple(
        sorted(
            found,
            key=lambda split: (
                split.source_system,
                split.population,
                split.name,
                split.horizon_days,
            ),
        )
    )


def split_facts(split: Split) -> dict[str, Any]:
    """Return the values of ``SPLIT_COLUMNS``."""
    facts = {name: getattr(split, name, None) for name, _ in SPLIT_COLUMNS}
    return facts | {"split": split.name}


def _from_row(row: Mapping[str, Any]) -> Split:
    return Split(
        source_system=row["source_system"],
        task=row["task"],
        population=row["population"],
        name=row["split"],
        horizon_days=int(row["horizon_days"]),
        is_cross_validated=bool(row["is_cross_validated"]),
        train=_dates(row["train_from_date"], row["train_to_date"]),
        test=_dates(row["test_from_date"], row["test_to_date"]),
        as_of_date=pd.Timestamp(row["as_of_date"]).date(),
    )


def _dates(first: Any, last: Any) -> DateRange | None:
    if pd.isna(first):
        return None
    return DateRange(pd.Timestamp(first).date(), pd.Timestamp(last).date())
