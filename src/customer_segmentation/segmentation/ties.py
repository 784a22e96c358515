"""Ties: values that customers share, spread so that they make no gaps."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from customer_segmentation.segmentation.weighted import Points

# customers of a search that are looked at
LOOKED_AT = 5_000
# a value that this share of the customers has, and so many times as many as have either
# value next to it, is a point mass
MASS_SHARE = 0.05
MASS_RATIO = 5


def without_ties(
    points: Points, is_numeric: Sequence[bool], seed: int
) -> tuple[Points, NDArray[np.intp]]:
    """Return the numbers of at most ``LOOKED_AT`` customers, with ties spread.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        The design matrix.
    is_numeric : sequence of bool
        Whether the order of each column has a meaning.
    seed : int
        Of the customers, and of ties.

    Returns
    -------
    numbers : ndarray of shape (m, columns)
        The numeric columns that vary.
    rows : ndarray of shape (m,)
        Whose they are.
    """
    rng = np.random.default_rng(seed)
    rows = np.arange(len(points))
    if len(points) > LOOKED_AT:
        rows = np.sort(rng.choice(len(points), LOOKED_AT, replace=False))
    # so that ties are spread alike in any order of the rows
    rows = rows[np.lexsort(points[rows].T)]
    numbers = points[rows][:, np.flatnonzero(is_numeric)]
    spread = np.empty_like(numbers)
    for column, values in enumerate(numbers.T):
        spread[:, column] = spread_ties(values, rng)
    return spread[:, np.ptp(numbers, axis=0) > 0], rows


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
