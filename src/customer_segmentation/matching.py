"""Matching: segments of a new fit keep the ids of the segments that they continue.

Categories of products are matched alike.
"""

import re
from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

# the typical distance of customers from the centre of their segment: a centre that
# moved farther describes other customers
MATCHING_LIMIT = 1.0

Centre = Mapping[str, float]


def match_segments(
    earlier: Mapping[int, Centre],
    new: Mapping[int, Centre],
    scale: Centre,
    order: Mapping[int, float],
    used_ids: Collection[int] = (),
    limit: float = MATCHING_LIMIT,
) -> dict[int, int]:
    """Give each new segment the id of the earlier one that it continues, or a new id.

    The pairs have the minimum total distance (the Hungarian method), where a segment
    without a pair counts as far as the limit. New ids start above the largest id ever
    used, the most valuable segment first.

    Parameters
    ----------
    earlier : mapping of id to centre
        The segments of the last fit: a value for each feature, in its own units. Empty
        if there was no fit.
    new : mapping of label to centre
        The segments of the new fit, in the same units.
    scale : mapping of feature to float
        The typical distance of customers from the centre of their segment, in the units
        of the feature.
    order : mapping of label to float
        The value of a new segment; of equal values the lower label comes first.
    used_ids : collection of int
        Every id that the segmentation ever used, besides those of `earlier`.
    limit : float
        Segments at this distance or farther are no pair. The distance is the root mean
        square over the features of both fits, each difference divided by its scale; the
        columns of a category count as one feature.

    Returns
    -------
    dict of label to id
        Every new label, 1 or greater.

    Examples
    --------
    >>> centres = {0: {"recency_days": 10.0}, 1: {"recency_days": 200.0}}
    >>> earlier = {4: {"recency_days": 190.0}}
    >>> match_segments(earlier, centres, {"recency_days": 30.0}, {0: 9.0, 1: 2.0})
    {0: 5, 1: 4}
    """
    labels, ids = sorted(new), sorted(earlier)
    distances = np.minimum(_distances(earlier, new, scale), limit)
    matched = {
        labels[column]: ids[row]
        for row, column in zip(*linear_sum_assignment(distances), strict=True)
        if distances[row, column] < limit
    }
    unmatched = [label for label in labels if label not in matched]
    unmatched.sort(key=lambda label: (-order[label], label))
    first = max([0, *used_ids, *ids]) + 1
    named = matched | {label: first + rank for rank, label in enumerate(unmatched)}
    return {label: named[label] for label in labels}


def match_by_overlap(
    segments: NDArray[np.int64],
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> dict[int, int]:
    """Give each label of another fit the segment with which it shares most customers.

    The pairs share the most customers in total (the Hungarian method).

    Parameters
    ----------
    segments, labels : ndarray of shape (n,)
        The segment of each customer in one fit and the label in the other, from 1; 0
        for an outlier.
    weights : ndarray of shape (n,)
        The number of customers that each stands for.

    Returns
    -------
    dict of label to segment
        A label that shares no customers with a segment of its own is missing.

    Examples
    --------
    >>> segments, labels = np.array([4, 4, 4, 7]), np.array([2, 2, 1, 3])
    >>> match_by_overlap(segments, labels, np.ones(4))
    {2: 4, 3: 7}
    """
    ids, row = np.unique(segments, return_inverse=True)
    names, column = np.unique(labels, return_inverse=True)
    shared = np.zeros((len(ids), len(names)))
    np.add.at(shared, (row, column), weights)
    shared[ids == 0], shared[:, names == 0] = 0.0, 0.0
    rows, columns = linear_sum_assignment(shared, maximize=True)
    matched = {
        int(names[column]): int(ids[row])
        for row, column in zip(rows, columns, strict=True)
        if shared[row, column] > 0
    }
    return dict(sorted(matched.items()))


def _distances(
    earlier: Mapping[int, Centre], new: Mapping[int, Centre], scale: Centre
) -> NDArray[np.float64]:
    """Return distances of earlier segments (rows) from new ones, by ascending id."""
    shared = sorted(
        set(scale).intersection(*map(set, earlier.values()), *map(set, new.values()))
    )
    if not (earlier and new and shared):
        return np.full((len(earlier), len(new)), np.inf)
    difference = (
        _table(earlier, shared)[:, np.newaxis, :] - _table(new, shared)[np.newaxis]
    )
    scales = np.array([scale[feature] for feature in shared])
    # if a feature is equal within segments, any difference is infinite
    scaled = np.divide(
        difference,
        scales,
        out=np.where(difference == 0, 0.0, np.inf),
        where=scales > 0,
    )
    # a feature that no customer had says nothing
    scaled[np.isnan(scaled)] = 0.0
    # a category has a column for each level, and counts as much as a number
    features = [re.split("=| is missing", column)[0] for column in shared]
    weights = [1 / features.count(feature) for feature in features]
    mean_squares: NDArray[np.float64] = np.average(scaled**2, axis=2, weights=weights)
    return np.sqrt(mean_squares)


def _table(centres: Mapping[int, Centre], features: list[str]) -> NDArray[np.float64]:
    return np.array(
        [[centres[key][feature] for feature in features] for key in sorted(centres)]
    )
