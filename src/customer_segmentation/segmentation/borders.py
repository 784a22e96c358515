"""Borders between neighbouring segments, and how crowded they are.

Density is told by the distance to some near customer, as HDBSCAN does, in the plane of
the line that separates two segments best. So the shape of the segments does not matter.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from customer_segmentation.segmentation.labels import count_clusters, noise_joined
from customer_segmentation.segmentation.ties import without_ties
from customer_segmentation.segmentation.weighted import Labels, Points

# customers of a segment that say where it is crowded, and neighbours of each
MAX_CROWD = 300
MIN_NEIGHBOURS, MAX_NEIGHBOURS = 4, 10
NEIGHBOUR_SHARE = 0.05
# a few customers between two segments do not make a border crowded: its density is that
# where this many have crossed it
CROSSING_RANK = 5
MIN_CROSSED = 20
# added to the variances within segments, as a share of their mean
RIDGE = 0.01


def border_densities(
    points: Points, is_numeric: Sequence[bool], labels: Sequence[Labels], seed: int
) -> NDArray[np.float64]:
    """Return how crowded the most crowded border of each candidate is.

    Moons have an empty border, if it follows them.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        The design matrix.
    is_numeric : sequence of bool
        Whether the order of each column has a meaning.
    labels : sequence of ndarray of shape (n,)
        The cluster of each customer by each candidate, -1 for noise.
    seed : int
        Of the customers that are looked at, and of ties.

    Returns
    -------
    ndarray of shape (c,)
        Density on the border of two neighbouring segments, in that of the typical
        customer of the sparser one; the maximum over all borders. ``nan`` with fewer
        than two clusters, with a segment of fewer than ``MIN_CROSSED`` customers, and
        without numbers.

    Examples
    --------
    >>> points = np.append(np.arange(50.0), np.arange(90.0, 140))[:, np.newaxis]
    >>> halves, quarters = np.arange(100) // 50, np.arange(100) // 25
    >>> border_densities(points, [True], [halves, quarters], seed=0).round(1).tolist()
    [0.0, 0.4]
    """
    spread, rows = without_ties(points, is_numeric, seed)
    return np.array([_most_crowded(spread, one[rows]) for one in labels])


def _most_crowded(points: Points, labels: Labels) -> float:
    """Return the largest density on a border."""
    if count_clusters(labels) < 2 or points.shape[1] == 0:
        return math.nan
    segments = segments_of(points, labels)
    if min(map(len, segments)) < MIN_CROSSED:
        return math.nan
    return max(_crossing_density(*border) for border in neighbours_of(segments))


def _crossing_density(one: Points, other: Points) -> float:
    """Return the density where some customers of two segments are nearest."""
    crowd = Crowd.of(one, other)
    radii = np.maximum(crowd.radii[:, np.newaxis], crowd.radii)
    steps = np.maximum(crowd.distances, radii)[np.ix_(~crowd.is_other, crowd.is_other)]
    nearest = [np.sort(steps.min(axis=axis))[CROSSING_RANK - 1] for axis in (0, 1)]
    return float((crowd.typical / max(nearest)) ** crowd.dimensions)


def segments_of(points: Points, labels: Labels) -> list[Points]:
    """Return the customers of each segment."""
    # without noise, customers between two segments would be missing
    joined = noise_joined(points, labels)
    return [points[joined == one] for one in np.unique(joined)]


def neighbours_of(segments: Sequence[Points]) -> Iterator[tuple[Points, Points]]:
    """Yield the pairs of segments that have no other segment between their centres."""
    centres = np.stack([segment.mean(axis=0) for segment in segments])
    for one, other in combinations(range(len(segments)), 2):
        middle = (centres[one] + centres[other]) / 2
        distances = np.linalg.norm(centres - middle, axis=1)
        reach = min(distances[one], distances[other])
        if np.delete(distances, [one, other]).min(initial=np.inf) >= reach:
            yield segments[one], segments[other]


@dataclass(frozen=True)
class Crowd:
    """Customers of two segments, and how near others are to each.

    Parameters
    ----------
    distances : ndarray of shape (n, n)
        Between customers, by the line that separates the segments and the main one
        beside it.
    is_other : ndarray of bool, shape (n,)
        Who belongs to the second segment.
    radii : ndarray of shape (n,)
        Distances to some near customer.
    typical : float
        The median radius of the sparser segment.
    dimensions : int
        Of the plane.
    """

    distances: Points
    is_other: NDArray[np.bool_]
    radii: Points
    typical: float
    dimensions: int

    @classmethod
    def of(cls, one: Points, other: Points) -> Self:
        """Measure two segments, of shapes (n, d) and (m, d)."""
        one, other = evenly_taken(one, MAX_CROWD), evenly_taken(other, MAX_CROWD)
        points = _in_a_plane(one, other)
        is_other = np.arange(len(points)) >= len(one)
        distances = cdist(points, points)
        share = NEIGHBOUR_SHARE * min(len(one), len(other))
        neighbours = int(np.clip(share, MIN_NEIGHBOURS, MAX_NEIGHBOURS))
        radii = np.partition(distances, neighbours, axis=1)[:, neighbours]
        typical = max(np.median(radii[~is_other]), np.median(radii[is_other]))
        return cls(distances, is_other, radii, float(typical), points.shape[1])


def _in_a_plane(one: Points, other: Points) -> Points:
    """Return two segments by the line that separates them, and the main one beside it.

    Both are in standard deviations within segments. In more dimensions, features that
    have nothing to do with the border would hide it.
    """
    points = np.vstack([one, other])
    line = direction_between(one, other)
    line = line / np.linalg.norm(line)
    beside = points - np.outer(points @ line, line)
    beside -= beside.mean(axis=0)
    _, axes = np.linalg.eigh(beside.T @ beside)
    lines = np.stack([line, axes[:, -1]])[: points.shape[1]]
    deviations = (_within(one, other) @ lines.T).std(axis=0)
    is_wide = deviations > 0
    return np.asarray((points @ lines.T)[:, is_wide] / deviations[is_wide])


def direction_between(one: Points, other: Points) -> Points:
    """Return the direction that separates two segments best (Fisher 1936)."""
    within = _within(one, other)
    covariance = within.T @ within / len(within)
    ridge = RIDGE * np.trace(covariance) / len(covariance)
    covariance += max(ridge, np.finfo(float).tiny) * np.eye(len(covariance))
    difference = other.mean(axis=0) - one.mean(axis=0)
    return np.asarray(np.linalg.solve(covariance, difference))


def _within(one: Points, other: Points) -> Points:
    return np.vstack([one - one.mean(axis=0), other - other.mean(axis=0)])


def evenly_taken(values: Points, most: int) -> Points:
    """Return at most so many rows, evenly spaced."""
    if len(values) <= most:
        return values
    rows = np.linspace(0, len(values) - 1, most).round().astype(int)
    return np.asarray(values[rows])
