"""Part files of a table in the landing zone: what goes in, and what was in before."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from customer_segmentation.errors import InputError
from customer_segmentation.landing.finding import RawInput
from customer_segmentation.landing.notices import RowProgress, report
from customer_segmentation.landing.reading import sql_files, sql_name
from customer_segmentation.landing.sources import RawSource
from customer_segmentation.raw_tables import RawTable

ROWS_IN_A_GROUP = 65_536


def landing_schema(table: RawTable) -> pa.Schema:
    """Return what a part file of a table looks like: every column text."""
    return pa.schema([(name, pa.string()) for name in table.column_names])


def land_input(
    connection: duckdb.DuckDBPyConnection,
    raw_input: RawInput,
    folder: Path,
    scratch: Path,
    label: str,
) -> None:
    """Write an input as the next part file of its table.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Reads the sources.
    raw_input : RawInput
        What to land.
    folder : Path
        The table's folder. A record whose append key is in one of its parts is left
        out; one without an append key never is.
    scratch : Path
        A folder for what is gone afterwards.
    label : str
        What the terminal calls the table.

    Raises
    ------
    InputError
        If a source cannot be read, or there are no rows in any of them.
    """
    table = raw_input.table
    folder.mkdir(exist_ok=True)
    earlier = sorted(folder.glob("*.parquet"))
    _remember_keys(connection, table, earlier)
    part = _next_part(folder, len(earlier))
    left_out = scratch / "left_out.parquet"
    n_landed = n_left_out = 0
    progress = RowProgress(label)
    key_schema = pa.schema([landing_schema(table).field(table.append_key)])
    with (
        pq.ParquetWriter(part, landing_schema(table), compression="zstd") as writer,
        pq.ParquetWriter(left_out, key_schema) as left_out_writer,
    ):
        for source in raw_input.sources:
            for new, known_keys in _split_batches(connection, source):
                if len(new):
                    writer.write_batch(new)
                if len(known_keys):
                    left_out_writer.write_batch(
                        pa.record_batch([known_keys.unique()], schema=key_schema)
                    )
                n_landed += len(new)
                n_left_out += len(known_keys)
                progress.update(n_landed)
    progress.clear()
    if n_landed + n_left_out == 0:
        raise InputError(
            f"{raw_input.sources[0].name}: is empty: {table.name} has no rows under "
            "its header"
        )
    if n_landed == 0:
        part.unlink()
    message = f"{label}: {n_landed:,} rows from {raw_input.name}"
    if n_left_out:
        n_keys = _count_distinct(connection, left_out, table.append_key)
        message += (
            f"; {n_left_out:,} rows of {n_keys:,} {_keys_called(table)} had landed "
            "before and were left out"
        )
    report(message)


def _remember_keys(
    connection: duckdb.DuckDBPyConnection, table: RawTable, parts: list[Path]
) -> None:
    connection.execute("create or replace temp table landed (landed_key varchar)")
    if parts:
        key = sql_name(table.append_key)
        connection.execute(
            f"insert into landed select distinct {key} from "
            f"read_parquet({sql_files(parts)}) where {key} is not null"
        )


def _split_batches(
    connection: duckdb.DuckDBPyConnection, source: RawSource
) -> Iterator[tuple[pa.RecordBatch, pa.Array]]:
    """Read a source: its new records, and the append keys of those known before."""
    key = sql_name(source.table.append_key)
    query = (
        f"select *, coalesce({key} in (select landed_key from landed), false) "
        f"as __has_landed from ({source.select(connection)}) as raw"
    )
    schema = landing_schema(source.table)
    for batch in _batches(connection, source, query):
        has_landed = batch.column("__has_landed")
        records = batch.select(schema.names)
        known = records.column(source.table.append_key).filter(has_landed)
        yield records.filter(pc.invert(has_landed)), known


def _batches(
    connection: duckdb.DuckDBPyConnection, source: RawSource, query: str
) -> Iterator[pa.RecordBatch]:
    try:
        # as it streams, DuckDB's errors come wrapped in Arrow's
        yield from connection.sql(query).to_arrow_reader(ROWS_IN_A_GROUP)
    except (duckdb.Error, pa.ArrowException) as error:
        raise source.explained(error) from error


def _next_part(folder: Path, number: int) -> Path:
    # names put there by hand may be any
    while (part := folder / f"part-{number:05}.parquet").exists():
        number += 1
    return part


def _count_distinct(
    connection: duckdb.DuckDBPyConnection, path: Path, column: str
) -> int:
    rows = connection.execute(
        f"select count(distinct {sql_name(column)}) from read_parquet"
        f"({sql_files([path])})"
    ).fetchall()
    return rows[0][0]


def _keys_called(table: RawTable) -> str:
    """Return what the append key counts: invoices, or the records themselves."""
    key = table.append_key
    return table.name if key.endswith("_id") else f"{key}s"
