"""Prototypes: the one form of every fitted clustering, and how it assigns customers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

__all__ = [
    "OUTLIERS",
    "Assignment",
    "Prototypes",
    "centroids",
    "points_as_prototypes",
]

OUTLIERS = 0
# few prototypes are each measured against; many need a tree
FEW_PROTOTYPES = 32
# of a tree: larger leaves than scipy's default are faster past a few features
LEAF_SIZE = 32
# rows at a time, so that what is added up stays in the processor's cache
ROWS_AT_A_TIME = 16_384


@dataclass(frozen=True)
class Assignment:
    """Where each of n customers belongs.

    Parameters
    ----------
    segment : array of shape (n,)
        The segment's id, 0 for an outlier.
    distance : array of shape (n,)
        Euclidean distance to the middle of the segment; an outlier's to the nearest
        middle.
    confidence : array of shape (n,)
        One minus the distance to the middle of the own segment over that to the nearest
        other: 1 in the middle, 0 for who is as near to another middle, or nearer. 0 for
        an outlier, and 1 where there is but one segment.
    """

    segment: NDArray[np.int64]
    distance: NDArray[np.float64]
    confidence: NDArray[np.float64]


@dataclass(frozen=True)
class Prototypes:
    """Points that stand for segments: a customer belongs with the nearest one.

    Parameters
    ----------
    positions : array of shape (p, d)
        In the space clustered in; at least one.
    segments : array of shape (p,)
        The id of each one's segment, 0 for prototypes of outliers.
    weights : array of shape (p,)
        How many customers each one stands for.
    reach : float, optional
        Who is farther than this from every prototype is an outlier.

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

        A point gets the same bits whatever batch it comes in: every distance is added
        up on its own, feature by feature, never by a matrix product. Of two segments
        equally far the one of the lower id is taken.

        Parameters
        ----------
        points : array of shape (n, d)
            Finite; n may be 0.
        """
        points = np.asarray(points, dtype=float)
        segment = np.full(len(points), OUTLIERS, dtype=np.int64)
        distance = np.zeros(len(points))
        confidence = np.zeros(len(points))
        for start in range(0, len(points), ROWS_AT_A_TIME):
            rows = slice(start, start + ROWS_AT_A_TIME)
            segment[rows] = self._nearest_segment(points[rows])
            distance[rows], confidence[rows] = self._place(points[rows], segment[rows])
        return Assignment(segment, distance, confidence)

    def _nearest_segment(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        if self._tree is None:
            nearest, segment = self._nearest_of_each(points)
        else:
            # row by row the same on any number of threads
            distances, rows = self._tree.query(points, k=2, workers=-1)
            nearest, segment = distances[:, 0], self.segments[rows[:, 0]]
            # which of two that are equally near comes first is the tree's accident
            is_tied = distances[:, 0] == distances[:, 1]
            _, segment[is_tied] = self._nearest_of_each(points[is_tied])
        if self.reach is not None:
            segment[nearest > self.reach] = OUTLIERS
        return segment

    def _nearest_of_each(
        self, points: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Measure every segment; return the nearest's distance and id."""
        nearest = np.full(len(points), np.inf)
        segment = np.full(len(points), OUTLIERS, dtype=np.int64)
        for candidate in self._segments:
            away = candidate.distances(points)
            is_nearer = away < nearest
            nearest[is_nearer] = away[is_nearer]
            segment[is_nearer] = candidate.id
        return nearest, segment

    def _place(
        self, points: NDArray[np.float64], segment: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the distance to the own middle, and the confidence."""
        own = np.full(len(points), np.inf)
        other = np.full(len(points), np.inf)
        for middle in self._middles:
            away = middle.distances(points)
            is_own = segment == middle.id
            own[is_own] = away[is_own]
            other[~is_own] = np.minimum(other, away)[~is_own]
        is_outlier = segment == OUTLIERS
        ratio = np.divide(own, other, out=np.ones_like(own), where=other > 0)
        confidence = np.where(is_outlier, 0.0, 1 - np.minimum(ratio, 1))
        return np.where(is_outlier, other, own), confidence

    def means(self) -> dict[int, NDArray[np.float64]]:
        """Return the weighted mean of each segment's prototypes, without outliers."""
        return {
            int(segment): np.average(
                self.positions[self.segments == segment],
                axis=0,
                weights=self.weights[self.segments == segment],
            )
            for segment in np.unique(self.segments)
            if segment != OUTLIERS
        }

    def renamed(self, ids: Mapping[int, int]) -> Self:
        """Give segments other ids: ``{old: new}``; outliers stay what they are."""
        ids = {OUTLIERS: OUTLIERS, **ids}
        segments = np.array([ids[segment] for segment in self.segments.tolist()])
        return replace(self, segments=segments.astype(np.int64))

    def to_dict(self) -> dict[str, Any]:
        """Return what ``from_dict`` reads: plain lists, floats exact in JSON."""
        return {
            "positions": self.positions.tolist(),
            "segments": self.segments.tolist(),
            "weights": self.weights.tolist(),
            "reach": self.reach,
        }

    @classmethod
    def from_dict(cls, written: Mapping[str, Any]) -> Self:
        """Return the prototypes that ``to_dict`` has written."""
        return cls(
            np.array(written["positions"], dtype=float),
            np.array(written["segments"], dtype=np.int64),
            np.array(written["weights"], dtype=float),
            written["reach"],
        )

    @cached_property
    def _tree(self) -> KDTree | None:
        return _tree_of(self.positions)

    @cached_property
    def _segments(self) -> tuple["_Segment", ...]:
        return tuple(
            _Segment(int(segment), self.positions[self.segments == segment])
            for segment in np.unique(self.segments)
        )

    @cached_property
    def _middles(self) -> tuple["_Segment", ...]:
        return tuple(
            _Segment(segment, middle[np.newaxis])
            for segment, middle in self.means().items()
        )


def centroids(
    points: NDArray[np.float64],
    segments: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> Prototypes:
    """Return one prototype a segment: its weighted mean. Outliers get none.

    Parameters
    ----------
    points : array of shape (m, d)
    segments : array of shape (m,)
        Ids of segments, 0 for outliers.
    weights : array of shape (m,)
        How many customers each point stands for.
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
    """Return every distinct point as a prototype: the fit itself, nothing lost.

    Parameters
    ----------
    distinct : array of shape (m, d)
    segments : array of shape (m,)
        Ids of segments, 0 for outliers.
    counts : array of shape (m,)
        How many customers each point stands for.
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
    """The prototypes of one segment, ready to be measured against."""

    def __init__(self, segment: int, positions: NDArray[np.float64]) -> None:
        self.id = segment
        self._positions = positions
        self._tree = _tree_of(positions)

    def distances(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far each point is from the nearest prototype."""
        if self._tree is not None:
            return self._tree.query(points)[0]
        columns = np.ascontiguousarray(points.T)
        nearest = np.full(len(points), np.inf)
        for position in self._positions:
            squared = np.zeros(len(points))
            for column, coordinate in zip(columns, position, strict=True):
                difference = column - coordinate
                difference *= difference
                squared += difference
            np.minimum(nearest, squared, out=nearest)
        return np.sqrt(nearest)


def _tree_of(positions: NDArray[np.float64]) -> KDTree | None:
    if len(positions) <= FEW_PROTOTYPES:
        return None
    return KDTree(positions, leafsize=LEAF_SIZE)
