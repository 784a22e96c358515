"""Judge: every candidate of a segmentation fitted, measured and compared."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from joblib import delayed
from kneed import KneeLocator
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from customer_segmentation.parallel import run_parallel, single_threaded
from customer_segmentation.segmentation.algorithms import (
    CLUSTER_SHARES,
    QUICK,
    RADIUS_QUANTILES,
    Candidate,
    fit_candidates,
)
from customer_segmentation.segmentation.cluster import fit_customers
from customer_segmentation.segmentation.declare import (
    SEED,
    SearchBudget,
    Segmentation,
)
from customer_segmentation.segmentation.gaps import gap_p_values
from customer_segmentation.segmentation.measures import (
    NOISE,
    Indices,
    Separation,
    count_clusters,
    draw_resamples,
    mean_silhouette,
    resample_agreement,
)
from customer_segmentation.segmentation.null_data import copula_null, margins_null
from customer_segmentation.segmentation.space import Space
from customer_segmentation.segmentation.structure import NullTest, compare_with_null
from customer_segmentation.segmentation.weighted import Labels, Points

# enough to show structure, few enough for two hundred draws of all candidates
NULL_POINTS = 500


@dataclass(frozen=True)
class JudgedCandidate:
    """A candidate and its measures, which are ``nan`` with fewer than two clusters.

    Parameters
    ----------
    candidate : Candidate
        Algorithm and setting.
    n_clusters : int
        Number of clusters, without noise.
    is_elbow : bool
        Whether the inertia of the algorithm has its elbow here.
    indices : Indices
        Separation indices on all customers.
    stability_mean, stability_min : float
        Adjusted Rand index over the resamples.
    smallest_share, noise_share : float
        Share of the customers in the smallest cluster, and of noise.
    structure_p_value, correlation_p_value : float
        Against null data that keep the margins, and the margins with correlations.
    gap_p_value : float
        Of gaps on all borders between neighbouring segments.
    structure_excess : float
        The silhouette less the mean of the null draws that keep the margins, in their
        standard deviations.
    """

    candidate: Candidate
    n_clusters: int
    is_elbow: bool = False
    indices: Indices = field(default_factory=Indices)
    stability_mean: float = math.nan
    stability_min: float = math.nan
    smallest_share: float = math.nan
    noise_share: float = math.nan
    structure_p_value: float = math.nan
    correlation_p_value: float = math.nan
    gap_p_value: float = math.nan
    structure_excess: float = math.nan


def candidates_of(segmentation: Segmentation) -> tuple[Candidate, ...]:
    """Return the candidates of a segmentation, a pin outside its range among them."""
    settings = {
        "dbscan": [("radius_quantile", value) for value in RADIUS_QUANTILES],
        "hdbscan": [("min_cluster_share", value) for value in CLUSTER_SHARES],
    }
    k_range = [("k", k) for k in range(segmentation.k_min, segmentation.k_max + 1)]
    candidates = [
        Candidate(algorithm, *setting)
        for algorithm in segmentation.algorithms
        for setting in settings.get(algorithm, k_range)
    ]
    pin = segmentation.pin
    if pin and (pinned := Candidate(pin.algorithm, "k", pin.k)) not in candidates:
        candidates.append(pinned)
    return tuple(candidates)


@single_threaded()
def search(
    segmentation: Segmentation, space: Space, budget: SearchBudget | None = None
) -> list[JudgedCandidate]:
    """Fit and measure every candidate of a segmentation.

    Parameters
    ----------
    segmentation : Segmentation
        The declaration.
    space : Space
        The customers in the space in which they are clustered.
    budget : SearchBudget, optional
        How often to resample.

    Returns
    -------
    list of JudgedCandidate
        In the order of ``candidates_of``. The same customers in the same order get the
        same measures on any number of processes.
    """
    budget = budget or SearchBudget()
    candidates = candidates_of(segmentation)
    points = space.points
    fits = fit_customers(points, candidates, seed=SEED)
    labels = [fit.labels for fit in fits]
    separation = Separation(points, np.random.default_rng(SEED))
    agreement = _resample(points, labels, candidates, budget.resamples)
    by_margins, by_correlations = _null_tests(space, candidates, budget.null_draws)
    of_gaps = gap_p_values(space.design_points, space.is_numeric, labels, SEED)
    judged = []
    for number, (candidate, found) in enumerate(zip(candidates, labels, strict=True)):
        n_clusters = count_clusters(found)
        one = JudgedCandidate(candidate, n_clusters)
        if n_clusters > 1:
            one = JudgedCandidate(
                candidate,
                n_clusters,
                indices=separation.measure(found),
                stability_mean=float(agreement[:, number].mean()),
                stability_min=float(agreement[:, number].min()),
                smallest_share=_smallest_share(found),
                noise_share=float(np.mean(found == NOISE)),
                structure_p_value=float(by_margins.p_values[number]),
                correlation_p_value=float(by_correlations.p_values[number]),
                gap_p_value=float(of_gaps[number]),
                structure_excess=float(by_margins.excess[number]),
            )
        judged.append(one)
    return _with_elbows(judged)


def _resample(
    points: Points,
    references: Sequence[Labels],
    candidates: Sequence[Candidate],
    count: int,
) -> NDArray[np.float64]:
    """Return the agreement of resamples (rows) for candidates (columns)."""
    drawn = draw_resamples(points, references, count, SEED)
    return np.array(
        run_parallel(
            delayed(resample_agreement)(resample, candidates, number)
            for number, resample in enumerate(drawn)
        )
    )


def _null_tests(
    space: Space, candidates: Sequence[Candidate], draws: int
) -> tuple[NullTest, NullTest]:
    """Compare the silhouettes with those of both kinds of null data.

    Of more than ``NULL_POINTS`` customers a sample is compared, with null data of the
    same size.
    """
    rng = np.random.default_rng(SEED)
    sample = space.sample(rng, NULL_POINTS)
    observed = null_silhouettes(sample, sample.design_points, candidates, 0)
    samplers = (
        margins_null(sample.design_points, sample.blocks, sample.marks_missing),
        copula_null(sample.design_points, sample.blocks, sample.is_numeric, SEED),
    )
    drawn = run_parallel(
        (
            delayed(null_silhouettes)(
                sample,
                draw(np.random.default_rng((SEED, kind, number))),
                candidates,
                number,
            )
            for kind, draw in enumerate(samplers)
            for number in range(draws)
        ),
        batch_size=8,
    )
    by_margins, by_correlations = np.split(np.array(drawn), 2)
    # the settings of a density method are standardised together, each k alone
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


def _with_elbows(judged: Sequence[JudgedCandidate]) -> list[JudgedCandidate]:
    """Mark the k at which the inertia of each algorithm bends (Satopää et al. 2011)."""
    elbows = set()
    for algorithm in {one.candidate.algorithm for one in judged}:
        curve = {
            one.candidate.value: one.indices.inertia
            for one in judged
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
        for one in judged
    ]


def _smallest_share(labels: Labels) -> float:
    return float(np.bincount(labels[labels != NOISE]).min() / len(labels))
