"""Spark and DuckDB build the same public tables from the same landing zone."""

import duckdb
import pandas as pd
import pytest
from dbt_project import QUICK_SEARCH, WITHOUT_TESTS, Warehouse
from parity import compare_tables, public_tables, spark_tables
from spark_warehouse import SparkWarehouse


def assert_same_tables(on_duckdb: Warehouse, on_spark: SparkWarehouse) -> set[str]:
    ours, theirs = (
        public_tables(on_duckdb.database),
        spark_tables(on_spark.tables_folder),
    )
    compared = [compare_tables(ours[name], theirs[name], name) for name in theirs]
    assert [one for one in compared if one.problems] == []
    assert sum(one.rows for one in compared) > 10_000
    return set(ours) - set(theirs)


def test_sample_is_the_same_on_both(
    sample: Warehouse, sample_on_spark: SparkWarehouse
) -> None:
    assert assert_same_tables(sample, sample_on_spark) == set()


def test_public_data_sets_are_the_same_on_both(
    real: Warehouse, real_on_spark: SparkWarehouse
) -> None:
    not_built = assert_same_tables(real, real_on_spark)
    assert {"transaction_lines", "customer_rfm", "rejected_records"}.isdisjoint(
        not_built
    )


def test_further_fits_are_appended(sample_on_spark: SparkWarehouse) -> None:
    folder = sample_on_spark.tables_folder
    fits, prototypes = (
        f"read_parquet('{folder}/{table}/*.parquet')"
        for table in (
            "main_training.db/int_segmentation__fits",
            "main_private.db/int_segmentation__prototypes",
        )
    )
    before = duckdb.sql(f"select fit_id from {fits}").fetchall()
    four = QUICK_SEARCH["segmentations"]["mall_income_score"] | {
        "pin": {"algorithm": "kmeans", "k": 4}
    }
    sample_on_spark.build(
        *("--select", "int_segmentation__candidates", "cluster_candidates"),
        *("cluster_choices", "int_segmentation__fits", "int_segmentation__prototypes"),
        *WITHOUT_TESTS,
        variables={
            **QUICK_SEARCH,
            "source_systems": ["mall"],
            "segmentations": {"mall_income_score": four},
            "prediction_segment_targets": ["rfm"],
        },
    )
    after = duckdb.sql(f"select fit_id from {fits}").fetchall()
    assert sorted(after) == sorted([*before, ("mall_income_score:2",)])
    expanded = duckdb.sql(
        "select count(*), count(distinct (fit_id, prototype_number, feature)),"
        f" count(distinct fit_id) from {prototypes}"
    ).fetchall()
    assert [(rows, rows, len(after)) for rows, _, _ in expanded] == expanded


@pytest.fixture
def two_tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return two equal tables, their rows in another order."""
    table = pd.DataFrame(
        {
            "customer_key": ["a", "b", "c"],
            "monetary": ["10.00", "<null>", "12.50"],
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
        ("customer_key", "aa"),
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
