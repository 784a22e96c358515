"""Transforms of numeric features: those of the field, finite, and invertible."""

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.preprocessing import PowerTransformer, StandardScaler

from customer_segmentation.segmentation.declare import Feature, Segmentation
from customer_segmentation.segmentation.space import DesignMatrix
from customer_segmentation.segmentation.transforms import fitted_transform
from customer_segmentation.segmentation.weighted import Points

NUMERIC = ("standard", "log", "power", "quantile", "passthrough")
CUSTOMERS = 400


def fit(frame: pd.DataFrame, *features: Feature) -> DesignMatrix:
    return DesignMatrix.fit(frame, Segmentation("s", "mall", features))


def points_of(frame: pd.DataFrame, *features: Feature) -> Points:
    return fit(frame, *features).transform(frame)[0]


def one_column(values: object, dtype: str | None = "float64") -> pd.DataFrame:
    return pd.DataFrame({"x": pd.Series(values, dtype=dtype)})


def test_standard_is_that_of_scikit_learn(rng: np.random.Generator) -> None:
    frame = one_column(rng.normal(50, 9, CUSTOMERS))

    points = points_of(frame, Feature("x", "standard"))

    np.testing.assert_allclose(points, StandardScaler().fit_transform(frame))


@pytest.mark.parametrize("shift", [0.0, -20.0])
def test_power_is_that_of_scikit_learn(rng: np.random.Generator, shift: float) -> None:
    frame = one_column(rng.lognormal(3, 1, CUSTOMERS) + shift)

    points = points_of(frame, Feature("x", "power"))

    expected = PowerTransformer().fit_transform(frame)
    np.testing.assert_allclose(points, expected, atol=1e-5)


def test_log_is_log1p_standardised(rng: np.random.Generator) -> None:
    frame = one_column(rng.poisson(4, CUSTOMERS))

    points = points_of(frame, Feature("x", "log"))

    expected = StandardScaler().fit_transform(np.log1p(frame))
    np.testing.assert_allclose(points, expected)


def test_quantile_gives_ranks_and_ties_the_middle() -> None:
    frame = one_column([5, 1, 1, 1, 9, 1, 7, 1])  # five of eight are 1

    points = points_of(frame, Feature("x", "quantile"))[:, 0]

    middles = {1: 2.5 / 8, 5: 5.5 / 8, 7: 6.5 / 8, 9: 7.5 / 8}
    expected = [(middles[x] - 0.5) * math.sqrt(12) for x in frame["x"]]
    np.testing.assert_allclose(points, expected)


def test_quantile_of_many_values_is_uniform(rng: np.random.Generator) -> None:
    frame = one_column(rng.pareto(1.0, 50_000))

    points = points_of(frame, Feature("x", "quantile"))[:, 0]

    ranks = (frame["x"].rank() - 0.5) / len(frame)
    np.testing.assert_allclose(points, (ranks - 0.5) * math.sqrt(12), atol=0.004)
    assert abs(points.std() - 1) < 0.001


def test_passthrough_is_as_it_is_times_its_weight() -> None:
    frame = one_column([3, 1, 4.5])

    points = points_of(frame, Feature("x", "passthrough", 2.0))

    assert points[:, 0].tolist() == [6, 2, 9]


@pytest.mark.parametrize("transform", NUMERIC)
@pytest.mark.parametrize(
    "values",
    [
        [1950.0, 1997, 2000, 2003, 2009],
        [0, 1e100, 5, 7],
        [1e15, 1e15 + 1, 1e15 + 1e5],
        [0, 1e-300],
        [0, 1e-99, 1e-90],
        [1e6, 1e6 + 1, 1e6 + 2, 5e9],
        [0.1 + 0.2, 0.3, 0.3],
        [0, 0, 0, 0, 1],
    ],
    ids=str,
)
def test_extreme_values_stay_finite_and_come_back(
    transform: str, values: list[float]
) -> None:
    frame = one_column(values)
    matrix = fit(frame, Feature("x", transform))

    points, _ = matrix.transform(frame)

    assert np.isfinite(points).all()
    np.testing.assert_allclose(
        matrix.inverse_transform(points)[:, 0],
        values,
        atol=max(1e-8 * max(values), 1e-100),
    )


def test_power_takes_numbers_of_both_signs_and_any_size() -> None:
    points = points_of(one_column([-1e100, -3, 0, 4, 1e100]), Feature("x", "power"))

    assert np.isfinite(points).all()
    assert (np.diff(points[:, 0]) >= 0).all()


def test_power_keeps_large_values_apart(rng: np.random.Generator) -> None:
    # without bounds, their exponent would be -10, and 1e6 ** -10 is lost beside 1
    values = 1e6 * rng.uniform(size=CUSTOMERS) ** -0.1

    points = points_of(one_column(values), Feature("x", "power"))[:, 0]

    assert len(np.unique(points)) == len(np.unique(values))
    assert (np.diff(points[np.argsort(values)]) > 0).all()


@pytest.mark.parametrize("transform", NUMERIC)
def test_differences_by_rounding_only_are_none(transform: str) -> None:
    matrix = fit(one_column([0.1 + 0.2, 0.3, 0.3]), Feature("x", transform))

    assert matrix.constant_features == ("x",)


@pytest.mark.parametrize("transform", [*NUMERIC, "onehot"])
def test_a_constant_feature_is_kept_as_zeros(transform: str) -> None:
    frame = one_column([4, 4, 4]).assign(y=[1.0, 2.0, 3.0])
    matrix = fit(frame, Feature("x", transform), Feature("y", "standard"))

    points, is_kept = matrix.transform(frame)

    assert is_kept.all()
    assert matrix.constant_features == ("x",)
    assert points[:, 0].tolist() == [0, 0, 0]
    assert points[:, 1].any()
    expected = 1 if transform == "onehot" else 4
    assert matrix.inverse_transform(points)[:, 0].tolist() == [expected] * 3
    # a new customer with another value gets the same zero
    new = pd.DataFrame({"x": [8.0], "y": [1.0]})
    assert matrix.transform(new)[0][0, 0] == 0


def test_all_constant_is_a_matrix_of_zeros() -> None:
    frame = pd.DataFrame({"x": [2.0] * 5, "y": ["a"] * 5})
    features = (Feature("x", "power"), Feature("y", "onehot"))

    assert not points_of(frame, *features).any()
    assert fit(frame, *features).constant_features == ("x", "y")


@pytest.mark.parametrize("transform", ["power", "quantile"])
def test_the_inverse_stays_within_the_range_fitted_on(transform: str) -> None:
    frame = one_column([1, 2, 4, 50])
    matrix = fit(frame, Feature("x", transform))

    values = matrix.inverse_transform(np.array([[-40.0], [40.0]]))

    np.testing.assert_allclose(values[:, 0], [1, 50])


@pytest.mark.parametrize("transform", NUMERIC)
def test_a_transform_is_cloned_without_its_fit(transform: str) -> None:
    fitted = fitted_transform(transform, np.arange(9.0))

    unfitted = clone(fitted)

    assert type(unfitted) is type(fitted)
    assert vars(unfitted) == {}
