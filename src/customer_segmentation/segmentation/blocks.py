"""Which features are functions of one another: null data must move them as one.

Redemptions over claims, drawn apart from the claims, are no longer a share of them, and
real data look structured beside such a null. A relation counts only if it holds for
every customer looked at, and if features that have nothing to do with one another would
hardly satisfy it by chance: small counts often do.
"""

from collections.abc import Callable, Sequence
from itertools import combinations, permutations

import numpy as np
import pandas as pd
from scipy.special import gammaln
from scipy.stats import spearmanr

from customer_segmentation.segmentation.encoders import (
    CategoryEncoder,
    NumericEncoder,
)
from customer_segmentation.segmentation.specs import Feature

Relation = Callable[[np.ndarray, np.ndarray], np.ndarray]

# a relation that holds for so many customers, evenly spaced, is one
ROWS = 10_000
# the probability that unrelated features satisfy it is reckoned from these
CHANCE_ROWS = 500
CHANCE = np.log(1e-9)
WHOLE = 1e-6
# money is rounded to cents
ROUNDED = 1e-3


def related_features(
    features: Sequence[Feature],
    encoders: Sequence[NumericEncoder | CategoryEncoder],
    readings: Sequence[pd.Series],
) -> list[list[int]]:
    """Group features that are declared, or found, to be functions of one another.

    Parameters
    ----------
    features : sequence of Feature
        As declared.
    encoders : sequence of NumericEncoder or CategoryEncoder
        Fitted to them.
    readings : sequence of pandas.Series
        The features of the customers kept, in own units.

    Returns
    -------
    list of list of int
        The positions of the features; each feature in one group.
    """
    groups = _Groups(len(features))
    for one, other in combinations(range(len(features)), 2):
        if features[one].block and features[one].block == features[other].block:
            groups.join(one, other)
    sampled = [_evenly_spaced(reading.to_numpy(), ROWS) for reading in readings]
    varying = [n for n, encoder in enumerate(encoders) if not encoder.is_constant]
    numbers = {
        n: sampled[n] for n in varying if isinstance(encoders[n], NumericEncoder)
    }
    for one, other in permutations(numbers, 2):
        if is_rate_of(numbers[one], numbers[other]) or (
            one < other and is_monotone(numbers[one], numbers[other])
        ):
            groups.join(one, other)
    for total in numbers:
        for one, other in combinations([n for n in numbers if n != total], 2):
            if is_made_of(numbers[total], numbers[one], numbers[other]):
                groups.join(total, one)
                groups.join(total, other)
    # a feature's missing values may be what another feature tells
    flagged = [n for n in numbers if encoders[n].has_flag]
    for one in flagged:
        for other in varying:
            if one != other and is_told_by(np.isnan(numbers[one]), sampled[other]):
                groups.join(one, other)
    return groups.members()


def is_rate_of(rate: np.ndarray, count: np.ndarray) -> bool:
    """Tell whether a feature is a rate whose denominator or numerator is another.

    Parameters
    ----------
    rate, count : ndarray of shape (n,)
        In own units; nan where missing.

    Returns
    -------
    bool
        Whether rates lie from 0 to 1, counts are whole, and ``rate * count`` is (or
        ``count / rate``, with no count where the rate is 0).
    """
    rate, count = _all_present(rate, count)
    is_rate = len(rate) and rate.min() >= 0 and rate.max() <= 1
    if not is_rate or np.isin(rate, (0, 1)).all():
        return False
    if count.min() < 0 or count.max() <= 1 or not (count % 1 == 0).all():
        return False
    return _holds(_is_denominator, rate, count) or _holds(_is_numerator, rate, count)


def is_made_of(total: np.ndarray, one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether a feature is the product or the sum of two others, up to rounding.

    Parameters
    ----------
    total, one, other : ndarray of shape (n,)
        In own units; nan where missing.

    Returns
    -------
    bool
        So are quotients and differences, with `total` another of the three.
    """
    total, one, other = _all_present(total, one, other)
    with np.errstate(over="ignore"):
        product = one * other
    return _holds(_is_equal, product, total) or _holds(_is_equal, one + other, total)


def is_monotone(one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether the ranks of a feature are those of another, or their reverse."""
    one, other = _all_present(one, other)
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return False
    if abs(spearmanr(one, other).statistic) <= 0.999999:
        return False
    # the probability that a shuffle brings the same ties together
    _, ties = np.unique(one, return_counts=True)
    return bool(gammaln(ties + 1).sum() - gammaln(len(one) + 1) < CHANCE)


def is_told_by(is_flagged: np.ndarray, values: np.ndarray) -> bool:
    """Tell whether another feature's value, or lack of one, tells what is flagged.

    Parameters
    ----------
    is_flagged : ndarray of bool, shape (n,)
        Which customers lack a feature.
    values : ndarray of shape (n,)
        Another feature of theirs: numbers, or text; nan where missing.

    Returns
    -------
    bool
        Whether the flagged customers are all those whose value lies in some range (such
        as: a frequency of 0), or all those without a value.
    """
    codes, distinct = pd.factorize(values, sort=True)
    flagged = codes[is_flagged]
    if not 0 < len(flagged) < len(codes):
        return False
    in_range = (codes >= flagged.min()) & (codes <= flagged.max())
    if not np.array_equal(in_range, is_flagged):
        return False
    # ranges there are, over the ways to flag so many customers
    ranges = (len(distinct) + 1) * (len(distinct) + 2) / 2
    n, m = len(codes), len(flagged)
    ways = gammaln(n + 1) - gammaln(m + 1) - gammaln(n - m + 1)
    return bool(np.log(ranges) - ways < CHANCE)


class _Groups:
    """Disjoint groups that are joined."""

    def __init__(self, size: int) -> None:
        self._parents = list(range(size))

    def join(self, one: int, other: int) -> None:
        first, second = sorted((self._root(one), self._root(other)))
        self._parents[second] = first

    def members(self) -> list[list[int]]:
        groups: dict[int, list[int]] = {}
        for member in range(len(self._parents)):
            groups.setdefault(self._root(member), []).append(member)
        return list(groups.values())

    def _root(self, member: int) -> int:
        while self._parents[member] != member:
            member = self._parents[member]
        return member


def _is_denominator(rate: np.ndarray, count: np.ndarray) -> np.ndarray:
    return _is_whole(rate * count)


def _is_numerator(rate: np.ndarray, count: np.ndarray) -> np.ndarray:
    of = count / np.where(rate > 0, rate, 1)
    return np.where(rate > 0, (count > 0) & _is_whole(of), count == 0)


def _is_equal(product: np.ndarray, total: np.ndarray) -> np.ndarray:
    return np.abs(product - total) <= ROUNDED * np.abs(total) + 1e-9


def _is_whole(values: np.ndarray) -> np.ndarray:
    return np.abs(values - np.round(values)) <= WHOLE


def _holds(relation: Relation, one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether a relation holds for all pairs, and would not in other pairings."""
    if not len(one) or not relation(one, other).all():
        return False
    one, other = _evenly_spaced(one, CHANCE_ROWS), _evenly_spaced(other, CHANCE_ROWS)
    shares = relation(one[:, np.newaxis], other[np.newaxis, :]).mean(axis=1)
    return bool(np.log(shares).sum() < CHANCE)


def _all_present(*features: np.ndarray) -> list[np.ndarray]:
    is_present = ~np.any([np.isnan(feature) for feature in features], axis=0)
    return [feature[is_present] for feature in features]


def _evenly_spaced(values: np.ndarray, rows: int) -> np.ndarray:
    if len(values) <= rows:
        return values
    return values[np.linspace(0, len(values) - 1, rows).round().astype(int)]
