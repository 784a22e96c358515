"""Blocks: features that are functions of each other are found, and no others."""

import numpy as np
import pandas as pd
import pytest

from customer_segmentation.segmentation.declare import Feature, Segmentation
from customer_segmentation.segmentation.space import DesignMatrix

CUSTOMERS = 400


def fit(frame: pd.DataFrame, *features: Feature) -> DesignMatrix:
    return DesignMatrix.fit(frame, Segmentation("s", "mall", features))


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


def numeric(*names: str, missing: str = "exclude") -> tuple[Feature, ...]:
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


@pytest.mark.parametrize(
    ("customers", "seed"),
    [
        *((3, seed) for seed in range(20)),
        *((12, seed) for seed in range(20)),
        *((300, seed) for seed in range(6)),
    ],
)
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
