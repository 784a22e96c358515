"""Tables are read in one order, and written batch by batch."""

import hashlib
from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from customer_segmentation import engine

SCHEMA = pa.schema([("customer_key", pa.string()), ("doubled", pa.float64())])
CUSTOMERS = 60_000


def customers() -> pa.Table:
    """Return customers in no order."""
    numbers = np.random.default_rng(0).permutation(CUSTOMERS)
    monetary = pa.array(numbers).cast(pa.decimal128(21, 2))
    return pa.table(
        {
            "customer_key": [f"c{number * 7919 % CUSTOMERS}" for number in numbers],
            "source_system": np.where(numbers % 2, "online_retail", "mall"),
            "monetary": monetary,
            "frequency": pa.array(numbers, mask=numbers % 3 == 0),
        }
    )


class DuckDB:
    """Relations as dbt-duckdb hands them over."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()

    def relation(self, table: pa.Table) -> engine.Relation:
        """Return a relation of a table."""
        self.connection.register("raw", table)
        self.connection.execute("create or replace table customers as from raw")
        return self.connection.query("select * from customers")

    def written(self, stream: engine.Stream) -> pa.Table:
        """Return what dbt-duckdb writes of a stream."""
        cursor = self.connection.cursor()
        cursor.register("stream", stream)
        return cursor.sql("select * from stream").to_arrow_table()


class Spark:
    """DataFrames as the adapter ``sparksession`` hands them over."""

    def __init__(self, session: Any) -> None:
        self.session = session

    def relation(self, table: pa.Table) -> engine.Relation:
        """Return a DataFrame of a table, in more than one partition."""
        return self.session.createDataFrame(table).repartition(3)

    def written(self, stream: engine.Stream) -> pa.Table:
        """Return what Spark writes of a DataFrame."""
        return stream.toArrow()


Engine = DuckDB | Spark


@pytest.fixture(params=["duckdb", "spark"])
def under_test(request: pytest.FixtureRequest) -> Engine:
    if request.param == "duckdb":
        return DuckDB()
    return Spark(request.getfixturevalue("spark"))


def doubling() -> Callable[[pa.Table], pa.Table]:
    """Return a function that workers need not import from here."""

    def double(table: pa.Table) -> pa.Table:
        doubled = 2 * table["monetary"].cast(pa.float64()).to_numpy()
        return pa.table({"customer_key": table["customer_key"], "doubled": doubled})

    return double


double = doubling()


@pytest.mark.parametrize("limit", [None, 1000])
def test_order_of_the_table_is_not_the_order_of_the_frame(
    under_test: Engine, limit: int | None
) -> None:
    columns = ["customer_key", "monetary", "frequency"]
    frame = engine.read(under_test.relation(customers()), columns, limit=limit)
    backwards = customers().take(pa.array(range(CUSTOMERS - 1, -1, -1)))
    pd.testing.assert_frame_equal(
        frame, engine.read(under_test.relation(backwards), columns, limit=limit)
    )
    assert frame["customer_key"].is_monotonic_increasing
    assert len(frame) == (limit or CUSTOMERS)


def test_both_engines_draw_the_same_sample(under_test: Engine) -> None:
    frame = engine.read(under_test.relation(customers()), ["customer_key"], limit=100)
    keys = customers()["customer_key"].to_pylist()
    by_hash = sorted(keys, key=lambda key: hashlib.md5(key.encode()).hexdigest())
    assert frame["customer_key"].tolist() == sorted(by_hash[:100])


def test_key_orders_without_being_read(under_test: Engine) -> None:
    relation = under_test.relation(customers())
    with_key = engine.read(relation, ["customer_key", "monetary"])
    without = engine.read(relation, ["monetary"])
    pd.testing.assert_frame_equal(without, with_key[["monetary"]])


def test_numbers_arrive_as_numbers(under_test: Engine) -> None:
    relation = under_test.relation(customers())
    frame = engine.read(relation, ["monetary", "frequency"], limit=99)
    assert frame.dtypes.tolist() == [np.float64, np.float64]
    assert frame["frequency"].isna().any()


def test_times_arrive_without_a_zone(under_test: Engine) -> None:
    noon = pd.Timestamp("2011-06-01 12:00")
    table = pa.table(
        {"customer_key": ["a"], "at": pa.array([noon], pa.timestamp("us"))}
    )
    frame = engine.read(under_test.relation(table), ["at"])
    assert frame["at"].tolist() == [noon]


def test_only_the_rows_asked_for_are_read(under_test: Engine) -> None:
    columns = ["customer_key", "source_system"]
    relation = under_test.relation(customers())
    frame = engine.read(relation, columns, where={"source_system": "mall"}, limit=500)
    assert set(frame["source_system"]) == {"mall"}
    assert len(frame) == 500
    assert engine.read(relation, columns, where={"source_system": "o'clock"}).empty


def test_sample_keeps_its_customers_when_others_come(under_test: Engine) -> None:
    columns = ["customer_key"]
    table = customers()
    before, after = (
        engine.read(under_test.relation(rows), columns, limit=1000)
        for rows in (table.slice(0, CUSTOMERS * 4 // 5), table)
    )
    assert after["customer_key"].isin(before["customer_key"]).mean() > 0.7


def test_no_table_is_read_as_no_rows(under_test: Engine) -> None:
    nobody = under_test.relation(customers().slice(0, 0))
    assert engine.read(nobody, ["monetary"]).shape == (0, 1)
    assert engine.empty_frame(nobody, ["monetary"]).dtypes.tolist() == [np.float64]
    stream = engine.map_batches(nobody, ["customer_key", "monetary"], double, SCHEMA)
    assert under_test.written(stream).num_rows == 0


def test_stream_is_written_as_dbt_writes_it(under_test: Engine) -> None:
    relation = under_test.relation(customers())
    stream = engine.map_batches(relation, ["customer_key", "monetary"], double, SCHEMA)
    written = under_test.written(stream)
    assert written.schema.types == SCHEMA.types
    expected = double(customers())
    by_key = [("customer_key", "ascending")]
    assert written.sort_by(by_key).equals(expected.sort_by(by_key))


def test_nothing_is_read_before_it_is_written() -> None:
    batches = []

    def counted(table: pa.Table) -> pa.Table:
        batches.append(table.num_rows)
        return double(table)

    under_test = DuckDB()
    relation = under_test.relation(pa.concat_tables([customers()] * 3))
    stream = engine.map_batches(relation, ["customer_key", "monetary"], counted, SCHEMA)
    assert not batches
    under_test.written(stream)
    assert max(batches) <= engine.ROWS_A_BATCH
    assert sum(batches) == 3 * CUSTOMERS


def test_batches_hold_what_is_asked_for(under_test: Engine) -> None:
    stream = engine.map_batches(
        under_test.relation(customers()),
        ["customer_key", "monetary"],
        double,
        SCHEMA,
        where={"source_system": "mall"},
    )
    assert under_test.written(stream).num_rows == CUSTOMERS // 2
