"""Topics: many small topics of products, merged into categories."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import pairwise_distances

from customer_segmentation.products.space import Labels, Points

__all__ = ["Nearest", "merge_topics", "nearest"]

MICRO_TOPICS = 50
# the best of so many starts is nearly the same for every seed
STARTS = 30


@dataclass(frozen=True)
class Nearest:
    """The nearest centre of each point.

    Parameters
    ----------
    label : ndarray of shape (n,)
        Its number, -1 for a point without a direction.
    confidence : ndarray of shape (n,)
        1 at the centre, 0 as near to the second nearest.
    """

    label: Labels
    confidence: Points


def merge_topics(
    points: Points, ks: Iterable[int], seed: int, starts: int = STARTS
) -> dict[int, Points]:
    """Find micro-topics, merge them into k categories, and refine these.

    Each start has its own micro-topics (k-means), merged by Ward's method and refined
    by k-means. The start with the lowest inertia is kept.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        The products.
    ks : iterable of int
        Numbers of categories, each at most the number of distinct points.
    seed : int
        Of all starts.
    starts : int
        Number of starts.

    Returns
    -------
    dict of int to ndarray of shape (k, d)
        The centres for each k.
    """
    ks = list(ks)
    best: dict[int, tuple[float, Points]] = {}
    distinct = len(np.unique(points, axis=0))
    for number in range(starts):
        state = np.random.RandomState([seed, number])
        count = min(distinct, max(MICRO_TOPICS, 2 * max(ks)))
        micro = _fitted(
            KMeans(count, n_init=1, max_iter=20, random_state=state), points
        )
        weights = np.bincount(micro.labels_, minlength=count)
        centres = micro.cluster_centers_
        tree = linkage(centres, "ward") if count > 1 else None
        for k in ks:
            group = np.zeros(count, dtype=int)
            if tree is not None:
                group = fcluster(tree, k, "maxclust") - 1
            seeds = np.stack(
                [
                    np.average(
                        centres[group == one], axis=0, weights=weights[group == one]
                    )
                    for one in np.unique(group)
                ]
            )
            fitted = _fitted(KMeans(len(seeds), init=seeds, n_init=1), points)
            if k not in best or fitted.inertia_ < best[k][0]:
                best[k] = fitted.inertia_, fitted.cluster_centers_
    return {k: centres for k, (_, centres) in best.items()}


def _fitted(clustering: KMeans, points: Points) -> KMeans:
    """Fit, and accept that a cluster may lose all its points."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return clustering.fit(points)


def nearest(points: Points, centres: Points) -> Nearest:
    """Return the nearest centre of each point, and how clearly it is the nearest."""
    known = points.any(axis=1)
    label = np.full(len(points), -1, dtype=np.int64)
    confidence = np.zeros(len(points))
    if not known.any() or not len(centres):
        return Nearest(label, confidence)
    # rounded, so that ties go to the lower number on every machine
    distances = np.round(pairwise_distances(points[known], centres), 9)
    label[known] = distances.argmin(axis=1)
    if len(centres) == 1:
        confidence[known] = 1.0
        return Nearest(label, confidence)
    first, second = np.sort(distances, axis=1)[:, :2].T
    confidence[known] = 1 - np.divide(
        first, second, out=np.ones_like(first), where=second > 0
    )
    return Nearest(label, confidence)
