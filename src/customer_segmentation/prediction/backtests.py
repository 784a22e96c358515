"""Predictions of customers that a model did not learn from."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
from joblib import delayed
from sklearn.model_selection import KFold
from threadpoolctl import threadpool_limits

from customer_segmentation.prediction.samples import Seen
from customer_segmentation.prediction.splits import Split
from customer_segmentation.processes import spread

__all__ = [
    "LEAST_CUSTOMERS",
    "SEED",
    "SPLIT_COLUMNS",
    "Job",
    "run_jobs",
    "seen_by",
    "to_table",
]

# fewer customers teach nothing that would hold for others
LEAST_CUSTOMERS = 20
SEED = 0
# what both tables of back-tests say of a split
SPLIT_COLUMNS = [
    ("source_system", pa.string()),
    ("task", pa.string()),
    ("population", pa.string()),
    ("part", pa.string()),
    ("horizon_days", pa.int32()),
    ("is_cross_validated", pa.bool_()),
]

Job = tuple[Seen, Seen]
Key = TypeVar("Key")


def seen_by(
    split: Split, see: Callable[..., Seen], folds: int, seed: int = SEED
) -> list[Job]:
    """Return whom to learn from and whom to predict, in turns if cross-validated.

    Parameters
    ----------
    split : Split
        With days to learn from and days to predict.
    see : callable
        Takes days, and returns the customers seen on them.
    folds : int
        Turns of a cross-validation, at most the number of customers.
    seed : int
        Of the shuffle of the folds.

    Returns
    -------
    list of tuple of Seen
        Empty if there are too few to learn from, or none to predict.
    """
    learned = see(split.train)
    if learned.count < LEAST_CUSTOMERS:
        return []
    if not split.is_cross_validated:
        predicted = see(split.test)
        return [(learned, predicted)] if predicted.count else []
    # sorted by customer, so that the folds do not depend on the order of the rows
    shuffled = KFold(min(folds, learned.count), shuffle=True, random_state=seed)
    return [
        (learned.take(others), learned.take(fold))
        for others, fold in shuffled.split(np.arange(learned.count))
    ]


def run_jobs(
    jobs: Sequence[tuple[Key, Job]],
    predict: Callable[[Key, Seen, Seen], pd.DataFrame],
) -> Iterator[tuple[Key, pd.DataFrame]]:
    """Return what each job predicts; the jobs share the cores.

    Sums have other bits when other threads share them, so each process has one thread.

    Parameters
    ----------
    jobs : sequence of tuple
        What to do, under a key.
    predict : callable
        Takes the key, those to learn from and those to predict.

    Yields
    ------
    tuple
        The key, and what was returned.
    """
    tasks = (delayed(_on_one_thread)(predict, key, *job) for key, job in jobs)
    yield from zip((key for key, _ in jobs), spread(tasks), strict=True)


def _on_one_thread(
    predict: Callable[[Key, Seen, Seen], pd.DataFrame],
    key: Key,
    learned: Seen,
    predicted: Seen,
) -> pd.DataFrame:
    with threadpool_limits(limits=1):
        return predict(key, learned, predicted)


def to_table(
    rows: pd.DataFrame, split: Split, schema: pa.Schema, **facts: Any
) -> pa.Table:
    """Return rows of a schema with what is known of their split, and further facts."""
    known = {name: getattr(split, name) for name, _ in SPLIT_COLUMNS}
    frame = rows.assign(**{**known, **facts})
    return pa.Table.from_pandas(frame[schema.names], schema, preserve_index=False)
