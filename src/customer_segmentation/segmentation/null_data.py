"""Null data: draws that look like the customers, but have no segments.

Both kinds keep who lacks a value, and exchange known values among the known: who has
answered tells nothing of what customers are like. ``margins_null`` keeps the
distribution of each feature. ``copula_null`` also keeps the correlations of numbers,
the categories of each customer, and how numbers differ between categories.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from customer_segmentation.segmentation.weighted import Points

Blocks = Sequence[Sequence[int]]
Sampler = Callable[[np.random.Generator], Points]
Rows = NDArray[np.intp]

CORRELATION_STEPS = 8
CORRELATION_DRAWS = 20
# customers of a category who are as certain as the mean of all categories
SHRINKAGE = 5.0
# numbers of a category vary so many times as much as others at most, or as little
MAX_VARIANCE_RATIO = 10.0


def margins_null(
    points: Points, blocks: Blocks, marks_missing: Sequence[bool] = ()
) -> Sampler:
    """Return a sampler of null data that keep the margins of features only.

    Each block of columns is shuffled on its own; its columns move together. Customers
    exchange values with those who lack the same features of the block.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        The data.
    blocks : sequence of sequences of int
        Columns that move together.
    marks_missing : sequence of bool
        Whether each column says that a value is missing; by default none does.

    Returns
    -------
    callable
        Takes a generator, returns an array like ``points``.
    """
    marks = set(np.flatnonzero(marks_missing).tolist())
    alike = [
        _numbered(points, [column for column in block if column in marks])
        for block in blocks
    ]

    def draw(rng: np.random.Generator) -> Points:
        null = np.empty_like(points)
        for block, stratum in zip(blocks, alike, strict=True):
            columns, drawn = list(block), rng.permutation(len(points))
            rows = np.empty_like(drawn)
            rows[np.argsort(stratum, kind="stable")] = drawn[
                np.argsort(stratum[drawn], kind="stable")
            ]
            null[:, columns] = points[rows][:, columns]
        return null

    return draw


def copula_null(
    points: Points, blocks: Blocks, is_numeric: Sequence[bool], seed: int
) -> Sampler:
    """Return a sampler of null data that keep the margins and the associations.

    Columns without an order, which are categories and marks of missing values, stay as
    they are. The numeric blocks follow a Gaussian copula around means, and with
    variances, that depend on the categories. The leader of a block with several numeric
    columns is the first principal component of their normal scores; the columns of the
    block move together, between customers whose categories in the block are equal.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        The data.
    blocks : sequence of sequences of int
        Columns that move together.
    is_numeric : sequence of bool
        Whether the order of each column has a meaning.
    seed : int
        Of the draws that correct the correlations for ties, which weaken them.

    Returns
    -------
    callable
        Takes a generator, returns an array like ``points``.
    """
    leaders, led = [], []
    for block in blocks:
        numbers = [
            column
            for column in block
            if is_numeric[column] and np.ptp(points[:, column]) > 0
        ]
        others = [column for column in block if not is_numeric[column]]
        if numbers:
            stratum = _numbered(points, others)
            leader = _Leader.of(_leading(points[:, numbers]), stratum)
            if np.ptp(leader.scores) > 0:
                leaders.append(leader)
                led.append(list(block))
    if not leaders:
        return lambda rng: points.copy()
    unordered = np.flatnonzero(~np.asarray(is_numeric, dtype=bool))
    copula = _Copula.fit(
        leaders, _CategoryEffects(points[:, unordered]), np.random.default_rng(seed)
    )

    def draw(rng: np.random.Generator) -> Points:
        null = points.copy()
        for columns, rows in zip(led, copula.draw(rng), strict=True):
            null[:, columns] = points[rows][:, columns]
        return null

    return draw


def _numbered(points: Points, columns: Sequence[int]) -> Rows:
    """Return numbers of customers, equal for those equal in some columns."""
    if not columns:
        return np.zeros(len(points), dtype=np.intp)
    return np.unique(points[:, list(columns)], axis=0, return_inverse=True)[1]


def _leading(columns: Points) -> Points:
    """Return the first principal component of the normal scores of the columns."""
    scores = _normal_scores(columns)
    if scores.shape[1] == 1:
        return scores[:, 0]
    _, _, directions = np.linalg.svd(scores - scores.mean(axis=0), full_matrices=False)
    return np.asarray(scores @ directions[0])


def _normal_scores(values: Points) -> Points:
    ranks = rankdata(values, axis=0)
    return np.asarray(norm.ppf((ranks - 0.5) / len(values)))


def _correlation(scores: Points) -> Points:
    return np.atleast_2d(np.corrcoef(scores, rowvar=False))


@dataclass(frozen=True)
class _Leader:
    """The number that orders a block of columns, within strata of customers.

    Parameters
    ----------
    stratum : ndarray of shape (n,)
        Customers exchange values within a stratum.
    ordered : ndarray of shape (n,)
        Customers by stratum, then by the number.
    scores : ndarray of shape (n,)
        Normal scores of the number within the stratum.
    """

    stratum: Rows
    ordered: Rows
    scores: Points

    @classmethod
    def of(cls, values: Points, stratum: Rows) -> Self:
        scores = np.empty_like(values)
        for one in range(stratum.max() + 1):
            scores[stratum == one] = _normal_scores(values[stratum == one])
        return cls(stratum, np.lexsort((values, stratum)), scores)

    def rearranged(self, latent: Points) -> Rows:
        """Return for each customer the one whose values have the latent rank."""
        rows = np.empty_like(self.ordered)
        rows[np.lexsort((latent, self.stratum))] = self.ordered
        return rows


class _CategoryEffects:
    """Columns of categories, and what of some numbers they explain.

    Numbers are explained by the sum of what each level adds. Levels of few customers
    are shrunk to the mean (ridge regression).
    """

    def __init__(self, columns: Points) -> None:
        varying = columns[:, np.ptp(columns, axis=0) > 0]
        # as 0 and 1, whatever their weight
        varying = (varying - varying.min(axis=0)) / np.ptp(varying, axis=0)
        self.columns = varying - varying.mean(axis=0)
        squares = self.columns.T @ self.columns
        self._solve = np.linalg.solve(
            squares + SHRINKAGE * np.eye(len(squares)), self.columns.T
        )

    def effects(self, numbers: Points) -> Points:
        """Return what each column adds to each number."""
        return np.asarray(self._solve @ numbers)

    def explained(self, numbers: Points) -> Points:
        """Return the part of centred numbers that the categories explain."""
        return np.asarray(self.columns @ self.effects(numbers))


@dataclass(frozen=True)
class _Copula:
    """Normal variables whose ranks say which customer's values each one gets.

    Parameters
    ----------
    leaders : list of _Leader
        What is drawn.
    means, deviations : ndarray of shape (n, leaders)
        Of the normal variables of each customer.
    root : ndarray of shape (leaders, leaders)
        Of the correlation matrix of what the categories leave unexplained.
    """

    leaders: list[_Leader]
    means: Points
    deviations: Points
    root: Points

    @classmethod
    def fit(
        cls,
        leaders: list[_Leader],
        categories: _CategoryEffects,
        rng: np.random.Generator,
    ) -> Self:
        """Adjust means and correlations until draws have those of the data.

        Tied values correlate less than the normal variables behind them, and differ
        less between categories.
        """
        scores = np.stack([leader.scores for leader in leaders], axis=1)
        correlation, effects = _correlation(scores), categories.effects(scores)
        unexplained = scores - categories.explained(scores)
        squares = np.square(unexplained)
        ratios = squares / squares.mean(axis=0)
        ratios = 1 + categories.explained(ratios - 1)
        deviations = unexplained.std(axis=0) * np.sqrt(
            ratios.clip(1 / MAX_VARIANCE_RATIO, MAX_VARIANCE_RATIO)
        )
        latent, adjusted = _correlation(unexplained), effects.copy()
        for _ in range(CORRELATION_STEPS):
            means = categories.columns @ adjusted
            copula = cls(leaders, means, deviations, _positive_root(latent))
            drawn = [copula.draw_scores(rng) for _ in range(CORRELATION_DRAWS)]
            drawn_correlation = np.mean([_correlation(one) for one in drawn], axis=0)
            adjusted += effects - categories.effects(np.mean(drawn, axis=0))
            latent = np.clip(latent + correlation - drawn_correlation, -0.999, 0.999)
            np.fill_diagonal(latent, 1)
        means = categories.columns @ adjusted
        return cls(leaders, means, deviations, _positive_root(latent))

    def draw(self, rng: np.random.Generator) -> list[Rows]:
        """Return for each leader the customers whose values the customers get."""
        normal = rng.standard_normal(self.means.shape) @ self.root.T
        latent = self.means + self.deviations * normal
        return [
            leader.rearranged(column)
            for leader, column in zip(self.leaders, latent.T, strict=True)
        ]

    def draw_scores(self, rng: np.random.Generator) -> Points:
        """Return the normal scores of the leaders in a draw."""
        rows = self.draw(rng)
        return np.stack(
            [one.scores[of] for one, of in zip(self.leaders, rows, strict=True)], axis=1
        )


def _positive_root(correlation: Points) -> Points:
    """Return a root of the correlation matrix without its negative eigenvalues."""
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    return np.asarray(root / np.linalg.norm(root, axis=1, keepdims=True))
