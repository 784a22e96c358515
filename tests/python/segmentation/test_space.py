"""Space: the same point for a customer in every batch, run and store."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from customer_segmentation.segmentation.declare import Feature, Segmentation
from customer_segmentation.segmentation.space import DesignMatrix, Projection, Space
from customer_segmentation.segmentation.weighted import Points

NUMERIC = ("standard", "log", "power", "quantile", "passthrough")


# --- the design matrix


def fit(frame: pd.DataFrame, *features: Feature) -> DesignMatrix:
    return DesignMatrix.fit(frame, Segmentation("s", "mall", features))


def test_a_point_does_not_depend_on_its_batch(mixed: tuple) -> None:
    frame, features = mixed
    matrix = fit(frame, *features)

    frame = frame.iloc[:100]
    at_once, is_kept = matrix.transform(frame)
    one_by_one = [matrix.transform(frame.iloc[[i]])[0] for i in range(len(frame))]
    in_thirteens = [
        matrix.transform(frame.iloc[i : i + 13])[0] for i in range(0, len(frame), 13)
    ]

    assert at_once.tobytes() == np.vstack(one_by_one).tobytes()
    assert at_once.tobytes() == np.vstack(in_thirteens).tobytes()
    assert is_kept.sum() == len(at_once) < len(frame)


def test_the_fit_does_not_depend_on_the_order_of_customers(mixed: tuple) -> None:
    frame, features = mixed

    shuffled = frame.sample(frac=1, random_state=3)

    assert fit(shuffled, *features).to_dict() == fit(frame, *features).to_dict()


def test_json_keeps_a_design_matrix_to_the_last_bit(mixed: tuple) -> None:
    frame, features = mixed
    matrix = fit(frame, *features)

    stored = json.dumps(matrix.to_dict(), allow_nan=False)
    restored = DesignMatrix.from_dict(json.loads(stored))

    assert json.dumps(restored.to_dict()) == stored
    before, after = matrix.transform(frame)[0], restored.transform(frame)[0]
    assert before.tobytes() == after.tobytes()


def test_points_lead_back_to_values(mixed: tuple) -> None:
    frame, features = mixed
    matrix = fit(frame, *features)
    points, is_kept = matrix.transform(frame)

    values = pd.DataFrame(matrix.inverse_transform(points), columns=matrix.columns)

    kept = frame[is_kept].reset_index(drop=True)
    for name in (*NUMERIC, "signed"):
        np.testing.assert_allclose(values[name], kept[name], rtol=1e-9)
    visits = kept["visits"].astype("float64")
    np.testing.assert_allclose(values["visits"], visits.fillna(visits.median()))
    for level in ("Cairo", "Giza", "Luxor"):
        np.testing.assert_allclose(values[f"city={level}"], kept["city"] == level)
    np.testing.assert_allclose(values["gender=unknown"], kept["gender"].isna())


@pytest.mark.parametrize("customers", [0, 1])
def test_no_customers_or_one_have_a_defined_result(
    mixed: tuple, customers: int
) -> None:
    frame, features = mixed
    few = frame.iloc[1 : 1 + customers]

    matrix = fit(few, *features)
    points, is_kept = matrix.transform(few)

    assert points.shape == (customers, len(matrix.columns))
    assert is_kept.shape == (customers,)
    assert not points.any()
    assert set(matrix.constant_features) == set(frame.columns)
    assert matrix.transform(frame)[0].shape[0] == frame["signed"].notna().sum()
    assert DesignMatrix.from_dict(matrix.to_dict()).to_dict() == matrix.to_dict()


# --- principal components


def customers(seed: int = 0, count: int = 400) -> Points:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, 5)) @ rng.normal(size=(5, 5)) + 3


def space(points: Points, pca: float | int | None) -> Space:
    columns = points.shape[1]
    blocks = tuple((column,) for column in range(columns))
    return Space.fit(points, blocks, (True,) * columns, pca)


@pytest.mark.parametrize("kept", [1, 3, 5, 0.5, 0.9, 0.999])
def test_components_are_those_of_scikit_learn_but_for_the_sign(kept: float) -> None:
    points = customers()
    found = space(points, kept).points
    expected = PCA(kept, svd_solver="full").fit_transform(points)
    assert found.shape == expected.shape
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-9)


def test_the_sign_of_a_component_is_fixed() -> None:
    points = customers()
    for other in (points, points[::-1], np.vstack([points, points])):
        components = Projection.principal(other, 5).components
        largest = np.abs(components).argmax(axis=1)
        assert (components[np.arange(5), largest] > 0).all()
        np.testing.assert_allclose(
            components, Projection.principal(points, 5).components, atol=1e-9
        )


def test_more_components_than_exist_are_all_of_them() -> None:
    assert space(customers(), 90).points.shape == (400, 5)
    assert space(customers(count=3), 90).points.shape == (3, 3)


@pytest.mark.parametrize("kept", [1, 2, 0.9])
@pytest.mark.parametrize(
    "points",
    [np.zeros((1, 3)), np.full((50, 3), 7.0)],
    ids=["one customer", "all equal"],
)
def test_equal_customers_are_projected_to_one_point(
    points: Points, kept: float
) -> None:
    found = space(points, kept).points
    assert found.shape == (len(points), 1)
    assert np.isfinite(found).all()
    assert len(np.unique(found)) == 1


def test_the_projection_of_a_customer_does_not_depend_on_the_others() -> None:
    points = customers()
    projection = Projection.principal(points, 3)
    whole = projection.transform(points)
    for batch in (slice(0, 1), slice(17, 40), slice(300, 400)):
        np.testing.assert_array_equal(projection.transform(points[batch]), whole[batch])
    assert projection.transform(points[:0]).shape == (0, 3)


def test_all_components_lead_back_and_some_lead_near() -> None:
    points = customers()
    whole = Projection.principal(points, 5)
    np.testing.assert_allclose(
        whole.inverse_transform(whole.transform(points)), points, atol=1e-9
    )
    some = Projection.principal(points, 0.9)
    lost = points - some.inverse_transform(some.transform(points))
    assert 0 < np.square(lost).sum() < 0.1 * np.square(points - points.mean(0)).sum()


def test_projection_comes_back_from_text_to_the_last_bit() -> None:
    points = customers()
    projection = Projection.principal(points, 3)
    again = Projection.from_dict(projection.to_dict())
    np.testing.assert_array_equal(again.transform(points), projection.transform(points))


def test_without_pca_the_design_matrix_is_clustered() -> None:
    points = customers()
    plain = space(points, None)
    assert plain.points is points
    np.testing.assert_array_equal(plain.fit_transform(points[:9]), points[:9])


def test_some_of_the_customers_are_projected_as_they_are() -> None:
    whole = space(customers(), 2)
    rows = np.array([3, 5, 8])
    np.testing.assert_array_equal(whole.take(rows).points, whole.points[rows])
