"""Points with weights, in place of more customers than an algorithm can hold.

Equal customers count as one point. Past that, micro-clusters stand for customers. The
hierarchies of such points, Ward's and average linkage, are those of the customers.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from joblib import delayed
from numpy.typing import NDArray
from scipy.cluster.hierarchy import DisjointSet
from scipy.spatial.distance import pdist
from sklearn.cluster import kmeans_plusplus
from sklearn.metrics import pairwise_distances_argmin

from customer_segmentation.parallel import run_parallel, single_threaded

Points = NDArray[np.float64]
Labels = NDArray[np.int64]

# the most customers that every algorithm fits as they are, those of quadratic cost too
EXACT_POINTS = 20_000
# fewer blur the borders of DBSCAN, more cost a minute for a million customers
MICRO_CLUSTERS = 4_000
SEEDING_ROWS = 40_000
TRAINING_ROWS = 100_000
LLOYD_STEPS = 2
ROWS_PER_TASK = 100_000


@dataclass(frozen=True)
class MicroClusters:
    """Weighted points that stand for n customers.

    Parameters
    ----------
    points : ndarray of shape (m, d)
        The mean of each micro-cluster.
    weights : ndarray of shape (m,)
        The number of its customers, at least one.
    member : ndarray of shape (n,)
        The micro-cluster of each customer.
    """

    points: Points
    weights: NDArray[np.float64]
    member: NDArray[np.intp]


def distinct_points(
    points: Points,
) -> tuple[Points, NDArray[np.intp], NDArray[np.int64]]:
    """Return the distinct points of shape (n, d) in ascending order.

    Returns
    -------
    distinct : ndarray of shape (m, d)
    inverse : ndarray of shape (n,)
        ``distinct[inverse]`` are the points again.
    counts : ndarray of shape (m,)
        How often each point occurs.
    """
    # a negative zero becomes a positive one, so that they stay equal
    points = np.asarray(points, dtype=float) + 0.0
    distinct, inverse, counts = np.unique(
        points, axis=0, return_inverse=True, return_counts=True
    )
    return distinct, inverse, counts


@single_threaded()
def micro_clusters(points: Points, seed: int, size: int) -> MicroClusters:
    """Put points into small clusters, more of them where there are more points.

    K-means++ spreads the centres over a sample: dense regions first, but no corner is
    forgotten. Two Lloyd steps on a larger sample settle them. Then every point joins
    the nearest. The result is the same on any number of threads.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        Finite, in an order that does not depend on the run.
    seed : int
        Of the samples and of k-means++.
    size : int
        Maximum number of micro-clusters.
    """
    points = np.asarray(points, dtype=float)
    rng = np.random.default_rng(seed)
    training = _sample(points, TRAINING_ROWS, rng)
    seeding = _sample(training, SEEDING_ROWS, rng)
    centres, _ = kmeans_plusplus(
        seeding,
        min(size, len(seeding)),
        random_state=int(rng.integers(2**31)),
        n_local_trials=1,
    )
    for _ in range(LLOYD_STEPS):
        centres = _gather(training, _nearest(training, centres)).points
    return _gather(points, _nearest(points, centres))


def _sample(points: Points, rows: int, rng: np.random.Generator) -> Points:
    if len(points) <= rows:
        return points
    return points[np.sort(rng.choice(len(points), rows, replace=False))]


def _nearest(points: Points, centres: Points) -> NDArray[np.intp]:
    parts = [
        points[start : start + ROWS_PER_TASK]
        for start in range(0, len(points), ROWS_PER_TASK)
    ]
    if len(parts) == 1:
        found: NDArray[np.intp] = pairwise_distances_argmin(points, centres)
        return found
    find = delayed(pairwise_distances_argmin)
    return np.concatenate(run_parallel(find(part, centres) for part in parts))


def _gather(points: Points, nearest: NDArray[np.intp]) -> MicroClusters:
    """Return the means of the points that have the same nearest centre."""
    centres, member, weights = np.unique(
        nearest, return_inverse=True, return_counts=True
    )
    sums = [np.bincount(member, column, len(centres)) for column in points.T]
    means = np.column_stack(sums) / weights[:, np.newaxis]
    return MicroClusters(means, weights.astype(float), member)


def weighted_linkage(
    points: Points, weights: NDArray[np.float64], method: Literal["ward", "average"]
) -> NDArray[np.float64]:
    """Merge weighted points into one cluster, two clusters at a time.

    A point of weight w counts as w equal points. With unit weights the result is that
    of ``scipy.cluster.hierarchy.linkage``, including ties and rounding. With whole
    weights the cuts are those of SciPy on the repeated points.

    Parameters
    ----------
    points : ndarray of shape (m, d)
        Distinct points.
    weights : ndarray of shape (m,)
        The number of customers of each point, positive.
    method : {'ward', 'average'}
        The distance between clusters.

    Returns
    -------
    ndarray of shape (m - 1, 4)
        A linkage matrix as in SciPy: the two clusters merged, their distance, and the
        weight of the new cluster.

    Notes
    -----
    The nearest-neighbour chain [1]_ takes O(m²) time; the distances take 4 m² bytes.
    Initial Ward distances are those between two sets of equal points,
    ``sqrt(2 w v / (w + v))`` times the Euclidean distance.

    References
    ----------
    .. [1] D. Müllner, "Modern hierarchical, agglomerative clustering algorithms",
       2011, arXiv:1109.2378, figure 3.

    Examples
    --------
    >>> line = np.array([[0.0], [1.0], [5.0]])
    >>> cut(weighted_linkage(line, np.ones(3), "average"), 2).tolist()
    [0, 0, 1]
    """
    weights = np.asarray(weights, dtype=float)
    distances = _CondensedDistances(np.asarray(points, dtype=float))
    if method == "ward":
        distances.weigh(weights)
    merges = _merge(distances, weights.copy(), method)
    by_distance = np.argsort(merges[:, 2], kind="stable")
    return _number_clusters(merges[by_distance], weights)


def cut(linkage: NDArray[np.float64], k: int) -> NDArray[np.int64]:
    """Cut a linkage matrix into exactly k clusters: undo its last k - 1 merges.

    Parameters
    ----------
    linkage : ndarray of shape (m - 1, 4)
        As ``weighted_linkage`` returns it.
    k : int
        Number of clusters, from 1 to m.

    Returns
    -------
    ndarray of shape (m,)
        The cluster of each point, 0 to k - 1, numbered in order of appearance.

    Raises
    ------
    ValueError
        If there are fewer than k points.
    """
    m = len(linkage) + 1
    if not 1 <= k <= m:
        raise ValueError(f"{m} points cannot be cut into {k} clusters")
    cluster = list(range(2 * m - k))
    for merge in range(m - k - 1, -1, -1):
        for child in linkage[merge, :2].astype(int):
            cluster[child] = cluster[m + merge]
    _, first, label = np.unique(cluster[:m], return_index=True, return_inverse=True)
    rank = np.empty(k, dtype=np.int64)
    rank[np.argsort(first)] = np.arange(k)
    return rank[label]


class _CondensedDistances:
    """The distances of m points, each pair once, in the order of SciPy's pdist."""

    def __init__(self, points: Points) -> None:
        m = len(points)
        self.values = pdist(points)
        self._start = m * np.arange(m) - np.arange(m) * np.arange(1, m + 1) // 2
        self._start -= np.arange(m) + 1

    def weigh(self, weights: NDArray[np.float64]) -> None:
        """Turn Euclidean distances into Ward's between sets of equal points."""
        start = 0
        for i, weight in enumerate(weights[:-1]):
            others = weights[i + 1 :]
            row = self.values[start : start + len(others)]
            row *= np.sqrt(2 * weight * others / (weight + others))
            start += len(others)

    def pairs(self, i: int, others: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the places of the distances of i to others (ascending, without i)."""
        before = np.searchsorted(others, i)
        where: NDArray[np.intp] = others + self._start[i]
        where[:before] = self._start[others[:before]] + i
        return where


def _merge(
    distances: _CondensedDistances, sizes: NDArray[np.float64], method: str
) -> NDArray[np.float64]:
    """Follow nearest neighbours to a mutual pair, merge it, and go on."""
    merges = np.empty((len(sizes) - 1, 4))
    alive = np.arange(len(sizes))
    chain: list[int] = []
    for merge in range(len(merges)):
        if not chain:
            chain.append(alive[0])
        while True:
            x = chain[-1]
            others = alive[alive != x]
            to_others = distances.values[distances.pairs(x, others)]
            nearest = np.argmin(to_others)
            y, distance = others[nearest], to_others[nearest]
            if len(chain) > 1:
                # a tie goes to the point before, or the chain would never end
                before = to_others[np.searchsorted(others, chain[-2])]
                if before <= distance:
                    y, distance = chain[-2], before
                    break
            chain.append(y)
        del chain[-2:]
        x, y = min(x, y), max(x, y)
        alive = alive[alive != x]
        others = alive[alive != y]
        to_x = distances.values[distances.pairs(x, others)]
        to_merged = distances.pairs(y, others)
        to_y = distances.values[to_merged]
        if method == "ward":
            share = 1.0 / (sizes[x] + sizes[y] + sizes[others])
            distances.values[to_merged] = np.sqrt(
                (sizes[others] + sizes[x]) * share * to_x * to_x
                + (sizes[others] + sizes[y]) * share * to_y * to_y
                - sizes[others] * share * distance * distance
            )
        else:
            distances.values[to_merged] = (sizes[x] * to_x + sizes[y] * to_y) / (
                sizes[x] + sizes[y]
            )
        sizes[y] += sizes[x]
        merges[merge] = x, y, distance, sizes[y]
    return merges


def _number_clusters(
    merges: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give the clusters of sorted merges SciPy's numbers: the t-th new one is m + t."""
    m = len(weights)
    joined = DisjointSet(range(m))
    number = list(range(m))
    sizes = [*weights, *np.zeros(m - 1)]
    named = merges.copy()
    for merge, (x, y) in enumerate(merges[:, :2].astype(int).tolist()):
        first, second = sorted((number[joined[x]], number[joined[y]]))
        joined.merge(x, y)
        number[joined[x]] = m + merge
        sizes[m + merge] = sizes[first] + sizes[second]
        named[merge] = first, second, merges[merge, 2], sizes[m + merge]
    return named
