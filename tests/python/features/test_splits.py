"""The SQL of the splits gives the rows of an independent program for any record."""

from datetime import date, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from dbt_project import VARS, Sample
from split_reference import Record, Rules, splits_of

from customer_segmentation.settings import check_variables

SPLITS = "int_features__splits"
TODAY = date(2011, 12, 10)
RULES = Rules(
    **{
        name: VARS[f"prediction_{name}"]
        for name in (
            *("horizon_days", "history_days", "burn_in_days", "test_days"),
            *("new_customer_days", "segment_days", "interest_days"),
        )
    },
    backtest_horizon_days=tuple(VARS["prediction_backtest_horizon_days"]),
)
OTHER_RULES = Rules(100, 60, 0, 20, 3, 40, (30, 90, 180), 50)


def splits_by_sql(compiled_code: str, records: list[Record]) -> list[dict[str, Any]]:
    """Return what the SQL says of source systems with these records."""
    source_systems = pa.Table.from_pylist([vars(record) for record in records])
    with duckdb.connect() as connection:
        connection.register("records", source_systems)
        code = compiled_code.replace('"main"."source_systems"', '"source_systems"')
        products = '"main_private"."int_online_retail__products"'
        code = code.replace(products, '"products"')
        connection.execute("attach ':memory:' as warehouse; use warehouse")
        connection.execute("create table source_systems as from records")
        connection.execute(
            "create table products as"
            " select source_system, true as is_product, null as product_key,"
            " null as product_id, null as product_name, null as category"
            " from records"
        )
        return connection.execute(code).to_arrow_table().to_pylist()


def assert_same_splits(compiled_code: str, rules: Rules) -> None:
    records = [
        Record(f"shop {days}", TODAY, TODAY - timedelta(days))
        for days in range(1, 1_300)
    ]
    found = splits_by_sql(compiled_code, records)
    expected = [split.row() for one in records for split in splits_of(one, rules)]
    assert len(found) == len(expected) > 1_000
    as_rows = [
        {tuple(sorted(row.items())) for row in rows} for rows in (found, expected)
    ]
    assert as_rows[0] == as_rows[1]


def test_sql_splits_records_of_any_length(manifest: dict[str, Any]) -> None:
    node = manifest["nodes"][f"model.customer_segmentation.{SPLITS}"]
    assert_same_splits(node["compiled_code"], RULES)


def test_sql_splits_by_other_rules(sample: Sample) -> None:
    variables = {
        f"prediction_{name}": list(value) if isinstance(value, tuple) else value
        for name, value in vars(OTHER_RULES).items()
    }
    finished = sample.dbt("compile", "--select", SPLITS, variables=variables)
    assert finished.returncode == 0, finished.stdout
    folder = sample.target(variables) / "compiled" / "customer_segmentation"
    [file] = folder.rglob(f"{SPLITS}.sql")
    assert_same_splits(file.read_text(encoding="utf-8"), OTHER_RULES)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prediction_horizon_days", 0),
        ("prediction_backtest_horizon_days", [90, 90]),
        ("training_customers", "many"),
    ],
)
def test_a_wrong_length_is_an_error_with_its_name(name: str, value: object) -> None:
    [sentence] = check_variables(VARS | {name: value})
    assert sentence.startswith(f"The var {name} is {value}: give")


def test_a_wrong_length_stops_dbt(sample: Sample) -> None:
    wrong = {"training_customers": "many"}
    finished = sample.dbt("compile", "--select", SPLITS, variables=wrong)
    assert finished.returncode != 0
    assert "The var training_customers is many" in finished.stdout
