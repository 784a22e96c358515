"""Scores: what the champions predict for today's customers. Nothing is fitted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import pyarrow as pa

from customer_segmentation import engine
from customer_segmentation.parallel import single_threaded
from customer_segmentation.prediction.cohorts import (
    INTEREST_POPULATIONS,
    NEW,
    POPULATIONS,
    Population,
)
from customer_segmentation.prediction.entries import (
    INTERESTS,
    NEXT_PURCHASES,
    SEGMENT_PREFIX,
    ModelEntry,
    Purpose,
)
from customer_segmentation.prediction.feature_kinds import features_of
from customer_segmentation.prediction.interests import InterestsOfToday
from customer_segmentation.prediction.registry import load_model, read_entry
from customer_segmentation.prediction.seasons import CategorySeasons, Seasons
from customer_segmentation.prediction.tasks import DECIMALS, Task, task_of

__all__ = [
    "INTEREST_SCORES",
    "SCORES",
    "SEGMENT_SCORES",
    "Champion",
    "load_champions",
    "score_interests",
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
        ("spend_median", pa.float64()),
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
        ("segment_rank", pa.int32()),
        ("probability", pa.float64()),
        ("model_id", pa.string()),
    ]
)
INTEREST_SCORES = pa.schema(
    [
        ("customer_key", pa.string()),
        ("source_system", pa.string()),
        ("population", pa.string()),
        ("as_of_date", pa.date32()),
        ("horizon_days", pa.int32()),
        ("category_id", pa.int32()),
        ("interest_rank", pa.int32()),
        ("probability", pa.float64()),
        ("model_id", pa.string()),
    ]
)


@dataclass(frozen=True)
class Champion:
    """A model in use.

    Parameters
    ----------
    entry : ModelEntry
        Its entry in the registry.
    model : object
        The fitted model.
    seasons : Seasons or CategorySeasons
        All known seasons.
    """

    entry: ModelEntry
    model: Any
    seasons: Seasons | CategorySeasons

    @property
    def task(self) -> Task:
        """What it predicts."""
        return task_of(self.entry.purpose.task)

    @single_threaded()
    def predict(self, customers: pd.DataFrame) -> pd.DataFrame:
        """Return what is published of at least one customer of its purpose.

        Parameters
        ----------
        customers : pandas.DataFrame of shape (n, d)
            With the features and ``as_of_date``, which they share.

        Returns
        -------
        pandas.DataFrame
            From ``Task.predict``.
        """
        today = pd.Timestamp(customers["as_of_date"].iloc[0])
        season = self.task.season_of(self.seasons, self.entry.purpose, today)
        found = self.task.predict(self.model, self._features(customers), season)
        return found.round(DECIMALS)

    @single_threaded()
    def summarise(self, customers: pd.DataFrame) -> pd.DataFrame:
        """Return one row per customer of what drift compares, whatever the season."""
        found = self.task.summarise(self.model, self._features(customers))
        return found.round(DECIMALS)

    def _features(self, customers: pd.DataFrame) -> pd.DataFrame:
        return customers[[feature.name for feature in self.entry.features]]


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
        customers, model_registry, models, known_seasons, wanted, (NEXT_PURCHASES,)
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
        Of the schema ``SEGMENT_SCORES``: one row per new customer, champion and
        segment.

    Raises
    ------
    InputError
        If a champion cannot be loaded safely, or reads other features.
    """
    champions = load_champions(
        customers, model_registry, models, Seasons({}), NEW, (SEGMENT_PREFIX,)
    )
    return _score(customers, champions, NEW, SEGMENT_SCORES)


def score_interests(
    histories: engine.Relation,
    model_registry: engine.Relation,
    models: engine.Relation,
    seasons: engine.Relation,
    product_categories: engine.Relation,
) -> engine.Stream:
    """Predict the next interests of today's customers, existing and new.

    New customers are predicted like existing ones where no model of new customers is in
    use; on dates of which no season is known, without a season.

    Parameters
    ----------
    histories : engine.Relation
        ``int_prediction__category_histories``.
    model_registry, models, seasons : engine.Relation
        ``model_registry``, ``int_prediction__models`` and
        ``int_prediction__category_seasons``.
    product_categories : engine.Relation
        ``product_categories``: only these categories are predicted.

    Returns
    -------
    engine.Stream
        Of the schema ``INTEREST_SCORES``: a few rows per customer of a source system
        with a champion.

    Raises
    ------
    InputError
        If a champion cannot be loaded safely, or reads other features.
    """
    known_seasons = CategorySeasons.read(seasons)
    of_today = _categories_of_today(product_categories)
    champions = [
        replace(
            champion,
            model=InterestsOfToday(
                champion.model,
                of_today.get(champion.entry.purpose.source_system, frozenset()),
            ),
        )
        for population in INTEREST_POPULATIONS.values()
        for champion in load_champions(
            histories, model_registry, models, known_seasons, population, (INTERESTS,)
        )
    ]
    names = INTEREST_POPULATIONS[NEW.name].features(histories.columns)
    return engine.map_batches(
        histories,
        ["customer_key", "source_system", "population", "as_of_date", *names],
        _Scorer(champions, INTEREST_SCORES, has_populations=True),
        INTEREST_SCORES,
        where={"is_scored": True},
    )


def _categories_of_today(
    product_categories: engine.Relation,
) -> dict[str, frozenset[int]]:
    """Return the ids of the categories by source system."""
    columns = ["source_system", "category_id"]
    rows = engine.read(product_categories, columns, order_by=columns)
    return {
        str(name): frozenset(int(one) for one in ids.unique())
        for name, ids in rows.groupby("source_system")["category_id"]
    }


def load_champions(
    customers: engine.Relation,
    model_registry: engine.Relation,
    models: engine.Relation,
    seasons: Seasons | CategorySeasons,
    population: Population,
    tasks: tuple[str, ...],
) -> list[Champion]:
    """Load the models in use for a population.

    Parameters
    ----------
    customers : engine.Relation
        The table of the population, whose features the models must read.
    model_registry, models : engine.Relation
        ``model_registry``, which says what is in use, and ``int_prediction__models``.
    seasons : Seasons or CategorySeasons
        All known seasons.
    population : Population
        Which customers.
    tasks : tuple of str
        How the names of the tasks begin.

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
    ids = in_use.loc[in_use["task"].str.startswith(tasks), "model_id"]
    entries = [read_entry(models, model_id) for model_id in ids]
    return [Champion(entry, load_model(entry, features), seasons) for entry in entries]


@dataclass(frozen=True)
class _Scorer:
    """Scores the customers of a batch with the champions of their source system."""

    champions: Sequence[Champion]
    schema: pa.Schema
    # whether the batch has customers of several populations
    has_populations: bool = False

    def __call__(self, batch: pa.Table) -> pa.Table:
        # sorted, because rounding errors may depend on the order
        frame = engine.to_frame(batch).sort_values("customer_key", kind="stable")
        tables = [self.schema.empty_table()]
        for champion in self.champions:
            purpose = champion.entry.purpose
            is_theirs = frame["source_system"] == purpose.source_system
            if self.has_populations:
                is_theirs &= frame["population"].isin(self._populations(purpose))
            # each date has its season, whoever else is in the batch
            for _, customers in frame[is_theirs].groupby("as_of_date"):
                tables.append(self._score(champion, customers.reset_index(drop=True)))
        return pa.concat_tables(tables)

    def _score(self, champion: Champion, customers: pd.DataFrame) -> pa.Table:
        purpose = champion.entry.purpose
        predictions = champion.predict(customers)
        # pandas would give an empty frame the rows of the customers
        if predictions.empty:
            return self.schema.empty_table()
        scores = predictions.assign(
            customer_key=customers["customer_key"],
            population=customers.get("population"),
            source_system=customers["source_system"],
            as_of_date=customers["as_of_date"],
            segmentation=purpose.task.removeprefix(SEGMENT_PREFIX),
            horizon_days=purpose.horizon_days,
            model_id=champion.entry.model_id,
        )
        return pa.Table.from_pandas(
            scores[self.schema.names], self.schema, preserve_index=False
        )

    def _populations(self, purpose: Purpose) -> list[str]:
        """Return the populations that a champion predicts: its own, and orphans."""
        served = {
            one.entry.purpose.population
            for one in self.champions
            if one.entry.purpose.source_system == purpose.source_system
        }
        orphans = set(POPULATIONS) - served if purpose.population == "existing" else ()
        return sorted({purpose.population, *orphans})


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
