"""Structure: candidates compared with null data, which have none.

The statistic of a candidate is its silhouette, on the data and on null data that are
fitted alike. Some of many candidates find structure even in noise, so the p-values are
those of the maximum over all candidates (Westfall & Young 1993, step one). Each
silhouette is standardised by its null draws. The settings of a density method, which
often find one cluster, are standardised together. Then a candidate is compared with the
largest standardised silhouette of each draw.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from customer_segmentation.segmentation.weighted import Points

Blocks = Sequence[Sequence[int]]
Sampler = Callable[[np.random.Generator], Points]

# silhouettes that differ by rounding are equal
DECIMALS = 9
CORRELATION_STEPS = 8
CORRELATION_DRAWS = 20


@dataclass(frozen=True)
class NullTest:
    """Candidates compared with null draws; ``nan`` for one cluster on the data.

    Parameters
    ----------
    p_values : ndarray of shape (c,)
        Share of the draws (and the data) whose largest standardised silhouette is at
        least the candidate's; at least 1 / (draws + 1).
    excess : ndarray of shape (c,)
        The silhouette less the mean of the null draws, in their standard deviations.
    """

    p_values: NDArray[np.float64]
    excess: NDArray[np.float64]


def compare_with_null(
    observed: Points, drawn: Points, groups: Sequence[Sequence[int]] | None = None
) -> NullTest:
    """Compare silhouettes with those of null draws, for all candidates at once.

    Parameters
    ----------
    observed : ndarray of shape (c,)
        Silhouette of each candidate on the data; ``nan`` for one cluster.
    drawn : ndarray of shape (b, c)
        The same on each null draw.
    groups : sequence of sequences of int, optional
        For each candidate, the candidates it is standardised with; by default itself.
        Density settings often find one cluster, and the standard deviation of the few
        draws with more clusters means nothing.

    Examples
    --------
    >>> drawn = np.array([[0.2], [0.3], [0.25], [0.25]])
    >>> compare_with_null(np.array([0.6]), drawn).p_values.tolist()
    [0.2]
    """
    statistics = np.vstack([observed, drawn]).round(DECIMALS)
    # one cluster separates nothing
    standardised = np.full(statistics.shape, -np.inf)
    excess = np.full(len(observed), np.nan)
    for candidate in range(len(observed)):
        group = [candidate] if groups is None else list(groups[candidate])
        pooled = statistics[:, group]
        pooled = pooled[np.isfinite(pooled)]
        is_found = np.isfinite(statistics[:, candidate])
        if len(pooled) > 0:
            found = statistics[is_found, candidate]
            scale = _standard_deviation(pooled)
            standardised[is_found, candidate] = (found - pooled.mean()) / scale
        of_draws = np.nan_to_num(statistics[1:, candidate])
        if is_found[0]:
            difference = statistics[0, candidate] - of_draws.mean()
            excess[candidate] = difference / _standard_deviation(of_draws)
    largest = standardised.max(axis=1)
    p_values = (largest[:, None] >= standardised[0]).mean(axis=0)
    return NullTest(
        p_values=np.where(np.isfinite(observed), p_values, np.nan), excess=excess
    )


def _standard_deviation(statistics: Points) -> float:
    deviation = float(statistics.std())
    return deviation if deviation > 10.0**-DECIMALS else 1.0


def margins_null(points: Points, blocks: Blocks) -> Sampler:
    """Return a sampler of null data that keep the margins of features only.

    Each block of columns is shuffled on its own; its columns move together.
    """

    def draw(rng: np.random.Generator) -> Points:
        null = np.empty_like(points)
        for block in blocks:
            columns = list(block)
            null[:, columns] = points[rng.permutation(len(points))][:, columns]
        return null

    return draw


def copula_null(
    points: Points, blocks: Blocks, is_numeric: Sequence[bool], seed: int
) -> Sampler:
    """Return a sampler of null data that keep the margins and the correlations.

    The numeric blocks follow a Gaussian copula, blocks of categories are shuffled. The
    leader of a block with several numeric columns is the first principal component of
    their normal scores; the columns of the block move together.

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
    leaders = {}
    for number, block in enumerate(blocks):
        columns = [
            column
            for column in block
            if is_numeric[column] and np.ptp(points[:, column]) > 0
        ]
        if columns:
            leaders[number] = _leader(points[:, columns])
    if len(leaders) < 2:
        return margins_null(points, blocks)
    values = np.stack(list(leaders.values()), axis=1)
    ordered = np.argsort(values, axis=0, kind="stable")
    root = _copula_root(values, np.random.default_rng(seed))

    def draw(rng: np.random.Generator) -> Points:
        null = margins_null(points, blocks)(rng)
        normal = rng.standard_normal((len(points), len(leaders))) @ root.T
        ranks = normal.argsort(axis=0).argsort(axis=0)
        for position, number in enumerate(leaders):
            columns = list(blocks[number])
            rows = ordered[ranks[:, position], position]
            null[:, columns] = points[rows][:, columns]
        return null

    return draw


def _leader(columns: Points) -> Points:
    """Return the first principal component of the normal scores of the columns."""
    scores = _normal_scores(columns)
    if scores.shape[1] == 1:
        return scores[:, 0]
    _, _, directions = np.linalg.svd(scores - scores.mean(axis=0), full_matrices=False)
    return np.asarray(scores @ directions[0])


def _normal_scores(values: Points) -> Points:
    ranks = rankdata(values, axis=0)
    return np.asarray(norm.ppf((ranks - 0.5) / len(values)))


def _correlation(values: Points) -> Points:
    return np.asarray(np.corrcoef(_normal_scores(values), rowvar=False))


def _copula_root(values: Points, rng: np.random.Generator) -> Points:
    """Return a root of the latent correlation whose draws correlate like the data.

    Tied values correlate less than the normal variables behind them, so the latent
    correlation is adjusted until the draws agree with the data.
    """
    target = _correlation(values)
    latent = target.copy()
    ordered = np.sort(values, axis=0)
    for _ in range(CORRELATION_STEPS):
        root = _positive_root(latent)
        drawn = np.mean(
            [
                _correlation(_rearranged(ordered, root, rng))
                for _ in range(CORRELATION_DRAWS)
            ],
            axis=0,
        )
        latent = np.clip(latent + target - drawn, -0.999, 0.999)
        np.fill_diagonal(latent, 1)
    return _positive_root(latent)


def _rearranged(ordered: Points, root: Points, rng: np.random.Generator) -> Points:
    normal = rng.standard_normal(ordered.shape) @ root.T
    ranks = normal.argsort(axis=0).argsort(axis=0)
    return np.take_along_axis(ordered, ranks, axis=0)


def _positive_root(correlation: Points) -> Points:
    """Return a root of the correlation matrix without its negative eigenvalues."""
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    return np.asarray(root / np.linalg.norm(root, axis=1, keepdims=True))
