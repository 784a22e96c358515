"""Whether there is any structure: the candidates against data that have none.

The statistic of a candidate is its silhouette, on data and on null data fitted alike.
Asking many candidates finds structure in noise, so the p-values are those of the
maximum over all of them (Westfall & Young 1993, step one): each silhouette is
standardised by its null draws (those of a density method by all its settings', which
often find one cluster), and a candidate is compared with the greatest standardised
silhouette of each draw.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from customer_segmentation.segmentation.indices import Points

Blocks = Sequence[Sequence[int]]

DECIMALS = 9
_CORRELATION_STEPS = 8
_CORRELATION_DRAWS = 20


@dataclass(frozen=True)
class NullTest:
    """What a set of null draws says of every candidate.

    Parameters
    ----------
    p_values : ndarray of shape (c,)
        Share of the draws (and the data) whose greatest standardised silhouette
        reaches the candidate's; at least 1 / (draws + 1).
    excess : ndarray of shape (c,)
        Standard deviations of the null draws between their mean silhouette and the
        candidate's.
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
        Silhouette of each candidate on the data; ``nan`` where it found one cluster.
    drawn : ndarray of shape (b, c)
        The same on each null draw.
    groups : sequence of sequences of int, optional
        For each candidate those it is standardised with; by default itself. Density
        settings often find one cluster, and the few draws where one of them does not
        have no spread of their own.

    Returns
    -------
    NullTest
        One p-value and one excess for each candidate; ``nan`` where it found one
        cluster on the data.
    """
    # silhouettes that differ by rounding are equal
    statistics = np.round(np.vstack([observed, drawn]), DECIMALS)
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
            standardised[is_found, candidate] = (found - pooled.mean()) / _spread(
                pooled
            )
        of_draws = np.nan_to_num(statistics[1:, candidate])
        if is_found[0]:
            away = statistics[0, candidate] - of_draws.mean()
            excess[candidate] = away / _spread(of_draws)
    greatest = standardised.max(axis=1)
    p_values = (greatest[:, None] >= standardised[0]).mean(axis=0)
    return NullTest(
        p_values=np.where(np.isfinite(observed), p_values, np.nan), excess=excess
    )


def _spread(statistics: Points) -> float:
    spread = float(statistics.std())
    return spread if spread > 10.0**-DECIMALS else 1.0


def margins_null(
    points: Points, blocks: Blocks
) -> Callable[[np.random.Generator], Points]:
    """Return a sampler of null data that keep every feature's margin, and nothing else.

    Each block of columns is shuffled as one, on its own.
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
) -> Callable[[np.random.Generator], Points]:
    """Return a sampler of null data that keep the margins and the correlations.

    The numeric blocks follow a Gaussian copula, blocks of categories are shuffled. A
    block with several numeric columns is led by the first principal component of their
    normal scores, and its rows move as one.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        The data.
    blocks : sequence of sequences of int
        Columns that move as one.
    is_numeric : sequence of bool
        For each column whether its order means something.
    seed : int
        Of the draws that correct the correlations for ties, which weaken them.

    Returns
    -------
    callable
        Takes a generator, returns an array like ``points``.
    """
    leads = {}
    for number, block in enumerate(blocks):
        columns = [
            column
            for column in block
            if is_numeric[column] and np.ptp(points[:, column]) > 0
        ]
        if columns:
            leads[number] = _lead(points[:, columns])
    if len(leads) < 2:
        return margins_null(points, blocks)
    lead = np.stack(list(leads.values()), axis=1)
    ordered = np.argsort(lead, axis=0, kind="stable")
    root = _copula_root(lead, np.random.default_rng(seed))

    def draw(rng: np.random.Generator) -> Points:
        null = margins_null(points, blocks)(rng)
        normal = rng.standard_normal((len(points), len(leads))) @ root.T
        ranks = normal.argsort(axis=0).argsort(axis=0)
        for position, number in enumerate(leads):
            columns = list(blocks[number])
            rows = ordered[ranks[:, position], position]
            null[:, columns] = points[rows][:, columns]
        return null

    return draw


def _lead(columns: Points) -> Points:
    """Return the first principal component of the normal scores of the columns."""
    scores = _normal_scores(columns)
    if scores.shape[1] == 1:
        return scores[:, 0]
    _, _, directions = np.linalg.svd(scores - scores.mean(axis=0), full_matrices=False)
    return scores @ directions[0]


def _normal_scores(values: Points) -> Points:
    ranks = rankdata(values, axis=0)
    return norm.ppf((ranks - 0.5) / len(values))


def _correlation(lead: Points) -> Points:
    return np.corrcoef(_normal_scores(lead), rowvar=False)


def _copula_root(lead: Points, rng: np.random.Generator) -> Points:
    """Return a root of the latent correlation whose draws correlate as the data do.

    Tied values correlate less than the normal variables behind them, so the latent
    correlation is moved until the draws agree.
    """
    target = _correlation(lead)
    latent = target.copy()
    ordered = np.sort(lead, axis=0)
    for _ in range(_CORRELATION_STEPS):
        root = _positive_root(latent)
        reached = np.mean(
            [
                _correlation(_rearranged(ordered, root, rng))
                for _ in range(_CORRELATION_DRAWS)
            ],
            axis=0,
        )
        latent = np.clip(latent + target - reached, -0.999, 0.999)
        np.fill_diagonal(latent, 1)
    return _positive_root(latent)


def _rearranged(ordered: Points, root: Points, rng: np.random.Generator) -> Points:
    normal = rng.standard_normal(ordered.shape) @ root.T
    ranks = normal.argsort(axis=0).argsort(axis=0)
    return np.take_along_axis(ordered, ranks, axis=0)


def _positive_root(correlation: Points) -> Points:
    """Return a root of the nearest correlation matrix, negative eigenvalues cut off."""
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    return root / np.linalg.norm(root, axis=1, keepdims=True)
