"""Pairs of cohorts: the customers to learn from, and those to predict."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold

from customer_segmentation.prediction.cohorts import (
    MIN_CUSTOMERS,
    Cohort,
    is_predicted,
)
from customer_segmentation.prediction.settings import SEED
from customer_segmentation.prediction.splits import DateRange, Split

__all__ = ["CohortPair", "cohort_pairs", "shuffled_folds"]

CohortPair = tuple[Cohort, Cohort]


def cohort_pairs(
    split: Split,
    cohort_on: Callable[[DateRange], Cohort],
    folds: int,
    seed: int = SEED,
) -> list[CohortPair]:
    """Return the cohorts of a back-test: one to learn from, one to predict.

    Parameters
    ----------
    split : Split
        A back-test.
    cohort_on : callable
        Returns the cohort on some dates.
    folds : int
        Folds of a cross-validation, at most the number of customers.
    seed : int
        Seed of the shuffle of the folds.

    Returns
    -------
    list of tuple of Cohort
        One pair, or one per fold if the split is cross-validated; none if there are too
        few customers to learn from, or none to predict. A test predicts only customers
        of its own, and learns from all others.
    """
    if split.train is None or split.test is None:
        return []
    train = cohort_on(split.train)
    if train.count < MIN_CUSTOMERS:
        return []
    if not split.is_cross_validated:
        test = cohort_on(split.test)
        return [(train, test)] if test.count else []
    mine = is_predicted(train.keys, split)
    pairs = [
        (train.take(others), train.take(fold[mine[fold]]))
        for others, fold in shuffled_folds(train.count, folds, seed)
    ]
    return [(others, fold) for others, fold in pairs if fold.count]


def shuffled_folds(
    count: int, folds: int, seed: int = SEED
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return the rows to learn from and the rows to predict, for each fold.

    Rows of a cohort are sorted by customer, so that its folds do not depend on the
    order in which it was read.

    Parameters
    ----------
    count : int
        Number of rows.
    folds : int
        How many, at most the number of rows.
    seed : int
        Seed of the shuffle.
    """
    shuffled = KFold(min(folds, count), shuffle=True, random_state=seed)
    return list(shuffled.split(np.arange(count)))
