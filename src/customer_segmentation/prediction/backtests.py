"""Predictions of customers that a model did not learn from."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import pandas as pd
from joblib import delayed
from sklearn.model_selection import KFold
from threadpoolctl import threadpool_limits

from customer_segmentation.prediction.samples import Seen
from customer_segmentation.prediction.splits import Split
from customer_segmentation.processes import spread

__all__ = ["LEAST_CUSTOMERS", "SEED", "Job", "done", "seen_by"]

# fewer customers teach nothing that would hold for others
LEAST_CUSTOMERS = 20
SEED = 0

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


def done(
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
    tasks = (delayed(_alone)(predict, key, *job) for key, job in jobs)
    yield from zip((key for key, _ in jobs), spread(tasks), strict=True)


def _alone(
    predict: Callable[[Key, Seen, Seen], pd.DataFrame],
    key: Key,
    learned: Seen,
    predicted: Seen,
) -> pd.DataFrame:
    with threadpool_limits(limits=1):
        return predict(key, learned, predicted)
