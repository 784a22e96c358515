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
    Purpose,
)
from customer_segmentation.prediction.psi import psi
from customer_segmentation.prediction.scoring import Champion, load_champions
from customer_segmentation.prediction.seasons import Seasons

__all__ = ["DRIFT", "has_season", "measure_drift"]

# larger source systems are sampled by the hash of the customer key: the index needs
# shares, not counts
MAX_CUSTOMERS = 100_000
YEAR = 365
DRIFT = pa.schema(
    [
        ("source_system", pa.string()),
        ("task", pa.string()),
        ("population", pa.string()),
        ("model_id", pa.string()),
        ("feature", pa.string()),
        ("is_prediction", pa.bool_()),
        ("has_season", pa.bool_()),
        ("psi", pa.float64()),
        ("psi_by_chance", pa.float64()),
        ("mean_ratio", pa.float64()),
        ("mean_ratio_by_chance", pa.float64()),
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
    category_histories: engine.Relation,
) -> pa.Table:
    """Compare today's customers and their predictions with the training sets.

    Parameters
    ----------
    customer_days, first_purchases : engine.Relation
        ``int_features__customer_days`` and ``int_features__first_purchases``.
    model_registry, models : engine.Relation
        ``model_registry`` and ``int_prediction__models``.
    category_histories : engine.Relation
        ``int_prediction__category_histories``.

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
    others = (NEXT_PURCHASES, SEGMENT_PREFIX)
    compared: list[tuple[engine.Relation, Population, tuple[str, ...]]] = [
        (customer_days, EXISTING, others),
        (first_purchases, NEW, others),
        *(
            (category_histories, population, (INTERESTS,))
            for population in INTEREST_POPULATIONS.values()
        ),
    ]
    tables = [DRIFT.empty_table()]
    for customers, population, tasks in compared:
        # what is compared follows no season
        champions = load_champions(
            customers, model_registry, models, Seasons({}), population, tasks
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
        has_season=has_season(entry.purpose),
    )
    return pa.Table.from_pandas(found[DRIFT.names], DRIFT, preserve_index=False)


def has_season(purpose: Purpose) -> bool:
    """Return whether today lies in another season than the training set.

    Existing customers of a horizon of whole years were learned from on the same day of
    an earlier year. New customers come on any day of the year.
    """
    return purpose.population == NEW.name or purpose.horizon_days % YEAR != 0
