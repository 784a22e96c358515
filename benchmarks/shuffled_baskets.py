"""Baskets shuffled at random: each keeps its size, each product its number of baskets.

The permutation test that the affinities are checked against: slower than formulas, and
free of their assumptions.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

__all__ = ["pair_counts", "shuffled"]

Basket = set[int]
# every basket trades so often that nothing of its own is left
TRADES_A_BASKET = 24


def shuffled(baskets: Sequence[Basket], rng: np.random.Generator) -> list[Basket]:
    """Shuffle baskets by curveball trades (Strona et al. 2014).

    In a trade, two baskets pool the products that only one of them has, and draw them
    anew, each as many as it had.

    Parameters
    ----------
    baskets : sequence of set of int
        The products of each basket.
    rng : numpy.random.Generator
        Where the draws come from.

    Examples
    --------
    >>> mixed = shuffled([{1, 2}, {2, 3, 4}, {1, 5}], np.random.default_rng(0))
    >>> [len(basket) for basket in mixed], sorted(sum(map(list, mixed), []))
    ([2, 3, 2], [1, 1, 2, 2, 3, 4, 5])
    """
    mixed = [set(basket) for basket in baskets]
    if len(mixed) < 2:
        return mixed
    for _ in range(TRADES_A_BASKET):
        order = rng.permutation(len(mixed))
        for one, other in zip(order[::2].tolist(), order[1::2].tolist(), strict=False):
            common = mixed[one] & mixed[other]
            pool = list(mixed[one] ^ mixed[other])
            size = len(mixed[one]) - len(common)
            rng.shuffle(pool)
            mixed[one] = common | set(pool[:size])
            mixed[other] = common | set(pool[size:])
    return mixed


def pair_counts(baskets: Sequence[Basket], products: int) -> NDArray[np.int64]:
    """Return how many baskets have both products of each pair.

    Parameters
    ----------
    baskets : sequence of set of int
        The products of each basket, from 0.
    products : int
        Number of products.

    Returns
    -------
    ndarray of shape (products, products)
        The diagonal has the baskets of each product.
    """
    places = np.array([place for basket in baskets for place in sorted(basket)], int)
    ends = np.cumsum([0, *map(len, baskets)])
    has = csr_array((np.ones(len(places), int), places, ends), (len(baskets), products))
    return (has.T @ has).toarray()
