"""Ids that keep their meaning: the segments of a new fit matched to the last one's."""

import re
from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

__all__ = ["MATCHING_LIMIT", "match_segments"]

# as far as the customers of one segment typically are from its centre: a centre that
# moved farther has left the people it stood for
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
    """Give each new segment the id of the earlier one it continues, or a new id.

    The pairs are those of the least total distance (the Hungarian method), an unpaired
    segment counting as far as the limit. New ids start above the greatest ever used,
    the most valuable segment first.

    Parameters
    ----------
    earlier : mapping of id to centre
        The last fit's segments: value per feature, in the features' own units. Empty if
        there was none.
    new : mapping of label to centre
        The new fit's segments, in the same units.
    scale : mapping of feature to float
        How far the customers of one segment typically are from its centre, in the
        feature's units: a pooled spread within segments.
    order : mapping of label to float
        What a new segment is worth; of equal ones the lower label comes first.
    used_ids : collection of int
        Every id this segmentation ever gave, those of `earlier` understood.
    limit : float
        Two segments as far apart as this, or farther, are no pair: root mean square
        over the features of both fits, each difference divided by its scale; the
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
    apart = np.minimum(_distances(earlier, new, scale), limit)
    matched = {
        labels[column]: ids[row]
        for row, column in zip(*linear_sum_assignment(apart), strict=True)
        if apart[row, column] < limit
    }
    unmatched = [label for label in labels if label not in matched]
    unmatched.sort(key=lambda label: (-order[label], label))
    first = max([0, *used_ids, *ids]) + 1
    named = matched | {label: first + rank for rank, label in enumerate(unmatched)}
    return {label: named[label] for label in labels}


def _distances(
    earlier: Mapping[int, Centre], new: Mapping[int, Centre], scale: Centre
) -> NDArray[np.float64]:
    """Return how far each earlier segment is from each new one, by ascending id."""
    shared = sorted(
        set(scale).intersection(*map(set, earlier.values()), *map(set, new.values()))
    )
    if not (earlier and new and shared):
        return np.full((len(earlier), len(new)), np.inf)
    difference = (
        _table(earlier, shared)[:, np.newaxis, :] - _table(new, shared)[np.newaxis]
    )
    spread = np.array([scale[feature] for feature in shared])
    # where nobody differs within a segment, any difference is a whole one
    away = np.divide(
        difference,
        spread,
        out=np.where(difference == 0, 0.0, np.inf),
        where=spread > 0,
    )
    # a feature that nobody had tells nothing
    away[np.isnan(away)] = 0.0
    # a category has a column for each level, and counts as much as a number
    features = [re.split("=| is missing", column)[0] for column in shared]
    weights = [1 / features.count(feature) for feature in features]
    return np.sqrt(np.average(away**2, axis=2, weights=weights))


def _table(centres: Mapping[int, Centre], features: list[str]) -> NDArray[np.float64]:
    return np.array(
        [[centres[key][feature] for feature in features] for key in sorted(centres)]
    )
