"""Encoders: wrong values, categories, and missing values."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from customer_segmentation.errors import InputError
from customer_segmentation.segmentation.declare import Feature, Segmentation
from customer_segmentation.segmentation.encoders import (
    CategoryEncoder,
    NumericEncoder,
)
from customer_segmentation.segmentation.space import DesignMatrix


def fit(frame: pd.DataFrame, *features: Feature) -> DesignMatrix:
    return DesignMatrix.fit(frame, Segmentation("s", "mall", features))


def one_column(values: object, dtype: str | None = "float64") -> pd.DataFrame:
    return pd.DataFrame({"x": pd.Series(values, dtype=dtype)})


# --- wrong values


@pytest.mark.parametrize(
    ("values", "dtype", "transform", "problem"),
    [
        ([1, np.inf, -np.inf], "float64", "standard", "2 customers have an infinite"),
        ([1, np.inf, 2], "float64", "onehot", "1 customers have an infinite"),
        ([1, -1, 2], "float64", "log", "use transform: power"),
        (["a", "b", "c"], "str", "standard", "use transform: onehot"),
        (["1", None, "2"], "str", "power", "use transform: onehot"),
        ([1.5, 2, 3], "float64", "onehot", "use transform: standard"),
        (["2024-01-01"], "datetime64[ns]", "standard", "counts days"),
    ],
)
def test_values_of_the_wrong_kind_are_one_readable_error(
    values: list, dtype: str, transform: str, problem: str
) -> None:
    with pytest.raises(InputError) as raised:
        fit(one_column(values, dtype), Feature("x", transform))

    assert str(raised.value).startswith("segmentation s: features.x: ")
    assert problem in str(raised.value)


def test_new_customers_are_checked_as_well() -> None:
    matrix = fit(one_column([1, 2, 3]), Feature("x", "log"))

    with pytest.raises(InputError, match=r"features\.x: 1 customers are below 0"):
        matrix.transform(one_column([-2, 5]))
    with pytest.raises(InputError, match=r"features\.x: there is no feature 'x'"):
        matrix.transform(pd.DataFrame({"y": [1.0]}))


# --- categories


def test_levels_are_columns_by_name_times_the_weight() -> None:
    frame = one_column(["m", "f", "m"], "str")
    matrix = fit(frame, Feature("x", "onehot", 0.5))

    points, _ = matrix.transform(frame)

    assert matrix.columns == ("x=f", "x=m")
    assert points.tolist() == [[0, 0.5], [0.5, 0], [0, 0.5]]
    assert matrix.is_numeric == (False, False)


def test_a_thousand_cities_are_the_29_most_frequent_and_the_others() -> None:
    cities = [f"c{i:03}" for i in range(1000)]
    frame = one_column([*cities, *cities[500:510] * 3, *cities[:3]], "str")
    matrix = fit(frame, Feature("x", "onehot"))

    points, _ = matrix.transform(frame)

    # the ten of four customers, three of two, and of the ties the first by name
    named = [*cities[:3], *cities[500:510], *cities[3:19]]
    assert matrix.columns == (*(f"x={city}" for city in sorted(named)), "x=other")
    assert (points.sum(axis=1) == 1).all()
    assert points[:, -1].sum() == 1000 - 29


def test_thirty_levels_need_no_other() -> None:
    matrix = fit(
        one_column([f"c{i:02}" for i in range(30)], "str"), Feature("x", "onehot")
    )

    assert len(matrix.columns) == 30
    assert "x=other" not in matrix.columns


@pytest.mark.parametrize(("levels", "expected"), [(40, "x=other"), (3, None)])
def test_a_new_level_is_other_or_has_no_column(
    levels: int, expected: str | None
) -> None:
    frame = one_column([f"c{i:02}" for i in range(levels)], "str")
    matrix = fit(frame, Feature("x", "onehot"))

    points, is_kept = matrix.transform(one_column(["Atlantis"], "str"))

    assert is_kept.tolist() == [True]
    assert points[0].tolist() == [float(name == expected) for name in matrix.columns]


def test_whole_numbers_are_the_same_levels_with_nulls_and_without() -> None:
    matrix = fit(one_column([1, 2, 2], "int64"), Feature("x", "onehot"))

    points, is_kept = matrix.transform(one_column([2, None, 1], "Int64"))

    assert matrix.columns == ("x=1", "x=2")
    assert is_kept.tolist() == [True, False, True]
    assert points.tolist() == [[0, 1], [1, 0]]


def test_booleans_are_levels() -> None:
    matrix = fit(one_column([True, None, False], "boolean"), Feature("x", "onehot"))

    assert matrix.columns == ("x=False", "x=True")
    assert matrix.transform(one_column([True], "bool"))[0].tolist() == [[0, 1]]


# --- missing values


def test_exclude_excludes_customers_from_the_fit() -> None:
    frame = pd.DataFrame({"x": [1.0, 3, 1000, np.nan], "y": ["a", "b", None, "b"]})
    features = (Feature("x", "standard"), Feature("y", "onehot"))
    matrix = fit(frame, *features)

    points, is_kept = matrix.transform(frame)

    assert is_kept.tolist() == [True, True, False, False]
    assert (matrix.customers, matrix.excluded_customers) == (2, 2)
    assert points.tolist() == [[-1, 1, 0], [1, 0, 1]]


def test_impute_gives_the_median_and_a_flag() -> None:
    frame = one_column([1, 2, 9, None], "Int64")
    matrix = fit(frame, Feature("x", "passthrough", 2.0, "impute"))

    points, is_kept = matrix.transform(frame)

    assert is_kept.all()
    assert matrix.columns == ("x", "x is missing")
    assert points.tolist() == [[2, 0], [4, 0], [18, 0], [4, 2]]
    assert matrix.inverse_transform(points)[:, 1].tolist() == [0, 0, 0, 1]
    assert matrix.is_numeric == (True, False)


def test_impute_needs_no_flag_if_nothing_was_missing() -> None:
    matrix = fit(one_column([1, 2, 9]), Feature("x", "passthrough", 1.0, "impute"))

    points, _ = matrix.transform(one_column([None, 5]))

    assert matrix.columns == ("x",)
    assert points.tolist() == [[2], [5]]


def test_impute_gives_a_category_the_level_unknown() -> None:
    frame = one_column(["a", None, "b"], "str")
    matrix = fit(frame, Feature("x", "onehot", 1.0, "impute"))

    points, _ = matrix.transform(frame)

    assert matrix.columns == ("x=a", "x=b", "x=unknown")
    assert points.tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]


@pytest.mark.parametrize("dtype", ["float64", "Int64", "object", "str"])
def test_a_feature_that_no_customer_has(dtype: str) -> None:
    frame = one_column([None, None], dtype)

    imputed = fit(frame, Feature("x", "power", 1.0, "impute"))
    excluded = fit(frame, Feature("x", "power"))

    assert imputed.transform(frame)[0].tolist() == [[0], [0]]
    assert imputed.constant_features == ("x",)
    assert np.isnan(imputed.inverse_transform(np.zeros((1, 1)))).all()
    assert excluded.transform(frame)[0].shape == (0, 1)
    assert (excluded.customers, excluded.excluded_customers) == (0, 2)


def test_an_encoder_is_cloned_without_its_fit() -> None:
    for encoder, values in (
        (NumericEncoder("x", "log", 0.5, imputes=True), pd.Series([1.0, 2.0, np.nan])),
        (CategoryEncoder("x", 0.5, max_levels=9), pd.Series(["a", "b"])),
    ):
        unfitted = clone(encoder.fit(values))

        assert unfitted.get_params() == encoder.get_params()
        assert not [name for name in vars(unfitted) if name.endswith("_")]
