"""Weighted linkage is SciPy's on repeated points."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.cluster import AgglomerativeClustering

from customer_segmentation.segmentation.linkage import cut, weighted_linkage

METHODS = ["ward", "average"]


def same_partition(left: NDArray[np.intp], right: NDArray[np.intp]) -> bool:
    pairs = len(set(zip(left.tolist(), right.tolist(), strict=True)))
    return pairs == len(set(left.tolist())) == len(set(right.tolist()))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(5))
def test_unit_weights_are_scipy(method: str, seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(200, 3))
    expected = linkage(points, method)
    found = weighted_linkage(points, np.ones(200), method)
    np.testing.assert_array_equal(found[:, :2], expected[:, :2])
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    for k in range(1, 201):
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
