"""Both engines read the same rows in the same order, and write batch by batch."""

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
CUSTOMERS = 6_000


def shuffled_customers() -> pa.Table:
    """Return customers in random order."""
    numbers = np.random.default_rng(0).permutation(CUSTOMERS)
    monetary = pa.array(numbers).cast(pa.decimal128(21, 2))
    return pa.table(
        {
            "customer_key": [f"c{number * 7919 % CUSTOMERS}" for number in numbers],
            "source_system": np.where(numbers % 2, "online_retail", "mall"),
            "is_today": numbers % 5 == 0,
            "monetary": monetary,
            "frequency": pa.array(numbers, mask=numbers % 3 == 0),
        }
    )


TABLE = shuffled_customers()


class DuckDB:
    """Relations, as dbt-duckdb returns them."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.tables = 0

    def relation(self, table: pa.Table) -> engine.Relation:
        """Return a relation of a table."""
        self.connection.register("raw", table)
        self.tables += 1
        name = f"customers_{self.tables}"
        self.connection.execute(f"create table {name} as from raw")
        return self.connection.query(f"select * from {name}")

    def written(self, stream: engine.Stream) -> pa.Table:
        """Return the table that dbt-duckdb writes from a stream."""
        cursor = self.connection.cursor()
        cursor.register("stream", stream)
        return cursor.sql("select * from stream").to_arrow_table()


class Spark:
    """DataFrames, as the adapter ``sparksession`` returns them."""

    def __init__(self, session: Any) -> None:
        self.session = session

    def relation(self, table: pa.Table) -> engine.Relation:
        """Return a DataFrame of a table, in more than one partition."""
        return self.session.createDataFrame(table).repartition(3)

    def written(self, stream: engine.Stream) -> pa.Table:
        """Return the table that Spark writes from a DataFrame."""
        return stream.toArrow()


Engine = DuckDB | Spark


@pytest.fixture(scope="module", params=["duckdb", "spark"])
def under_test(request: pytest.FixtureRequest) -> Engine:
    if request.param == "duckdb":
        return DuckDB()
    return Spark(request.getfixturevalue("spark"))


@pytest.fixture(scope="module")
def customers(under_test: Engine) -> engine.Relation:
    return under_test.relation(TABLE)


def doubling() -> Callable[[pa.Table], pa.Table]:
    """Return a function that is pickled with its code, not imported by workers."""

    def double(table: pa.Table) -> pa.Table:
        doubled = 2 * table["monetary"].cast(pa.float64()).to_numpy()
        return pa.table({"customer_key": table["customer_key"], "doubled": doubled})

    return double


double = doubling()


@pytest.mark.parametrize("limit", [None, 1000])
def test_the_order_of_the_table_does_not_matter(
    under_test: Engine, customers: engine.Relation, limit: int | None
) -> None:
    columns = ["customer_key", "monetary", "frequency"]
    frame = engine.read(customers, columns, limit=limit)
    backwards = under_test.relation(TABLE.take(pa.array(range(CUSTOMERS)[::-1])))
    pd.testing.assert_frame_equal(frame, engine.read(backwards, columns, limit=limit))
    assert frame["customer_key"].is_monotonic_increasing
    assert len(frame) == (limit or CUSTOMERS)


def test_both_engines_draw_the_same_sample(customers: engine.Relation) -> None:
    frame = engine.read(customers, ["customer_key"], limit=100)
    keys = TABLE["customer_key"].to_pylist()
    by_hash = sorted(keys, key=lambda key: hashlib.md5(key.encode()).hexdigest())
    assert frame["customer_key"].tolist() == sorted(by_hash[:100])


def test_the_key_need_not_be_read(customers: engine.Relation) -> None:
    with_key = engine.read(customers, ["customer_key", "monetary"])
    without = engine.read(customers, ["monetary"])
    pd.testing.assert_frame_equal(without, with_key[["monetary"]])


def test_numbers_arrive_as_floats(customers: engine.Relation) -> None:
    frame = engine.read(customers, ["monetary", "frequency"], limit=99)
    assert frame.dtypes.tolist() == [np.float64, np.float64]
    assert frame["frequency"].isna().any()


def test_times_have_no_zone(under_test: Engine) -> None:
    noon = pd.Timestamp("2011-06-01 12:00")
    table = pa.table(
        {"customer_key": ["a"], "at": pa.array([noon], pa.timestamp("us"))}
    )
    frame = engine.read(under_test.relation(table), ["at"])
    assert frame["at"].tolist() == [noon]


def test_only_the_rows_asked_for_are_read(customers: engine.Relation) -> None:
    columns = ["customer_key", "source_system", "is_today"]
    frame = engine.read(customers, columns, where={"source_system": "mall"}, limit=500)
    assert set(frame["source_system"]) == {"mall"}
    assert len(frame) == 500
    assert engine.read(customers, columns, where={"source_system": "o'clock"}).empty
    both = {"source_system": "mall", "is_today": True}
    frame = engine.read(customers, columns, where=both)
    assert set(frame["source_system"]) == {"mall"}
    assert set(frame["is_today"]) == {True}
    # numbers that are even, and multiples of five
    assert len(frame) == CUSTOMERS // 10


def test_a_sample_keeps_most_rows_of_a_growing_table(
    under_test: Engine, customers: engine.Relation
) -> None:
    fewer = under_test.relation(TABLE.slice(0, CUSTOMERS * 4 // 5))
    before, after = (
        engine.read(relation, ["customer_key"], limit=1000)
        for relation in (fewer, customers)
    )
    assert after["customer_key"].isin(before["customer_key"]).mean() > 0.7


def test_an_empty_table_has_columns_and_types(under_test: Engine) -> None:
    nobody = under_test.relation(TABLE.slice(0, 0))
    assert engine.read(nobody, ["monetary"]).shape == (0, 1)
    assert engine.empty_frame(nobody, ["monetary"]).dtypes.tolist() == [np.float64]
    stream = engine.map_batches(nobody, ["customer_key", "monetary"], double, SCHEMA)
    assert under_test.written(stream).num_rows == 0


def test_a_stream_writes_the_result_of_every_row(
    under_test: Engine, customers: engine.Relation
) -> None:
    columns = ["customer_key", "monetary"]
    stream = engine.map_batches(customers, columns, double, SCHEMA)
    written = under_test.written(stream)
    assert written.schema.types == SCHEMA.types
    expected = double(TABLE)
    by_key = [("customer_key", "ascending")]
    assert written.sort_by(by_key).equals(expected.sort_by(by_key))


def test_nothing_is_read_before_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    # DuckDB reads vectors of 2,048 rows
    monkeypatch.setattr(engine, "ROWS_A_BATCH", 4_096)
    batches = []

    def counted(table: pa.Table) -> pa.Table:
        batches.append(table.num_rows)
        return double(table)

    under_test = DuckDB()
    relation = under_test.relation(pa.concat_tables([TABLE] * 3))
    stream = engine.map_batches(relation, ["customer_key", "monetary"], counted, SCHEMA)
    assert not batches
    under_test.written(stream)
    assert max(batches) <= engine.ROWS_A_BATCH
    assert sum(batches) == 3 * CUSTOMERS > engine.ROWS_A_BATCH


def test_batches_hold_only_the_rows_asked_for(
    under_test: Engine, customers: engine.Relation
) -> None:
    stream = engine.map_batches(
        customers,
        ["customer_key", "monetary"],
        double,
        SCHEMA,
        where={"source_system": "mall"},
    )
    assert under_test.written(stream).num_rows == CUSTOMERS // 2
