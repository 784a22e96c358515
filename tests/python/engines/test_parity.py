"""Spark and DuckDB build the same public tables from the same landing zone."""

from pathlib import Path

import pandas as pd
import pytest
from dbt_project import QUICK_SEARCH, WITHOUT_TESTS, Warehouse
from parity import compare_tables, public_tables, spark_tables


def built_on_spark(
    warehouse: Warehouse,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    *arguments: str,
    **options: object,
) -> Path:
    """Build a landing zone on Spark, and return the folder of the tables."""
    other = warehouse.beside(name)
    monkeypatch.setenv("CUSTOMER_SEGMENTATION_SPARK", str(other.folder / "spark"))
    other.build("--target", "spark", *arguments, **options)
    return other.folder / "spark" / "warehouse"


def assert_same_tables(
    ours: dict[str, pd.DataFrame], theirs: dict[str, pd.DataFrame]
) -> None:
    compared = [compare_tables(ours[name], theirs[name], name) for name in theirs]
    assert [one for one in compared if one.problems] == []
    assert sum(one.rows for one in compared) > 1_000


@pytest.mark.usefixtures("spark_installed")
def test_sample_is_the_same_on_both(
    sample: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = built_on_spark(
        sample, "sample_on_spark", monkeypatch, variables=QUICK_SEARCH
    )
    ours, theirs = public_tables(sample.database), spark_tables(folder)
    assert set(ours) == set(theirs)
    assert_same_tables(ours, theirs)


@pytest.mark.usefixtures("spark_installed")
def test_real_invoice_lines_are_the_same_on_both(
    online_retail: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = built_on_spark(
        online_retail,
        "online_retail_on_spark",
        monkeypatch,
        *WITHOUT_TESTS,
        "tag:train+",
        variables={"source_systems": ["online_retail"]},
    )
    ours, theirs = public_tables(online_retail.database), spark_tables(folder)
    assert {"transaction_lines", "customer_rfm", "customer_features"} <= set(theirs)
    assert set(theirs) <= set(ours)
    assert_same_tables(ours, theirs)


@pytest.fixture
def two_tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return two equal tables, their rows in another order."""
    table = pd.DataFrame(
        {
            "customer_key": ["a", "b", "c"],
            "monetary": ["10.00", "", "12.50"],
            "score": [0.1, 0.2, float("nan")],
        }
    )
    return table, table.iloc[::-1].reset_index(drop=True)


def test_order_of_the_rows_is_no_difference(
    two_tables: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    assert compare_tables(*two_tables, "customers").problems == ()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("customer_key", "d"),
        ("monetary", "10.01"),
        ("score", 0.1 * (1 + 1e-5)),
        ("score", float("nan")),
    ],
)
def test_what_differs_is_found(
    two_tables: tuple[pd.DataFrame, pd.DataFrame], column: str, value: object
) -> None:
    one, other = two_tables
    other.loc[2, column] = value
    [problem] = compare_tables(one, other, "customers").problems
    assert problem.startswith(f"{column}: 1 row")


def test_a_row_or_a_column_more_is_found(
    two_tables: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    one, other = two_tables
    assert compare_tables(one, other.iloc[1:], "customers").problems
    assert compare_tables(one, other.drop(columns="score"), "customers").problems
