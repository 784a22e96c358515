"""Raw data of one table in one file or sheet, as a relation of text columns."""

import csv
import io
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    SheetTypeEnum,
)

from customer_segmentation.errors import InputError
from customer_segmentation.landing.headers import (
    HeaderMatch,
    match_headers,
    missing_columns,
)
from customer_segmentation.landing.notices import report
from customer_segmentation.landing.reading import sql_files, sql_name, sql_text
from customer_segmentation.landing.recognising import (
    kind_of,
    require_closed_quotes,
    require_kind,
    require_not_utf_16,
    require_whole_text,
    text_chunks,
)
from customer_segmentation.raw_tables import (
    RawTable,
    SourceSystem,
    normalized_header,
)

DELIMITERS = (",", ";", "\t", "|")
ROWS_IN_A_CHUNK = 50_000
# a float holds whole numbers exactly up to here
LARGEST_WHOLE_NUMBER = 2**53


@dataclass(frozen=True)
class RawSource(ABC):
    """Raw data of one table in one file or sheet.

    Parameters
    ----------
    path : Path
        The file.
    table : RawTable
        The table.
    headers : tuple of str
        As they stand in the file.
    match : HeaderMatch
        Which of them are the table's columns.
    """

    path: Path
    table: RawTable
    headers: tuple[str, ...]
    match: HeaderMatch

    @property
    def name(self) -> str:
        """What messages call it."""
        return str(self.path)

    @property
    def ignored_headers(self) -> tuple[str, ...]:
        """Headers that mean no column of the table."""
        return self.match.ignored

    def select(self, connection: duckdb.DuckDBPyConnection) -> str:
        """Return a query of the table's columns, in order, all text.

        Raises
        ------
        InputError
            If the file turns out to be unusable.
        """
        columns = ", ".join(
            f"{'null' if position is None else f'c{position}'}::varchar "
            f"as {sql_name(name)}"
            for name, position in zip(
                self.table.column_names, self.match.positions, strict=True
            )
        )
        positions = ", ".join(f"c{i}" for i in range(len(self.headers)))
        return f"select {columns} from {self._relation(connection)} as raw({positions})"

    @abstractmethod
    def _relation(self, connection: duckdb.DuckDBPyConnection) -> str:
        """Return the file as a relation in SQL, one column a header."""

    def explained(self, error: Exception) -> InputError:
        """Return what DuckDB could not read, in a line that names the file."""
        first_line = str(error).partition("\n")[0]
        return InputError(f"{self.name}: cannot be read: {first_line}")


@dataclass(frozen=True)
class CsvSource(RawSource):
    """A CSV file, gzipped or not."""

    delimiter: str

    def _relation(self, connection: duckdb.DuckDBPyConnection) -> str:
        require_whole_text(self.path)
        require_closed_quotes(self.path, self.delimiter)
        columns = ", ".join(f"'c{i}': 'varchar'" for i in range(len(self.headers)))
        compression = "gzip" if kind_of(self.path) == "gzip" else "none"
        # nothing is sniffed. Not parallel: where a quoted value holds line ends, DuckDB
        # may start a thread in the middle of it and take its lines for rows
        return f"""read_csv(
            {sql_files([self.path])},
            auto_detect = false,
            parallel = false,
            columns = {{{columns}}},
            header = true,
            delim = {sql_text(self.delimiter)},
            quote = '"',
            escape = '"',
            nullstr = '',
            skip = 0,
            comment = '',
            null_padding = false,
            ignore_errors = false,
            strict_mode = true,
            compression = '{compression}'
        )"""

    def explained(self, error: Exception) -> InputError:
        """Return what DuckDB could not read, and in which line."""
        message = str(error)
        line = re.search(r"CSV Error on Line: (\d+)", message)
        where = f"{self.name}: line {line[1]}" if line else self.name
        cells = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
        if cells:
            return InputError(
                f"{where}: has {cells[2]} values where the header has {cells[1]}"
            )
        if "unterminated quote" in message:
            return InputError(
                f"{where}: a quote is not closed, or stands inside a quoted value "
                "without being doubled"
            )
        if "invalid state" in message:
            return InputError(
                f"{where}: mixes line ends (LF, CRLF, CR) outside quotes; write it "
                "again with one kind"
            )
        if "Maximum line size" in message:
            return InputError(f"{where}: is too long for a row (a quote left open?)")
        return super().explained(error)


@dataclass(frozen=True)
class ParquetSource(RawSource):
    """A Parquet file."""

    def _relation(self, connection: duckdb.DuckDBPyConnection) -> str:
        # times with a zone are written in UTC, wherever this runs
        connection.execute("set TimeZone = 'UTC'")
        return (
            f"read_parquet({sql_files([self.path])}, binary_as_string = true, "
            "hive_partitioning = false, union_by_name = false)"
        )


@dataclass(frozen=True)
class SheetSource(RawSource):
    """A sheet of an Excel workbook."""

    sheet: CalamineSheet

    @property
    def name(self) -> str:
        """What messages call it."""
        return _sheet_name(self.path, self.sheet.name)

    def _relation(self, connection: duckdb.DuckDBPyConnection) -> str:
        schema = pa.schema([(f"c{i}", pa.string()) for i in range(len(self.headers))])
        connection.register(
            "sheet", pa.Table.from_batches(self._batches(schema), schema)
        )
        return "sheet"

    def _batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        n_blank = 0
        rows: list[list[str | None]] = []
        for row in islice(_rows_from_header(self.sheet), 1, None):
            if not any(value is not None for value in row):
                n_blank += 1
                continue
            rows.append(row)
            if len(rows) == ROWS_IN_A_CHUNK:
                yield _batch(rows, schema)
                rows = []
        if rows:
            yield _batch(rows, schema)
        if n_blank:
            report(f"{self.name}: {n_blank:,} blank rows are no records")


def csv_source(path: Path, table: RawTable) -> CsvSource:
    """Find a raw table in a CSV file.

    Raises
    ------
    InputError
        If it is not a readable CSV with the table's columns.
    """
    head = next(text_chunks(path), b"")
    if not head:
        raise InputError(f"{path}: is empty (no text once unpacked)")
    require_not_utf_16(path, head)
    # what is wrong further down is found, with its line, when the file is read
    text = head.decode("utf-8-sig", errors="replace")
    readings = [
        (delimiter, _first_row(path, text, delimiter)) for delimiter in DELIMITERS
    ]
    delimiter, headers = min(
        readings,
        key=lambda reading: (len(missing_columns(table, reading[1])), -len(reading[1])),
    )
    if "\ufffd" in "".join(headers):
        require_whole_text(path)
    match = match_headers(table, headers, str(path))
    return CsvSource(path, table, headers, match, delimiter)


def parquet_source(path: Path, table: RawTable) -> ParquetSource:
    """Find a raw table in a Parquet file.

    Raises
    ------
    InputError
        If it is not a readable Parquet file with the table's columns.
    """
    try:
        headers = tuple(pq.read_schema(path).names)
    except (OSError, pa.ArrowException) as error:
        first_line = str(error).partition("\n")[0]
        raise InputError(f"{path}: cannot be read as Parquet: {first_line}") from error
    return ParquetSource(path, table, headers, match_headers(table, headers, str(path)))


def workbook_sources(path: Path, source_system: SourceSystem) -> list[SheetSource]:
    """Find the raw tables of a source system in a workbook.

    A sheet is named after its table. Where there is only one table, any sheet that has
    its columns will do: the periods of Online Retail II are two sheets.

    Raises
    ------
    InputError
        If no sheet will do, two will for one table, or one lacks a column.
    """
    sheets = _sheets(path)
    names = ", ".join(repr(sheet.name) for sheet in sheets)
    found: list[SheetSource] = []
    for table in source_system.tables:
        named = [
            sheet
            for sheet in sheets
            if normalized_header(sheet.name) == normalized_header(table.name)
        ]
        if len(named) > 1:
            raise InputError(f"{path}: two sheets are named {table.name}; has {names}")
        found += [_sheet_source(path, sheet, table) for sheet in named]
    if not found and len(source_system.tables) == 1:
        found = _sheets_with_columns(path, sheets, source_system.tables[0])
    if not found:
        looked_for = ", ".join(table.name for table in source_system.tables)
        raise InputError(
            f"{path}: has no sheet of {source_system.name} (looked for {looked_for}); "
            f"its sheets are: {names}"
        )
    used = {source.sheet.name for source in found}
    unused = [repr(sheet.name) for sheet in sheets if sheet.name not in used]
    if unused:
        report(
            f"{path}: sheets that are no raw tables were ignored: {', '.join(unused)}"
        )
    return found


def file_source(path: Path, table: RawTable) -> RawSource:
    """Find a raw table in a file that is not a workbook.

    Raises
    ------
    InputError
        If the file cannot be used.
    """
    kind = require_kind(path)
    return (parquet_source if kind == "Parquet" else csv_source)(path, table)


def _first_row(path: Path, text: str, delimiter: str) -> tuple[str, ...]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return tuple(next(reader, ()))
    except csv.Error as error:
        raise InputError(f"{path}: its header is not readable: {error}") from error


def _sheets(path: Path) -> list[CalamineSheet]:
    try:
        workbook = CalamineWorkbook.from_path(path)
        return [
            workbook.get_sheet_by_name(metadata.name)
            for metadata in workbook.sheets_metadata
            if metadata.typ == SheetTypeEnum.WorkSheet
        ]
    except (CalamineError, OSError) as error:
        raise InputError(
            f"{path}: cannot be read as an Excel workbook: {error}"
        ) from error


def _sheet_source(path: Path, sheet: CalamineSheet, table: RawTable) -> SheetSource:
    where = _sheet_name(path, sheet.name)
    headers = _sheet_headers(sheet)
    if not headers:
        raise InputError(f"{where}: is empty (no rows)")
    return SheetSource(
        path, table, headers, match_headers(table, headers, where), sheet
    )


def _sheets_with_columns(
    path: Path, sheets: Sequence[CalamineSheet], table: RawTable
) -> list[SheetSource]:
    fitting = [
        sheet for sheet in sheets if not missing_columns(table, _sheet_headers(sheet))
    ]
    if not fitting and len(sheets) == 1:
        fitting = list(sheets)  # its own message says which column is missing
    return [_sheet_source(path, sheet, table) for sheet in fitting]


def _sheet_headers(sheet: CalamineSheet) -> tuple[str, ...]:
    rows = _rows_from_header(sheet)
    return tuple(value or "" for value in next(rows, []))


def _rows_from_header(sheet: CalamineSheet) -> Iterator[list[str | None]]:
    """Read a sheet's rows from the first that is not blank."""
    has_begun = False
    for row in sheet.iter_rows():
        texts = [_text_of(value) for value in row]
        has_begun = has_begun or any(text is not None for text in texts)
        if has_begun:
            yield texts


def _text_of(value: Any) -> str | None:
    """Return what a cell says, None for an empty one."""
    match value:
        case None | "":
            return None
        case bool():
            return "TRUE" if value else "FALSE"
        case float() if value.is_integer() and abs(value) <= LARGEST_WHOLE_NUMBER:
            return str(int(value))
        case datetime():
            # Excel keeps a moment as a fraction of days, which misses the second by a
            # hair
            rounded = value + timedelta(microseconds=500_000)
            return rounded.replace(microsecond=0).isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case float():
            return repr(value)
        case _:
            return str(value)


def _batch(rows: list[list[str | None]], schema: pa.Schema) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    return pa.RecordBatch.from_arrays(
        [pa.array(column, pa.string()) for column in columns], schema=schema
    )


def _sheet_name(path: Path, sheet: str) -> str:
    return f"{path}, sheet {sheet!r}"
