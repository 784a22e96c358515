"""Any number of customers is fitted: exactly, or nearly so by weighted points."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from customer_segmentation.segmentation import cluster
from customer_segmentation.segmentation.algorithms import Candidate, fit_candidates
from customer_segmentation.segmentation.cluster import (
    CandidateFit,
    agreement_with_full_fit,
    fit_customers,
)
from customer_segmentation.segmentation.declare import (
    ALGORITHMS,
    Feature,
    Segmentation,
)
from customer_segmentation.segmentation.judge import candidates_of
from customer_segmentation.segmentation.labels import NOISE
from customer_segmentation.segmentation.weighted import Labels, Points

pytestmark = pytest.mark.usefixtures("one_thread")

SEED = 3
BLOBS = 5
EXACT_POINTS = 2_000
EVERYTHING = candidates_of(
    Segmentation("s", "mall", (Feature("x", "standard"),), ALGORITHMS, 2, 7)
)
PLANTED = (
    *(
        Candidate(algorithm, "k", BLOBS)
        for algorithm in ("kmeans", "ward", "average", "gaussian_mixture")
    ),
    Candidate("dbscan", "radius_quantile", 0.95),
    Candidate("hdbscan", "min_cluster_share", 0.05),
)


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reduce customers past two thousand already: the same code, in seconds."""
    monkeypatch.setattr(cluster, "EXACT_POINTS", EXACT_POINTS)
    monkeypatch.setattr(cluster, "MICRO_CLUSTERS", 400)
    monkeypatch.setattr(cluster, "COMPARED_POINTS", 1_000)


def blobs(count: int, seed: int = 0) -> tuple[Points, Labels]:
    """Return customers of unlike groups, and the group of each."""
    rng = np.random.default_rng(seed)
    centres = np.array([[0.0, 0], [12, 0], [0, 12], [12, 12], [6, 25]])
    truth = rng.choice(BLOBS, count, p=[0.4, 0.2, 0.2, 0.1, 0.1])
    return centres[truth] + rng.normal(size=(count, 2)), truth


def few_kinds(seed: int, count: int = 600) -> Points:
    """Return customers many of whom are equal, as counts make them."""
    points, _ = blobs(count, seed)
    return points.round()


def partitions_agree(fit: CandidateFit, labels: Labels) -> float:
    np.testing.assert_array_equal(fit.labels == NOISE, labels == NOISE)
    return adjusted_rand_score(labels, fit.labels)


@pytest.mark.parametrize("seed", range(2))
def test_a_fit_of_some_hundred_is_scikit_learns_own(seed: int) -> None:
    points = few_kinds(seed)
    fits = fit_customers(points, EVERYTHING, seed=SEED)
    expected = fit_candidates(points, EVERYTHING, seed=SEED)
    for fit, labels in zip(fits, expected, strict=True):
        assert fit.is_exact
        if fit.candidate.algorithm == "hdbscan":
            # which splits some equal customers
            assert (fit.labels == labels).mean() > 0.95
        else:
            np.testing.assert_array_equal(fit.labels, labels)
        assert len(fit.points) < len(points)
        assert fit.weights.sum() == len(points)
    unequal, _ = blobs(600, seed)
    [fit] = fit_customers(unequal, [EVERYTHING[-1]], seed=SEED)
    np.testing.assert_array_equal(
        fit.labels, fit_candidates(unequal, [EVERYTHING[-1]], seed=SEED)[0]
    )


def test_prototypes_give_the_labels_back() -> None:
    points = few_kinds(0)
    for fit in fit_customers(points, EVERYTHING, seed=SEED):
        assigned = fit.prototypes().assign(points).segment
        np.testing.assert_array_equal(assigned, fit.labels + 1, err_msg=fit.candidate)


def test_customers_are_assigned_to_the_cluster_they_are_measured_in() -> None:
    # without gaps, k-means moves a few customers until its very end
    crowd = np.random.default_rng(0).random((EXACT_POINTS, 3))
    by_centre = [one for one in EVERYTHING if one.algorithm == "kmeans"]
    for fit in fit_customers(crowd, by_centre, seed=SEED):
        assigned = fit.prototypes().assign(crowd).segment
        np.testing.assert_array_equal(assigned, fit.labels + 1)


def test_equal_customers_are_never_split() -> None:
    points = few_kinds(1)
    _, kind = np.unique(points, axis=0, return_inverse=True)
    for fit in fit_customers(points, EVERYTHING, seed=SEED):
        pairs = len(np.unique(np.column_stack([kind, fit.labels]), axis=0))
        assert pairs == kind.max() + 1, fit.candidate


def test_the_fit_is_exact_up_to_a_number_of_customers() -> None:
    points, truth = blobs(EXACT_POINTS + 1)
    kmeans = Candidate("kmeans", "k", BLOBS)
    [exact] = fit_customers(points[:-1], [kmeans], seed=SEED)
    [expected] = fit_candidates(points[:-1], [kmeans], seed=SEED)
    assert exact.is_exact
    np.testing.assert_array_equal(exact.labels, expected)
    [reduced] = fit_customers(points, [kmeans], seed=SEED)
    assert not reduced.is_exact
    assert len(reduced.points) < EXACT_POINTS
    assert adjusted_rand_score(truth, reduced.labels) > 0.999


def test_many_customers_are_in_the_groups_they_were_planted_in() -> None:
    points, truth = blobs(EXACT_POINTS + 1_000, seed=1)
    for fit in fit_customers(points, PLANTED, seed=SEED):
        assert not fit.is_exact
        assert fit.weights.sum() == len(points)
        assert fit.labels.shape == truth.shape
        is_in = fit.labels != NOISE
        assert is_in.mean() > 0.9, fit.candidate
        found = adjusted_rand_score(truth[is_in], fit.labels[is_in])
        assert found > 0.99, fit.candidate
        assigned = fit.prototypes().assign(points).segment - 1
        assert adjusted_rand_score(fit.labels, assigned) > 0.98, fit.candidate


def test_agreement_with_a_full_fit_is_measured_unless_the_fit_is_full() -> None:
    points, _ = blobs(EXACT_POINTS + 1_000, seed=2)
    kmeans = Candidate("kmeans", "k", BLOBS)
    [reduced] = fit_customers(points, [kmeans], seed=SEED)
    found = agreement_with_full_fit(reduced, points, reduced.prototypes(), SEED)
    assert found > 0.999
    merged = reduced.prototypes().with_ids({1: 1, 2: 1, 3: 3, 4: 4, 5: 4})
    assert agreement_with_full_fit(reduced, points, merged, SEED) < 0.9
    [exact] = fit_customers(points[:500], [kmeans], seed=SEED)
    assert agreement_with_full_fit(exact, points[:500], exact.prototypes(), 0) is None


@pytest.mark.parametrize("seed", range(2))
def test_weighted_points_are_fitted_as_the_customers_they_stand_for(seed: int) -> None:
    points = few_kinds(seed, count=500)
    times = EXACT_POINTS // len(points) + 1
    candidates = [
        one
        for one in PLANTED
        if one.algorithm in ("kmeans", "ward", "average", "dbscan")
    ]
    exact = fit_customers(points, candidates, seed=SEED)
    weighted = fit_customers(np.tile(points, (times, 1)), candidates, seed=SEED)
    for one, many in zip(exact, weighted, strict=True):
        assert one.is_exact
        assert not many.is_exact
        np.testing.assert_array_equal(many.points, one.points)
        np.testing.assert_array_equal(many.weights, times * one.weights)
        assert partitions_agree(many, np.tile(one.labels, times)) == 1, one.candidate
        assert many.reach == one.reach


@pytest.mark.parametrize("count", [1, 2, EXACT_POINTS + 1])
def test_equal_customers_are_one_cluster_however_many(count: int) -> None:
    for fit in fit_customers(np.full((count, 2), 4.0), PLANTED, seed=SEED):
        assert fit.labels.tolist() == [fit.labels[0]] * count
