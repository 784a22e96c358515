"""Cluster: any number of customers, as scikit-learn would, or nearly so."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self, cast

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from sklearn.cluster import DBSCAN, KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors

from customer_segmentation.parallel import single_threaded
from customer_segmentation.segmentation.algorithms import (
    THOROUGH,
    Candidate,
    core_neighbours,
    core_radius,
    fit_candidates,
)
from customer_segmentation.segmentation.prototypes import (
    Prototypes,
    centroids,
    points_as_prototypes,
)
from customer_segmentation.segmentation.weighted import (
    EXACT_POINTS,
    MICRO_CLUSTERS,
    Labels,
    Points,
    cut,
    distinct_points,
    micro_clusters,
    weighted_linkage,
)

# a fit of quadratic cost to this many customers takes seconds
COMPARED_POINTS = 10_000
MAX_NEIGHBOURS = 512


@dataclass(frozen=True)
class CandidateFit:
    """A candidate fitted to customers.

    Parameters
    ----------
    candidate : Candidate
        What was fitted.
    labels : ndarray of shape (n,)
        The cluster of each customer, -1 for noise.
    points : ndarray of shape (m, d)
        The points fitted: distinct customers, or micro-clusters.
    point_labels : ndarray of shape (m,)
        The cluster of each point.
    weights : ndarray of shape (m,)
        The number of customers of each point.
    member : ndarray of shape (n,)
        The point of each customer.
    reach : float or None
        Of DBSCAN: customers farther than this from every point are noise.
    is_exact : bool
        Whether this is scikit-learn's own fit to all customers.
    """

    candidate: Candidate
    labels: Labels
    points: Points
    point_labels: Labels
    weights: NDArray[np.float64]
    member: NDArray[np.intp]
    reach: float | None
    is_exact: bool

    def prototypes(self) -> Prototypes:
        """Return the prototypes; cluster c is segment c + 1, noise is segment 0."""
        segments = self.point_labels + 1
        if self.candidate.algorithm == "kmeans":
            return centroids(self.points, segments, self.weights)
        return points_as_prototypes(self.points, segments, self.weights, self.reach)


@single_threaded()
def fit_customers(
    points: Points, candidates: Sequence[Candidate], *, seed: int
) -> list[CandidateFit]:
    """Fit candidates to any number of customers.

    Up to ``EXACT_POINTS`` customers, labels are scikit-learn's own; equal customers get
    the label of the first. More customers are fitted as distinct points with weights,
    and more distinct points as micro-clusters. Gaussian mixture and HDBSCAN take no
    weights, and a micro-cluster is as wide as the radius of DBSCAN: these are fitted to
    a random sample, and a point gets the label of its nearest neighbour.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        The customers, in a stable order.
    candidates : sequence of Candidate
        What to fit.
    seed : int
        Of everything that is random.

    Returns
    -------
    list of CandidateFit
        One for each candidate.
    """
    distinct, inverse, counts = distinct_points(points)
    if len(points) > EXACT_POINTS:
        weighted = _WeightedCustomers.reduce(points, distinct, inverse, counts, seed)
        return [weighted.fit(candidate, seed) for candidate in candidates]
    _, first = np.unique(inverse, return_index=True)
    return [
        CandidateFit(
            candidate=candidate,
            # HDBSCAN may split equal customers
            labels=labels[first][inverse],
            points=distinct,
            point_labels=labels[first],
            weights=counts.astype(float),
            member=inverse,
            reach=_reach(candidate, lambda quantile: core_radius(points, quantile)),
            is_exact=True,
        )
        for candidate, labels in zip(
            candidates, fit_candidates(points, candidates, seed=seed), strict=True
        )
    ]


@single_threaded()
def agreement_with_full_fit(
    fit: CandidateFit, points: Points, prototypes: Prototypes, seed: int
) -> float | None:
    """Compare a fit to weighted points with scikit-learn's on a sample.

    Parameters
    ----------
    fit : CandidateFit
        The fit to all customers.
    points : ndarray of shape (n, d)
        The customers.
    prototypes : Prototypes
        What assigns them.
    seed : int
        Of the sample and of its fit.

    Returns
    -------
    float or None
        The adjusted Rand index on ``COMPARED_POINTS`` customers; None for an exact fit.
    """
    if fit.is_exact:
        return None
    rng = np.random.default_rng(seed)
    sample = points[np.sort(rng.choice(len(points), COMPARED_POINTS, replace=False))]
    [full] = fit_candidates(sample, [fit.candidate], seed=seed)
    return float(adjusted_rand_score(full, prototypes.nearest_segments(sample)))


@dataclass(frozen=True)
class _WeightedCustomers:
    """Weighted points in place of customers, and a sample of the customers.

    Parameters
    ----------
    customers : ndarray of shape (n, d)
        All of them.
    points : ndarray of shape (m, d)
        What stands for them.
    weights : ndarray of shape (m,)
        The number of customers of each point.
    member : ndarray of shape (n,)
        The point of each customer.
    sample : ndarray of shape (EXACT_POINTS, d)
        Customers drawn at random.
    nearest_in_sample : ndarray of shape (m,)
        The nearest of the sample to each point.
    are_micro : bool
        Whether the points are micro-clusters.
    """

    customers: Points
    points: Points
    weights: NDArray[np.float64]
    member: NDArray[np.intp]
    sample: Points
    nearest_in_sample: NDArray[np.intp]
    are_micro: bool

    @classmethod
    def reduce(
        cls,
        customers: Points,
        distinct: Points,
        inverse: NDArray[np.intp],
        counts: NDArray[np.int64],
        seed: int,
    ) -> Self:
        are_micro = len(distinct) > EXACT_POINTS
        if are_micro:
            micro = micro_clusters(customers, seed, MICRO_CLUSTERS)
            points, weights, member = micro.points, micro.weights, micro.member
        else:
            points, weights, member = distinct, counts.astype(float), inverse
        rng = np.random.default_rng(seed)
        rows = rng.choice(len(customers), EXACT_POINTS, replace=False)
        sample = customers[np.sort(rows)]
        nearest = KDTree(sample).query(points)[1]
        return cls(customers, points, weights, member, sample, nearest, are_micro)

    def fit(self, candidate: Candidate, seed: int) -> CandidateFit:
        point_labels = self._point_labels(candidate, seed)
        fit = CandidateFit(
            candidate=candidate,
            labels=point_labels[self.member],
            points=self.points,
            point_labels=point_labels,
            weights=self.weights,
            member=self.member,
            reach=_reach(candidate, self._core_radius),
            is_exact=False,
        )
        if candidate.algorithm != "kmeans":
            return fit
        segments = fit.prototypes().nearest_segments(self.customers)
        return replace(fit, labels=segments - 1)

    def _point_labels(self, candidate: Candidate, seed: int) -> Labels:
        if candidate.algorithm in ("gaussian_mixture", "hdbscan") or (
            candidate.algorithm == "dbscan" and self.are_micro
        ):
            [labels] = fit_candidates(self.sample, [candidate], seed=seed)
            return labels[self.nearest_in_sample]
        if candidate.algorithm == "dbscan":
            return self._dbscan(candidate.value)
        k = int(candidate.value)
        if k > len(self.points):
            return np.zeros(len(self.points), dtype=np.int64)
        if candidate.algorithm == "kmeans":
            clustering = KMeans(k, n_init=THOROUGH.starts, random_state=seed)
            clustering.fit(self.points, sample_weight=self.weights)
            return np.asarray(clustering.labels_, dtype=np.int64)
        method = cast(Literal["ward", "average"], candidate.algorithm)
        return cut(weighted_linkage(self.points, self.weights, method), k)

    def _dbscan(self, quantile: float) -> Labels:
        radius = self._core_radius(quantile)
        if radius == 0:
            return np.zeros(len(self.points), dtype=np.int64)
        clustering = DBSCAN(
            eps=radius, min_samples=core_neighbours(len(self.customers))
        )
        clustering.fit(self.points, sample_weight=self.weights)
        return np.asarray(clustering.labels_, dtype=np.int64)

    def _core_radius(self, quantile: float) -> float:
        """Return a quantile, over customers, of the radius that makes a core point."""
        if self.are_micro:
            return core_radius(self.sample, quantile)
        needed = core_neighbours(len(self.customers))
        neighbours = min(MAX_NEIGHBOURS, len(self.points))
        index = NearestNeighbors(n_neighbors=neighbours).fit(self.points)
        distances, rows = index.kneighbors(self.points)
        customers_within = self.weights[rows].cumsum(axis=1)
        last = np.minimum((customers_within < needed).sum(axis=1), neighbours - 1)
        radii = distances[np.arange(len(distances)), last]
        order = np.argsort(radii, kind="stable")
        cumulated = self.weights[order].cumsum()
        place = np.searchsorted(cumulated, quantile * cumulated[-1])
        return float(radii[order][min(place, len(radii) - 1)])


def _reach(candidate: Candidate, radius: Callable[[float], float]) -> float | None:
    return radius(candidate.value) if candidate.algorithm == "dbscan" else None
