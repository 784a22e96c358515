"""The tables of the sample agree with its truth, whichever way the data are read."""

from collections import Counter
from pathlib import Path

import duckdb
import pytest
from dbt_project import (
    ONLY_MALL,
    QUICK_SEARCH,
    UNIT_TESTS,
    WITHOUT_TESTS,
    WITHOUT_TRAINING,
    Sample,
    Warehouse,
    differences,
    read_csv,
)

MARTS = {
    f"main.{name}"
    for name in (
        *("branches", "customers", "merchants", "products", "rejected_records"),
        *("source_systems", "transaction_lines", "transactions"),
        *("customer_rfm", "rfm_cut_points"),
    )
}


def test_every_planted_row_is_rejected_for_its_one_reason(sample: Sample) -> None:
    planted = {
        (row["source_system"], row["source_table"], row["reason"]): int(row["rows"])
        for row in read_csv(sample.truth / "planted_dirt.csv")
    }
    rejected = sample.rows(
        "select source_system, source_table, reasons, count(*) from rejected_records"
        " group by all"
    )
    assert {tuple(key): count for *key, count in rejected} == planted


def test_every_raw_row_is_staged_or_rejected(sample: Sample) -> None:
    for row in read_csv(sample.truth / "planted_totals.csv"):
        system, table = row["source_system"], row["source_table"]
        landed = sample.landing / system / table / "*.parquet"
        staged = sample.value(
            f"from main_private.stg_{system}__{table} select count(*) where is_usable"
        )
        rejected = sample.value(
            "select count(*) from rejected_records"
            f" where source_system = '{system}' and source_table = '{table}'"
        )
        assert sample.value(f"from '{landed}' select count(*)") == int(row["rows"])
        assert (staged, staged + rejected) == (
            int(row["clean_rows"]),
            int(row["rows"]),
        ), (system, table)


@pytest.mark.parametrize("source_system", ["marketplace", "online_retail", "mall"])
def test_no_customer_is_lost_or_invented(sample: Sample, source_system: str) -> None:
    truth = read_csv(sample.truth / f"{source_system}_customers.csv")
    found = sample.rows(
        f"select customer_id from customers where source_system = '{source_system}'"
    )
    assert Counter(customer for (customer,) in found) == Counter(
        row["customer_id"] for row in truth
    )


@pytest.mark.parametrize(
    "query",
    [
        "from transactions select count(*)"
        " where source_system = 'online_retail' and customer_key is null",
        "from customers select count(*) where lifetime_transactions = 0",
        "from customer_rfm select count(*)"
        " where frequency = 0 and recency_score is null and rfm_segment = 'Prospects'",
        "select count(*) from merchants anti join branches using (merchant_key)",
    ],
    ids=["guests", "never transacted", "prospects", "merchants without branches"],
)
def test_rows_that_joins_could_lose_are_there(sample: Sample, query: str) -> None:
    assert sample.value(query) > 0


def test_frozen_cut_points_stay_while_customers_move(
    sample: Sample, rebuilt: Warehouse
) -> None:
    earlier = {"marketplace": "2024-01-01", "online_retail": "2011-06-01"}
    cut_points = {"main.rfm_cut_points": "select * from {}"}
    rebuilt.build(
        *("--select", "+customer_rfm", *WITHOUT_TESTS),
        variables={"rfm_cut_points": "frozen", "as_of_date": earlier},
    )
    as_of_dates = rebuilt.rows(
        "select distinct source_system, as_of_date::text from customer_rfm"
    )
    assert dict(as_of_dates) == earlier
    assert not differences(sample, rebuilt, cut_points)
    assert differences(sample, rebuilt, {"main.customer_rfm": "select * from {}"})
    rebuilt.build(
        *("--select", "rfm_cut_points", *WITHOUT_TESTS),
        variables={"rfm_cut_points": "refit", "as_of_date": earlier},
    )
    assert differences(sample, rebuilt, cut_points)


def test_one_source_system_leaves_the_other_tables_empty(sample: Sample) -> None:
    other = sample.beside("only_mall", same_landing=False)
    other.landing.mkdir()
    (other.landing / "mall").symlink_to(sample.landing / "mall")
    other.build("--exclude", UNIT_TESTS, variables=ONLY_MALL)
    assert other.tables() >= MARTS
    sizes = {table: other.value(f"from {table} select count(*)") for table in MARTS}
    filled = {table for table, size in sizes.items() if size}
    assert filled == {"main.customers", "main.rejected_records", "main.source_systems"}
    query = "select * from {} where source_system = 'mall'"
    assert not differences(sample, other, dict.fromkeys(filled, query))


def test_empty_landing_zone_stops_the_build_with_one_message(
    sample: Sample,
) -> None:
    empty = sample.beside("empty", same_landing=False)
    # the vars of the sample: dbt need not parse the project again
    finished = empty.dbt("build", variables=QUICK_SEARCH)
    assert finished.returncode != 0
    assert finished.stdout.count("customer-segmentation land") == 1, finished.stdout
    assert not empty.database.exists() or not empty.tables()


def test_unknown_source_system_stops_the_build_with_one_message(
    sample: Sample,
) -> None:
    other = sample.beside("unknown")
    finished = other.dbt("build", variables={"source_systems": ["mall", "shop"]})
    assert finished.returncode != 0
    message = "The var source_systems names shop,"
    assert finished.stdout.count(message) == 1, finished.stdout
    assert not other.database.exists() or not other.tables()


def fill_raw_schema(
    sample: Sample, database: Path, system: str, schema: str, types: dict[str, str]
) -> None:
    """Put the clean raw rows of a source system into a schema, typed by column name."""
    with duckdb.connect(database) as connection:
        connection.execute(f"attach '{sample.database}' as built (read_only)")
        connection.execute(f"create schema {schema}")
        for folder in (sample.landing / system).iterdir():
            rows = f"read_parquet('{folder}/*.parquet')"
            columns = [
                row[0] for row in connection.execute(f"describe from {rows}").fetchall()
            ]
            typed = ", ".join(
                f"try_cast({column} as {types.get(column, 'text')}) as {column}"
                for column in columns
                if column != "amount"
            )
            record = ", ".join(f"'{column}', {column}" for column in columns)
            connection.execute(
                f"""
                create table {schema}.{folder.name} as
                select {typed} from (select distinct * from {rows})
                where json_object({record})::text not in (
                    select raw_record from built.rejected_records
                    where source_system = '{system}'
                        and source_table = '{folder.name}'
                        and reasons <> 'exact_duplicate'
                )
                """
            )


def test_typed_warehouse_tables_build_the_same_marts(sample: Sample) -> None:
    other = sample.beside("source_schemas", same_landing=False)
    ids = ("customer", "gender", "city", "merchant", "branch", "transaction")
    types = {f"{name}_id": "bigint" for name in ids}
    types |= {"join_date": "date", "transaction_date": "date", "burn_date": "timestamp"}
    types |= {"age": "int", "annual_income": "double", "spending_score": "int"}
    fill_raw_schema(sample, other.database, "marketplace", "raw_shop", types)
    fill_raw_schema(sample, other.database, "mall", "raw_mall", types)
    other.build(
        *(*WITHOUT_TRAINING, UNIT_TESTS),
        variables={
            "source_systems": ["marketplace", "mall"],
            "source_schemas": {"marketplace": "raw_shop", "mall": "raw_mall"},
        },
    )
    ours = "where source_system in ('marketplace', 'mall')"
    without = {
        "branches": "",
        "merchants": "",
        "customers": "exclude (lifetime_spent)",
        "transactions": "exclude (amount)",
        "source_systems": "exclude (has_amounts)",
        "customer_rfm": "exclude (monetary, monetary_score)",
    }
    queries = {
        f"main.{table}": f"select * {exclude} from {{}} {ours}"
        for table, exclude in without.items()
    }
    queries["main.rfm_cut_points"] = (
        f"select * from {{}} {ours} and measure <> 'monetary'"
    )
    assert not differences(sample, other, queries)
    assert other.rows("from source_systems select has_amounts") == [(False,)] * 2
    assert other.value("from rejected_records select count(*)") == 0
