"""Assign: prototypes stand for a fitted clustering, and the nearest one counts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

OUTLIERS = 0
# up to this many prototypes, distances to all are faster than a tree
FEW_PROTOTYPES = 32
# with several features, larger leaves than SciPy's default are faster
LEAF_SIZE = 32
# intermediate results of this many rows stay in the cache of the processor
ROWS_AT_A_TIME = 16_384


@dataclass(frozen=True)
class Assignment:
    """The segments of n customers.

    Parameters
    ----------
    segment : ndarray of shape (n,)
        The id of the segment, 0 for an outlier.
    prototype : ndarray of shape (n,)
        The row of the nearest prototype.
    distance : ndarray of shape (n,)
        Euclidean distance to the mean of the segment; of an outlier, to the nearest
        mean.
    centrality : ndarray of shape (n,)
        One minus the distance to the mean of the own segment over the distance to the
        nearest other mean: 1 at the mean, 0 if another mean is as near or nearer. 0 for
        an outlier, and 1 if there is only one segment.
    """

    segment: NDArray[np.int64]
    prototype: NDArray[np.intp]
    distance: NDArray[np.float64]
    centrality: NDArray[np.float64]


@dataclass(frozen=True)
class Prototypes:
    """Points that stand for segments: a customer is in the segment of the nearest one.

    Parameters
    ----------
    positions : ndarray of shape (p, d)
        At least one, in the space in which customers are clustered.
    segments : ndarray of shape (p,)
        The id of the segment of each prototype, 0 for outliers.
    weights : ndarray of shape (p,)
        The number of customers of each prototype.
    reach : float, optional
        Customers farther than this from every prototype are outliers.

    Examples
    --------
    >>> two = Prototypes(np.array([[0.0], [10.0]]), np.array([1, 2]), np.ones(2))
    >>> two.assign(np.array([[4.0]])).segment.tolist()
    [1]
    """

    positions: NDArray[np.float64]
    segments: NDArray[np.int64]
    weights: NDArray[np.float64]
    reach: float | None = None

    def assign(self, points: NDArray[np.float64]) -> Assignment:
        """Assign points to the segment of their nearest prototype.

        The result is the same to the last bit in any batch, because distances are
        summed feature by feature, and not by a matrix product. Ties go to the lower id.

        Parameters
        ----------
        points : ndarray of shape (n, d)
            Finite; n may be 0.
        """
        points = np.asarray(points, dtype=float)
        segment = np.full(len(points), OUTLIERS, dtype=np.int64)
        prototype = np.zeros(len(points), dtype=np.intp)
        distance = np.zeros(len(points))
        centrality = np.zeros(len(points))
        for start in range(0, len(points), ROWS_AT_A_TIME):
            rows = slice(start, start + ROWS_AT_A_TIME)
            segment[rows], prototype[rows] = self._nearest(points[rows])
            distance[rows], centrality[rows] = self._place(points[rows], segment[rows])
        return Assignment(segment, prototype, distance, centrality)

    def nearest_segments(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the segment of each point as ``assign`` does, and nothing else."""
        found = [
            self._nearest(points[start : start + ROWS_AT_A_TIME])[0]
            for start in range(0, len(points), ROWS_AT_A_TIME)
        ]
        return np.concatenate([np.empty(0, dtype=np.int64), *found])

    def _nearest(
        self, points: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
        """Return the segment, and the row of the nearest prototype."""
        if self._tree is None:
            distance, prototype = self._nearest_of_each(points)
        else:
            # each row is the same on any number of threads
            distances, rows = self._tree.query(points, k=2, workers=-1)
            distance, prototype = distances[:, 0], rows[:, 0].astype(np.intp)
            # the order of a tree decides which of two equally near ones comes first
            is_tied = distances[:, 0] == distances[:, 1]
            _, prototype[is_tied] = self._nearest_of_each(points[is_tied])
        segment = self.segments[prototype]
        if self.reach is not None:
            segment[distance > self.reach] = OUTLIERS
        return segment, prototype

    def _nearest_of_each(
        self, points: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return distance and row of the nearest prototype, by the distances to all."""
        nearest = np.full(len(points), np.inf)
        prototype = np.zeros(len(points), dtype=np.intp)
        for candidate in self._segments:
            away, rows = candidate.nearest(points)
            is_nearer = away < nearest
            nearest[is_nearer] = away[is_nearer]
            prototype[is_nearer] = rows[is_nearer]
        return nearest, prototype

    def _place(
        self, points: NDArray[np.float64], segment: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the distance to the mean of the own segment, and the centrality."""
        own = np.full(len(points), np.inf)
        other = np.full(len(points), np.inf)
        for mean in self._means:
            away, _ = mean.nearest(points)
            is_own = segment == mean.id
            own[is_own] = away[is_own]
            other[~is_own] = np.minimum(other, away)[~is_own]
        is_outlier = segment == OUTLIERS
        ratio = np.divide(own, other, out=np.ones_like(own), where=other > 0)
        centrality = np.where(is_outlier, 0.0, 1 - np.minimum(ratio, 1))
        return np.where(is_outlier, other, own), centrality

    def means(self) -> dict[int, NDArray[np.float64]]:
        """Return the weighted mean of the prototypes of each segment but outliers."""
        return {
            int(segment): np.average(
                self.positions[self.segments == segment],
                axis=0,
                weights=self.weights[self.segments == segment],
            )
            for segment in np.unique(self.segments)
            if segment != OUTLIERS
        }

    def with_ids(self, ids: Mapping[int, int]) -> Self:
        """Give segments other ids, ``{old: new}``; outliers keep theirs."""
        ids = {OUTLIERS: OUTLIERS, **ids}
        segments = np.array([ids[segment] for segment in self.segments.tolist()])
        return replace(self, segments=segments.astype(np.int64))

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it, to the last bit."""
        return {
            "positions": self.positions.tolist(),
            "segments": self.segments.tolist(),
            "weights": self.weights.tolist(),
            "reach": self.reach,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Return what ``to_dict`` stored."""
        return cls(
            np.array(stored["positions"], dtype=float),
            np.array(stored["segments"], dtype=np.int64),
            np.array(stored["weights"], dtype=float),
            stored["reach"],
        )

    @cached_property
    def _tree(self) -> KDTree | None:
        return _tree_of(self.positions)

    @cached_property
    def _segments(self) -> tuple["_Segment", ...]:
        return tuple(
            _Segment(int(segment), self.positions, self.segments == segment)
            for segment in np.unique(self.segments)
        )

    @cached_property
    def _means(self) -> tuple["_Segment", ...]:
        return tuple(
            _Segment(segment, mean[np.newaxis], np.array([True]))
            for segment, mean in self.means().items()
        )


def centroids(
    points: NDArray[np.float64],
    segments: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> Prototypes:
    """Return one prototype for each segment, its weighted mean; outliers have none.

    Parameters
    ----------
    points : ndarray of shape (m, d)
        At least one in a segment.
    segments : ndarray of shape (m,)
        Ids of segments, 0 for outliers.
    weights : ndarray of shape (m,)
        The number of customers of each point.
    """
    ids = np.unique(segments[segments != OUTLIERS])
    means = points_as_prototypes(points, segments, weights, None).means()
    return Prototypes(
        np.array([means[segment] for segment in ids.tolist()]),
        ids.astype(np.int64),
        np.array([weights[segments == segment].sum() for segment in ids], dtype=float),
    )


def points_as_prototypes(
    distinct: NDArray[np.float64],
    segments: NDArray[np.int64],
    counts: NDArray[np.float64],
    reach: float | None,
) -> Prototypes:
    """Return every distinct point as a prototype, so that nothing of the fit is lost.

    Parameters
    ----------
    distinct : ndarray of shape (m, d)
        The points fitted.
    segments : ndarray of shape (m,)
        Ids of segments, 0 for outliers.
    counts : ndarray of shape (m,)
        The number of customers of each point.
    reach : float, optional
        As in ``Prototypes``.
    """
    return Prototypes(
        np.asarray(distinct, dtype=float),
        np.asarray(segments, dtype=np.int64),
        np.asarray(counts, dtype=float),
        reach,
    )


class _Segment:
    """The prototypes of one segment."""

    def __init__(
        self, segment: int, positions: NDArray[np.float64], is_own: NDArray[np.bool_]
    ) -> None:
        self.id = segment
        self._positions = positions[is_own]
        self._rows = np.flatnonzero(is_own)
        self._tree = _tree_of(self._positions)

    def nearest(
        self, points: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return distance and row of the prototype that is nearest to each point."""
        if self._tree is not None:
            distances, places = self._tree.query(points)
            return np.asarray(distances), self._rows[places]
        columns = np.ascontiguousarray(points.T)
        squares = np.full(len(points), np.inf)
        place = np.zeros(len(points), dtype=np.intp)
        for number, position in enumerate(self._positions):
            total = np.zeros(len(points))
            for column, coordinate in zip(columns, position, strict=True):
                difference = column - coordinate
                difference *= difference
                total += difference
            place[total < squares] = number
            np.minimum(squares, total, out=squares)
        return np.asarray(np.sqrt(squares)), self._rows[place]


def _tree_of(positions: NDArray[np.float64]) -> KDTree | None:
    if len(positions) <= FEW_PROTOTYPES:
        return None
    return KDTree(positions, leafsize=LEAF_SIZE)
