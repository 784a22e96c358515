"""The clustering algorithms of scikit-learn, and the candidates they are tried with.

A setting is relative to the data: a number of clusters, a quantile of the distances to
neighbours, a share of the customers. So it means the same for 500 customers of a
resample as for all customers.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import pdist
from sklearn.cluster import DBSCAN, HDBSCAN, KMeans
from sklearn.cluster._hdbscan import hdbscan as of_hdbscan
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors

from customer_segmentation.segmentation.weighted import Labels, Points, cut

RADIUS_QUANTILES = (0.5, 0.7, 0.8, 0.9, 0.95)
CLUSTER_SHARES = (0.02, 0.05, 0.1)
NEIGHBOUR_SHARE = 0.01
MIN_NEIGHBOURS = 5
# their time, and the memory of some, grows with the square of the customers
QUADRATIC = ("ward", "average", "dbscan", "hdbscan")
# a component may not shrink to customers who are equal in a feature
GAUSSIAN_VARIANCE_FLOOR = 0.01


@dataclass(frozen=True)
class FitQuality:
    """How thoroughly the algorithms are fitted.

    Parameters
    ----------
    starts : int
        Starts of k-means, of which the best is kept.
    mixture_starts : int
        Starts of a Gaussian mixture, of which the most likely is kept.
    tolerance : float
        Gain in mean log-likelihood at which a Gaussian mixture has converged.
    """

    starts: int
    mixture_starts: int
    tolerance: float


THOROUGH = FitQuality(starts=10, mixture_starts=5, tolerance=1e-3)
# for hundreds of null draws, and for the data they are compared with
QUICK = FitQuality(starts=2, mixture_starts=1, tolerance=1e-2)


@dataclass(frozen=True, order=True)
class Candidate:
    """An algorithm and its setting.

    Parameters
    ----------
    algorithm : str
        One of ``declare.ALGORITHMS``.
    parameter : str
        What is set: ``k`` (clusters), ``radius_quantile`` (DBSCAN: the radius is this
        quantile of the distances to the last neighbour that a core point needs) or
        ``min_cluster_share`` (HDBSCAN: minimum share of the customers).
    value : float
        Its value.

    Examples
    --------
    >>> Candidate("kmeans", "k", 5).setting
    'k=5'
    """

    algorithm: str
    parameter: str
    value: float

    @property
    def setting(self) -> str:
        """The setting as text."""
        return f"{self.parameter}={self.value:g}"


def fit_candidates(
    points: Points,
    candidates: Sequence[Candidate],
    *,
    seed: int,
    quality: FitQuality = THOROUGH,
) -> list[Labels]:
    """Fit candidates to the same points.

    Fits share their work: a hierarchy is built once and cut at every k, and neighbours
    are found once for all radii.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        Customers in the space in which they are clustered.
    candidates : sequence of Candidate
        What to fit.
    seed : int
        Of the starts of k-means and of the Gaussian mixture.
    quality : FitQuality
        By default scikit-learn's own tolerance, with several starts.

    Returns
    -------
    list of ndarray of shape (n,)
        Labels for each candidate, -1 for noise. If there are fewer distinct points than
        clusters, all customers are one cluster.

    Examples
    --------
    >>> points = np.array([[0.0], [1.0], [9.0]])
    >>> [labels] = fit_candidates(points, [Candidate("ward", "k", 2)], seed=0)
    >>> labels.tolist()
    [0, 0, 1]
    """
    labels: dict[Candidate, Labels] = {}
    for algorithm, group in groupby(
        sorted(candidates), key=lambda candidate: candidate.algorithm
    ):
        fitted = list(group)
        values = [candidate.value for candidate in fitted]
        found = _FITS[algorithm](points, values, seed, quality)
        labels |= zip(fitted, found, strict=True)
    return [labels[candidate] for candidate in candidates]


def core_neighbours(customers: int) -> int:
    """Return how many neighbours, itself included, make a core point of DBSCAN."""
    return max(MIN_NEIGHBOURS, round(NEIGHBOUR_SHARE * customers))


def core_radius(points: Points, quantile: float) -> float:
    """Return DBSCAN's radius: a quantile of the distances to the last neighbour."""
    return float(np.quantile(_distances_to_last_neighbour(points), quantile))


def _distances_to_last_neighbour(points: Points) -> Points:
    neighbours = min(core_neighbours(len(points)), len(points))
    index = NearestNeighbors(n_neighbors=neighbours).fit(points)
    distances: Points = index.kneighbors(points)[0][:, -1]
    return distances


def _kmeans(
    points: Points, values: Sequence[float], seed: int, quality: FitQuality
) -> list[Labels]:
    return [
        _one_cluster(points)
        if k > _count_distinct(points, k)
        # with tolerance 0, every customer ends with the nearest centre
        else KMeans(int(k), n_init=quality.starts, tol=0, random_state=seed)
        .fit(points)
        .labels_.astype(np.int64)
        for k in values
    ]


def _gaussian_mixture(
    points: Points, values: Sequence[float], seed: int, quality: FitQuality
) -> list[Labels]:
    labels = []
    for k in values:
        if k > _count_distinct(points, k):
            labels.append(_one_cluster(points))
            continue
        with warnings.catch_warnings():
            # a mixture that has not converged is a poor candidate, and no error
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture = GaussianMixture(
                int(k),
                n_init=quality.mixture_starts,
                tol=quality.tolerance,
                reg_covar=GAUSSIAN_VARIANCE_FLOOR,
                random_state=seed,
            )
            labels.append(mixture.fit_predict(points).astype(np.int64))
    return labels


def _hierarchy(method: Literal["ward", "average"]) -> "_Fit":
    def fit(
        points: Points, values: Sequence[float], seed: int, quality: FitQuality
    ) -> list[Labels]:
        if len(points) < 2:
            return [_one_cluster(points) for _ in values]
        # SciPy warns of two customers as they are, taking them for distances
        tree = linkage(pdist(points), method)
        return [
            _one_cluster(points)
            if k > _count_distinct(points, k)
            else cut(tree, int(k))
            for k in values
        ]

    return fit


def _dbscan(
    points: Points, values: Sequence[float], seed: int, quality: FitQuality
) -> list[Labels]:
    distances = _distances_to_last_neighbour(points)
    return [
        DBSCAN(eps=radius, min_samples=core_neighbours(len(points)))
        .fit(points)
        .labels_.astype(np.int64)
        if (radius := float(np.quantile(distances, quantile))) > 0
        else _one_cluster(points)
        for quantile in values
    ]


def _linked(tree: Any) -> Any:
    """Sort the edges of the spanning tree as scikit-learn does, but stably.

    By NumPy's default sort, the order of equal distances, and so the labels, depend on
    the instructions of the processor.
    """
    order = np.argsort(tree["distance"], kind="stable")
    return of_hdbscan.make_single_linkage(tree[order])


of_hdbscan._process_mst = _linked


def _hdbscan(
    points: Points, values: Sequence[float], seed: int, quality: FitQuality
) -> list[Labels]:
    labels = []
    for share in values:
        min_size = max(MIN_NEIGHBOURS, round(share * len(points)))
        if len(points) <= min_size:
            labels.append(_one_cluster(points))
            continue
        clustering = HDBSCAN(
            min_cluster_size=min_size,
            min_samples=min(core_neighbours(len(points)), len(points)),
            copy=True,
        )
        labels.append(clustering.fit(points).labels_.astype(np.int64))
    return labels


def _count_distinct(points: Points, enough: float) -> int:
    """Count the distinct points, up to as many as are needed."""
    distinct = len(np.unique(points[: 20 * int(enough)], axis=0))
    return distinct if distinct >= enough else len(np.unique(points, axis=0))


def _one_cluster(points: Points) -> Labels:
    return np.zeros(len(points), dtype=np.int64)


_Fit = Callable[[Points, Sequence[float], int, FitQuality], list[Labels]]
_FITS: dict[str, _Fit] = {
    "kmeans": _kmeans,
    "ward": _hierarchy("ward"),
    "average": _hierarchy("average"),
    "gaussian_mixture": _gaussian_mixture,
    "dbscan": _dbscan,
    "hdbscan": _hdbscan,
}
