"""Weighted points stand for all customers, on any number of threads."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from customer_segmentation.segmentation import weighted
from customer_segmentation.segmentation.weighted import (
    MicroClusters,
    cut,
    distinct_points,
    micro_clusters,
    weighted_linkage,
)

pytestmark = pytest.mark.usefixtures("one_thread")

# --- linkage


METHODS = ["ward", "average"]


def same_partition(left: NDArray[np.intp], right: NDArray[np.intp]) -> bool:
    pairs = len(set(zip(left.tolist(), right.tolist(), strict=True)))
    return pairs == len(set(left.tolist())) == len(set(right.tolist()))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(3))
def test_unit_weights_are_scipy(method: str, seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(120, 3))
    expected = linkage(points, method)
    found = weighted_linkage(points, np.ones(120), method)
    np.testing.assert_array_equal(found[:, :2], expected[:, :2])
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    for k in range(1, 121):
        assert same_partition(cut(found, k), fcluster(expected, k, "maxclust"))


@pytest.mark.parametrize("method", METHODS)
def test_ties_are_scipy(method: str) -> None:
    grid = np.indices((7, 6)).reshape(2, -1).T.astype(float)
    found = weighted_linkage(grid, np.ones(42), method)
    np.testing.assert_allclose(found, linkage(grid, method), rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(5))
def test_a_weight_is_a_repetition(method: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, weights = rng.normal(size=(60, 2)), rng.integers(1, 9, 60)
    repeated = linkage(np.repeat(points, weights, axis=0), method)
    found = weighted_linkage(points, weights.astype(float), method)
    last_of_each = np.cumsum(weights) - 1
    for k in range(1, 61):
        of_repeated = fcluster(repeated, k, "maxclust")[last_of_each]
        assert same_partition(cut(found, k), of_repeated)
    assert found[-1, 3] == weights.sum()


@pytest.mark.parametrize("method", METHODS)
def test_cut_is_scikit_learns(method: str) -> None:
    points = np.random.default_rng(3).normal(size=(300, 4))
    tree = weighted_linkage(points, np.ones(300), method)
    for k in (2, 5, 9):
        clustering = AgglomerativeClustering(k, linkage=method)
        assert same_partition(cut(tree, k), clustering.fit_predict(points))


def test_cut_has_exactly_k_whatever_the_ties() -> None:
    square = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    tree = weighted_linkage(square, np.ones(4), "average")
    for k in range(1, 5):
        labels = cut(tree, k)
        # numbered as they first appear
        assert list(dict.fromkeys(labels.tolist())) == list(range(k))


def test_one_point_is_one_cluster() -> None:
    tree = weighted_linkage(np.zeros((1, 2)), np.ones(1), "ward")
    assert tree.shape == (0, 4)
    assert cut(tree, 1).tolist() == [0]


@pytest.mark.parametrize("k", [0, 4])
def test_points_cannot_be_cut_into_more(k: int) -> None:
    tree = weighted_linkage(np.arange(3.0)[:, np.newaxis], np.ones(3), "ward")
    with pytest.raises(ValueError, match="3 points cannot be cut"):
        cut(tree, k)


# --- fewer points


CENTRES = 6 * np.random.default_rng(4).normal(size=(5, 6))
PLANTED = np.random.default_rng(5).choice(5, 6_000, p=[0.4, 0.3, 0.15, 0.1, 0.05])
POINTS = CENTRES[PLANTED] + np.random.default_rng(6).normal(size=(6_000, 6))


@pytest.fixture(scope="module")
def micro() -> MicroClusters:
    return micro_clusters(POINTS, seed=0, size=300)


def test_distinct_points_are_the_points_again() -> None:
    points = np.random.default_rng(0).integers(-2, 3, (1000, 3)) / 3
    distinct, inverse, counts = distinct_points(points)
    np.testing.assert_array_equal(distinct[inverse], points)
    assert len(distinct) == len(set(map(tuple, points.tolist()))) == len(counts)
    np.testing.assert_array_equal(counts, np.bincount(inverse))


def test_the_order_of_rows_does_not_change_distinct_points() -> None:
    points = np.random.default_rng(0).integers(0, 4, (1000, 3)).astype(float)
    order = np.random.default_rng(1).permutation(1000)
    distinct, inverse, counts = distinct_points(points)
    again, of_shuffled, counts_again = distinct_points(points[order])
    np.testing.assert_array_equal(distinct, again)
    np.testing.assert_array_equal(inverse[order], of_shuffled)
    np.testing.assert_array_equal(counts, counts_again)


def test_negative_zero_equals_zero() -> None:
    distinct, inverse, counts = distinct_points(np.array([[0.0], [-0.0]]))
    assert not np.signbit(distinct).any()
    assert (inverse.tolist(), counts.tolist()) == ([0, 0], [2])


def test_micro_clusters_are_means_of_their_members(micro: MicroClusters) -> None:
    assert micro.points.shape == (len(micro.weights), 6)
    assert 250 < len(micro.weights) <= 300
    np.testing.assert_array_equal(micro.weights, np.bincount(micro.member))
    for cluster in (0, 17, len(micro.weights) - 1):
        mean = POINTS[micro.member == cluster].mean(axis=0)
        np.testing.assert_allclose(micro.points[cluster], mean)


@pytest.mark.parametrize("rows", [2_000, 100_000])
def test_threads_and_tasks_change_no_bit(
    micro: MicroClusters, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    # in this process: others do the same, and take a second to start
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    monkeypatch.setattr(weighted, "ROWS_PER_TASK", rows)
    for threads in (1, 4):
        with threadpool_limits(limits=threads):
            again = micro_clusters(POINTS, seed=0, size=300)
        np.testing.assert_array_equal(again.points, micro.points)
        np.testing.assert_array_equal(again.member, micro.member)


def test_planted_segments_are_found_in_micro_clusters(micro: MicroClusters) -> None:
    tree = weighted_linkage(micro.points, micro.weights, "ward")
    assert adjusted_rand_score(PLANTED, cut(tree, 5)[micro.member]) > 0.98
    clustering = KMeans(5, n_init=5, random_state=0)
    labels = clustering.fit_predict(micro.points, sample_weight=micro.weights)
    assert adjusted_rand_score(PLANTED, labels[micro.member]) > 0.98


def test_few_distinct_points_stand_for_themselves() -> None:
    points = np.repeat(np.arange(5.0), 100)[:, np.newaxis]
    micro = micro_clusters(points, seed=0, size=50)
    np.testing.assert_array_equal(micro.points[micro.member], points)
    assert sorted(micro.weights) == [100] * 5
