"""Resamples of customers: how often each one has each customer."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from customer_segmentation.prediction.settings import SEED

__all__ = ["RESAMPLES", "counts_of_customers"]

# with a tenth, the ends move by a tenth of the width from seed to seed
RESAMPLES = 1_000
# leaving out groups of customers tells the skewness of their influence as well as
# leaving out each one
GROUPS = 100
# resamples that are measured at a time, which must fit into the cache
BATCH = 32

Numbers = NDArray[np.float64]
# whether customers are drawn, or groups left out; and the counts
Drawn = tuple[bool, Numbers]


def counts_of_customers(count: int, resamples: int = RESAMPLES) -> Iterator[Drawn]:
    """Return how often each customer counts, in resamples and without groups.

    They depend only on the number of customers, so two models on the same customers can
    be compared resample by resample.

    Parameters
    ----------
    count : int
        Number of customers.
    resamples : int
        How many resamples; none gives no groups either.

    Yields
    ------
    tuple of bool and ndarray of shape (rows, count)
        Whether they are resamples, and the counts of some at a time.
    """
    if not count or not resamples:
        return
    drawn = _draw(count, resamples)
    for start in range(0, resamples, BATCH):
        yield True, drawn[start : start + BATCH].astype(float)
    groups = np.arange(count) % min(GROUPS, count)
    names = np.arange(groups.max() + 1)
    for start in range(0, len(names), BATCH):
        is_left_out = names[start : start + BATCH, np.newaxis] == groups
        yield False, (~is_left_out).astype(float)


# candidates of a split are measured one after another on the same draws
@lru_cache(maxsize=1)
def _draw(count: int, resamples: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(SEED)
    # nobody is drawn 256 times: the mean is 1
    drawn = np.empty((resamples, count), dtype=np.uint8)
    for row in drawn:
        row[:] = np.bincount(rng.integers(0, count, count), minlength=count)
    return drawn
