"""The index shows changed customers, and no change where few of them are drawn."""

import json
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.psi import psi, training_bins

COLUMNS = ["recency_days", "mean_basket_value", "country", "is_gift"]


def customers(count: int, seed: int = 0, later: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "recency_days": rng.poisson(30 + later, count),
            "mean_basket_value": rng.lognormal(3, 1, count).round(2),
            "country": pd.array(
                rng.choice(["UK", "Eire", "France"], count, p=[0.8, 0.15, 0.05]),
                dtype="str",
            ),
            "is_gift": rng.random(count) < 0.3,
        }
    )


def index_of(trained: list, scored: list, dtype: str | None = None) -> pd.Series:
    bins = training_bins(pd.DataFrame({"x": pd.Series(trained, dtype=dtype)}), ["x"])
    bins = json.loads(json.dumps(bins, allow_nan=False))
    [row] = psi(bins, pd.DataFrame({"x": pd.Series(scored, dtype=dtype)})).index
    return psi(bins, pd.DataFrame({"x": pd.Series(scored, dtype=dtype)})).loc[row]


def test_index_is_the_formula() -> None:
    row = index_of(["a"] * 60 + ["b"] * 40, ["a"] * 80 + ["b"] * 120)
    # shares of 0.6 and 0.4 became 0.4 and 0.6
    assert row["psi"] == pytest.approx(2 * 0.2 * np.log(1.5))
    assert row["change"] == "moderate"
    assert (row["training_customers"], row["customers"]) == (100, 200)


def test_deciles_are_cut_between_distinct_values() -> None:
    bins = training_bins(pd.DataFrame({"x": np.arange(1, 101)}), ["x"])
    assert bins["x"]["edges"] == [10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert bins["x"]["counts"] == [0, 0, *[10] * 10, 0]
    tied = training_bins(pd.DataFrame({"x": [0] * 75 + [1] * 10 + [5] * 15}), ["x"])
    assert tied["x"]["edges"] == [0, 1]
    assert tied["x"]["counts"] == [0, 0, 75, 10, 15, 0]


def test_the_same_customers_in_any_order_do_not_drift() -> None:
    frame = customers(500)
    shuffled = frame.sample(frac=1, random_state=1)
    bins = training_bins(frame, COLUMNS)
    assert json.dumps(bins) == json.dumps(training_bins(shuffled, COLUMNS))
    found = psi(json.loads(json.dumps(bins)), shuffled)
    assert list(found["feature"]) == COLUMNS
    assert (found["psi"] == 0).all()
    assert (found["change"] == "little").all()
    more = pd.concat([shuffled] * 3)
    pd.testing.assert_series_equal(psi(bins, more)["psi"], found["psi"])


def test_a_change_is_seen_where_it_is() -> None:
    found = psi(training_bins(customers(2_000), COLUMNS), customers(2_000, 1, 6.0))
    assert dict(zip(found["feature"], found["change"], strict=True)) == {
        "recency_days": "significant",
        "mean_basket_value": "little",
        "country": "little",
        "is_gift": "little",
    }


@pytest.mark.parametrize("count", [1, 10, 50, 1_000])
def test_few_customers_raise_no_false_alarm(count: int) -> None:
    bins = training_bins(customers(1_000), COLUMNS)
    found = pd.concat(psi(bins, customers(count, seed)) for seed in range(1, 51))
    assert found["change"].isin(["moderate", "significant"]).mean() <= 0.02
    # the limit alone would raise false alarms
    if count == 10:
        assert (found["psi"] > 0.25).mean() > 0.1


def test_beyond_the_range_is_a_bin_of_its_own() -> None:
    trained = list(range(1, 51)) * 20
    assert index_of(trained, [*trained, *[-5] * 100])["change"] == "significant"
    assert index_of(trained, [*trained, *[999] * 100])["change"] == "significant"
    assert index_of(trained, [*trained, *[np.inf] * 100])["change"] == "significant"
    assert index_of([*trained, np.inf], trained)["change"] == "little"


def test_missing_is_a_bin_of_its_own() -> None:
    known, gone = [1.0, 2.0] * 50, [1.0, 2.0, None, None] * 25
    assert index_of(known, gone)["change"] == "significant"
    assert index_of(gone, gone)["psi"] == 0
    words = ["a", "b"] * 50, ["a", None] * 50
    assert index_of(*words, dtype="str")["change"] == "significant"


def test_constant_column() -> None:
    assert index_of([7] * 100, [7] * 100)["psi"] == 0
    assert index_of([7] * 100, [8] * 100)["change"] == "significant"
    assert index_of([7] * 100, [6] * 100)["change"] == "significant"


@pytest.mark.parametrize("dtype", ["float64", "str", "object"])
def test_column_without_a_value(dtype: str) -> None:
    empty = [None] * 100
    row = index_of(empty, empty, dtype)
    assert (row["psi"], row["change"]) == (0, "little")


def test_values_where_there_were_none() -> None:
    assert index_of([None] * 100, [3.0] * 100, "float64")["change"] == "significant"
    assert index_of([3.0] * 100, [None] * 100, "float64")["change"] == "significant"
    assert index_of([3.0] * 100, [None] * 100, "object")["change"] == "significant"


def test_new_categories_are_with_the_rare_ones() -> None:
    trained = ["UK"] * 950 + [f"rare {n}" for n in range(50)]
    bins = training_bins(pd.DataFrame({"x": trained}), ["x"])
    assert bins["x"] == {"kind": "category", "names": ["UK"], "counts": [0, 950, 50]}
    assert index_of(trained, ["UK"] * 950 + ["Atlantis"] * 50)["psi"] == 0
    assert index_of(trained, ["UK"] * 500 + ["Atlantis"] * 500)["change"] == (
        "significant"
    )
    never_rare = index_of(["UK"] * 1_000, ["UK"] * 700 + ["Atlantis"] * 300)
    assert never_rare["change"] == "significant"


@pytest.mark.parametrize(("trained", "scored"), [(100, 0), (0, 100), (0, 0)])
def test_without_customers_there_is_no_index(trained: int, scored: int) -> None:
    found = psi(training_bins(customers(trained), COLUMNS), customers(scored))
    nulls = ["psi", "psi_by_chance", "mean_ratio", "change"]
    assert found[nulls].isna().all(axis=None)
    assert (found["customers"] == scored).all()
    assert [str(dtype) for dtype in found.dtypes] == [
        *("str", "float64", "float64", "float64", "float64", "str", "int64", "int64")
    ]


def test_decimals_and_nullable_numbers_are_numbers() -> None:
    frame = pd.DataFrame(
        {
            "amount": [Decimal("1.50"), None, Decimal("2.50")],
            "visits": pd.array([1, None, 3], dtype="Int64"),
        }
    )
    bins = training_bins(frame, ["amount", "visits"])
    assert [bins[name]["kind"] for name in bins] == ["number", "number"]
    assert (psi(bins, frame)["psi"] == 0).all()


def test_columns_that_cannot_be_compared() -> None:
    frame = pd.DataFrame({"x": [1.0], "day": [date(2011, 1, 1)]})
    with pytest.raises(InputError, match="feature y: is not among the columns"):
        training_bins(frame, ["y"])
    with pytest.raises(InputError, match="feature day: holds dates"):
        training_bins(frame, ["day"])
    bins = training_bins(frame, ["x"])
    with pytest.raises(InputError, match="feature x: is not among"):
        psi(bins, frame[["day"]])
    with pytest.raises(InputError, match="a number in training and is a category"):
        psi(bins, pd.DataFrame({"x": ["one"]}))
