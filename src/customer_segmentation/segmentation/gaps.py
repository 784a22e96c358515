"""Gaps: whether there are few customers where a candidate cuts.

Candidates that beat null data are not spread like noise. But neither is a curved
continuum, and shuffled data still have the groups that one feature sets apart. So
customers of neighbouring segments are placed on the line that separates the two best.
Hartigan's dip test asks whether they come from one crowd (Hartigan & Hartigan 1985).
A continuum that bends may look like two crowds along a line. So there must be no way
from one segment to the other through crowded places.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.stats import combine_pvalues

from customer_segmentation.segmentation.borders import (
    Crowd,
    direction_between,
    evenly_taken,
    neighbours_of,
    segments_of,
)
from customer_segmentation.segmentation.dip import dip_p_value
from customer_segmentation.segmentation.labels import count_clusters
from customer_segmentation.segmentation.ties import without_ties
from customer_segmentation.segmentation.weighted import Labels, Points

# customers on one border: a gap that needs more to be seen is no border
BORDER_POINTS = 200
MIN_BORDER_POINTS = 10
# a segment is followed from the border until this share of its customers is passed:
# the end of a curve, seen along a line, is as crowded as a group
FOLLOWED_SHARE = 0.75
# of one border: there is more likely no gap than one
NO_GAP = 0.5
# a place is crowded from this share of the density at the typical customer's
CROWDED = 0.25
# customers of a segment that say whether there is a crowded way into it
MIN_CROWD = 50


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
    spread, rows = without_ties(points, is_numeric, seed)
    found = np.array([_all_borders(spread, one[rows]) for one in labels])
    return np.asarray(np.minimum(found * np.isfinite(found).sum(), 1))


def _all_borders(points: Points, labels: Labels) -> float:
    """Return one p-value for all borders (Fisher 1932); 1 if one has no gap."""
    if count_clusters(labels) < 2:
        return math.nan
    if points.shape[1] == 0:
        return 1.0
    segments = segments_of(points, labels)
    borders = list(neighbours_of(segments))
    p_values = np.array([_dip(one, other) for one, other in borders])
    if p_values.max() > NO_GAP or any(_are_joined(*border) for border in borders):
        return 1.0
    return float(combine_pvalues(p_values, "fisher").pvalue)


def _dip(one: Points, other: Points) -> float:
    """Return the p-value of a dip between two segments."""
    if min(len(one), len(other)) < MIN_BORDER_POINTS:
        return 1.0
    direction = direction_between(one, other)
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
    return dip_p_value(evenly_taken(placed, BORDER_POINTS))


def _are_joined(one: Points, other: Points) -> bool:
    """Whether steps between customers in crowded places join two segments.

    Density is told by the distance to some near customer, as HDBSCAN does. The typical
    customer is that of the sparser segment.
    """
    if min(len(one), len(other)) < MIN_CROWD:
        return False
    crowd = Crowd.of(one, other)
    widest = crowd.typical * CROWDED ** (-1 / crowd.dimensions)
    crowded = np.flatnonzero(crowd.radii <= widest)
    steps = crowd.distances[np.ix_(crowded, crowded)] <= widest
    _, places = connected_components(steps, directed=False)
    largest, largest_of_other = (
        np.bincount(places[crowd.is_other[crowded] == side]).argmax()
        for side in (False, True)
    )
    return bool(largest == largest_of_other)
