"""Judge: every candidate of a segmentation fitted, measured and compared."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from joblib import delayed
from kneed import KneeLocator
from numpy.typing import NDArray

from customer_segmentation.parallel import run_parallel, single_threaded
from customer_segmentation.segmentation.algorithms import (
    CLUSTER_SHARES,
    RADIUS_QUANTILES,
    Candidate,
)
from customer_segmentation.segmentation.borders import border_densities
from customer_segmentation.segmentation.cluster import fit_customers
from customer_segmentation.segmentation.declare import (
    SEED,
    SearchBudget,
    Segmentation,
)
from customer_segmentation.segmentation.gaps import gap_p_values
from customer_segmentation.segmentation.labels import NOISE, count_clusters
from customer_segmentation.segmentation.measures import (
    Indices,
    Separation,
    draw_resamples,
    resample_agreement,
)
from customer_segmentation.segmentation.null_tests import compare_with_null_data
from customer_segmentation.segmentation.space import Space
from customer_segmentation.segmentation.ties import LOOKED_AT
from customer_segmentation.segmentation.weighted import Labels, Points

# they say whether a verdict hangs on who is looked at
SUBSAMPLES = 9
SUBSAMPLE_SHARE = 0.8


@dataclass(frozen=True)
class SubsampleMeasures:
    """What the verdict on a candidate rests on, by a part of what was drawn.

    Parameters
    ----------
    structure_p_value, correlation_p_value : float
        As in ``JudgedCandidate``, by a subsample and null draws drawn again.
    gap_p_value : float
        By the subsample.
    stability_mean, stability_min : float
        Over resamples drawn again.
    """

    structure_p_value: float
    correlation_p_value: float
    gap_p_value: float
    stability_mean: float
    stability_min: float


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
        Against null data that keep the margins, and the margins with associations.
    gap_p_value : float
        Of gaps on all borders between neighbouring segments.
    border_density : float
        On the most crowded border, in the density of the typical customer.
    structure_excess : float
        The silhouette less the mean of the null draws that keep the margins, in their
        standard deviations.
    subsamples : tuple of SubsampleMeasures
        What other draws would say.
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
    border_density: float = math.nan
    structure_excess: float = math.nan
    subsamples: tuple[SubsampleMeasures, ...] = ()


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
    subsamples = _draw_subsamples(len(points))
    nulls = compare_with_null_data(
        space, candidates, subsamples, budget.null_draws, SEED
    )
    looked_at = (space.design_points, space.is_numeric, labels, SEED)
    of_gaps, on_borders = gap_p_values(*looked_at), border_densities(*looked_at)
    by_subsample = _measure_subsamples(
        subsamples, nulls.of_subsamples, _gaps_of(space, labels, subsamples), agreement
    )
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
                structure_p_value=float(nulls.by_margins.p_values[number]),
                correlation_p_value=float(nulls.by_correlations.p_values[number]),
                gap_p_value=float(of_gaps[number]),
                border_density=float(on_borders[number]),
                structure_excess=float(nulls.by_margins.excess[number]),
                subsamples=by_subsample[number],
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


def _draw_subsamples(customers: int) -> list[NDArray[np.intp]]:
    """Draw the customers of each subsample, in random order."""
    size = math.ceil(SUBSAMPLE_SHARE * customers)
    return [
        np.random.default_rng((SEED, number)).permutation(customers)[:size]
        for number in range(SUBSAMPLES)
    ]


def _gaps_of(
    space: Space, labels: Sequence[Labels], subsamples: Sequence[NDArray[np.intp]]
) -> NDArray[np.float64]:
    """Return the p-values of gaps by subsample (rows) and candidate (columns)."""
    drawn = [np.sort(rows[:LOOKED_AT]) for rows in subsamples]
    return np.array(
        run_parallel(
            delayed(gap_p_values)(
                space.design_points[rows],
                space.is_numeric,
                [of_all[rows] for of_all in labels],
                SEED,
            )
            for rows in drawn
        )
    )


def _measure_subsamples(
    subsamples: Sequence[NDArray[np.intp]],
    null_p_values: NDArray[np.float64],
    gap_p_values: NDArray[np.float64],
    agreement: NDArray[np.float64],
) -> list[tuple[SubsampleMeasures, ...]]:
    """Return what each subsample says of each candidate, with resamples redrawn."""
    measured = []
    for number in range(len(subsamples)):
        rng = np.random.default_rng((SEED, number))
        again = agreement[rng.integers(len(agreement), size=len(agreement))]
        structure, correlation = null_p_values[number]
        columns = (structure, correlation, gap_p_values[number])
        measured.append(
            [
                SubsampleMeasures(*map(float, of_candidate))
                for of_candidate in zip(
                    *columns, again.mean(axis=0), again.min(axis=0), strict=True
                )
            ]
        )
    return list(zip(*measured, strict=True))


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
