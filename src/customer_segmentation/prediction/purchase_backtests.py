"""The table of what candidates predicted of customers they did not learn from."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd
import pyarrow as pa

from customer_segmentation import engine
from customer_segmentation.errors import InputError
from customer_segmentation.prediction.backtests import (
    SEED,
    SPLIT_COLUMNS,
    Job,
    run_jobs,
    seen_by,
    to_table,
)
from customer_segmentation.prediction.purchases import (
    CANDIDATES,
    InSeason,
    candidates_of,
)
from customer_segmentation.prediction.rules import PredictionRules
from customer_segmentation.prediction.samples import (
    EXISTING,
    NEW,
    OUTCOMES,
    READ_ROWS,
    Sample,
    Seen,
)
from customer_segmentation.prediction.seasons import Seasons
from customer_segmentation.prediction.split_tables import read_rules, read_splits
from customer_segmentation.prediction.splits import Split

__all__ = [
    "PURCHASE_BACKTESTS",
    "backtest_purchases",
    "complete",
    "predict_purchases",
    "purchase_jobs",
    "read_purchase_samples",
]

PURCHASE_BACKTESTS = pa.schema(
    [
        *SPLIT_COLUMNS,
        ("algorithm", pa.string()),
        ("is_baseline", pa.bool_()),
        ("customer_key", pa.string()),
        ("origin_date", pa.date32()),
        ("has_returned", pa.bool_()),
        ("purchases", pa.int64()),
        ("spend", pa.float64()),
        ("return_probability", pa.float64()),
        ("expected_purchases", pa.float64()),
        ("expected_spend", pa.float64()),
        ("spend_low", pa.float64()),
        ("spend_high", pa.float64()),
    ]
)
Key = tuple[Split, str]
PROBLEM = "problem"
OUTCOME_KEY = ["customer_key", "population", "origin_date", "horizon_days"]


def backtest_purchases(
    existing: engine.Relation,
    new: engine.Relation,
    outcomes: engine.Relation,
    splits: engine.Relation,
    seasons: engine.Relation,
    variables: Mapping[str, Any],
) -> pa.Table:
    """Predict, by every candidate, the purchases of customers it did not learn from.

    Parameters
    ----------
    existing : engine.Relation
        ``customer_snapshots``.
    new : engine.Relation
        ``first_purchase_features``.
    outcomes : engine.Relation
        ``int_prediction__outcomes``.
    splits : engine.Relation
        ``int_prediction__splits``.
    seasons : engine.Relation
        ``int_prediction__seasons``.
    variables : mapping
        The vars ``prediction`` and ``segmentations``.

    Returns
    -------
    pyarrow.Table
        Of the schema ``PURCHASE_BACKTESTS``: a row for each split, candidate and
        customer predicted.
    """
    rules = read_rules(variables)
    wanted = read_splits(splits, "next_purchases")
    samples = read_purchase_samples(existing, new, outcomes, wanted)
    jobs = list(_jobs(wanted, samples, Seasons.read(seasons), rules))
    tables = [
        to_table(
            rows,
            split,
            PURCHASE_BACKTESTS,
            algorithm=algorithm,
            is_baseline=CANDIDATES[algorithm].is_baseline,
        )
        for (split, algorithm), rows in complete(run_jobs(jobs, predict_purchases))
    ]
    return pa.concat_tables([PURCHASE_BACKTESTS.empty_table(), *tables])


def complete(
    predicted: Iterable[tuple[Key, pd.DataFrame]],
) -> list[tuple[Key, pd.DataFrame]]:
    """Return what candidates predicted who could learn in every fold of their split.

    The others are left out with a warning: they would be judged on fewer customers.

    Parameters
    ----------
    predicted : iterable of tuple
        A split and a candidate, and what ``predict_purchases`` returned.
    """
    rows = list(predicted)
    failed = {key: found.attrs[PROBLEM] for key, found in rows if found.empty}
    for (split, algorithm), problem in failed.items():
        warnings.warn(
            f"{split.source_system}, {split.population}, {split.part} of "
            f"{split.horizon_days} days: {algorithm} is left out: {problem}",
            stacklevel=1,
        )
    return [(key, found) for key, found in rows if key not in failed]


def read_purchase_samples(
    existing: engine.Relation,
    new: engine.Relation,
    outcomes: engine.Relation,
    wanted: list[Split],
) -> dict[tuple[str, str], Sample]:
    """Return the samples of the splits by source system and population."""
    samples = {}
    for source_system in sorted({split.source_system for split in wanted}):
        known = engine.read(
            outcomes,
            [*OUTCOME_KEY, *OUTCOMES],
            order_by=OUTCOME_KEY,
            where={"source_system": source_system},
            limit=READ_ROWS,
        )
        known["origin_date"] = pd.to_datetime(known["origin_date"])
        for relation, population in ((existing, EXISTING), (new, NEW)):
            of_population = known[known["population"] == population.name]
            samples[source_system, population.name] = Sample.read(
                relation,
                population,
                source_system,
                of_population.drop(columns="population"),
            )
    return samples


def _jobs(
    wanted: list[Split],
    samples: Mapping[tuple[str, str], Sample],
    seasons: Seasons,
    rules: PredictionRules,
) -> Iterator[tuple[Key, Job]]:
    for split in wanted:
        if split.part not in ("selection", "test"):
            continue
        sample = samples[split.source_system, split.population]
        for job in purchase_jobs(split, sample, seasons, rules.folds):
            for candidate in candidates_of(split.population):
                yield (split, candidate.name), job


def purchase_jobs(
    split: Split, sample: Sample, seasons: Seasons, folds: int, seed: int = SEED
) -> list[Job]:
    """Return whom to learn from and whom to predict, as ``seen_by``, in their seasons.

    Folds of one day's customers are seen in the season that is learned from. New
    customers have each a season of their own, which is left out.
    """
    see = partial(sample.seen, horizon_days=split.horizon_days)
    jobs = seen_by(split, see, folds, seed)
    if split.is_cross_validated or split.population != EXISTING.name:
        return jobs
    return [_in_season(split, *job, seasons) for job in jobs]


def _in_season(split: Split, learned: Seen, predicted: Seen, seasons: Seasons) -> Job:
    """Return the customers with the seasons that they are learned from and seen in."""
    source, horizon = split.source_system, split.horizon_days
    return (
        replace(learned, season=seasons.after(source, split.train.last, horizon)),
        replace(
            predicted, season=seasons.year_before(source, split.test.last, horizon)
        ),
    )


def predict_purchases(key: Key, learned: Seen, predicted: Seen) -> pd.DataFrame:
    """Fit a candidate to some customers, and predict others beside what they did.

    Returns
    -------
    pandas.DataFrame
        A row for each customer predicted; none if the candidate cannot learn from the
        customers, with the reason among the ``attrs``.
    """
    split, algorithm = key
    model = InSeason(CANDIDATES[algorithm].estimator(), learned.season)
    try:
        model.fit(learned.features, learned.outcomes, split.horizon_days)
    except InputError as error:
        # the others go on
        nothing = pd.DataFrame()
        nothing.attrs[PROBLEM] = str(error)
        return nothing
    found = model.predict(predicted.features, predicted.season)
    return pd.concat([predicted.keys, predicted.outcomes, found], axis=1)
