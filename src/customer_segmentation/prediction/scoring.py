"""Today's customers, scored by the champions; nothing is fitted."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from threadpoolctl import threadpool_limits

from customer_segmentation import engine
from customer_segmentation.prediction.entries import REGISTRY_FACTS, ModelEntry
from customer_segmentation.prediction.feature_kinds import features_of
from customer_segmentation.prediction.purchases import UNKNOWN, InSeason
from customer_segmentation.prediction.registry import load_model
from customer_segmentation.prediction.samples import (
    EXISTING,
    NEW,
    Population,
)
from customer_segmentation.prediction.seasons import Seasons

__all__ = [
    "SCORES",
    "SEGMENT_SCORES",
    "read_champions",
    "read_entry",
    "score_purchases",
    "score_segments",
]

SCORES = pa.schema(
    [
        ("customer_key", pa.string()),
        ("source_system", pa.string()),
        ("origin_date", pa.date32()),
        ("horizon_days", pa.int32()),
        ("return_probability", pa.float64()),
        ("expected_purchases", pa.float64()),
        ("expected_spend", pa.float64()),
        ("spend_low", pa.float64()),
        ("spend_high", pa.float64()),
        ("model_id", pa.string()),
    ]
)
SEGMENT_SCORES = pa.schema(
    [
        ("customer_key", pa.string()),
        ("source_system", pa.string()),
        ("segmentation", pa.string()),
        ("horizon_days", pa.int32()),
        ("segment", pa.string()),
        ("probability", pa.float64()),
        ("model_id", pa.string()),
    ]
)
POPULATIONS = {population.name: population for population in (EXISTING, NEW)}
# whom to score today
TODAY = {"existing": {"is_present": True}, "new": {"is_new": True}}
SEGMENT = "segment:"
# the last bits of a sum depend on the rows beside it in the batch
DECIMALS = 9


def score_purchases(
    customers: engine.Relation,
    champions: engine.Relation,
    registry: engine.Relation,
    seasons: engine.Relation,
    population: str,
) -> engine.Stream:
    """Say what is expected of today's customers, by the champions.

    Parameters
    ----------
    customers : engine.Relation
        ``customer_snapshots`` of existing customers, ``first_purchase_features`` of new
        ones.
    champions, registry : engine.Relation
        ``int_prediction__champions`` and ``int_prediction__models``.
    seasons : engine.Relation
        ``int_prediction__seasons``.
    population : {"existing", "new"}
        Which.

    Returns
    -------
    engine.Stream
        Of the schema ``SCORES``: one row per customer of a source system with a
        champion.

    Raises
    ------
    InputError
        If a champion is not safe to load, or was trained on other features.
    """
    in_use = [
        entry
        for entry in read_champions(champions, registry)
        if entry.purpose.task == "next_purchases"
    ]
    predict = partial(_purchases, Seasons.read(seasons))
    return _scored(customers, in_use, POPULATIONS[population], predict, SCORES)


def score_segments(
    customers: engine.Relation,
    champions: engine.Relation,
    registry: engine.Relation,
) -> engine.Stream:
    """Say which segments today's new customers are expected to come to.

    Parameters
    ----------
    customers : engine.Relation
        ``first_purchase_features``.
    champions, registry : engine.Relation
        ``int_prediction__champions`` and ``int_prediction__models``.

    Returns
    -------
    engine.Stream
        Of the schema ``SEGMENT_SCORES``: one row per new customer and champion.

    Raises
    ------
    InputError
        If a champion is not safe to load, or was trained on other features.
    """
    in_use = [
        entry
        for entry in read_champions(champions, registry)
        if entry.purpose.task.startswith(SEGMENT)
    ]
    return _scored(customers, in_use, NEW, _segments, SEGMENT_SCORES)


def read_champions(
    champions: engine.Relation, registry: engine.Relation
) -> list[ModelEntry]:
    """Return the models in use, which ``int_prediction__champions`` names."""
    ids = engine.read(champions, ["model_id"], order_by="model_id")["model_id"]
    return [read_entry(registry, model_id) for model_id in ids]


def read_entry(registry: engine.Relation, model_id: str) -> ModelEntry:
    """Return an entry of the registry with its model, which may be large."""
    columns = [*REGISTRY_FACTS, "model"]
    rows = engine.read(
        registry, columns, order_by="model_id", where={"model_id": model_id}
    )
    [row] = rows.to_dict("records")
    return ModelEntry.from_row(row)


@dataclass(frozen=True)
class _Scorer:
    """Scores the customers of a batch; knows the champions of a population."""

    population: Population
    schema: pa.Schema
    champions: Sequence[tuple[ModelEntry, Any]]
    predict: Any

    @threadpool_limits.wrap(limits=1)
    def __call__(self, batch: pa.Table) -> pa.Table:
        # sorted, for what rounding leaves
        frame = engine.to_frame(batch).sort_values("customer_key", kind="stable")
        tables = [self.schema.empty_table()]
        for entry, model in self.champions:
            is_theirs = frame["source_system"] == entry.purpose.source_system
            rows = frame[is_theirs].reset_index(drop=True)
            if rows.empty:
                continue
            found = self.predict(entry, model, rows).assign(
                customer_key=rows["customer_key"],
                source_system=rows["source_system"],
                origin_date=pd.to_datetime(rows[self.population.day])
                + pd.Timedelta(days=self.population.days_to_origin),
                segmentation=entry.purpose.task.removeprefix(SEGMENT),
                horizon_days=entry.purpose.horizon_days,
                model_id=entry.model_id,
            )
            tables.append(
                pa.Table.from_pandas(
                    found[self.schema.names], self.schema, preserve_index=False
                )
            )
        return pa.concat_tables(tables)


def _scored(
    customers: engine.Relation,
    champions: Sequence[ModelEntry],
    population: Population,
    predict: Any,
    schema: pa.Schema,
) -> engine.Stream:
    names = population.features(customers.columns)
    kinds = features_of(engine.empty_frame(customers, names), names)
    loaded = [
        (entry, load_model(entry, kinds))
        for entry in champions
        if entry.purpose.population == population.name
    ]
    columns = dict.fromkeys(["customer_key", "source_system", population.day, *names])
    return engine.map_batches(
        customers,
        list(columns),
        _Scorer(population, schema, loaded, predict),
        schema,
        where=TODAY[population.name],
    )


def _purchases(
    seasons: Seasons, entry: ModelEntry, model: InSeason, rows: pd.DataFrame
) -> pd.DataFrame:
    names = [feature.name for feature in entry.features]
    purpose = entry.purpose
    season = UNKNOWN
    if purpose.population == EXISTING.name:
        # today is the same day for all of a source system
        today = pd.Timestamp(rows[EXISTING.day].iloc[0]).date()
        season = seasons.year_before(purpose.source_system, today, purpose.horizon_days)
    return model.predict(rows[names], season).round(DECIMALS)


def _segments(entry: ModelEntry, model: Any, rows: pd.DataFrame) -> pd.DataFrame:
    features = rows[[feature.name for feature in entry.features]]
    found = model.predict_proba(features)
    probabilities = found.to_numpy()
    likeliest = probabilities.argmax(axis=1)
    return pd.DataFrame(
        {
            "segment": found.columns.to_numpy(dtype=object)[likeliest],
            "probability": probabilities[np.arange(len(found)), likeliest].round(
                DECIMALS
            ),
        }
    )
