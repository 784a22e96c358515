"""Whatever has landed, each raw row is staged or rejected, and staging never fails."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hostile import event, texts
from hypothesis import given
from hypothesis import strategies as st

from customer_segmentation.landing.ownership import landing_schema
from customer_segmentation.raw_tables import ONLINE_RETAIL, SOURCE_SYSTEMS, RawTable

MALL = SOURCE_SYSTEMS["mall"]

TABLES = {
    one.name: (system, one) for system in (MALL, ONLINE_RETAIL) for one in system.tables
}
NEAR = {
    "customers": ["7", "Male", "40", "30", "20"],
    "invoice_lines": ["5", "x1", "LAMP", "6", "2011-01-02 10:00:00", "2.5", "7", "UK"],
}


def rows_of(table: RawTable) -> st.SearchStrategy[list[list[str | None]]]:
    """Return rows whose values are usable, null, or anything."""
    cells = [st.one_of(st.just(near), st.none(), texts) for near in NEAR[table.name]]
    row = st.tuples(*cells).map(list)
    return st.lists(row, min_size=1, max_size=8).map(lambda rows: [*rows, rows[0]])


@pytest.fixture(scope="module")
def staging(manifest: dict[str, Any]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Return a database whose views stage the tables ``raw_<table>``."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for name, (system, table) in TABLES.items():
            empty = landing_schema(table).empty_table()
            connection.register("empty", empty)
            connection.execute(f"create table raw_{name} as from empty")
            model = f"model.customer_segmentation.stg_{system.name}__{name}"
            code = manifest["nodes"][model]["compiled_code"]
            source = code.index("source as (")
            begin = code.index("from ", source) + len("from ")
            end = code.index("\n", begin)
            code = f"{code[:begin]}raw_{name}{code[end:]}"
            connection.execute(f"create view staged_{name} as {code}")
        yield connection


@pytest.mark.parametrize("name", [*TABLES])
def test_every_row_is_staged_or_rejected(
    staging: duckdb.DuckDBPyConnection, name: str
) -> None:
    _, table = TABLES[name]

    @given(rows=rows_of(table))
    def check(rows: list[list[str | None]]) -> None:
        arrays = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
        raw = pa.Table.from_arrays(arrays, schema=landing_schema(table))
        staging.register("landed", raw)
        staging.execute(f"create or replace table raw_{name} as from landed")
        found = staging.execute(
            f"select is_usable, reasons, raw_record, copy_number from staged_{name}"
        ).fetchall()
        assert len(found) == len(rows)
        for is_usable, reasons, record, _ in found:
            assert is_usable == (not reasons) == (record is None)
        copies = Counter(map(tuple, rows)).values()
        assert sorted(number for *_, number in found) == sorted(
            number for count in copies for number in range(1, count + 1)
        )
        for _, reasons, _, _ in found:
            event(reasons.split(", ")[0] or "usable")

    check()
