"""Fitting any number of customers: scikit-learn's own result, or one close to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from sklearn.cluster import DBSCAN, KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from customer_segmentation.segmentation.algorithms import (
    THOROUGH,
    Candidate,
    core_radius,
    fit_candidates,
    neighbours_of_core,
)
from customer_segmentation.segmentation.indices import Labels, Points
from customer_segmentation.segmentation.linkage import cut, weighted_linkage
from customer_segmentation.segmentation.prototypes import (
    Prototypes,
    centroids,
    points_as_prototypes,
)
from customer_segmentation.segmentation.reduction import (
    EXACT_POINTS,
    distinct_points,
    micro_clusters,
)

# a full fit of quadratic cost that still takes seconds
COMPARED_POINTS = 10_000
GREATEST_NEIGHBOURS = 512


@dataclass(frozen=True)
class Fit:
    """A candidate fitted to customers.

    Parameters
    ----------
    candidate : Candidate
        What was fitted.
    labels : ndarray of shape (n,)
        Cluster of each customer, -1 for noise.
    points : ndarray of shape (m, d)
        The points fitted: distinct customers, or micro-clusters of them.
    point_labels : ndarray of shape (m,)
        Their clusters.
    weights : ndarray of shape (m,)
        How many customers each of them stands for.
    reach : float or None
        Of DBSCAN: farther than this from every point is noise.
    is_exact : bool
        Whether this is scikit-learn's own fit of all customers.
    """

    candidate: Candidate
    labels: Labels
    points: Points
    point_labels: Labels
    weights: NDArray[np.float64]
    reach: float | None
    is_exact: bool

    def prototypes(self) -> Prototypes:
        """Return the prototypes; cluster c is segment c + 1, noise is segment 0."""
        segments = self.point_labels + 1
        if self.candidate.algorithm == "kmeans":
            return centroids(self.points, segments, self.weights)
        return points_as_prototypes(self.points, segments, self.weights, self.reach)


def fit_customers(
    points: Points, candidates: Sequence[Candidate], *, seed: int
) -> list[Fit]:
    """Fit candidates to any number of customers.

    Up to ``EXACT_POINTS`` customers the labels are scikit-learn's own, equal customers
    having that of the first. Past that the distinct points are fitted with their
    weights, and past as many of those micro-clusters. Gaussian mixture and HDBSCAN take
    no weights, and a micro-cluster is as wide as the radius of DBSCAN: they are fitted
    to that many customers drawn at random, and a point is labelled as its nearest.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        The customers, in a stable order.
    candidates : sequence of Candidate
        What to fit.
    seed : int
        Of all that is random.

    Returns
    -------
    list of Fit
        One for each candidate.
    """
    distinct, inverse, counts = distinct_points(points)
    # sums have other bits when other threads share them
    with threadpool_limits(limits=1):
        if len(points) <= EXACT_POINTS:
            _, first = np.unique(inverse, return_index=True)
            return [
                Fit(
                    candidate=candidate,
                    # HDBSCAN may split equal customers
                    labels=labels[first][inverse],
                    points=distinct,
                    point_labels=labels[first],
                    weights=counts.astype(float),
                    reach=_reach(candidate, lambda q: core_radius(points, q)),
                    is_exact=True,
                )
                for candidate, labels in zip(
                    candidates,
                    fit_candidates(points, candidates, seed=seed),
                    strict=True,
                )
            ]
    reduced = _Reduced.of(points, distinct, inverse, counts, seed)
    with threadpool_limits(limits=1):
        return [reduced.fit(candidate, seed) for candidate in candidates]


def agreement_with_full_fit(
    fit: Fit, points: Points, prototypes: Prototypes, seed: int
) -> float | None:
    """Compare a reduced fit with scikit-learn's on a sample it can hold.

    Parameters
    ----------
    fit : Fit
        The fit to all customers.
    points : ndarray of shape (n, d)
        The customers.
    prototypes : Prototypes
        What assigns them.
    seed : int
        Of the sample and its fit.

    Returns
    -------
    float or None
        The adjusted Rand index on ``COMPARED_POINTS`` customers; None for a fit that
        is exact.
    """
    if fit.is_exact:
        return None
    rng = np.random.default_rng(seed)
    sample = points[np.sort(rng.choice(len(points), COMPARED_POINTS, replace=False))]
    with threadpool_limits(limits=1):
        [full] = fit_candidates(sample, [fit.candidate], seed=seed)
    return float(adjusted_rand_score(full, prototypes.assign(sample).segment))


@dataclass(frozen=True)
class _Reduced:
    """Weighted points in place of customers, and a sample of the customers."""

    customers: Points
    points: Points
    weights: NDArray[np.float64]
    member: NDArray[np.intp]
    sample: Points
    nearest_in_sample: NDArray[np.intp]
    are_micro: bool

    @classmethod
    def of(
        cls,
        customers: Points,
        distinct: Points,
        inverse: NDArray[np.intp],
        counts: NDArray[np.int64],
        seed: int,
    ) -> Self:
        if len(distinct) <= EXACT_POINTS:
            points, weights, member = distinct, counts.astype(float), inverse
        else:
            micro = micro_clusters(customers, seed)
            points, weights, member = micro.points, micro.weights, micro.member
        rng = np.random.default_rng(seed)
        rows = rng.choice(len(customers), EXACT_POINTS, replace=False)
        sample = customers[np.sort(rows)]
        return cls(
            customers=customers,
            points=points,
            weights=weights,
            member=member,
            sample=sample,
            nearest_in_sample=KDTree(sample).query(points)[1],
            are_micro=len(distinct) > EXACT_POINTS,
        )

    def fit(self, candidate: Candidate, seed: int) -> Fit:
        if candidate.algorithm in ("gaussian_mixture", "hdbscan") or (
            candidate.algorithm == "dbscan" and self.are_micro
        ):
            [labels] = fit_candidates(self.sample, [candidate], seed=seed)
            point_labels = labels[self.nearest_in_sample]
        elif candidate.parameter == "k" and candidate.value > len(self.points):
            point_labels = np.zeros(len(self.points), dtype=np.int64)
        elif candidate.algorithm == "kmeans":
            clustering = KMeans(
                int(candidate.value), n_init=THOROUGH.starts, random_state=seed
            )
            clustering.fit(self.points, sample_weight=self.weights)
            point_labels = clustering.labels_.astype(np.int64)
        elif candidate.algorithm == "dbscan":
            point_labels = self._dbscan(candidate.value)
        else:
            tree = weighted_linkage(self.points, self.weights, candidate.algorithm)
            point_labels = cut(tree, int(candidate.value)).astype(np.int64)
        fit = Fit(
            candidate=candidate,
            labels=point_labels[self.member],
            points=self.points,
            point_labels=point_labels,
            weights=self.weights,
            reach=_reach(candidate, self._core_radius),
            is_exact=False,
        )
        if candidate.algorithm != "kmeans":
            return fit
        segments = fit.prototypes().assign(self.customers).segment
        return replace(fit, labels=segments - 1)

    def _dbscan(self, quantile: float) -> Labels:
        radius = self._core_radius(quantile)
        if radius == 0:
            return np.zeros(len(self.points), dtype=np.int64)
        clustering = DBSCAN(
            eps=radius, min_samples=neighbours_of_core(len(self.customers))
        )
        clustering.fit(self.points, sample_weight=self.weights)
        return clustering.labels_.astype(np.int64)

    def _core_radius(self, quantile: float) -> float:
        """Return a quantile, over customers, of the radius that makes a core point."""
        if self.are_micro:
            return core_radius(self.sample, quantile)
        wanted = neighbours_of_core(len(self.customers))
        neighbours = min(GREATEST_NEIGHBOURS, len(self.points))
        index = NearestNeighbors(n_neighbors=neighbours).fit(self.points)
        distances, rows = index.kneighbors(self.points)
        gathered = self.weights[rows].cumsum(axis=1)
        last = np.minimum((gathered < wanted).sum(axis=1), neighbours - 1)
        radii = distances[np.arange(len(distances)), last]
        order = np.argsort(radii, kind="stable")
        cumulated = self.weights[order].cumsum()
        place = np.searchsorted(cumulated, quantile * cumulated[-1])
        return float(radii[order][min(place, len(radii) - 1)])


def _reach(candidate: Candidate, radius: Callable[[float], float]) -> float | None:
    return radius(candidate.value) if candidate.algorithm == "dbscan" else None
