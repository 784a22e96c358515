"""Fewer points to fit on: equal customers once, and past that, micro-clusters."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import kmeans_plusplus
from sklearn.metrics import pairwise_distances_argmin
from threadpoolctl import threadpool_limits

__all__ = [
    "EXACT_POINTS",
    "MICRO_CLUSTERS",
    "Micro",
    "distinct_points",
    "micro_clusters",
]

# what every algorithm, those of quadratic cost included, fits without a reduction
EXACT_POINTS = 20_000
# fewer lose DBSCAN's borders, more cost a minute on a million customers
MICRO_CLUSTERS = 4_000
SEEDING_ROWS = 40_000
TRAINING_ROWS = 100_000
LLOYD_STEPS = 2
ROWS_AT_A_TIME = 100_000


@dataclass(frozen=True)
class Micro:
    """Weighted micro-clusters in place of n points.

    Parameters
    ----------
    points : array of shape (m, d)
        The mean of each micro-cluster.
    weights : array of shape (m,)
        How many of the n points it stands for, at least one.
    member : array of shape (n,)
        Which micro-cluster each point is in.
    """

    points: NDArray[np.float64]
    weights: NDArray[np.float64]
    member: NDArray[np.intp]


def distinct_points(
    points: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.int64]]:
    """Return the distinct rows, in ascending order, and where each row went.

    Parameters
    ----------
    points : array of shape (n, d)

    Returns
    -------
    distinct : array of shape (m, d)
    inverse : array of shape (n,)
        ``distinct[inverse]`` are the points again.
    counts : array of shape (m,)
        How often each one occurs.
    """
    # a negative zero equals a positive one, and must not differ from it later
    points = np.asarray(points, dtype=float) + 0.0
    distinct, inverse, counts = np.unique(
        points, axis=0, return_inverse=True, return_counts=True
    )
    return distinct, inverse, counts


def micro_clusters(
    points: NDArray[np.float64], seed: int, size: int = MICRO_CLUSTERS
) -> Micro:
    """Put points into small clusters, more of them where the points are many.

    K-means++ on a sample spreads the centres, dense places first but no corner
    forgotten; two Lloyd steps on a larger sample settle them; then every point joins
    the nearest. The same on any number of threads.

    Parameters
    ----------
    points : array of shape (n, d)
        Finite, and in an order that is not the accident of a run.
    seed : int
        Seeds the two samples and k-means++.
    size : int
        At most so many micro-clusters.

    Returns
    -------
    Micro
        Those that have members.
    """
    points = np.asarray(points, dtype=float)
    rng = np.random.default_rng(seed)
    training = _sample(points, TRAINING_ROWS, rng)
    seeding = _sample(training, SEEDING_ROWS, rng)
    # a sum of products has other bits when other threads share it
    with threadpool_limits(limits=1, user_api="blas"):
        centres, _ = kmeans_plusplus(
            seeding,
            min(size, len(seeding)),
            random_state=int(rng.integers(2**31)),
            n_local_trials=1,
        )
        for _ in range(LLOYD_STEPS):
            centres = _gather(training, _nearest(training, centres)).points
        return _gather(points, _nearest(points, centres))


def _sample(
    points: NDArray[np.float64], rows: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    if len(points) <= rows:
        return points
    return points[np.sort(rng.choice(len(points), rows, replace=False))]


def _nearest(
    points: NDArray[np.float64], centres: NDArray[np.float64]
) -> NDArray[np.intp]:
    return np.concatenate(
        [
            pairwise_distances_argmin(points[start : start + ROWS_AT_A_TIME], centres)
            for start in range(0, len(points), ROWS_AT_A_TIME)
        ]
    )


def _gather(points: NDArray[np.float64], nearest: NDArray[np.intp]) -> Micro:
    """Take the mean of the points that are nearest to the same centre."""
    centres, member, weights = np.unique(
        nearest, return_inverse=True, return_counts=True
    )
    sums = [np.bincount(member, column, len(centres)) for column in points.T]
    return Micro(
        np.column_stack(sums) / weights[:, np.newaxis],
        weights.astype(float),
        member,
    )
