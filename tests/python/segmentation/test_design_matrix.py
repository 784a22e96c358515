"""Customers as points: transforms, levels, missing values, blocks, the way back."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import PowerTransformer, StandardScaler

from customer_segmentation.errors import InputError
from customer_segmentation.segmentation.design_matrix import DesignMatrix
from customer_segmentation.segmentation.specs import Feature, Segmentation

NUMERIC = ("standard", "log", "power", "quantile", "passthrough")
CUSTOMERS = 400


def fit(frame: pd.DataFrame, *features: Feature) -> DesignMatrix:
    return DesignMatrix.fit(frame, Segmentation("s", "mall", features))


def points_of(frame: pd.DataFrame, *features: Feature) -> np.ndarray:
    return fit(frame, *features).transform(frame)[0]


def one_column(values: object, dtype: str | None = "float64") -> pd.DataFrame:
    return pd.DataFrame({"x": pd.Series(values, dtype=dtype)})


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def mixed(rng: np.random.Generator) -> tuple[pd.DataFrame, tuple[Feature, ...]]:
    """Return features of all kinds, some missing, and how they are declared."""
    n = CUSTOMERS
    frame = pd.DataFrame(
        {
            **{name: rng.lognormal(3, 1, n) for name in NUMERIC},
            "signed": rng.normal(-5, 30, n),
            "visits": pd.array(rng.poisson(3, n), dtype="Int64"),
            "city": pd.Series(rng.choice(["Cairo", "Giza", "Luxor"], n), dtype="str"),
            "gender": pd.Series(rng.choice(["f", "m"], n), dtype="str"),
        }
    )
    frame.loc[::7, "visits"] = pd.NA
    frame.loc[::11, "gender"] = None
    frame.loc[3::50, "signed"] = np.nan
    features = (
        *(Feature(name, name) for name in NUMERIC),
        Feature("signed", "power", 2.0),
        Feature("visits", "log", 1.5, "impute"),
        Feature("city", "onehot", 0.5),
        Feature("gender", "onehot", 0.7, "impute"),
    )
    return frame, features


# --- numeric features


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
def test_extreme_values_keep_finite_and_come_back(
    transform: str, values: list[float]
) -> None:
    frame = one_column(values)
    matrix = fit(frame, Feature("x", transform))

    points, _ = matrix.transform(frame)

    assert np.isfinite(points).all()
    np.testing.assert_allclose(
        matrix.values(points)[:, 0], values, atol=max(1e-8 * max(values), 1e-100)
    )


def test_power_takes_numbers_of_both_signs_and_any_size() -> None:
    points = points_of(one_column([-1e100, -3, 0, 4, 1e100]), Feature("x", "power"))

    assert np.isfinite(points).all()
    assert (np.diff(points[:, 0]) >= 0).all()


def test_power_keeps_large_values_apart(rng: np.random.Generator) -> None:
    # their likeliest exponent would be -10, and 1e6 ** -10 is nothing beside 1
    values = 1e6 * rng.uniform(size=CUSTOMERS) ** -0.1

    points = points_of(one_column(values), Feature("x", "power"))[:, 0]

    assert len(np.unique(points)) == len(np.unique(values))
    assert (np.diff(points[np.argsort(values)]) > 0).all()


@pytest.mark.parametrize("transform", NUMERIC)
def test_differences_of_rounding_are_none(transform: str) -> None:
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
    assert matrix.values(points)[:, 0].tolist() == [expected] * 3
    # a customer who differs after all has nothing to be measured with
    new = pd.DataFrame({"x": [8.0], "y": [1.0]})
    assert matrix.transform(new)[0][0, 0] == 0


def test_all_constant_is_a_matrix_of_zeros() -> None:
    frame = pd.DataFrame({"x": [2.0] * 5, "y": ["a"] * 5})
    features = (Feature("x", "power"), Feature("y", "onehot"))

    assert not points_of(frame, *features).any()
    assert fit(frame, *features).constant_features == ("x", "y")


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
def test_values_of_the_wrong_kind_are_told_apart(
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
def test_a_new_level_is_other_or_nothing(levels: int, expected: str | None) -> None:
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


def test_true_and_false_are_levels() -> None:
    matrix = fit(one_column([True, None, False], "boolean"), Feature("x", "onehot"))

    assert matrix.columns == ("x=False", "x=True")
    assert matrix.transform(one_column([True], "bool"))[0].tolist() == [[0, 1]]


# --- missing values


def test_leave_out_leaves_customers_out_of_the_fit() -> None:
    frame = pd.DataFrame({"x": [1.0, 3, 1000, np.nan], "y": ["a", "b", None, "b"]})
    features = (Feature("x", "standard"), Feature("y", "onehot"))
    matrix = fit(frame, *features)

    points, is_kept = matrix.transform(frame)

    assert is_kept.tolist() == [True, True, False, False]
    assert (matrix.customers, matrix.left_out) == (2, 2)
    assert points.tolist() == [[-1, 1, 0], [1, 0, 1]]


def test_impute_gives_the_median_and_a_flag() -> None:
    frame = one_column([1, 2, 9, None], "Int64")
    matrix = fit(frame, Feature("x", "passthrough", 2.0, "impute"))

    points, is_kept = matrix.transform(frame)

    assert is_kept.all()
    assert matrix.columns == ("x", "x is missing")
    assert points.tolist() == [[2, 0], [4, 0], [18, 0], [4, 2]]
    assert matrix.values(points)[:, 1].tolist() == [0, 0, 0, 1]
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
def test_a_feature_nobody_has(dtype: str) -> None:
    frame = one_column([None, None], dtype)

    imputed = fit(frame, Feature("x", "power", 1.0, "impute"))
    left_out = fit(frame, Feature("x", "power"))

    assert imputed.transform(frame)[0].tolist() == [[0], [0]]
    assert imputed.constant_features == ("x",)
    assert np.isnan(imputed.values(np.zeros((1, 1)))).all()
    assert left_out.transform(frame)[0].shape == (0, 1)
    assert (left_out.customers, left_out.left_out) == (0, 2)


@pytest.mark.parametrize("customers", [0, 1])
def test_no_customers_or_one_are_a_defined_result(mixed: tuple, customers: int) -> None:
    frame, features = mixed
    few = frame.iloc[1 : 1 + customers]

    matrix = fit(few, *features)
    points, is_kept = matrix.transform(few)

    assert points.shape == (customers, len(matrix.columns))
    assert is_kept.shape == (customers,)
    assert not points.any()
    assert set(matrix.constant_features) == set(frame.columns)
    assert matrix.transform(frame)[0].shape[0] == frame["signed"].notna().sum()
    assert DesignMatrix.from_dict(matrix.to_dict()) == matrix


# --- the same for every batch, run and store


def test_a_point_does_not_depend_on_its_batch(mixed: tuple) -> None:
    frame, features = mixed
    matrix = fit(frame, *features)

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

    assert fit(shuffled, *features) == fit(frame, *features)


def test_json_keeps_it_to_the_last_bit(mixed: tuple) -> None:
    frame, features = mixed
    matrix = fit(frame, *features)

    stored = json.dumps(matrix.to_dict(), allow_nan=False)
    restored = DesignMatrix.from_dict(json.loads(stored))

    assert restored == matrix
    assert json.dumps(restored.to_dict()) == stored
    before, after = matrix.transform(frame)[0], restored.transform(frame)[0]
    assert before.tobytes() == after.tobytes()


def test_values_are_the_way_back(mixed: tuple) -> None:
    frame, features = mixed
    matrix = fit(frame, *features)
    points, is_kept = matrix.transform(frame)

    values = pd.DataFrame(matrix.values(points), columns=matrix.columns)

    kept = frame[is_kept].reset_index(drop=True)
    for name in (*NUMERIC, "signed"):
        np.testing.assert_allclose(values[name], kept[name], rtol=1e-9)
    visits = kept["visits"].astype("float64")
    np.testing.assert_allclose(values["visits"], visits.fillna(visits.median()))
    for level in ("Cairo", "Giza", "Luxor"):
        np.testing.assert_allclose(values[f"city={level}"], kept["city"] == level)
    np.testing.assert_allclose(values["gender=unknown"], kept["gender"].isna())


@pytest.mark.parametrize("transform", ["power", "quantile"])
def test_values_off_the_range_end_at_its_ends(transform: str) -> None:
    frame = one_column([1, 2, 4, 50])
    matrix = fit(frame, Feature("x", transform))

    values = matrix.values(np.array([[-40.0], [40.0]]))

    np.testing.assert_allclose(values[:, 0], [1, 50])


# --- blocks


def blocks_of(frame: pd.DataFrame, *features: Feature) -> list[set[str]]:
    """Return the names of the columns of each block of more than one."""
    matrix = fit(frame, *features)
    positions = sorted(position for block in matrix.blocks for position in block)
    assert positions == list(range(len(matrix.columns)))
    return [
        {matrix.columns[position] for position in block}
        for block in matrix.blocks
        if len(block) > 1
    ]


def numeric(*names: str, missing: str = "leave_out") -> tuple[Feature, ...]:
    return tuple(Feature(name, "standard", 1.0, missing) for name in names)


def test_levels_of_a_category_and_a_feature_with_its_flag_are_blocks(
    mixed: tuple,
) -> None:
    frame, features = mixed

    assert blocks_of(frame, *features) == [
        {"visits", "visits is missing"},
        {"city=Cairo", "city=Giza", "city=Luxor"},
        {"gender=f", "gender=m", "gender=unknown"},
    ]


def test_features_of_a_declared_block_are_one(rng: np.random.Generator) -> None:
    frame = pd.DataFrame(rng.normal(size=(50, 3)), columns=["a", "b", "c"])
    frame["d"] = ["x", "y"] * 25
    features = (
        Feature("a", "standard", block="one"),
        Feature("b", "standard"),
        Feature("c", "standard", block="two"),
        Feature("d", "onehot", block="one"),
    )

    assert blocks_of(frame, *features) == [{"a", "d=x", "d=y"}]


@pytest.mark.parametrize("count", ["claims", "redemptions"])
def test_a_rate_and_its_count_are_a_block(rng: np.random.Generator, count: str) -> None:
    claims = rng.poisson(5, CUSTOMERS) + 1
    redemptions = rng.binomial(claims, 0.5)
    frame = pd.DataFrame(
        {
            "claims": claims,
            "redemptions": redemptions,
            "rate": redemptions / claims,
            "age": rng.integers(18, 80, CUSTOMERS),
        }
    )

    assert blocks_of(frame, *numeric("age", "rate", count)) == [{"rate", count}]


def test_a_product_up_to_cents_is_a_block(rng: np.random.Generator) -> None:
    frequency = rng.poisson(3, CUSTOMERS) + 1
    basket_value = rng.lognormal(3, 0.5, CUSTOMERS).round(2)
    frame = pd.DataFrame(
        {
            "frequency": frequency,
            "recency": rng.exponential(90, CUSTOMERS).round(),
            "monetary": (frequency * (basket_value + 0.003)).round(2),
            "basket_value": basket_value,
        }
    )

    assert blocks_of(frame, *numeric(*frame.columns)) == [
        {"frequency", "monetary", "basket_value"}
    ]


def test_a_sum_is_a_block(rng: np.random.Generator) -> None:
    frame = pd.DataFrame(rng.integers(1, 400, (CUSTOMERS, 3)), columns=["r", "s", "x"])
    frame["tenure"] = frame["r"] + frame["s"]

    assert blocks_of(frame, *numeric(*frame.columns)) == [{"r", "s", "tenure"}]


@pytest.mark.parametrize("function", [np.log1p, lambda x: 3 - x, lambda x: x**3])
def test_a_monotone_function_is_a_block(
    rng: np.random.Generator, function: object
) -> None:
    frame = pd.DataFrame(
        rng.poisson(20, (CUSTOMERS, 2)).astype(float), columns=["a", "b"]
    )
    frame["c"] = function(frame["a"])

    assert blocks_of(frame, *numeric("a", "b", "c")) == [{"a", "c"}]


def test_missing_where_another_feature_says_so_is_a_block(
    rng: np.random.Generator,
) -> None:
    frame = pd.DataFrame({"frequency": rng.poisson(2, CUSTOMERS)})
    frame["recency"] = rng.exponential(90, CUSTOMERS)
    frame["regularity"] = rng.exponential(1, CUSTOMERS)
    frame["age"] = rng.integers(18, 80, CUSTOMERS).astype(float)
    frame.loc[frame["frequency"] == 0, "recency"] = np.nan
    frame.loc[frame["frequency"] < 2, "regularity"] = np.nan
    frame.loc[::9, "age"] = np.nan
    features = numeric("recency", "frequency", "regularity", "age", missing="impute")

    assert blocks_of(frame, *features) == [
        {*("recency", "recency is missing", "frequency")}
        | {"regularity", "regularity is missing"},
        {"age", "age is missing"},
    ]


def test_missing_together_is_a_block(rng: np.random.Generator) -> None:
    frame = pd.DataFrame(rng.normal(size=(CUSTOMERS, 2)), columns=["a", "b"])
    frame.loc[::9] = np.nan

    assert blocks_of(frame, *numeric("a", "b", missing="impute")) == [
        {"a", "a is missing", "b", "b is missing"}
    ]


def test_missing_for_one_level_is_a_block(rng: np.random.Generator) -> None:
    city = rng.choice(["a", "b", "c"], CUSTOMERS)
    frame = pd.DataFrame({"city": city, "x": rng.normal(size=CUSTOMERS)})
    frame.loc[city == "b", "x"] = np.nan
    features = (Feature("city", "onehot"), Feature("x", "power", 1.0, "impute"))

    (block,) = blocks_of(frame, *features)

    assert block == {"city=a", "city=b", "city=c", "x", "x is missing"}


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("customers", [3, 12, 300])
def test_independent_features_stay_apart(seed: int, customers: int) -> None:
    rng = np.random.default_rng([seed, customers])
    frame = pd.DataFrame(
        {
            "small": rng.integers(0, 3, customers),
            "even": rng.integers(1, 3, customers) * 2,
            "fours": rng.integers(1, 3, customers) * 4,
            "half": rng.choice([0, 0.5, 1], customers),
            "quarter": rng.choice([0.25, 0.5], customers),
            "rare": rng.choice([0, 1], customers, p=[0.98, 0.02]),
            "flag": rng.integers(0, 2, customers),
            "share": rng.uniform(size=customers),
            "money": rng.lognormal(3, 1, customers).round(2),
            "gappy": rng.normal(size=customers),
            "gappy_count": rng.integers(0, 5, customers).astype(float),
        }
    )
    frame.loc[rng.choice(customers, 1), "gappy"] = np.nan
    frame.loc[rng.choice(customers, max(customers // 20, 1)), "gappy_count"] = np.nan

    assert blocks_of(frame, *numeric(*frame.columns, missing="impute")) == [
        {"gappy", "gappy is missing"},
        {"gappy_count", "gappy_count is missing"},
    ]
