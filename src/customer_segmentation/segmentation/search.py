"""The search of a segmentation: every candidate fitted, and measured honestly."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from joblib import delayed
from kneed import KneeLocator
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

from customer_segmentation.processes import spread
from customer_segmentation.segmentation.algorithms import (
    QUICK,
    Candidate,
    candidates_of,
    fit_candidates,
)
from customer_segmentation.segmentation.fitting import fit_customers
from customer_segmentation.segmentation.indices import (
    NOISE,
    Indices,
    Labels,
    Measures,
    Points,
    count_clusters,
    mean_silhouette,
)
from customer_segmentation.segmentation.space import Space
from customer_segmentation.segmentation.specs import Segmentation
from customer_segmentation.segmentation.stability import (
    draw_resamples,
    resample_agreement,
)
from customer_segmentation.segmentation.structure import (
    NullTest,
    compare_with_null,
    copula_null,
    margins_null,
)

SEED = 20_240_229
# enough to tell structure from none, few enough for two hundred draws of all candidates
NULL_POINTS = 500


@dataclass(frozen=True)
class Effort:
    """How much is drawn to judge a candidate.

    Parameters
    ----------
    resamples : int
        Bootstrap resamples of the stability.
    null_draws : int
        Draws from each null; the least p-value is 1 / (draws + 1).
    """

    resamples: int = 20
    null_draws: int = 99


@dataclass(frozen=True)
class Measured:
    """A candidate and what was measured of it; ``nan`` where it found one cluster.

    Parameters
    ----------
    candidate : Candidate
        Algorithm and setting.
    n_clusters : int
        Clusters found, noise not among them.
    is_elbow : bool
        Whether the inertia of the algorithm bends here.
    indices : Indices
        The four indices on all customers.
    stability_mean, stability_min : float
        Adjusted Rand index over the resamples.
    smallest_share, noise_share : float
        Share of the customers in the smallest cluster, and in none.
    structure_p_value, correlation_p_value : float
        Against null data that keep margins, and margins with correlations.
    structure_excess : float
        Standard deviations of the first null between its silhouette and this one.
    """

    candidate: Candidate
    n_clusters: int
    is_elbow: bool
    indices: Indices
    stability_mean: float
    stability_min: float
    smallest_share: float
    noise_share: float
    structure_p_value: float
    correlation_p_value: float
    structure_excess: float


def search(
    segmentation: Segmentation, space: Space, effort: Effort | None = None
) -> list[Measured]:
    """Fit and measure every candidate of a segmentation.

    Sums have other bits when other threads share them, so each process has one.

    Parameters
    ----------
    segmentation : Segmentation
        Says what to look for.
    space : Space
        The customers in the space clustered in.
    effort : Effort, optional
        How much is drawn.

    Returns
    -------
    list of Measured
        In the order of ``candidates_of``. The same customers in the same order give the
        same measures, on any number of processes.
    """
    effort = effort or Effort()
    candidates = candidates_of(segmentation)
    points = space.points
    fits = fit_customers(points, candidates, seed=SEED)
    with threadpool_limits(limits=1):
        return _measured(candidates, space, [fit.labels for fit in fits], effort)


def _measured(
    candidates: Sequence[Candidate],
    space: Space,
    labels: Sequence[Labels],
    effort: Effort,
) -> list[Measured]:
    points = space.points
    measures = Measures(points, np.random.default_rng(SEED))
    agreement = _agreement(points, labels, candidates, effort.resamples)
    by_margins, by_correlations = _null_tests(space, candidates, effort.null_draws)
    measured = [
        Measured(
            candidate=candidate,
            n_clusters=count_clusters(found),
            is_elbow=False,
            indices=measures.of(found),
            stability_mean=_where_clustered(found, agreement[:, number].mean()),
            stability_min=_where_clustered(found, agreement[:, number].min()),
            smallest_share=_smallest_share(found),
            noise_share=_where_clustered(found, np.mean(found == NOISE)),
            structure_p_value=_where_clustered(found, by_margins.p_values[number]),
            correlation_p_value=_where_clustered(
                found, by_correlations.p_values[number]
            ),
            structure_excess=_where_clustered(found, by_margins.excess[number]),
        )
        for number, (candidate, found) in enumerate(
            zip(candidates, labels, strict=True)
        )
    ]
    return _elbows_marked(measured)


def _agreement(
    points: Points,
    references: Sequence[Labels],
    candidates: Sequence[Candidate],
    resamples: int,
) -> NDArray[np.float64]:
    """Return the agreement of every resample (rows) for every candidate (columns)."""
    drawn = draw_resamples(points, references, resamples, SEED)
    return np.array(
        spread(
            delayed(resample_agreement)(resample, candidates, number)
            for number, resample in enumerate(drawn)
        )
    )


def _null_tests(
    space: Space, candidates: Sequence[Candidate], draws: int
) -> tuple[NullTest, NullTest]:
    """Compare the silhouettes with those of both kinds of null data.

    More than ``NULL_POINTS`` customers are sampled; data and null data are as many.
    """
    rng = np.random.default_rng(SEED)
    sample = space.sampled(rng, NULL_POINTS)
    observed = null_statistics(sample, sample.design_points, candidates, 0)
    nulls = (
        margins_null(sample.design_points, sample.blocks),
        copula_null(sample.design_points, sample.blocks, sample.is_numeric, SEED),
    )
    drawn = spread(
        (
            delayed(null_statistics)(
                sample,
                draw(np.random.default_rng((SEED, kind, number))),
                candidates,
                number,
            )
            for kind, draw in enumerate(nulls)
            for number in range(draws)
        ),
        batch_size=8,
    )
    by_margins, by_correlations = np.split(np.array(drawn), 2)
    # the settings of a density method stand together, every number of clusters alone
    groups = [
        [number]
        if one.parameter == "k"
        else [
            place
            for place, other in enumerate(candidates)
            if other.algorithm == one.algorithm
        ]
        for number, one in enumerate(candidates)
    ]
    return (
        compare_with_null(observed, by_margins, groups),
        compare_with_null(observed, by_correlations, groups),
    )


def null_statistics(
    space: Space, design_points: Points, candidates: Sequence[Candidate], seed: int
) -> NDArray[np.float64]:
    """Return the silhouette of every candidate on data or null data.

    Parameters
    ----------
    space : Space
        Says how the columns are projected before they are clustered.
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
    points = space.projected_anew(design_points)
    distances = cdist(points, points)
    return np.array(
        [
            mean_silhouette(distances, labels)
            for labels in fit_candidates(points, candidates, seed=seed, care=QUICK)
        ]
    )


def _elbows_marked(measured: Sequence[Measured]) -> list[Measured]:
    """Mark the k at which each algorithm's inertia bends (Satopää et al. 2011)."""
    elbows = set()
    for algorithm in {one.candidate.algorithm for one in measured}:
        curve = {
            one.candidate.value: one.indices.inertia
            for one in measured
            if one.candidate.algorithm == algorithm
            and one.candidate.parameter == "k"
            and math.isfinite(one.indices.inertia)
        }
        if len(curve) > 2:
            knees = KneeLocator(
                sorted(curve),
                [curve[k] for k in sorted(curve)],
                curve="convex",
                direction="decreasing",
            )
            elbows.add((algorithm, knees.elbow))
    return [
        replace(one, is_elbow=(one.candidate.algorithm, one.candidate.value) in elbows)
        for one in measured
    ]


def _where_clustered(labels: Labels, value: float) -> float:
    return float(value) if count_clusters(labels) > 1 else math.nan


def _smallest_share(labels: Labels) -> float:
    if count_clusters(labels) < 2:
        return math.nan
    return float(np.bincount(labels[labels != NOISE]).min() / len(labels))
