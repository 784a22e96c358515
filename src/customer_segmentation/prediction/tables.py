"""The tables of the dbt Python models in ``python_models/prediction``."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from customer_segmentation import engine
from customer_segmentation.prediction.rules import PredictionRules
from customer_segmentation.prediction.splits import Record, Split, splits_of

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
    ]
)


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
    rules = PredictionRules.read(variables["prediction"], variables["segmentations"])
    columns = ["source_system", "as_of_date", "first_purchase_date"]
    recorded = engine.read(records, columns, order_by="source_system")
    rows = [
        _split_row(split)
        for name, as_of, first in recorded.itertuples(index=False)
        for split in splits_of(Record(name, as_of, first), rules)
    ]
    return pa.Table.from_pylist(rows, SPLITS)


def _split_row(split: Split) -> dict[str, Any]:
    days = {
        f"{side}_{end}_date": getattr(side_days, edge) if side_days else None
        for side, side_days in (("train", split.train), ("test", split.test))
        for end, edge in (("from", "first"), ("to", "last"))
    }
    return {name: getattr(split, name, None) for name in SPLITS.names} | days
