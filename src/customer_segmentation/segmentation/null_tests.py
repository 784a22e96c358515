"""Null tests: the candidates of a search compared with null data of both kinds.

Of many customers, subsamples are compared, with null data of the same size. What counts
is the median subsample; the others say whether the verdict hangs on who was drawn.
Draws are added while the best candidate is so near to the highest draws that another
draw could change the verdict.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from joblib import delayed
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from customer_segmentation.parallel import run_parallel
from customer_segmentation.segmentation.algorithms import (
    QUICK,
    Candidate,
    fit_candidates,
)
from customer_segmentation.segmentation.measures import mean_silhouette
from customer_segmentation.segmentation.null_data import (
    Sampler,
    copula_null,
    margins_null,
)
from customer_segmentation.segmentation.space import Space
from customer_segmentation.segmentation.structure import NullTest, compare_with_null
from customer_segmentation.segmentation.weighted import Points

# enough to show structure, few enough for two hundred draws of all candidates
NULL_POINTS = 500
# so many times as many draws decide a close case
MORE_DRAWS = 3
# the best candidate is a close case while at most this share of the draws beats it, but
# it does not beat them all by one of their standard deviations
CLOSE_SHARE = 0.05
# kinds of null data, in the order of the tests
KINDS = 2


@dataclass(frozen=True)
class NullTests:
    """All candidates compared with null data of both kinds.

    Parameters
    ----------
    by_margins, by_correlations : NullTest
        With null data that keep the margins, and the margins with associations.
    of_subsamples : ndarray of shape (s, 2, c)
        P-values of both kinds by each subsample, with the null data drawn again.
    """

    by_margins: NullTest
    by_correlations: NullTest
    of_subsamples: NDArray[np.float64]


def compare_with_null_data(
    space: Space,
    candidates: Sequence[Candidate],
    subsamples: Sequence[NDArray[np.intp]],
    draws: int,
    seed: int,
) -> NullTests:
    """Compare the silhouettes of candidates with those of null data.

    Parameters
    ----------
    space : Space
        All customers.
    candidates : sequence of Candidate
        What to fit.
    subsamples : sequence of ndarray
        Rows of the customers of each subsample, in random order.
    draws : int
        Null data sets of each kind; more in a close case.
    seed : int
        Of the draws.
    """
    drawn_from = [space.take(np.sort(rows[:NULL_POINTS])) for rows in subsamples]
    fits = [
        delayed(null_silhouettes)(sample, sample.design_points, candidates, 0)
        for sample in drawn_from
    ]
    if len(space.design_points) <= NULL_POINTS:
        # few customers are compared all together
        fits.append(
            delayed(null_silhouettes)(space, space.design_points, candidates, 0)
        )
        drawn_from = [space]
    observed = np.array(run_parallel(fits))
    by_subsample = observed[: len(subsamples)]
    whole = observed[-1] if len(fits) > len(subsamples) else _median(by_subsample)
    groups = _standardised_together(candidates)
    tests, of_subsamples = [], []
    for kind, null_of in enumerate((_margins_of, _copula_of)):
        samplers = [null_of(sample, seed) for sample in drawn_from]
        drawn = _draw(samplers, drawn_from, candidates, range(draws), (seed, kind))
        test = compare_with_null(whole, drawn, groups)
        if test.is_close(CLOSE_SHARE):
            added = range(draws, MORE_DRAWS * (draws + 1) - 1)
            more = _draw(samplers, drawn_from, candidates, added, (seed, kind))
            drawn = np.vstack([drawn, more])
            test = compare_with_null(whole, drawn, groups)
        tests.append(test)
        rng = np.random.default_rng((seed, kind))
        of_subsamples.append(
            [
                compare_with_null(
                    one, drawn[rng.integers(len(drawn), size=len(drawn))], groups
                ).p_values
                for one in by_subsample
            ]
        )
    return NullTests(tests[0], tests[1], np.stack(of_subsamples, axis=1))


def null_silhouettes(
    space: Space, design_points: Points, candidates: Sequence[Candidate], seed: int
) -> NDArray[np.float64]:
    """Return the silhouette of every candidate on the data, or on null data.

    Parameters
    ----------
    space : Space
        Fits principal components, if any, before the data are clustered.
    design_points : ndarray of shape (m, columns)
        The data, or a null draw of it.
    candidates : sequence of Candidate
        What to fit.
    seed : int
        Of the fits.

    Returns
    -------
    ndarray of shape (c,)
        Silhouettes; ``nan`` for one cluster.
    """
    points = space.fit_transform(design_points)
    distances = cdist(points, points)
    return np.array(
        [
            mean_silhouette(distances, labels)
            for labels in fit_candidates(points, candidates, seed=seed, quality=QUICK)
        ]
    )


def _margins_of(space: Space, seed: int) -> Sampler:
    return margins_null(space.design_points, space.blocks, space.marks_missing)


def _copula_of(space: Space, seed: int) -> Sampler:
    return copula_null(space.design_points, space.blocks, space.is_numeric, seed)


def _draw(
    samplers: Sequence[Callable[[np.random.Generator], Points]],
    drawn_from: Sequence[Space],
    candidates: Sequence[Candidate],
    numbers: range,
    seed: tuple[int, int],
) -> NDArray[np.float64]:
    """Return the silhouettes of null draws: the subsamples take turns."""
    return np.array(
        run_parallel(
            (
                delayed(null_silhouettes)(
                    drawn_from[number % len(drawn_from)],
                    samplers[number % len(samplers)](
                        np.random.default_rng((*seed, number))
                    ),
                    candidates,
                    number,
                )
                for number in numbers
            ),
            batch_size=8,
        )
    )


def _median(silhouettes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median of the subsamples; nan if most of them are one cluster."""
    found = np.where(np.isfinite(silhouettes), silhouettes, -np.inf)
    middle = np.median(found, axis=0)
    return np.where(np.isfinite(middle), middle, np.nan)


def _standardised_together(candidates: Sequence[Candidate]) -> list[list[int]]:
    """Return groups of a density method's settings; each k is standardised alone."""
    return [
        [number]
        if one.parameter == "k"
        else [
            place
            for place, other in enumerate(candidates)
            if other.algorithm == one.algorithm
        ]
        for number, one in enumerate(candidates)
    ]
