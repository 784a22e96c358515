"""The space of the fit is that of every later customer."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from customer_segmentation.segmentation.indices import Points
from customer_segmentation.segmentation.space import Projection, Space


def customers(seed: int = 0, count: int = 400) -> Points:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, 5)) @ rng.normal(size=(5, 5)) + 3


def space(points: Points, pca: float | int | None) -> Space:
    columns = points.shape[1]
    blocks = tuple((column,) for column in range(columns))
    return Space.of(points, blocks, (True,) * columns, pca)


@pytest.mark.parametrize("kept", [1, 3, 5, 0.5, 0.9, 0.999])
def test_components_are_those_of_scikit_learn_but_for_the_sign(kept: float) -> None:
    points = customers()
    found = space(points, kept).points
    expected = PCA(kept, svd_solver="full").fit_transform(points)
    assert found.shape == expected.shape
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-9)


def test_sign_of_a_component_is_fixed() -> None:
    points = customers()
    for other in (points, points[::-1], np.vstack([points, points])):
        components = Projection.principal(other, 5).components
        greatest = np.abs(components).argmax(axis=1)
        assert (components[np.arange(5), greatest] > 0).all()
        np.testing.assert_allclose(
            components, Projection.principal(points, 5).components, atol=1e-9
        )


def test_more_components_than_there_are_is_all_of_them() -> None:
    assert space(customers(), 90).points.shape == (400, 5)
    assert space(customers(count=3), 90).points.shape == (3, 3)


@pytest.mark.parametrize("kept", [1, 2, 0.9])
@pytest.mark.parametrize(
    "points",
    [np.zeros((1, 3)), np.full((50, 3), 7.0)],
    ids=["one customer", "all equal"],
)
def test_who_do_not_differ_are_projected_all_the_same(
    points: Points, kept: float
) -> None:
    found = space(points, kept).points
    assert found.shape == (len(points), 1)
    assert np.isfinite(found).all()
    assert len(np.unique(found)) == 1


def test_projection_of_a_customer_does_not_depend_on_the_others() -> None:
    points = customers()
    projection = Projection.principal(points, 3)
    whole = projection.apply(points)
    for batch in (slice(0, 1), slice(17, 40), slice(300, 400)):
        np.testing.assert_array_equal(projection.apply(points[batch]), whole[batch])
    assert projection.apply(points[:0]).shape == (0, 3)


def test_all_components_lead_back_and_some_lead_near() -> None:
    points = customers()
    whole = Projection.principal(points, 5)
    np.testing.assert_allclose(whole.invert(whole.apply(points)), points, atol=1e-9)
    some = Projection.principal(points, 0.9)
    lost = points - some.invert(some.apply(points))
    assert 0 < np.square(lost).sum() < 0.1 * np.square(points - points.mean(0)).sum()


def test_projection_comes_back_from_text_to_the_last_bit() -> None:
    points = customers()
    projection = Projection.principal(points, 3)
    again = Projection.from_dict(projection.to_dict())
    np.testing.assert_array_equal(again.apply(points), projection.apply(points))


def test_without_pca_the_design_matrix_is_clustered() -> None:
    points = customers()
    plain = space(points, None)
    assert plain.points is points
    np.testing.assert_array_equal(plain.projected_anew(points[:9]), points[:9])


def test_sample_is_of_the_customers_and_projected_as_they_are() -> None:
    whole = space(customers(), 2)
    rng = np.random.default_rng
    assert whole.sampled(rng(0), 400) is whole
    sample = whole.sampled(rng(0), 100)
    assert sample.points.shape == (100, 2)
    assert set(map(tuple, sample.points)) < set(map(tuple, whole.points))
    np.testing.assert_array_equal(sample.points, whole.sampled(rng(0), 100).points)
