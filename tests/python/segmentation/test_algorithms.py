"""Candidates are fitted as scikit-learn fits them, and never fail for few customers."""

import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.cluster import DBSCAN, HDBSCAN, AgglomerativeClustering, KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from customer_segmentation.segmentation.algorithms import (
    GAUSSIAN_VARIANCE_FLOOR,
    THOROUGH,
    Candidate,
    core_neighbours,
    core_radius,
    fit_candidates,
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

SEED = 5
EVERYTHING = candidates_of(
    Segmentation("s", "mall", (Feature("x", "standard"),), ALGORITHMS)
)


def customers(seed: int, count: int = 300) -> Points:
    """Return loose groups and a few customers far from all of them."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(scale=3, size=(4, 2))
    points = centres[rng.integers(4, size=count)] + rng.normal(size=(count, 2))
    points[::25] += rng.normal(scale=8, size=points[::25].shape)
    return points


def as_scikit_learn_fits(candidate: Candidate, points: Points) -> Labels:
    value, n = candidate.value, len(points)
    match candidate.algorithm:
        case "kmeans":
            model = KMeans(value, n_init=THOROUGH.starts, tol=0, random_state=SEED)
        case "ward" | "average":
            model = AgglomerativeClustering(value, linkage=candidate.algorithm)
        case "gaussian_mixture":
            model = GaussianMixture(
                value, n_init=5, reg_covar=GAUSSIAN_VARIANCE_FLOOR, random_state=SEED
            )
        case "dbscan":
            model = DBSCAN(
                eps=core_radius(points, value), min_samples=core_neighbours(n)
            )
        case "hdbscan":
            model = HDBSCAN(
                min_cluster_size=round(value * n),
                min_samples=core_neighbours(n),
                copy=True,
            )
    return model.fit_predict(points)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_partition_is_that_of_scikit_learn(algorithm: str, seed: int) -> None:
    points = customers(seed)
    candidates = [one for one in EVERYTHING if one.algorithm == algorithm]
    found = fit_candidates(points, candidates, seed=SEED)
    for candidate, labels in zip(candidates, found, strict=True):
        expected = as_scikit_learn_fits(candidate, points)
        assert adjusted_rand_score(expected, labels) == 1, candidate
        np.testing.assert_array_equal(labels == NOISE, expected == NOISE)


def test_labels_come_in_the_order_of_the_candidates() -> None:
    points = customers(0, count=200)
    shuffled = [
        EVERYTHING[i] for i in np.random.default_rng(0).permutation(len(EVERYTHING))
    ]
    together = fit_candidates(points, shuffled, seed=SEED)
    for candidate, labels in zip(shuffled, together, strict=True):
        [alone] = fit_candidates(points, [candidate], seed=SEED)
        np.testing.assert_array_equal(labels, alone)


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((1, 2)),
        np.array([[0.0, 1.0], [2.0, 3.0]]),
        np.zeros((300, 2)),
        np.repeat([[0.0, 1.0], [2.0, 3.0]], 150, axis=0),
        np.repeat([[0.0], [1.0], [5.0]], [197, 2, 1], axis=0),
        np.array([[0.0], [1.0], [5.0], [5.0]]),
    ],
    ids=["one", "two", "all equal", "two kinds", "three kinds in one", "four"],
)
def test_few_distinct_customers_have_at_most_as_many_clusters(points: Points) -> None:
    distinct = len(np.unique(points, axis=0))
    found = fit_candidates(points, EVERYTHING, seed=SEED)
    for candidate, labels in zip(EVERYTHING, found, strict=True):
        clusters = len(np.unique(labels[labels != NOISE]))
        assert labels.shape == (len(points),)
        if candidate.parameter == "k":
            wanted = candidate.value if candidate.value <= distinct else 1
            assert clusters == wanted, candidate
        assert clusters <= distinct, candidate


@pytest.mark.parametrize("algorithm", ["dbscan", "hdbscan"])
def test_the_setting_of_a_density_method_is_relative_to_the_data(
    algorithm: str,
) -> None:
    # enough for a share of them to be more than the minimum of neighbours
    points = customers(1, count=500)
    candidates = [one for one in EVERYTHING if one.algorithm == algorithm]
    found = fit_candidates(points, candidates, seed=SEED)
    twice = fit_candidates(np.repeat(1_000 * points, 2, axis=0), candidates, seed=SEED)
    for labels, doubled in zip(found, twice, strict=True):
        assert adjusted_rand_score(np.repeat(labels, 2), doubled) > 0.9


LABELS_OF_EQUAL_DISTANCES = """
import numpy as np
from customer_segmentation.segmentation.algorithms import Candidate, fit_candidates

# as counts are: many distances are equal
points = np.random.default_rng(1).normal(scale=3, size=(600, 2)).round()
candidate = Candidate("hdbscan", "min_cluster_share", 0.02)
print(*fit_candidates(points, [candidate], seed=0)[0])
"""


def test_labels_do_not_depend_on_the_instructions_of_the_processor() -> None:
    dispatched = " ".join(np._core._multiarray_umath.__cpu_dispatch__)
    with_all, with_none = (
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", LABELS_OF_EQUAL_DISTANCES],
            env=os.environ | {"NPY_DISABLE_CPU_FEATURES": disabled},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for disabled in ("", dispatched)
    )
    assert len(set(with_all.split())) > 2
    assert with_all == with_none
