"""Measures of a clustering: separation by the indices of the field, and stability."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
)

from customer_segmentation.segmentation.algorithms import (
    QUADRATIC,
    Candidate,
    fit_candidates,
)
from customer_segmentation.segmentation.labels import (
    NOISE,
    centroids,
    count_clusters,
    noise_joined,
)
from customer_segmentation.segmentation.weighted import Labels, Points

SILHOUETTE_POINTS = 4_000
RESAMPLED_POINTS = 5_000
# of algorithms whose cost grows with the square of the points
RESAMPLED_POINTS_OF_QUADRATIC = 2_000


@dataclass(frozen=True)
class Indices:
    """Separation indices of a clustering; ``nan`` with fewer than two clusters.

    Parameters
    ----------
    inertia : float
        Sum of squared distances to the centroid, in squared units of the points.
    silhouette : float
        Mean over all customers, from -1 to 1.
    davies_bouldin : float
        Mean similarity of each cluster to its nearest; 0 is best.
    calinski_harabasz : float
        Variance between clusters over variance within.
    """

    inertia: float = math.nan
    silhouette: float = math.nan
    davies_bouldin: float = math.nan
    calinski_harabasz: float = math.nan


def mean_silhouette(distances: Points, labels: Labels) -> float:
    """Return the mean silhouette of all points (Rousseeuw 1987).

    Each noise point counts 0, like a point that is alone in its cluster, and is no
    neighbour of others. So noise lowers the mean; without the noise points, the mean
    would rise.

    Parameters
    ----------
    distances : ndarray of shape (n, n)
        Distances between the points.
    labels : ndarray of shape (n,)
        The cluster of each point, -1 for noise.

    Returns
    -------
    float
        From -1 to 1; ``nan`` with fewer than two clusters.

    Examples
    --------
    >>> distances = np.abs(np.subtract.outer([0.0, 1, 9], [0.0, 1, 9]))
    >>> round(mean_silhouette(distances, np.array([0, 0, 1])), 3)
    0.588
    """
    is_clustered = labels != NOISE
    clusters, members = np.unique(labels[is_clustered], return_inverse=True)
    if len(clusters) < 2:
        return math.nan
    clustered = (
        distances
        if is_clustered.all()
        else distances[np.ix_(is_clustered, is_clustered)]
    )
    indicator = np.eye(len(clusters))[members]
    sizes = indicator.sum(axis=0)
    sums = clustered @ indicator
    own = indicator.astype(bool)
    own_size = sizes[members]
    to_own = sums[own] / np.maximum(own_size - 1, 1)
    to_others = np.where(own, np.inf, sums / sizes).min(axis=1)
    larger = np.maximum(to_own, to_others)
    silhouettes = np.divide(
        to_others - to_own, larger, out=np.zeros_like(larger), where=larger > 0
    )
    silhouettes[own_size == 1] = 0
    return float(silhouettes.sum() / len(labels))


class Separation:
    """Measures how well clusterings separate the same customers.

    The silhouette counts noise as ``mean_silhouette`` does. For the other indices, each
    noise point joins the cluster of the nearest centroid, which makes it less compact.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        The points clustered.
    rng : numpy.random.Generator
        Draws the points of the silhouette, if there are more than
        ``SILHOUETTE_POINTS``.
    """

    def __init__(self, points: Points, rng: np.random.Generator) -> None:
        self._points = points
        self._sample = np.arange(len(points))
        if len(points) > SILHOUETTE_POINTS:
            drawn = rng.choice(len(points), SILHOUETTE_POINTS, replace=False)
            self._sample = np.sort(drawn)
        sampled = points[self._sample]
        self._distances = cdist(sampled, sampled)

    def measure(self, labels: Labels) -> Indices:
        """Return the indices of a clustering: labels of shape (n,), -1 for noise."""
        if count_clusters(labels) < 2:
            return Indices()
        points = self._points
        _, joined = np.unique(noise_joined(points, labels), return_inverse=True)
        sizes = np.bincount(joined)
        centres = np.stack(
            [np.bincount(joined, weights=column) / sizes for column in points.T], axis=1
        )
        # customers who are all alone have no variance within clusters
        has_variance = len(sizes) < len(points)
        return Indices(
            inertia=float(np.square(points - centres[joined]).sum()),
            silhouette=mean_silhouette(self._distances, labels[self._sample]),
            davies_bouldin=float(davies_bouldin_score(points, joined))
            if has_variance
            else math.nan,
            calinski_harabasz=float(calinski_harabasz_score(points, joined))
            if has_variance
            else math.nan,
        )


@dataclass(frozen=True)
class Resample:
    """A bootstrap resample, and customers to compare labels of.

    Parameters
    ----------
    points : ndarray of shape (m, d)
        Customers drawn with replacement.
    compared : ndarray of shape (m, d)
        Customers whose labels are compared.
    references : ndarray of shape (c, m)
        Their labels by each candidate that is fitted to all customers.
    """

    points: Points
    compared: Points
    references: Labels


def draw_resamples(
    points: Points, references: Sequence[Labels], count: int, seed: int
) -> Iterator[Resample]:
    """Draw bootstrap resamples of at most ``RESAMPLED_POINTS`` customers.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        All customers.
    references : sequence of ndarray of shape (n,)
        The labels of each candidate fitted to all customers.
    count : int
        Number of resamples.
    seed : int
        Of the draws.

    Yields
    ------
    Resample
        With as many customers to compare as there are in the resample.
    """
    size = min(len(points), RESAMPLED_POINTS)
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        rows = rng.choice(len(points), size)
        compared = np.sort(rng.choice(len(points), size, replace=False))
        yield Resample(
            points[rows],
            points[compared],
            np.stack([reference[compared] for reference in references]),
        )


def resample_agreement(
    resample: Resample, candidates: Sequence[Candidate], seed: int
) -> NDArray[np.float64]:
    """Fit the candidates to a resample, and compare with the fits to all customers.

    The fit to the resample gives each customer the cluster of the nearest centroid
    (k-means) or of the nearest customer in the resample. Algorithms of quadratic cost
    use the first ``RESAMPLED_POINTS_OF_QUADRATIC`` customers of the resample.

    Returns
    -------
    ndarray of shape (c,)
        The adjusted Rand index of each candidate.
    """
    agreement = np.empty(len(candidates))
    for is_quadratic, size in (
        (False, RESAMPLED_POINTS),
        (True, RESAMPLED_POINTS_OF_QUADRATIC),
    ):
        fitted = [
            number
            for number, candidate in enumerate(candidates)
            if (candidate.algorithm in QUADRATIC) == is_quadratic
        ]
        points = resample.points[:size]
        nearest = cKDTree(points).query(resample.compared)[1]
        found = fit_candidates(points, [candidates[one] for one in fitted], seed=seed)
        for number, labels in zip(fitted, found, strict=True):
            assigned = labels[nearest]
            if candidates[number].algorithm == "kmeans":
                clusters, centres = centroids(points, labels)
                assigned = clusters[cKDTree(centres).query(resample.compared)[1]]
            agreement[number] = adjusted_rand_score(
                resample.references[number], assigned
            )
    return agreement
