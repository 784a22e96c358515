"""The table of drift: how much today's customers differ from the training sets."""

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from customer_segmentation import engine
from customer_segmentation.prediction.cohorts import (
    EXISTING,
    INTEREST_POPULATIONS,
    NEW,
    Population,
)
from customer_segmentation.prediction.entries import (
    INTERESTS,
    NEXT_PURCHASES,
    SEGMENT_PREFIX,
)
from customer_segmentation.prediction.psi import psi
from customer_segmentation.prediction.scoring import Champion, load_champions
from customer_segmentation.prediction.seasons import CategorySeasons, Seasons

__all__ = ["DRIFT", "measure_drift"]

# larger source systems are sampled by the hash of the customer key: the index needs
# shares, not counts
MAX_CUSTOMERS = 100_000
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


def measure_drift(
    customer_days: engine.Relation,
    first_purchases: engine.Relation,
    model_registry: engine.Relation,
    models: engine.Relation,
    seasons: engine.Relation,
    category_histories: engine.Relation,
    category_seasons: engine.Relation,
) -> pa.Table:
    """Compare today's customers and their predictions with the training sets.

    Parameters
    ----------
    customer_days, first_purchases : engine.Relation
        ``int_features__customer_days`` and ``int_features__first_purchases``.
    model_registry, models, seasons : engine.Relation
        ``model_registry``, ``int_prediction__models`` and ``int_prediction__seasons``.
    category_histories, category_seasons : engine.Relation
        ``int_prediction__category_histories`` and ``int_prediction__category_seasons``.

    Returns
    -------
    pyarrow.Table
        Of the schema ``DRIFT``: one row per champion and feature or prediction; none
        for a champion without customers to score.

    Raises
    ------
    InputError
        If a champion cannot be loaded safely, or reads other features.
    """
    known = Seasons.read(seasons)
    sales = CategorySeasons.read(category_seasons)
    others = (NEXT_PURCHASES, SEGMENT_PREFIX)
    compared: list[
        tuple[engine.Relation, Population, Seasons | CategorySeasons, tuple[str, ...]]
    ] = [
        (customer_days, EXISTING, known, others),
        (first_purchases, NEW, known, others),
        *(
            (category_histories, population, sales, (INTERESTS,))
            for population in INTEREST_POPULATIONS.values()
        ),
    ]
    tables = [DRIFT.empty_table()]
    for customers, population, of_days, tasks in compared:
        champions = load_champions(
            customers, model_registry, models, of_days, population, tasks
        )
        tables += _drift_of(customers, population, champions)
    return pa.concat_tables(tables)


def _drift_of(
    customers: engine.Relation, population: Population, champions: Sequence[Champion]
) -> list[pa.Table]:
    tables = []
    systems = {champion.entry.purpose.source_system for champion in champions}
    for source_system in sorted(systems):
        today = _read_today(customers, population, source_system)
        tables += [
            _compare(champion, today)
            for champion in champions
            if champion.entry.purpose.source_system == source_system and len(today)
        ]
    return tables


def _read_today(
    customers: engine.Relation, population: Population, source_system: str
) -> pd.DataFrame:
    names = population.features(customers.columns)
    return engine.read(
        customers,
        ["as_of_date", *names],
        where={"source_system": source_system, **population.scored_where},
        limit=MAX_CUSTOMERS,
    )


def _compare(champion: Champion, today: pd.DataFrame) -> pa.Table:
    entry = champion.entry
    predictions = champion.summarise(today)
    features = [feature.name for feature in entry.features]
    compared = psi(entry.training_bins, pd.concat([today, predictions], axis=1))
    found = compared.assign(
        source_system=entry.purpose.source_system,
        task=entry.purpose.task,
        population=entry.purpose.population,
        model_id=entry.model_id,
        is_prediction=~compared["feature"].isin(features),
    )
    return pa.Table.from_pandas(found[DRIFT.names], DRIFT, preserve_index=False)
