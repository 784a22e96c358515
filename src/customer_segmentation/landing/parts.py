"""Part files of a table in the landing zone: new records in, known records skipped."""

import time
from collections.abc import Iterator
from pathlib import Path

import click
import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from customer_segmentation.errors import InputError
from customer_segmentation.landing.date_order import DateOrder, select_iso_dates
from customer_segmentation.landing.finding import RawInput
from customer_segmentation.landing.ownership import MARK, landing_schema
from customer_segmentation.landing.sources import RawSource, sql_files, sql_name
from customer_segmentation.private_files import create_file, make_folder
from customer_segmentation.raw_tables import RawTable

ROW_GROUP_ROWS = 65_536
SECONDS_BETWEEN_UPDATES = 0.2


class RowProgress:
    """The number of rows landed so far, on one line that a terminal keeps updating.

    Parameters
    ----------
    label : str
        The table.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._is_shown = click.get_text_stream("stderr").isatty()
        self._updated_at = 0.0

    def update(self, rows: int) -> None:
        """Show the number of rows, at most a few times per second."""
        now = time.monotonic()
        if self._is_shown and now - self._updated_at >= SECONDS_BETWEEN_UPDATES:
            self._updated_at = now
            click.echo(f"\r{self._label}: {rows:,} rows", nl=False, err=True)

    def clear(self) -> None:
        """Erase the line, so that a complete message can take its place."""
        if self._is_shown:
            click.echo("\r\033[K", nl=False, err=True)


def land_input(
    connection: duckdb.DuckDBPyConnection,
    raw_input: RawInput,
    folder: Path,
    scratch: Path,
    label: str,
    dates: DateOrder | None = None,
    is_forgotten: str = "false",
) -> None:
    """Write an input as the next part file of its table.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Reads the sources.
    raw_input : RawInput
        The data to land.
    folder : Path
        The folder of the table. A record is skipped if one of the parts in it has its
        append key; a record without an append key always lands.
    scratch : Path
        Folder for temporary files.
    label : str
        The name of the table in messages.
    dates : {"day-first", "month-first"}, optional
        The order of dates such as ``1/2/2010``. By default all values of a source tell.
    is_forgotten : str
        SQL that tells whether a raw row is of a customer who must not land.

    Raises
    ------
    InputError
        If a source cannot be read, the order of its dates is not clear, or no source
        has any rows.
    """
    table = raw_input.table
    make_folder(folder)
    earlier = sorted(folder.glob("*.parquet"))
    _load_landed_keys(connection, table, earlier)
    part = _next_part(folder, len(earlier))
    skipped = scratch / "skipped_keys.parquet"
    landed_rows = skipped_rows = forgotten_rows = 0
    progress = RowProgress(label)
    schema = landing_schema(table)
    key_schema = pa.schema([schema.field(name) for name in table.append_key])
    create_file(part)
    with (
        pq.ParquetWriter(part, schema, compression="zstd") as writer,
        pq.ParquetWriter(skipped, key_schema) as skipped_writer,
    ):
        for source in raw_input.sources:
            for new, known_keys, forgotten in _split_batches(
                connection, source, dates, is_forgotten
            ):
                if len(new):
                    writer.write_batch(new)
                if len(known_keys):
                    skipped_writer.write_batch(known_keys)
                landed_rows += len(new)
                skipped_rows += len(known_keys)
                forgotten_rows += forgotten
                progress.update(landed_rows)
        writer.add_key_value_metadata(MARK)
    progress.clear()
    if landed_rows + skipped_rows + forgotten_rows == 0:
        raise InputError(
            f"{raw_input.sources[0].name}: is empty: {table.name} has no rows below "
            "the header"
        )
    if landed_rows == 0:
        part.unlink()
    message = f"{label}: {landed_rows:,} rows from {raw_input.name}"
    if skipped_rows:
        keys = _count_distinct(connection, skipped)
        message += (
            f"; skipped {skipped_rows:,} rows of {keys:,} {_noun_of_keys(table)} that "
            "had landed before"
        )
    if forgotten_rows:
        message += f"; left out {forgotten_rows:,} rows of forgotten customers"
    click.echo(message, err=True)


def _load_landed_keys(
    connection: duckdb.DuckDBPyConnection, table: RawTable, parts: list[Path]
) -> None:
    names = [sql_name(name) for name in table.append_key]
    columns = ", ".join(f"{name} varchar" for name in names)
    connection.execute(f"create or replace temp table landed ({columns})")
    if parts:
        is_complete = " and ".join(f"{name} is not null" for name in names)
        connection.execute(
            f"insert into landed select distinct {', '.join(names)} from "
            f"read_parquet({sql_files(parts)}) where {is_complete}"
        )


def _split_batches(
    connection: duckdb.DuckDBPyConnection,
    source: RawSource,
    dates: DateOrder | None,
    is_forgotten: str,
) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch, int]]:
    """Read a source in batches.

    Yields
    ------
    new : pyarrow.RecordBatch
        Its new records.
    known : pyarrow.RecordBatch
        The append keys of its known records.
    forgotten : int
        The number of records of forgotten customers.
    """
    key = ", ".join(sql_name(name) for name in source.table.append_key)
    query = (
        f"select *, coalesce(({key}) in (select {key} from landed), false) "
        f"as __has_landed, {is_forgotten} as __is_forgotten "
        f"from ({select_iso_dates(connection, source, dates)}) as raw"
    )
    schema = landing_schema(source.table)
    for batch in _batches(connection, source, query):
        remembered = batch.filter(pc.invert(batch.column("__is_forgotten")))
        has_landed = remembered.column("__has_landed")
        records = remembered.select(schema.names)
        known = records.filter(has_landed).select(source.table.append_key)
        new = records.filter(pc.invert(has_landed))
        yield new, known, len(batch) - len(remembered)


def _batches(
    connection: duckdb.DuckDBPyConnection, source: RawSource, query: str
) -> Iterator[pa.RecordBatch]:
    try:
        # while the reader streams, Arrow wraps the errors of DuckDB
        yield from connection.sql(query).to_arrow_reader(ROW_GROUP_ROWS)
    except (duckdb.Error, pa.ArrowException) as error:
        raise source.input_error(error) from error


def _next_part(folder: Path, number: int) -> Path:
    # files that a person put there may have any name
    while (part := folder / f"part-{number:05}.parquet").exists():
        number += 1
    return part


def _count_distinct(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    [(count,)] = connection.execute(
        "select count(*) from "
        f"(select distinct * from read_parquet({sql_files([path])}))"
    ).fetchall()
    return int(count)


def _noun_of_keys(table: RawTable) -> str:
    """Return the noun that the append keys count: invoices, or the records."""
    *_, key = table.append_key
    return table.name if key.endswith("_id") else f"{key}s"
