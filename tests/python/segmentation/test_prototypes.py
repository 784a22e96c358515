"""Customers join the segment of the nearest prototype, in any batch."""

import json

import numpy as np
import pytest

from customer_segmentation.segmentation.prototypes import (
    Prototypes,
    centroids,
    points_as_prototypes,
)


def some(count: int, segments: int, reach: float | None = None) -> Prototypes:
    """Return prototypes of segments 0 (outliers) to `segments` - 1."""
    rng = np.random.default_rng(count)
    return Prototypes(
        rng.normal(size=(count, 4)),
        np.arange(count) % segments,
        rng.integers(1, 9, count).astype(float),
        reach,
    )


POINTS = np.random.default_rng(0).normal(size=(500, 4))


@pytest.mark.parametrize(
    "prototypes", [some(8, 8), some(30, 3), some(900, 6, 1.0), some(70, 2)]
)
def test_the_segment_is_that_of_the_nearest_prototype(prototypes: Prototypes) -> None:
    found = prototypes.assign(POINTS)
    away = np.linalg.norm(POINTS[:, np.newaxis] - prototypes.positions, axis=2)
    segment = prototypes.segments[away.argmin(axis=1)]
    is_reached = away.min(axis=1) <= (prototypes.reach or np.inf)
    np.testing.assert_array_equal(found.segment, np.where(is_reached, segment, 0))
    np.testing.assert_array_equal(found.prototype, away.argmin(axis=1))
    np.testing.assert_array_equal(prototypes.nearest_segments(POINTS), found.segment)
    middles = prototypes.means()
    to_middles = np.stack(
        [np.linalg.norm(POINTS - middle, axis=1) for middle in middles.values()], axis=1
    )
    is_own = found.segment[:, np.newaxis] == np.array(list(middles))
    is_outlier = found.segment == 0
    own = np.where(is_own, to_middles, 0).sum(axis=1)
    other = np.where(is_own, np.inf, to_middles).min(axis=1)
    np.testing.assert_allclose(found.distance, np.where(is_outlier, other, own))
    centrality = np.where(is_outlier, 0, np.clip(1 - own / other, 0, 1))
    np.testing.assert_allclose(found.centrality, centrality, atol=1e-12)


@pytest.mark.parametrize("prototypes", [some(8, 8), some(900, 6, 1.0)])
def test_a_batch_changes_no_bit(prototypes: Prototypes) -> None:
    whole = prototypes.assign(POINTS)
    rows = np.random.default_rng(1).permutation(len(POINTS))
    for batch in np.split(rows, [1, 2, 7, 200]):
        found = prototypes.assign(POINTS[batch])
        np.testing.assert_array_equal(found.segment, whole.segment[batch])
        np.testing.assert_array_equal(found.distance, whole.distance[batch])
        np.testing.assert_array_equal(found.centrality, whole.centrality[batch])


def test_a_tie_goes_to_the_lower_id_without_centrality() -> None:
    prototypes = Prototypes(np.array([[2.0], [0.0]]), np.array([1, 2]), np.ones(2))
    found = prototypes.assign(np.array([[1.0], [0.0], [0.5]]))
    assert found.segment.tolist() == [1, 2, 2]
    assert found.centrality.tolist() == pytest.approx([0, 1, 2 / 3])


def test_equal_prototypes_of_two_segments_give_no_centrality() -> None:
    twins = Prototypes(np.zeros((2, 1)), np.array([1, 2]), np.ones(2))
    found = twins.assign(np.zeros((1, 1)))
    assert (found.segment[0], found.centrality[0]) == (1, 0)


def test_customers_of_the_only_segment_are_central() -> None:
    one = Prototypes(np.zeros((1, 2)), np.array([1]), np.ones(1))
    assert one.assign(np.ones((3, 2))).centrality.tolist() == [1, 1, 1]


def test_no_customers_get_no_segment() -> None:
    for prototypes in (some(8, 8), some(900, 6)):
        assert prototypes.assign(np.empty((0, 4))).segment.shape == (0,)


def test_json_keeps_every_bit() -> None:
    for prototypes in (some(8, 8), some(900, 6, 0.1 + 0.2)):
        text = json.dumps(prototypes.to_dict(), allow_nan=False)
        again = Prototypes.from_dict(json.loads(text))
        np.testing.assert_array_equal(again.positions, prototypes.positions)
        np.testing.assert_array_equal(again.segments, prototypes.segments)
        np.testing.assert_array_equal(again.weights, prototypes.weights)
        assert again.reach == prototypes.reach


def test_centroids_are_weighted_means_without_outliers() -> None:
    points = np.array([[0.0], [3.0], [10.0], [99.0]])
    found = centroids(points, np.array([2, 2, 1, 0]), np.array([2.0, 1.0, 5.0, 7.0]))
    assert found.segments.tolist() == [1, 2]
    assert found.positions.tolist() == [[10.0], [1.0]]
    assert found.weights.tolist() == [5.0, 3.0]
    assert found.reach is None


def test_points_assign_themselves_as_they_were_fitted() -> None:
    segments = np.random.default_rng(2).integers(0, 4, len(POINTS))
    fitted = points_as_prototypes(POINTS, segments, np.ones(len(POINTS)), 0.5)
    found = fitted.assign(POINTS)
    np.testing.assert_array_equal(found.segment, segments)


def test_new_ids_move_no_border() -> None:
    prototypes = some(900, 6)
    ids = {1: 7, 2: 3, 3: 1, 4: 2, 5: 12}
    renamed = prototypes.with_ids(ids).assign(POINTS)
    before = prototypes.assign(POINTS)
    expected = [ids.get(segment, 0) for segment in before.segment.tolist()]
    assert renamed.segment.tolist() == expected
    np.testing.assert_array_equal(renamed.distance, before.distance)
