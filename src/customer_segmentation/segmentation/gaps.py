"""Gaps: whether there are few customers where a candidate cuts.

Candidates that beat null data are not spread like noise. But neither is a curved
continuum, and shuffled data still have the groups that one feature sets apart. So
customers of neighbouring segments are placed on the line that separates the two best.
Hartigan's dip test asks whether they come from one crowd (Hartigan & Hartigan 1985).
A continuum that bends may look like two crowds along a line. So there must be no way
from one segment to the other through crowded places.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist
from scipy.stats import combine_pvalues

from customer_segmentation.segmentation.dip import dip_p_value
from customer_segmentation.segmentation.measures import count_clusters, noise_joined
from customer_segmentation.segmentation.weighted import Labels, Points

# customers of a search that are looked at, and on one border: a gap that needs more to
# be seen is no border
GAP_POINTS = 5_000
BORDER_POINTS = 200
MIN_BORDER_POINTS = 10
# a segment is followed from the border until this share of its customers is passed:
# the end of a curve, seen along a line, is as crowded as a group
FOLLOWED_SHARE = 0.75
# of one border: there is more likely no gap than one
NO_GAP = 0.5
# a place is crowded from this share of the density at the typical customer's
CROWDED = 0.25
# customers of a segment that say where it is crowded, and neighbours of each
MIN_CROWD, MAX_CROWD = 50, 300
MIN_NEIGHBOURS, MAX_NEIGHBOURS = 4, 10
NEIGHBOUR_SHARE = 0.05
# a value that this share of the customers has, and so many times as many as have either
# value next to it, is a point mass
MASS_SHARE = 0.05
MASS_RATIO = 5
# added to the variances within segments, as a share of their mean
RIDGE = 0.01


def gap_p_values(
    points: Points, is_numeric: Sequence[bool], labels: Sequence[Labels], seed: int
) -> NDArray[np.float64]:
    """Return p-values of the gaps between the segments of each candidate.

    A small value says that there are gaps on all borders. Only numbers have gaps: the
    levels of a category are apart by construction.

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
        Corrected for the number of candidates (Bonferroni); ``nan`` with fewer than two
        clusters.

    Examples
    --------
    >>> points = np.append(np.arange(50.0), np.arange(90.0, 140))[:, np.newaxis]
    >>> halves, quarters = np.arange(100) // 50, np.arange(100) // 25
    >>> gap_p_values(points, [True], [halves, quarters], seed=0).round(3).tolist()
    [0.0, 1.0]
    """
    rng = np.random.default_rng(seed)
    rows = np.arange(len(points))
    if len(points) > GAP_POINTS:
        rows = np.sort(rng.choice(len(points), GAP_POINTS, replace=False))
    # so that ties are spread alike in any order of the rows
    rows = rows[np.lexsort(points[rows].T)]
    numbers = points[rows][:, np.flatnonzero(is_numeric)]
    spread = np.empty_like(numbers)
    for column, values in enumerate(numbers.T):
        spread[:, column] = spread_ties(values, rng)
    spread = spread[:, np.ptp(numbers, axis=0) > 0]
    found = np.array([_all_borders(spread, one[rows]) for one in labels])
    return np.asarray(np.minimum(found * np.isfinite(found).sum(), 1))


def spread_ties(values: Points, rng: np.random.Generator) -> Points:
    """Spread values that customers share, so that ties make no gaps.

    A value is spread half-way to the values next to it, but at most twice as far to one
    side as to the other. The customers of a point mass, such as no purchase, get values
    of others: a point mass alone is no group.

    Parameters
    ----------
    values : ndarray of shape (n,)
        A feature.
    rng : numpy.random.Generator
        Draws the values.

    Returns
    -------
    ndarray of shape (n,)
        Values without ties.
    """
    distinct, place, sizes = np.unique(values, return_inverse=True, return_counts=True)
    beside = np.maximum(np.append(0, sizes[:-1]), np.append(sizes[1:], 0))
    is_mass = (sizes >= MASS_SHARE * len(values)) & (sizes > MASS_RATIO * beside)
    if is_mass.any() and not is_mass.all():
        spread, in_mass = values.copy(), is_mass[place]
        spread[~in_mass] = spread_ties(values[~in_mass], rng)
        spread[in_mass] = rng.choice(spread[~in_mass], int(in_mass.sum()))
        return spread
    if len(distinct) in (1, len(values)):
        return values
    halves = np.diff(distinct) / 2
    below, above = np.append(halves[:1], halves), np.append(halves, halves[-1:])
    # not into the gap beside a group
    below, above = np.minimum(below, 2 * above), np.minimum(above, 2 * below)
    drawn = rng.uniform(size=len(values))
    return np.asarray(values - below[place] + drawn * (below + above)[place])


def _all_borders(points: Points, labels: Labels) -> float:
    """Return one p-value for all borders (Fisher 1932); 1 if one has no gap."""
    if count_clusters(labels) < 2:
        return math.nan
    if points.shape[1] == 0:
        return 1.0
    # without noise, customers between two segments would be missing
    joined = noise_joined(points, labels)
    segments = [points[joined == one] for one in np.unique(joined)]
    borders = list(_borders(segments))
    p_values = np.array([_dip(one, other) for one, other in borders])
    if p_values.max() > NO_GAP or any(_are_joined(*border) for border in borders):
        return 1.0
    return float(combine_pvalues(p_values, "fisher").pvalue)


def _borders(segments: Sequence[Points]) -> Iterator[tuple[Points, Points]]:
    """Yield the pairs of segments that have no other segment between their centres."""
    centres = np.stack([segment.mean(axis=0) for segment in segments])
    for one, other in combinations(range(len(segments)), 2):
        middle = (centres[one] + centres[other]) / 2
        distances = np.linalg.norm(centres - middle, axis=1)
        reach = min(distances[one], distances[other])
        if np.delete(distances, [one, other]).min(initial=np.inf) >= reach:
            yield segments[one], segments[other]


def _dip(one: Points, other: Points) -> float:
    """Return the p-value of a dip between two segments."""
    if min(len(one), len(other)) < MIN_BORDER_POINTS:
        return 1.0
    direction = _direction(one, other)
    left, right = np.sort(one @ direction), np.sort(other @ direction)
    left = left[left >= np.quantile(left, 1 - FOLLOWED_SHARE)]
    right = right[right <= np.quantile(right, FOLLOWED_SHARE)]
    # equally many on both sides: a large segment would hide a small one
    most = min(len(left), len(right))
    start, end = left[-most], right[most - 1]
    placed = np.sort(np.concatenate([left, right]))
    placed = placed[(placed >= start) & (placed <= end)]
    if len(placed) < MIN_BORDER_POINTS:
        return 1.0
    return dip_p_value(_evenly(placed, BORDER_POINTS))


def _are_joined(one: Points, other: Points) -> bool:
    """Whether steps between customers in crowded places join two segments.

    Density is told by the distance to some near customer, as HDBSCAN does. The typical
    customer is that of the sparser segment.
    """
    if min(len(one), len(other)) < MIN_CROWD:
        return False
    one, other = _evenly(one, MAX_CROWD), _evenly(other, MAX_CROWD)
    points = _in_a_plane(one, other)
    is_other = np.arange(len(points)) >= len(one)
    distances = cdist(points, points)
    share = NEIGHBOUR_SHARE * min(len(one), len(other))
    neighbours = int(np.clip(share, MIN_NEIGHBOURS, MAX_NEIGHBOURS))
    radii = np.partition(distances, neighbours, axis=1)[:, neighbours]
    typical = max(np.median(radii[~is_other]), np.median(radii[is_other]))
    widest = typical * CROWDED ** (-1 / points.shape[1])
    crowded = np.flatnonzero(radii <= widest)
    steps = distances[np.ix_(crowded, crowded)] <= widest
    _, places = connected_components(steps, directed=False)
    largest, largest_of_other = (
        np.bincount(places[is_other[crowded] == side]).argmax()
        for side in (False, True)
    )
    return bool(largest == largest_of_other)


def _in_a_plane(one: Points, other: Points) -> Points:
    """Return two segments by the line that separates them, and the main one beside it.

    Both are in standard deviations within segments. In more dimensions, features that
    have nothing to do with the border would hide it.
    """
    points = np.vstack([one, other])
    line = _direction(one, other)
    line = line / np.linalg.norm(line)
    beside = points - np.outer(points @ line, line)
    beside -= beside.mean(axis=0)
    _, axes = np.linalg.eigh(beside.T @ beside)
    lines = np.stack([line, axes[:, -1]])[: points.shape[1]]
    deviations = (_within(one, other) @ lines.T).std(axis=0)
    is_wide = deviations > 0
    return np.asarray((points @ lines.T)[:, is_wide] / deviations[is_wide])


def _direction(one: Points, other: Points) -> Points:
    """Return the direction that separates two segments best (Fisher 1936)."""
    within = _within(one, other)
    covariance = within.T @ within / len(within)
    ridge = RIDGE * np.trace(covariance) / len(covariance)
    covariance += max(ridge, np.finfo(float).tiny) * np.eye(len(covariance))
    difference = other.mean(axis=0) - one.mean(axis=0)
    return np.asarray(np.linalg.solve(covariance, difference))


def _within(one: Points, other: Points) -> Points:
    return np.vstack([one - one.mean(axis=0), other - other.mean(axis=0)])


def _evenly(values: Points, most: int) -> Points:
    """Return at most so many rows, evenly spaced."""
    if len(values) <= most:
        return values
    rows = np.linspace(0, len(values) - 1, most).round().astype(int)
    return np.asarray(values[rows])
