"""How often products come together by chance, where baskets keep their sizes.

Large baskets hold everything, so that in plain counts everything goes with everything.
Here chance means: the baskets of a month keep their numbers of products, the products
keep their numbers of baskets, and nothing else is kept. So large baskets explain what
they hold, and so does a season: two products that are sold in December only meet more
often than all baskets of the year would tell.

The most random baskets of this kind are those of the bipartite configuration model
(Saracco et al. 2015, doi:10.1038/srep10595): product i is in a basket of size s with
probability ``p = x_i y_s / (1 + x_i y_s)``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc

__all__ = ["MonthOfBaskets", "expected_together", "poisson_tail"]

Counts = NDArray[np.int64]
Values = NDArray[np.float64]

# baskets of up to this size have a class of their own; above, classes widen by a tenth
EXACT_SIZES = 12
GROWTH = 1.1
MAX_STEPS = 200
TINY = 1e-12
TOLERANCE = 1e-7


@dataclass(frozen=True)
class MonthOfBaskets:
    """The margins of the baskets of one month.

    Parameters
    ----------
    products : ndarray of shape (p,)
        Positions of the products among all that are tested, without repetition.
    baskets : ndarray of shape (p,)
        Number of baskets of each product, at least 1.
    sizes : ndarray of shape (s,)
        Sizes of baskets: numbers of products, without repetition.
    baskets_of_size : ndarray of shape (s,)
        Number of baskets of each size. The sizes of all baskets add up to ``baskets``.
    """

    products: Counts
    baskets: Counts
    sizes: Counts
    baskets_of_size: Counts


def poisson_tail(together: Counts, expected: Values) -> Values:
    """Return the probability of so many pairs or more by chance.

    A count over independent baskets with unequal probabilities is less dispersed than
    a Poisson count of the same mean, so its upper tail is at most this one (Hoeffding
    1956, doi:10.1214/aoms/1177728178): the p-value is never too low.

    Parameters
    ----------
    together : ndarray of shape (n,)
        Observed numbers, at least 1.
    expected : ndarray of shape (n,)
        Their means by chance.

    Examples
    --------
    >>> poisson_tail(np.array([1, 3]), np.array([1.0, 1.0])).round(4).tolist()
    [0.6321, 0.0803]
    """
    return np.asarray(gammainc(together, expected))


def expected_together(
    months: Iterable[MonthOfBaskets], first: Counts, second: Counts
) -> Values:
    """Return how many baskets are expected to have both products of each pair.

    Parameters
    ----------
    months : iterable of MonthOfBaskets
        The baskets, month by month.
    first, second : ndarray of shape (n,)
        The products of each pair: positions among all that are tested.

    Returns
    -------
    ndarray of shape (n,)
        Over all possible pairs, they add up to the number of pairs in the baskets.

    Examples
    --------
    Three products are in two of three baskets of two each:

    >>> month = MonthOfBaskets(*map(np.array, ([0, 1, 2], [2, 2, 2], [2], [3])))
    >>> expected_together([month], np.array([0]), np.array([1])).round(4).tolist()
    [1.0]
    """
    paired, places = np.unique(np.concatenate([first, second]), return_inverse=True)
    one, other = np.split(places, 2)
    more: list[Values] = []
    less: list[Values] = []
    for month in months:
        is_paired = np.isin(month.products, paired)
        rows = np.searchsorted(paired, month.products[is_paired])
        for factors, found in zip((more, less), _factors(month), strict=True):
            of_all = np.zeros((len(paired), found.shape[1]))
            of_all[rows] = found[is_paired]
            factors.append(of_all)
    if not more:
        return np.zeros(len(first))
    return np.asarray(_gram(more)[one, other] - _gram(less)[one, other])


def _gram(factors: Sequence[Values]) -> Values:
    """Return the product of a matrix, given in blocks of columns, and its transpose."""
    matrix = np.hstack(factors)
    return np.asarray(matrix @ matrix.T)


def _factors(month: MonthOfBaskets) -> tuple[Values, Values]:
    """Return two matrices; the expected pairs are the difference of their products.

    A basket has no product twice. So products i and j are together with a probability
    below ``p_i p_j``, about ``p_i p_j (1 - (1 - p_i)(1 - p_j) / d)``, where d is the
    sum of ``p (1 - p)`` (Hajek 1964, doi:10.1214/aoms/1177700375). Weights make up for
    what is left, so that all pairs add up to those in the baskets.
    """
    sizes, counts, ordered_pairs = _size_classes(month)
    p = _fit(month.baskets.astype(float), sizes, counts)
    spread = p * (1 - p)
    d = np.maximum(spread.sum(axis=0), TINY)
    pairs = p.sum(axis=0) ** 2 - (p**2).sum(axis=0)
    pairs -= (spread.sum(axis=0) ** 2 - (spread**2).sum(axis=0)) / d
    weights = ordered_pairs / np.maximum(pairs, TINY)
    return p * np.sqrt(weights), spread * np.sqrt(weights / d)


def _size_classes(month: MonthOfBaskets) -> tuple[Values, Values, Values]:
    """Return the mean size, the baskets and the ordered pairs of each class."""
    sizes, counts = month.sizes.astype(float), month.baskets_of_size.astype(float)
    steps = np.log(np.maximum(sizes, EXACT_SIZES) / EXACT_SIZES) / np.log(GROWTH)
    labels = np.where(sizes <= EXACT_SIZES, sizes, EXACT_SIZES + 1 + np.floor(steps))
    _, classes = np.unique(labels, return_inverse=True)
    baskets = np.bincount(classes, counts)
    mean_sizes = np.bincount(classes, counts * sizes) / baskets
    ordered_pairs = np.bincount(classes, counts * sizes * (sizes - 1))
    return mean_sizes, np.asarray(baskets, float), np.asarray(ordered_pairs, float)


def _fit(baskets: Values, sizes: Values, counts: Values) -> Values:
    """Return the probability of each product in a basket of each class of sizes.

    Fixed-point iteration on both margins. A product that is in every basket, or a
    basket that has every product, has a probability that tends to 1.
    """
    x = baskets / np.sqrt(baskets.sum())
    y = sizes / np.sqrt(baskets.sum())
    odds = np.outer(x, y)
    for _ in range(MAX_STEPS):
        x = np.minimum(baskets / ((y / (1 + odds)) @ counts), 1e9)
        odds = np.outer(x, y)
        fitted = odds / (1 + odds)
        error = np.abs(fitted.sum(axis=0) / sizes - 1).max()
        if error < TOLERANCE:
            break
        y = np.minimum(sizes / (x @ (1 / (1 + odds))), 1e9)
        odds = np.outer(x, y)
    return np.asarray(odds / (1 + odds))
