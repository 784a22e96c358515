"""The clustering algorithms, scikit-learn's, and the settings they are tried with.

A setting is relative to the data: a number of clusters, a quantile of the distances to
the neighbours, a share of the customers. So it means the same on a resample of five
hundred customers as on all of them.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from scipy.cluster.hierarchy import linkage
from sklearn.cluster import DBSCAN, HDBSCAN, KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors

from customer_segmentation.segmentation.indices import Labels, Points
from customer_segmentation.segmentation.linkage import cut
from customer_segmentation.segmentation.specs import Segmentation

RADIUS_QUANTILES = (0.5, 0.7, 0.8, 0.9, 0.95)
NEIGHBOUR_SHARE = 0.01
LEAST_NEIGHBOURS = 5
CLUSTER_SHARES = (0.02, 0.05, 0.1)
# their time, and that of some their memory, grows with the square of the customers
QUADRATIC = ("ward", "average", "dbscan", "hdbscan")
# keeps a component from collapsing onto customers who are equal in a feature
GAUSSIAN_VARIANCE_FLOOR = 0.01


@dataclass(frozen=True)
class Care:
    """How carefully the algorithms are fitted.

    Parameters
    ----------
    starts : int
        Starts of k-means, of which the best is kept.
    tolerance : float
        Gain in mean log-likelihood below which a Gaussian mixture has settled.
    """

    starts: int
    tolerance: float


THOROUGH = Care(starts=10, tolerance=1e-3)
# for hundreds of null draws, with which data fitted as quickly are compared
QUICK = Care(starts=2, tolerance=1e-2)


@dataclass(frozen=True, order=True)
class Candidate:
    """An algorithm and its setting.

    Parameters
    ----------
    algorithm : str
        One of ``specs.ALGORITHMS``.
    parameter : str
        What is set: ``k`` (clusters), ``radius_quantile`` (DBSCAN: the radius is this
        quantile of the distances to the last of the neighbours that make a core
        point) or ``min_cluster_share`` (HDBSCAN: least share of the customers).
    value : float
        What it is set to.
    """

    algorithm: str
    parameter: str
    value: float

    @property
    def setting(self) -> str:
        """The setting as text, as in ``k=5``."""
        return f"{self.parameter}={self.value:g}"


def candidates_of(segmentation: Segmentation) -> tuple[Candidate, ...]:
    """Return what a segmentation is searched with: its range of k, its pin's k too."""
    pin = segmentation.pin
    candidates = []
    for algorithm in segmentation.algorithms:
        if algorithm == "dbscan":
            tried = [("radius_quantile", value) for value in RADIUS_QUANTILES]
        elif algorithm == "hdbscan":
            tried = [("min_cluster_share", value) for value in CLUSTER_SHARES]
        else:
            tried = [
                ("k", k) for k in range(segmentation.k_min, segmentation.k_max + 1)
            ]
        candidates += [Candidate(algorithm, *one) for one in tried]
    if pin and (pinned := Candidate(pin.algorithm, "k", pin.k)) not in candidates:
        candidates.append(pinned)
    return tuple(candidates)


def fit_candidates(
    points: Points, candidates: Sequence[Candidate], *, seed: int, care: Care = THOROUGH
) -> list[Labels]:
    """Fit candidates to the same points, with scikit-learn or what it stands on.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        Customers in the space clustered in.
    candidates : sequence of Candidate
        What to fit. Fits that share work share it: a hierarchy is built once and cut at
        every k, neighbours are looked up once for every radius.
    seed : int
        Of the starts of k-means and of the Gaussian mixture.
    care : Care
        ``THOROUGH`` is scikit-learn's own tolerance with ten starts.

    Returns
    -------
    list of ndarray of shape (n,)
        Labels for each candidate, -1 for noise. Where there are fewer distinct points
        than clusters asked for, all customers are one cluster.
    """
    labels: dict[Candidate, Labels] = {}
    for algorithm, group in groupby(
        sorted(candidates), key=lambda candidate: candidate.algorithm
    ):
        fitted = list(group)
        fit = _FITS[algorithm]
        labels |= zip(
            fitted,
            fit(points, [one.value for one in fitted], seed, care),
            strict=True,
        )
    return [labels[candidate] for candidate in candidates]


def neighbours_of_core(customers: int) -> int:
    """Return how many neighbours, itself among them, make a core point of DBSCAN."""
    return max(LEAST_NEIGHBOURS, round(NEIGHBOUR_SHARE * customers))


def core_radius(points: Points, quantile: float) -> float:
    """Return DBSCAN's radius: a quantile of the distances to the last neighbour."""
    return float(np.quantile(_distances_to_last_neighbour(points), quantile))


def _distances_to_last_neighbour(points: Points) -> Points:
    neighbours = min(neighbours_of_core(len(points)), len(points))
    index = NearestNeighbors(n_neighbors=neighbours).fit(points)
    return index.kneighbors(points)[0][:, -1]


def _kmeans(
    points: Points, values: Sequence[float], seed: int, care: Care
) -> list[Labels]:
    return [
        _collapsed(points)
        if k > _distinct(points, k)
        # to the last move: then everyone is nearest to the centre of their own
        else KMeans(int(k), n_init=care.starts, tol=0, random_state=seed)
        .fit(points)
        .labels_.astype(np.int64)
        for k in values
    ]


def _gaussian_mixture(
    points: Points, values: Sequence[float], seed: int, care: Care
) -> list[Labels]:
    labels = []
    for k in values:
        if k > _distinct(points, k):
            labels.append(_collapsed(points))
            continue
        with warnings.catch_warnings():
            # a mixture that has not settled is a poor candidate, not an error
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture = GaussianMixture(
                int(k),
                tol=care.tolerance,
                reg_covar=GAUSSIAN_VARIANCE_FLOOR,
                random_state=seed,
            )
            labels.append(mixture.fit_predict(points).astype(np.int64))
    return labels


def _hierarchy(method: str) -> Callable[..., list[Labels]]:
    def fit(
        points: Points, values: Sequence[float], seed: int, care: Care
    ) -> list[Labels]:
        if len(points) < 2:
            return [_collapsed(points) for _ in values]
        tree = linkage(points, method)
        return [
            _collapsed(points)
            if k > _distinct(points, k)
            else cut(tree, int(k)).astype(np.int64)
            for k in values
        ]

    return fit


def _dbscan(
    points: Points, values: Sequence[float], seed: int, care: Care
) -> list[Labels]:
    distances = _distances_to_last_neighbour(points)
    return [
        DBSCAN(eps=radius, min_samples=neighbours_of_core(len(points)))
        .fit(points)
        .labels_.astype(np.int64)
        if (radius := float(np.quantile(distances, quantile))) > 0
        else _collapsed(points)
        for quantile in values
    ]


def _hdbscan(
    points: Points, values: Sequence[float], seed: int, care: Care
) -> list[Labels]:
    labels = []
    for share in values:
        least = max(LEAST_NEIGHBOURS, round(share * len(points)))
        if len(points) <= least:
            labels.append(_collapsed(points))
            continue
        clustering = HDBSCAN(
            min_cluster_size=least,
            min_samples=min(neighbours_of_core(len(points)), len(points)),
            copy=True,
        )
        labels.append(clustering.fit(points).labels_.astype(np.int64))
    return labels


def _distinct(points: Points, enough: float) -> int:
    """Count the distinct points, up to as many as are needed."""
    distinct = len(np.unique(points[: 20 * int(enough)], axis=0))
    return distinct if distinct >= enough else len(np.unique(points, axis=0))


def _collapsed(points: Points) -> Labels:
    return np.zeros(len(points), dtype=np.int64)


_FITS = {
    "kmeans": _kmeans,
    "ward": _hierarchy("ward"),
    "average": _hierarchy("average"),
    "gaussian_mixture": _gaussian_mixture,
    "dbscan": _dbscan,
    "hdbscan": _hdbscan,
}
