"""Blocks: features that are functions of each other, which null data move together.

If redemptions per claim are drawn apart from the claims, they are no longer a share of
them, and real data look structured beside such null data. A relation counts only if it
holds for every customer, and if unrelated features would hardly satisfy it by chance:
small counts often do.
"""

from collections.abc import Callable, Sequence
from itertools import combinations, permutations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.special import gammaln
from scipy.stats import spearmanr

Numbers = NDArray[np.float64]
Relation = Callable[[Numbers, Numbers], NDArray[np.bool_]]

# a relation must hold for this many customers, evenly spaced
ROWS = 10_000
# the probability of a relation by chance is estimated from this many
CHANCE_ROWS = 500
LOG_CHANCE = np.log(1e-9)
WHOLE_NUMBER_TOLERANCE = 1e-6
# money is rounded to cents
ROUNDING_TOLERANCE = 1e-3


def related_features(
    readings: Sequence[pd.Series],
    is_constant: Sequence[bool],
    declared: Sequence[str | None],
) -> list[list[int]]:
    """Group features that are declared, or found, to be functions of each other.

    Parameters
    ----------
    readings : sequence of pandas.Series of shape (n,)
        Features in their own units: float64, or levels as text; nan where missing.
    is_constant : sequence of bool
        Whether each feature is equal for all customers.
    declared : sequence of str or None
        The block that is declared for each feature.

    Returns
    -------
    list of list of int
        Positions of features; each feature is in one group.

    Examples
    --------
    >>> spent = pd.Series(np.arange(50.0) ** 2)
    >>> age = pd.Series(np.arange(50.0) * 7 % 50)
    >>> related_features([spent, age, spent + 1], [False] * 3, [None] * 3)
    [[0, 2], [1]]
    """
    related = np.zeros((len(readings), len(readings)), dtype=bool)
    for one, other in combinations(range(len(readings)), 2):
        related[one, other] = declared[one] is not None and (
            declared[one] == declared[other]
        )
    sampled = [_evenly_spaced(reading.to_numpy(), ROWS) for reading in readings]
    varying = [n for n, constant in enumerate(is_constant) if not constant]
    numbers = [n for n in varying if pd.api.types.is_numeric_dtype(readings[n])]
    for one, other in permutations(numbers, 2):
        related[one, other] |= is_rate_of(sampled[one], sampled[other]) or (
            one < other and is_monotone(sampled[one], sampled[other])
        )
    for total in numbers:
        for one, other in combinations([n for n in numbers if n != total], 2):
            if is_made_of(sampled[total], sampled[one], sampled[other]):
                related[total, [one, other]] = True
    # another feature may tell where a feature is missing
    for one in numbers:
        if readings[one].isna().any():
            is_missing = np.isnan(sampled[one])
            for other in varying:
                related[one, other] |= one != other and is_missing_by(
                    is_missing, sampled[other]
                )
    count, group = connected_components(related, directed=False)
    return [np.flatnonzero(group == number).tolist() for number in range(count)]


def is_rate_of(rate: Numbers, count: Numbers) -> bool:
    """Return whether a feature is a rate whose denominator or numerator is another.

    Parameters
    ----------
    rate, count : ndarray of shape (n,)
        In own units; nan where missing.

    Returns
    -------
    bool
        Whether rates are from 0 to 1, counts are whole, and ``rate * count`` is whole
        (or ``count / rate``, and the count is 0 where the rate is).

    Examples
    --------
    >>> claims = np.arange(1.0, 60.0)
    >>> is_rate_of((claims % 7 < 3) / claims, claims)
    True
    """
    rate, count = _all_present(rate, count)
    is_rate = len(rate) > 0 and rate.min() >= 0 and rate.max() <= 1
    if not is_rate or np.isin(rate, (0, 1)).all():
        return False
    if count.min() < 0 or count.max() <= 1 or not (count % 1 == 0).all():
        return False
    return _holds(_is_denominator, rate, count) or _holds(_is_numerator, rate, count)


def is_made_of(total: Numbers, one: Numbers, other: Numbers) -> bool:
    """Return whether a feature is the product or sum of two others, up to rounding.

    Parameters
    ----------
    total, one, other : ndarray of shape (n,)
        In own units; nan where missing.

    Returns
    -------
    bool
        Also true of a quotient or a difference, when `total` is another of the three.
    """
    total, one, other = _all_present(total, one, other)
    with np.errstate(over="ignore"):
        product = one * other
    return _holds(_is_equal, product, total) or _holds(_is_equal, one + other, total)


def is_monotone(one: Numbers, other: Numbers) -> bool:
    """Return whether two features have the same ranks, or opposite ranks."""
    one, other = _all_present(one, other)
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return False
    if abs(spearmanr(one, other).statistic) <= 0.999999:
        return False
    # the log probability that a shuffle brings the same ties together
    _, ties = np.unique(one, return_counts=True)
    return bool(gammaln(ties + 1).sum() - gammaln(len(one) + 1) < LOG_CHANCE)


def is_missing_by(is_missing: NDArray[np.bool_], values: NDArray[Any]) -> bool:
    """Return whether another feature determines where a feature is missing.

    Parameters
    ----------
    is_missing : ndarray of bool, shape (n,)
        Which customers lack the feature.
    values : ndarray of shape (n,)
        The other feature: numbers, or text; nan where missing.

    Returns
    -------
    bool
        Whether exactly the customers in some range of values (such as a frequency of
        0), or exactly those without a value, lack the feature.
    """
    codes, distinct = pd.factorize(values, sort=True)
    without = codes[is_missing]
    if not 0 < len(without) < len(codes):
        return False
    in_range = (codes >= without.min()) & (codes <= without.max())
    if not np.array_equal(in_range, is_missing):
        return False
    # the number of ranges, over the number of ways to choose so many customers
    ranges = (len(distinct) + 1) * (len(distinct) + 2) / 2
    n, m = len(codes), len(without)
    ways = gammaln(n + 1) - gammaln(m + 1) - gammaln(n - m + 1)
    return bool(np.log(ranges) - ways < LOG_CHANCE)


def _is_denominator(rate: Numbers, count: Numbers) -> NDArray[np.bool_]:
    return _is_whole(rate * count)


def _is_numerator(rate: Numbers, count: Numbers) -> NDArray[np.bool_]:
    denominator = count / np.where(rate > 0, rate, 1)
    return np.where(rate > 0, (count > 0) & _is_whole(denominator), count == 0)


def _is_equal(found: Numbers, total: Numbers) -> NDArray[np.bool_]:
    return np.abs(found - total) <= ROUNDING_TOLERANCE * np.abs(total) + 1e-9


def _is_whole(values: Numbers) -> NDArray[np.bool_]:
    return np.abs(values - np.round(values)) <= WHOLE_NUMBER_TOLERANCE


def _holds(relation: Relation, one: Numbers, other: Numbers) -> bool:
    """Return whether a relation holds for all customers, and hardly would by chance."""
    if not len(one) or not relation(one, other).all():
        return False
    one, other = _evenly_spaced(one, CHANCE_ROWS), _evenly_spaced(other, CHANCE_ROWS)
    # the share of all customers whose value would satisfy it in place of one's own
    shares = relation(one[:, np.newaxis], other[np.newaxis, :]).mean(axis=1)
    return bool(np.log(shares).sum() < LOG_CHANCE)


def _all_present(*features: Numbers) -> list[Numbers]:
    is_present = ~np.any([np.isnan(feature) for feature in features], axis=0)
    return [feature[is_present] for feature in features]


def _evenly_spaced(values: NDArray[Any], rows: int) -> NDArray[Any]:
    if len(values) <= rows:
        return values
    rows_taken = np.linspace(0, len(values) - 1, rows).round().astype(int)
    return np.take(values, rows_taken)
