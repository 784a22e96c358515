"""How well a clustering separates its customers: the four indices of the field."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score

NOISE = -1
SILHOUETTE_POINTS = 4_000

Points = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Indices:
    """The indices of a clustering; ``nan`` where it has fewer than two clusters.

    Parameters
    ----------
    inertia : float
        Sum of squared distances to the centroid, in squared units of the points.
    silhouette : float
        Mean over all customers, from -1 to 1.
    davies_bouldin : float
        Mean similarity of each cluster to its nearest, 0 is best.
    calinski_harabasz : float
        Variance between clusters over variance within.
    """

    inertia: float
    silhouette: float
    davies_bouldin: float
    calinski_harabasz: float


def count_clusters(labels: Labels) -> int:
    """Return how many clusters the labels name, without the noise."""
    return len(np.unique(labels[labels != NOISE]))


def mean_silhouette(distances: Points, labels: Labels) -> float:
    """Return the mean silhouette of all points (Rousseeuw 1987).

    Noise is in no cluster, and nobody's neighbour: each noise point counts 0, as a
    point that is alone in its cluster does. So noise lowers the mean, where dropping
    it would raise it.

    Parameters
    ----------
    distances : ndarray of shape (n, n)
        Distances between the points.
    labels : ndarray of shape (n,)
        Cluster of each point, -1 for noise.

    Returns
    -------
    float
        From -1 to 1; ``nan`` with fewer than two clusters.
    """
    is_clustered = labels != NOISE
    clusters, members = np.unique(labels[is_clustered], return_inverse=True)
    if len(clusters) < 2:
        return float("nan")
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
    widest = np.maximum(to_own, to_others)
    silhouettes = np.divide(
        to_others - to_own, widest, out=np.zeros_like(widest), where=widest > 0
    )
    silhouettes[own_size == 1] = 0
    return float(silhouettes.sum() / len(labels))


class Measures:
    """Measures clusterings of the same customers.

    The silhouette apart, the indices know no noise: there each noise point counts with
    the cluster whose centroid is nearest, which it loosens.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        The points clustered.
    rng : numpy.random.Generator
        Draws the points of the silhouette, where there are more than
        ``SILHOUETTE_POINTS``.
    """

    def __init__(self, points: Points, rng: np.random.Generator) -> None:
        self._points = points
        self._sampled = (
            np.arange(len(points))
            if len(points) <= SILHOUETTE_POINTS
            else np.sort(rng.choice(len(points), SILHOUETTE_POINTS, replace=False))
        )
        sampled = points[self._sampled]
        self._distances = cdist(sampled, sampled)

    def of(self, labels: Labels) -> Indices:
        """Return the indices of a clustering, labels of shape (n,), -1 for noise."""
        if count_clusters(labels) < 2:
            nothing = float("nan")
            return Indices(nothing, nothing, nothing, nothing)
        points = self._points
        _, joined = np.unique(_noise_joined(points, labels), return_inverse=True)
        sizes = np.bincount(joined)
        centroids = np.stack(
            [np.bincount(joined, weights=column) / sizes for column in points.T], axis=1
        )
        is_defined = len(sizes) < len(points)
        return Indices(
            inertia=float(np.square(points - centroids[joined]).sum()),
            silhouette=mean_silhouette(self._distances, labels[self._sampled]),
            davies_bouldin=float(davies_bouldin_score(points, joined))
            if is_defined
            else float("nan"),
            calinski_harabasz=float(calinski_harabasz_score(points, joined))
            if is_defined
            else float("nan"),
        )


def _noise_joined(points: Points, labels: Labels) -> Labels:
    """Return the labels with the noise in the nearest cluster."""
    is_noise = labels == NOISE
    if not is_noise.any():
        return labels
    clusters = np.unique(labels[~is_noise])
    centroids = np.stack([points[labels == one].mean(axis=0) for one in clusters])
    joined = labels.copy()
    joined[is_noise] = clusters[cdist(points[is_noise], centroids).argmin(axis=1)]
    return joined
