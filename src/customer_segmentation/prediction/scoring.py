"""Scores: what the champions predict for today's customers. Nothing is fitted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from customer_segmentation import engine
from customer_segmentation.parallel import single_threaded
from customer_segmentation.prediction.classification import most_probable
from customer_segmentation.prediction.cohorts import (
    NEW,
    POPULATIONS,
    Population,
)
from customer_segmentation.prediction.entries import (
    NEXT_PURCHASES,
    SEGMENT_PREFIX,
    ModelEntry,
)
from customer_segmentation.prediction.feature_kinds import features_of
from customer_segmentation.prediction.registry import load_model, read_entry
from customer_segmentation.prediction.seasons import UNKNOWN, Season, Seasons

__all__ = [
    "SCORES",
    "SEGMENT_SCORES",
    "Champion",
    "load_champions",
    "score_purchases",
    "score_segments",
]

SCORES = pa.schema(
    [
        ("customer_key", pa.string()),
        ("source_system", pa.string()),
        ("as_of_date", pa.date32()),
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
# the last bits of a sum depend on the other rows of the batch
DECIMALS = 9


@dataclass(frozen=True)
class Champion:
    """A model in use.

    Parameters
    ----------
    entry : ModelEntry
        Its entry in the registry.
    model : object
        The fitted model.
    seasons : Seasons
        All known seasons.
    """

    entry: ModelEntry
    model: Any
    seasons: Seasons

    @property
    def predicts_purchases(self) -> bool:
        """Whether it predicts purchases; else it predicts segments."""
        return self.entry.purpose.task == NEXT_PURCHASES

    @single_threaded()
    def predict(self, customers: pd.DataFrame) -> pd.DataFrame:
        """Return predictions of at least one customer of its purpose.

        Parameters
        ----------
        customers : pandas.DataFrame of shape (n, d)
            With ``as_of_date`` and the features; existing customers share the date.

        Returns
        -------
        pandas.DataFrame of shape (n, predictions)
            Purchases and spend, or ``segment`` and ``probability``.
        """
        features = customers[[feature.name for feature in self.entry.features]]
        if self.predicts_purchases:
            found = self.model.predict(features, self._season(customers))
        else:
            found = most_probable(self.model.predict_proba(features))
        return found.round(DECIMALS)

    def _season(self, customers: pd.DataFrame) -> Season:
        purpose = self.entry.purpose
        if purpose.population == NEW.name:
            return UNKNOWN
        today = pd.Timestamp(customers["as_of_date"].iloc[0]).date()
        return self.seasons.year_before(
            purpose.source_system, today, purpose.horizon_days
        )


def score_purchases(
    customers: engine.Relation,
    model_registry: engine.Relation,
    models: engine.Relation,
    seasons: engine.Relation,
    population: str,
) -> engine.Stream:
    """Predict the next purchases of today's customers.

    Parameters
    ----------
    customers : engine.Relation
        ``int_features__customer_days`` for existing customers,
        ``int_features__first_purchases`` for new ones.
    model_registry, models, seasons : engine.Relation
        ``model_registry``, ``int_prediction__models`` and ``int_prediction__seasons``.
    population : {"existing", "new"}
        Which customers.

    Returns
    -------
    engine.Stream
        Of the schema ``SCORES``: one row per customer of a source system with a
        champion.

    Raises
    ------
    InputError
        If a champion cannot be loaded safely, or reads other features.
    """
    wanted = POPULATIONS[population]
    known_seasons = Seasons.read(seasons)
    champions = load_champions(
        customers, model_registry, models, known_seasons, wanted, NEXT_PURCHASES
    )
    return _score(customers, champions, wanted, SCORES)


def score_segments(
    customers: engine.Relation,
    model_registry: engine.Relation,
    models: engine.Relation,
) -> engine.Stream:
    """Predict the segments that today's new customers will be in.

    Parameters
    ----------
    customers : engine.Relation
        ``int_features__first_purchases``.
    model_registry, models : engine.Relation
        ``model_registry`` and ``int_prediction__models``.

    Returns
    -------
    engine.Stream
        Of the schema ``SEGMENT_SCORES``: one row per new customer and champion.

    Raises
    ------
    InputError
        If a champion cannot be loaded safely, or reads other features.
    """
    champions = load_champions(
        customers, model_registry, models, Seasons({}), NEW, SEGMENT_PREFIX
    )
    return _score(customers, champions, NEW, SEGMENT_SCORES)


def load_champions(
    customers: engine.Relation,
    model_registry: engine.Relation,
    models: engine.Relation,
    seasons: Seasons,
    population: Population,
    task: str = "",
) -> list[Champion]:
    """Load the models in use for a population.

    Parameters
    ----------
    customers : engine.Relation
        The table of the population, whose features the models must read.
    model_registry, models : engine.Relation
        ``model_registry``, which says what is in use, and ``int_prediction__models``.
    seasons : Seasons
        All known seasons.
    population : Population
        Which customers.
    task : str
        How the task begins; all tasks by default.

    Raises
    ------
    InputError
        If a champion cannot be loaded safely, or reads other features.
    """
    names = population.features(customers.columns)
    features = features_of(engine.empty_frame(customers, names), names)
    in_use = engine.read(
        model_registry,
        ["model_id", "task"],
        order_by="model_id",
        where={"is_champion": True, "population": population.name},
    )
    ids = in_use.loc[in_use["task"].str.startswith(task), "model_id"]
    entries = [read_entry(models, model_id) for model_id in ids]
    return [Champion(entry, load_model(entry, features), seasons) for entry in entries]


@dataclass(frozen=True)
class _Scorer:
    """Scores the customers of a batch with the champions of their source system."""

    champions: Sequence[Champion]
    schema: pa.Schema

    def __call__(self, batch: pa.Table) -> pa.Table:
        # sorted, because rounding errors may depend on the order
        frame = engine.to_frame(batch).sort_values("customer_key", kind="stable")
        tables = [self.schema.empty_table()]
        for champion in self.champions:
            purpose = champion.entry.purpose
            is_theirs = frame["source_system"] == purpose.source_system
            customers = frame[is_theirs].reset_index(drop=True)
            if customers.empty:
                continue
            scores = champion.predict(customers).assign(
                customer_key=customers["customer_key"],
                source_system=customers["source_system"],
                as_of_date=customers["as_of_date"],
                segmentation=purpose.task.removeprefix(SEGMENT_PREFIX),
                horizon_days=purpose.horizon_days,
                model_id=champion.entry.model_id,
            )
            tables.append(
                pa.Table.from_pandas(
                    scores[self.schema.names], self.schema, preserve_index=False
                )
            )
        return pa.concat_tables(tables)


def _score(
    customers: engine.Relation,
    champions: Sequence[Champion],
    population: Population,
    schema: pa.Schema,
) -> engine.Stream:
    names = population.features(customers.columns)
    return engine.map_batches(
        customers,
        ["customer_key", "source_system", "as_of_date", *names],
        _Scorer(champions, schema),
        schema,
        where=population.scored_where,
    )
