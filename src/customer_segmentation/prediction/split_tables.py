"""The table of splits, and how it is read."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from customer_segmentation import engine
from customer_segmentation.prediction.rules import PredictionRules
from customer_segmentation.prediction.splits import Days, Record, Split, splits_of

__all__ = ["SPLITS", "read_rules", "read_splits", "split_records"]

SPLITS = pa.schema(
    [
        ("source_system", pa.string()),
        ("task", pa.string()),
        ("population", pa.string()),
        ("part", pa.string()),
        ("horizon_days", pa.int32()),
        ("is_cross_validated", pa.bool_()),
        ("train_from_date", pa.date32()),
        ("train_to_date", pa.date32()),
        ("test_from_date", pa.date32()),
        ("test_to_date", pa.date32()),
        ("as_of_date", pa.date32()),
    ]
)
SIDES = ("train", "test")


def split_records(records: engine.Relation, variables: Mapping[str, Any]) -> pa.Table:
    """Split what each source system has recorded into days to learn from and to test.

    Parameters
    ----------
    records : engine.Relation
        ``int_prediction__records``.
    variables : mapping
        The vars ``prediction`` and ``segmentations``.

    Returns
    -------
    pyarrow.Table
        Of the schema ``SPLITS``; no rows for a source system whose record is too short.

    Raises
    ------
    InputError
        If the var ``prediction`` is wrong.
    """
    rules = read_rules(variables)
    columns = ["source_system", "as_of_date", "first_purchase_date"]
    recorded = engine.read(records, columns, order_by="source_system")
    rows = [
        _to_row(split)
        for name, as_of, first in recorded.itertuples(index=False)
        for split in splits_of(Record(name, _day(as_of), _day(first)), rules)
    ]
    return pa.Table.from_pylist(rows, SPLITS)


def read_rules(variables: Mapping[str, Any]) -> PredictionRules:
    """Return the var ``prediction``, checked."""
    return PredictionRules.read(variables["prediction"], variables["segmentations"])


def read_splits(splits: engine.Relation, task: str) -> list[Split]:
    """Return the splits of a task, in an order that no run changes."""
    rows = engine.read(splits, SPLITS.names, order_by="source_system")
    found = [_from_row(row) for row in rows.to_dict("records") if row["task"] == task]
    return sorted(
        found,
        key=lambda split: (
            split.source_system,
            split.population,
            split.part,
            split.horizon_days,
        ),
    )


def _to_row(split: Split) -> dict[str, Any]:
    row = {name: getattr(split, name, None) for name in SPLITS.names}
    for side in SIDES:
        days = getattr(split, side)
        if days is not None:
            row |= {f"{side}_from_date": days.first, f"{side}_to_date": days.last}
    return row


def _from_row(row: Mapping[str, Any]) -> Split:
    days = {}
    for side in SIDES:
        first, last = (row[f"{side}_{end}_date"] for end in ("from", "to"))
        days[side] = None if pd.isna(first) else Days(_day(first), _day(last))
    return Split(
        *(row[name] for name in ("source_system", "task", "population", "part")),
        horizon_days=int(row["horizon_days"]),
        is_cross_validated=bool(row["is_cross_validated"]),
        **days,
        as_of_date=_day(row["as_of_date"]),
    )


def _day(value: object) -> Any:
    return pd.Timestamp(value).date()
