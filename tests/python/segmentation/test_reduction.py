"""Fewer points stand for all, and the same ones on any number of threads."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from customer_segmentation.segmentation.linkage import cut, weighted_linkage
from customer_segmentation.segmentation.reduction import (
    Micro,
    distinct_points,
    micro_clusters,
)

CENTRES = 6 * np.random.default_rng(4).normal(size=(5, 6))
PLANTED = np.random.default_rng(5).choice(5, 30_000, p=[0.4, 0.3, 0.15, 0.1, 0.05])
POINTS = CENTRES[PLANTED] + np.random.default_rng(6).normal(size=(30_000, 6))


@pytest.fixture(scope="module")
def micro() -> Micro:
    return micro_clusters(POINTS, seed=0, size=600)


def test_distinct_points_are_the_points_again() -> None:
    points = np.random.default_rng(0).integers(-2, 3, (1000, 3)) / 3
    distinct, inverse, counts = distinct_points(points)
    np.testing.assert_array_equal(distinct[inverse], points)
    assert len(distinct) == len(set(map(tuple, points.tolist()))) == len(counts)
    np.testing.assert_array_equal(counts, np.bincount(inverse))


def test_order_of_the_rows_does_not_change_distinct_points() -> None:
    points = np.random.default_rng(0).integers(0, 4, (1000, 3)).astype(float)
    order = np.random.default_rng(1).permutation(1000)
    distinct, inverse, counts = distinct_points(points)
    again, of_shuffled, counts_again = distinct_points(points[order])
    np.testing.assert_array_equal(distinct, again)
    np.testing.assert_array_equal(inverse[order], of_shuffled)
    np.testing.assert_array_equal(counts, counts_again)


def test_zero_has_no_sign() -> None:
    distinct, inverse, counts = distinct_points(np.array([[0.0], [-0.0]]))
    assert not np.signbit(distinct).any()
    assert (inverse.tolist(), counts.tolist()) == ([0, 0], [2])


def test_micro_clusters_are_means_of_their_members(micro: Micro) -> None:
    assert micro.points.shape == (len(micro.weights), 6)
    assert 500 < len(micro.weights) <= 600
    np.testing.assert_array_equal(micro.weights, np.bincount(micro.member))
    for cluster in (0, 17, len(micro.weights) - 1):
        mean = POINTS[micro.member == cluster].mean(axis=0)
        np.testing.assert_allclose(micro.points[cluster], mean)


def test_threads_change_no_bit(micro: Micro) -> None:
    for threads in (1, 4):
        with threadpool_limits(limits=threads):
            again = micro_clusters(POINTS, seed=0, size=600)
        np.testing.assert_array_equal(again.points, micro.points)
        np.testing.assert_array_equal(again.member, micro.member)


def test_planted_segments_survive(micro: Micro) -> None:
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
