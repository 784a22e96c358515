"""Confidence: how likely a fit to other customers keeps a customer in the segment.

The choice is fitted again to bootstrap resamples of the customers. The refits are kept
with the fit, so that customers who come later get a confidence too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from joblib import delayed
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from customer_segmentation.matching import match_by_overlap
from customer_segmentation.parallel import run_parallel
from customer_segmentation.segmentation.algorithms import Candidate
from customer_segmentation.segmentation.cluster import CandidateFit, fit_customers
from customer_segmentation.segmentation.prototypes import (
    OUTLIERS,
    Assignment,
    Prototypes,
)
from customer_segmentation.segmentation.weighted import Points

# the most customers of a refit, as many as of a resample that measures stability
REFITTED_POINTS = 5_000
# the id of a cluster of a refit that continues no segment
NO_SEGMENT = -1
# of distances, relative to them
ROUNDING = 1e-6


@dataclass(frozen=True)
class Refits:
    """What a fit knows of refits to bootstrap resamples of its customers.

    Parameters
    ----------
    probabilities : ndarray of shape (refits + 1,)
        The confidence of a customer whom 0, 1, ... of the refits keep in the segment.
    kept : ndarray of shape (p,), optional
        How many refits keep each prototype in its segment; of algorithms whose
        prototypes are customers or micro-clusters.
    centroids : tuple of Prototypes
        The centroids of each refit, of k-means: with the ids of the segments that they
        continue, and ``NO_SEGMENT``.
    displacement : ndarray of shape (refits,)
        How far at most a centroid of each of these lies from that of the fit; infinite
        if a segment is lost.
    """

    probabilities: NDArray[np.float64]
    kept: NDArray[np.int64] | None = None
    centroids: tuple[Prototypes, ...] = ()
    displacement: tuple[float, ...] = ()

    def confidence(self, points: Points, assigned: Assignment) -> NDArray[np.float64]:
        """Return the probability that a further refit keeps customers in their segment.

        It is the same to the last bit in any batch.

        Parameters
        ----------
        points : ndarray of shape (n, d)
            Customers in the space in which they are clustered.
        assigned : Assignment
            Their segments.

        Returns
        -------
        ndarray of shape (n,)
            From 0 to 1; 0 for an outlier.
        """
        if self.kept is not None:
            kept = self.kept[assigned.prototype]
        else:
            kept = self._count(points, assigned)
        is_outlier = assigned.segment == OUTLIERS
        return np.where(is_outlier, 0.0, self.probabilities[kept])

    def _count(self, points: Points, assigned: Assignment) -> NDArray[np.int64]:
        """Return how many refits of k-means keep each customer in the segment.

        A centroid that has moved by less than half of the difference between the two
        nearest ones cannot lose a customer, so most customers need no look.
        """
        gap = np.divide(
            assigned.distance * assigned.centrality,
            1 - assigned.centrality,
            out=np.zeros(len(points)),
            where=assigned.centrality < 1,
        )
        kept = np.zeros(len(points), dtype=np.int64)
        for refit, displacement in zip(self.centroids, self.displacement, strict=True):
            is_near = gap <= 2 * displacement * (1 + ROUNDING)
            found = refit.nearest_segments(points[is_near])
            kept[is_near] += found == assigned.segment[is_near]
            kept[~is_near] += 1
        return kept

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it, to the last bit."""
        return {
            "probabilities": self.probabilities.tolist(),
            "kept": None if self.kept is None else self.kept.tolist(),
            "centroids": [refit.to_dict() for refit in self.centroids],
            # JSON has no infinity
            "displacement": [
                one if np.isfinite(one) else None for one in self.displacement
            ],
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Return what ``to_dict`` stored."""
        kept = stored["kept"]
        return cls(
            np.array(stored["probabilities"], dtype=float),
            None if kept is None else np.array(kept, dtype=np.int64),
            tuple(Prototypes.from_dict(one) for one in stored["centroids"]),
            tuple(np.inf if one is None else one for one in stored["displacement"]),
        )


@dataclass(frozen=True)
class Refit:
    """One refit, seen from the segments of the fit.

    Parameters
    ----------
    prototypes : Prototypes
        With the ids of the segments that they continue, and ``NO_SEGMENT``.
    is_kept : ndarray of bool, shape (m,)
        Whether each point of the fit is in the same segment.
    is_drawn : ndarray of bool, shape (m,)
        Whether the resample has a customer of the point.
    """

    prototypes: Prototypes
    is_kept: NDArray[np.bool_]
    is_drawn: NDArray[np.bool_]


def fit_refits(
    fit: CandidateFit, prototypes: Prototypes, points: Points, count: int, seed: int
) -> Refits:
    """Fit again to resamples, and learn how likely customers stay in their segment.

    Parameters
    ----------
    fit : CandidateFit
        The fit to all customers.
    prototypes : Prototypes
        Its prototypes, with the ids of the segments.
    points : ndarray of shape (n, d)
        The customers.
    count : int
        Number of refits, at least 2.
    seed : int
        Of the resamples.
    """
    refits = refit_resamples(fit, prototypes, points, count, seed)
    is_kept = np.stack([refit.is_kept for refit in refits], axis=1)
    is_out = ~np.stack([refit.is_drawn for refit in refits], axis=1)
    is_outlier = prototypes.nearest_segments(fit.points) == OUTLIERS
    weights = np.where(is_outlier, 0.0, fit.weights)
    probabilities = staying_probabilities(is_kept, is_out, weights)
    if fit.candidate.algorithm == "kmeans":
        centroids = tuple(refit.prototypes for refit in refits)
        displacement = tuple(_displacement(prototypes, one) for one in centroids)
        return Refits(probabilities, None, centroids, displacement)
    return Refits(probabilities, kept=is_kept.sum(axis=1))


def refit_resamples(
    fit: CandidateFit, prototypes: Prototypes, points: Points, count: int, seed: int
) -> list[Refit]:
    """Fit a candidate to bootstrap resamples of at most ``REFITTED_POINTS`` customers.

    The parameters are those of ``fit_refits``.
    """
    segments = prototypes.nearest_segments(fit.points)
    drawn = _draw(len(points), count, seed)
    found = run_parallel(
        delayed(_refit)(points[rows], fit.candidate, fit.points, number)
        for number, rows in enumerate(drawn)
    )
    refits = []
    for rows, (refit, labels) in zip(drawn, found, strict=True):
        names = np.unique(refit.segments[refit.segments != OUTLIERS])
        matched = match_by_overlap(segments, labels, fit.weights)
        ids = {name: matched.get(name, NO_SEGMENT) for name in names.tolist()}
        same = np.array([ids.get(label, OUTLIERS) for label in labels.tolist()])
        is_drawn = np.zeros(len(fit.points), dtype=bool)
        is_drawn[fit.member[rows]] = True
        refits.append(Refit(refit.with_ids(ids), same == segments, is_drawn))
    return refits


def staying_probabilities(
    is_kept: NDArray[np.bool_],
    is_out: NDArray[np.bool_],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return how likely one more refit keeps customers whom so many refits keep.

    The plain share is too extreme: of the customers whom all refits keep, some are
    there by chance. So each refit is predicted from the number of the others that keep
    the customer (Robbins 1956), on customers that it has not seen, and the result is
    made monotonic.

    Parameters
    ----------
    is_kept : ndarray of bool, shape (m, refits)
        Whether a refit keeps a point in its segment.
    is_out : ndarray of bool, shape (m, refits)
        Whether the resample of the refit has no customer of the point.
    weights : ndarray of shape (m,)
        The number of customers of each point; 0 for a point that does not count.

    Returns
    -------
    ndarray of shape (refits + 1,)
        For 0, 1, ... refits that keep a customer; the plain share if no refit leaves
        out a customer.

    Examples
    --------
    >>> is_kept = np.array([[True, True], [True, False], [False, False]])
    >>> staying_probabilities(is_kept, np.full((3, 2), True), np.ones(3)).round(2)
    array([0.33, 0.5 , 0.67])
    """
    refits = is_kept.shape[1]
    others = is_kept.sum(axis=1, keepdims=True) - is_kept
    counted = np.where(is_out, weights[:, np.newaxis], 0.0)
    trials, stays = (
        np.bincount(others.ravel(), one.ravel(), minlength=refits)
        for one in (counted, counted * is_kept)
    )
    seen = np.flatnonzero(trials)
    if not len(seen):
        plain: NDArray[np.float64] = np.arange(refits + 1) / refits
        return plain
    rates = IsotonicRegression(out_of_bounds="clip").fit(
        seen, stays[seen] / trials[seen], sample_weight=trials[seen]
    )
    as_of_others = np.arange(refits + 1) * (refits - 1) / refits
    return np.asarray(rates.predict(as_of_others), dtype=float)


def _draw(customers: int, count: int, seed: int) -> NDArray[np.intp]:
    """Return the customers of each resample (rows), each customer equally often.

    In such a balanced bootstrap (Davison, Hinkley and Schechtman 1986) the borders of
    the refits lie around those of the fit, and not to one side by chance.
    """
    size = min(customers, REFITTED_POINTS)
    copies = -(-count * size // customers)
    rows = np.tile(np.arange(customers), copies)
    np.random.default_rng(seed).shuffle(rows)
    return rows[: count * size].reshape(count, size)


def _displacement(prototypes: Prototypes, refit: Prototypes) -> float:
    """Return how far a centroid of a refit lies from that of its segment, at most."""
    if sorted(refit.segments) != sorted(prototypes.segments):
        return np.inf
    of_fit, of_refit = (
        one.positions[np.argsort(one.segments)] for one in (prototypes, refit)
    )
    return float(np.linalg.norm(of_fit - of_refit, axis=1).max())


def _refit(
    drawn: Points, candidate: Candidate, compared: Points, seed: int
) -> tuple[Prototypes, NDArray[np.int64]]:
    """Return the prototypes of a fit to a resample, and its labels of points."""
    [fit] = fit_customers(drawn, [candidate], seed=seed)
    prototypes = fit.prototypes()
    return prototypes, prototypes.nearest_segments(compared)
