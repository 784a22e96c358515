"""Hierarchical clustering of weighted points: Ward's method and average linkage."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

__all__ = ["cut", "weighted_linkage"]


def weighted_linkage(
    points: NDArray[np.float64],
    weights: NDArray[np.float64],
    method: Literal["ward", "average"],
) -> NDArray[np.float64]:
    """Merge weighted points into one, two clusters at a time.

    A point of weight w counts as w equal points. With unit weights the result is
    ``scipy.cluster.hierarchy.linkage``'s, ties and rounding included; with whole
    weights it cuts as SciPy's does on the repeated points.

    Parameters
    ----------
    points : array of shape (m, d)
        Distinct points.
    weights : array of shape (m,)
        How many customers each point stands for; positive.
    method : {'ward', 'average'}
        How far apart two clusters are.

    Returns
    -------
    array of shape (m - 1, 4)
        A linkage matrix as SciPy writes it: the two clusters merged, their distance,
        and the weight of the new one.

    Notes
    -----
    The nearest-neighbour chain [1]_ takes O(m²) time; the distances take 4 m² bytes.
    Initial Ward distances are those between two heaps of equal points,
    ``sqrt(2 w v / (w + v))`` times the Euclidean one.

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
    sizes = np.asarray(weights, dtype=float).copy()
    distances = _Condensed(np.asarray(points, dtype=float))
    if method == "ward":
        distances.weigh(sizes)
    merges = _merge(distances, sizes, method)
    by_distance = np.argsort(merges[:, 2], kind="stable")
    return _named(merges[by_distance], np.asarray(weights, dtype=float))


def cut(linkage: NDArray[np.float64], k: int) -> NDArray[np.intp]:
    """Cut a linkage into exactly k clusters: undo its last k - 1 merges.

    Parameters
    ----------
    linkage : array of shape (m - 1, 4)
        As ``weighted_linkage`` returns it.
    k : int
        How many clusters, 1 to m.

    Returns
    -------
    array of shape (m,)
        The cluster of each point, 0 to k - 1, numbered as they first appear.

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
    rank = np.empty(k, dtype=np.intp)
    rank[np.argsort(first)] = np.arange(k)
    return rank[label]


class _Condensed:
    """The distances of m points, each pair once, in the order of SciPy's pdist."""

    def __init__(self, points: NDArray[np.float64]) -> None:
        m = len(points)
        self.values = pdist(points)
        self._start = m * np.arange(m) - np.arange(m) * np.arange(1, m + 1) // 2
        self._start -= np.arange(m) + 1

    def weigh(self, weights: NDArray[np.float64]) -> None:
        """Turn Euclidean distances into Ward's between heaps of equal points."""
        start = 0
        for i, weight in enumerate(weights[:-1]):
            others = weights[i + 1 :]
            row = self.values[start : start + len(others)]
            row *= np.sqrt(2 * weight * others / (weight + others))
            start += len(others)

    def pairs(self, i: int, others: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return where the distances of i to others (ascending, without i) stand."""
        before = np.searchsorted(others, i)
        where = others + self._start[i]
        where[:before] = self._start[others[:before]] + i
        return where


def _merge(
    distances: _Condensed, sizes: NDArray[np.float64], method: str
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
            y, least = others[nearest], to_others[nearest]
            if len(chain) > 1:
                # a tie goes to the one before, or the chain would run in circles
                before = to_others[np.searchsorted(others, chain[-2])]
                if before <= least:
                    y, least = chain[-2], before
                    break
            chain.append(y)
        del chain[-2:]
        x, y = min(x, y), max(x, y)
        alive = alive[alive != x]
        others = alive[alive != y]
        to_merged = distances.pairs(y, others)
        distances.values[to_merged] = _UPDATES[method](
            distances.values[distances.pairs(x, others)],
            distances.values[to_merged],
            least,
            sizes[x],
            sizes[y],
            sizes[others],
        )
        sizes[y] += sizes[x]
        merges[merge] = x, y, least, sizes[y]
    return merges


def _ward(
    to_x: NDArray[np.float64],
    to_y: NDArray[np.float64],
    between: float,
    x: float,
    y: float,
    others: NDArray[np.float64],
) -> NDArray[np.float64]:
    share = 1.0 / (x + y + others)
    return np.sqrt(
        (others + x) * share * to_x * to_x
        + (others + y) * share * to_y * to_y
        - others * share * between * between
    )


def _average(
    to_x: NDArray[np.float64],
    to_y: NDArray[np.float64],
    between: float,
    x: float,
    y: float,
    others: NDArray[np.float64],
) -> NDArray[np.float64]:
    return (x * to_x + y * to_y) / (x + y)


_UPDATES = {"ward": _ward, "average": _average}


def _named(
    merges: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Name the clusters of sorted merges as SciPy does: the t-th new one is m + t."""
    m = len(weights)
    parent = list(range(2 * m - 1))
    sizes = [*weights, *np.zeros(m - 1)]
    named = merges.copy()
    for merge, (x, y) in enumerate(merges[:, :2].astype(int)):
        roots = sorted((_root(parent, x), _root(parent, y)))
        sizes[m + merge] = sizes[roots[0]] + sizes[roots[1]]
        parent[roots[0]] = parent[roots[1]] = m + merge
        named[merge] = *roots, merges[merge, 2], sizes[m + merge]
    return named


def _root(parent: list[int], cluster: int) -> int:
    root = cluster
    while parent[root] != root:
        root = parent[root]
    while parent[cluster] != root:
        parent[cluster], cluster = root, parent[cluster]
    return root
