"""Tables are read in one order, and written batch by batch."""

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from customer_segmentation import engine

SCHEMA = pa.schema([("customer_key", pa.string()), ("doubled", pa.float64())])


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(
        """
        create table features as
        select
            'c' || (i * 7919 % 250000) as customer_key,
            case when i % 2 = 0 then 'mall' else 'online_retail' end as source_system,
            cast(i as decimal(12, 2)) as monetary,
            case when i % 3 > 0 then i end as frequency
        from range(250000) as rows (i)
        """
    )
    return connection


def features(connection: duckdb.DuckDBPyConnection) -> engine.Relation:
    """Return the relation as dbt-duckdb does."""
    return connection.query("select * from features")


def shuffled(connection: duckdb.DuckDBPyConnection) -> engine.Relation:
    return connection.query("select * from features order by md5(customer_key || 'x')")


def double(table: pa.Table) -> pa.Table:
    doubled = 2 * table["monetary"].cast(pa.float64()).to_numpy()
    return pa.table({"customer_key": table["customer_key"], "doubled": doubled})


@pytest.mark.parametrize("limit", [None, 1000])
def test_order_of_the_table_is_not_the_order_of_the_frame(
    connection: duckdb.DuckDBPyConnection, limit: int | None
) -> None:
    columns = ["customer_key", "monetary", "frequency"]
    frame = engine.read(features(connection), columns, limit=limit)
    pd.testing.assert_frame_equal(
        frame, engine.read(shuffled(connection), columns, limit=limit)
    )
    assert frame["customer_key"].is_monotonic_increasing
    assert len(frame) == (limit or 250_000)


def test_key_orders_without_being_read(connection: duckdb.DuckDBPyConnection) -> None:
    with_key = engine.read(features(connection), ["customer_key", "monetary"])
    without = engine.read(features(connection), ["monetary"])
    pd.testing.assert_frame_equal(without, with_key[["monetary"]])


def test_numbers_arrive_as_numbers(connection: duckdb.DuckDBPyConnection) -> None:
    frame = engine.read(features(connection), ["monetary", "frequency"], limit=99)
    assert frame.dtypes.tolist() == [np.float64, np.float64]
    assert frame["frequency"].isna().any()


def test_only_the_rows_asked_for_are_read(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    columns = ["customer_key", "source_system"]
    frame = engine.read(
        features(connection), columns, where={"source_system": "mall"}, limit=500
    )
    assert set(frame["source_system"]) == {"mall"}
    assert len(frame) == 500
    quoted = {"source_system": "o'clock"}
    assert engine.read(features(connection), columns, where=quoted).empty


def test_sample_keeps_its_customers_when_others_come(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    columns = ["customer_key"]
    before = engine.read(
        features(connection).filter("monetary < 200000"), columns, limit=1000
    )
    after = engine.read(features(connection), columns, limit=1000)
    assert after["customer_key"].isin(before["customer_key"]).mean() > 0.7


def test_no_table_is_read_as_no_rows(connection: duckdb.DuckDBPyConnection) -> None:
    nobody = features(connection).limit(0)
    assert engine.read(nobody, ["monetary"]).shape == (0, 1)
    stream = engine.map_batches(nobody, ["customer_key", "monetary"], double, SCHEMA)
    assert stream.read_all().num_rows == 0


def test_stream_is_written_as_dbt_writes_it(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    batches = []

    def counted(table: pa.Table) -> pa.Table:
        batches.append(table.num_rows)
        return double(table)

    stream = engine.map_batches(
        features(connection), ["customer_key", "monetary"], counted, SCHEMA
    )
    assert not batches
    cursor = connection.cursor()
    cursor.register("stream", stream)
    cursor.execute("create table doubled as select * from stream")
    cursor.unregister("stream")
    assert max(batches) <= engine.ROWS_A_BATCH
    assert sum(batches) == 250_000
    differing = cursor.execute(
        """
        select count(*) from features full join doubled using (customer_key)
        where doubled is distinct from 2 * monetary
        """
    )
    assert differing.fetchall() == [(0,)]


def test_batches_hold_what_is_asked_for(connection: duckdb.DuckDBPyConnection) -> None:
    stream = engine.map_batches(
        features(connection),
        ["customer_key", "monetary"],
        double,
        SCHEMA,
        where={"source_system": "mall"},
    )
    assert stream.read_all().num_rows == 125_000
