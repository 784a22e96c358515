"""Whether a clustering comes back when the customers are drawn again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from sklearn.metrics import adjusted_rand_score

from customer_segmentation.segmentation.algorithms import (
    QUADRATIC,
    Candidate,
    fit_candidates,
)
from customer_segmentation.segmentation.indices import Labels, Points

RESAMPLED_POINTS = 5_000
# for algorithms whose cost grows with the square of the points
RESAMPLED_POINTS_OF_QUADRATIC = 2_000


@dataclass(frozen=True)
class Resample:
    """A bootstrap resample, and what to compare it with.

    Parameters
    ----------
    points : ndarray of shape (m, d)
        Customers drawn with replacement.
    compared : ndarray of shape (m, d)
        Customers whose segments are compared.
    references : ndarray of shape (c, m)
        Their labels by each candidate fitted to all customers.
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
        How many resamples.
    seed : int
        Of the draws.

    Yields
    ------
    Resample
        As many customers to compare as resampled ones.
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

    The fit to the resample gives each customer the segment of the nearest centroid
    (k-means) or of the nearest customer resampled. Algorithms of quadratic cost get the
    first ``RESAMPLED_POINTS_OF_QUADRATIC`` customers of the resample.

    Returns
    -------
    ndarray of shape (c,)
        The adjusted Rand index for each candidate.
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
        labels = fit_candidates(points, [candidates[one] for one in fitted], seed=seed)
        for number, found in zip(fitted, labels, strict=True):
            assigned = (
                _nearest_centroid(points, found, resample.compared)
                if candidates[number].algorithm == "kmeans"
                else found[nearest]
            )
            agreement[number] = adjusted_rand_score(
                resample.references[number], assigned
            )
    return agreement


def _nearest_centroid(points: Points, labels: Labels, compared: Points) -> Labels:
    clusters = np.unique(labels)
    centroids = np.stack([points[labels == one].mean(axis=0) for one in clusters])
    return clusters[cKDTree(centroids).query(compared)[1]]
