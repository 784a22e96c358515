"""The table of how far today's customers are from those learned from."""

from collections.abc import Mapping

import pandas as pd
import pyarrow as pa

from customer_segmentation import engine
from customer_segmentation.prediction.drift import psi
from customer_segmentation.prediction.entries import ModelEntry
from customer_segmentation.prediction.samples import READ_ROWS
from customer_segmentation.prediction.scoring import POPULATIONS, TODAY, read_champions

__all__ = ["DRIFT", "measure_drift"]

DRIFT = pa.schema(
    [
        ("source_system", pa.string()),
        ("task", pa.string()),
        ("population", pa.string()),
        ("model_id", pa.string()),
        ("feature", pa.string()),
        ("is_prediction", pa.bool_()),
        ("psi", pa.float64()),
        ("psi_by_chance", pa.float64()),
        ("change", pa.string()),
        ("training_customers", pa.int64()),
        ("customers", pa.int64()),
    ]
)
EXPECTED = ["return_probability", "expected_purchases", "expected_spend"]


def measure_drift(
    customers: Mapping[str, engine.Relation],
    scores: Mapping[str, engine.Relation],
    champions: engine.Relation,
    registry: engine.Relation,
) -> pa.Table:
    """Compare the customers scored today with those that the champions learned from.

    Parameters
    ----------
    customers : mapping of str to engine.Relation
        ``customer_snapshots`` and ``first_purchase_features``, by population.
    scores : mapping of str to engine.Relation
        ``int_prediction__existing_scores``, ``int_prediction__new_scores`` and, under
        ``segment``, ``int_prediction__segment_scores``.
    champions, registry : engine.Relation
        ``int_prediction__champions`` and ``int_prediction__models``.

    Returns
    -------
    pyarrow.Table
        Of the schema ``DRIFT``: one row per champion and feature or prediction; none
        for one with nobody to score.
    """
    tables = [DRIFT.empty_table()]
    for entry in read_champions(champions, registry):
        today = _today(entry, customers, scores)
        if today.empty:
            continue
        features = {feature.name for feature in entry.features}
        found = psi(entry.training_bins, today).assign(
            source_system=entry.purpose.source_system,
            task=entry.purpose.task,
            population=entry.purpose.population,
            model_id=entry.model_id,
        )
        found["is_prediction"] = ~found["feature"].isin(features)
        tables.append(
            pa.Table.from_pandas(found[DRIFT.names], DRIFT, preserve_index=False)
        )
    return pa.concat_tables(tables)


def _today(
    entry: ModelEntry,
    customers: Mapping[str, engine.Relation],
    scores: Mapping[str, engine.Relation],
) -> pd.DataFrame:
    """Return features and predictions of those scored today, past a number a sample."""
    population = POPULATIONS[entry.purpose.population]
    where = {"source_system": entry.purpose.source_system}
    names = [feature.name for feature in entry.features]
    rows = engine.read(
        customers[population.name],
        list(dict.fromkeys(["customer_key", *names])),
        order_by=population.key,
        where=where | TODAY[population.name],
        limit=READ_ROWS,
        sample_by="customer_key",
    )
    is_segment = entry.purpose.task != "next_purchases"
    predicted = engine.read(
        scores["segment" if is_segment else population.name],
        ["customer_key", *(["segment"] if is_segment else EXPECTED)],
        where={"model_id": entry.model_id},
        limit=READ_ROWS,
    )
    return rows.merge(predicted, on="customer_key", how="inner")
