"""Raw data of the tables in the sheets of an Excel workbook."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import click
import duckdb
import pyarrow as pa
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from customer_segmentation.errors import InputError
from customer_segmentation.landing.headers import match_headers, missing_columns
from customer_segmentation.landing.lost_cells import merged_rows, say_what_is_lost
from customer_segmentation.landing.sources import RawSource
from customer_segmentation.landing.workbook_checks import SheetScan, scan_workbook
from customer_segmentation.raw_tables import (
    RawTable,
    SourceSystem,
    normalized_header,
)

CHUNK_ROWS = 50_000
# a float holds every whole number up to here
MAX_EXACT_INTEGER = 2**53
HIDDEN = (
    (SheetVisibleEnum.Hidden, "hidden"),
    (SheetVisibleEnum.VeryHidden, "very hidden"),
)


@dataclass(frozen=True)
class SheetSource(RawSource):
    """A sheet of an Excel workbook.

    Parameters
    ----------
    sheet : CalamineSheet
        The sheet.
    scan : SheetScan
        Its cells that the reader takes for empty ones.
    """

    sheet: CalamineSheet
    scan: SheetScan

    @property
    def name(self) -> str:
        """The name of the source in messages."""
        return _sheet_name(self.path, self.sheet.name)

    def _relation(self, connection: duckdb.DuckDBPyConnection) -> str:
        schema = pa.schema([(f"c{i}", pa.string()) for i in range(len(self.headers))])
        connection.register(
            "sheet", pa.Table.from_batches(self._batches(schema), schema)
        )
        return "sheet"

    def _batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        blank_rows = 0
        merged = merged_rows(self.sheet, self.match.positions)
        covered: Counter[int] = Counter()
        rows: list[list[str | None]] = []
        for number, row in islice(_rows_from_header(self.sheet), 1, None):
            if all(value is None for value in row):
                blank_rows += 1
                continue
            for position, numbers in merged.items():
                covered[position] += row[position] is None and number in numbers
            rows.append(row)
            if len(rows) == CHUNK_ROWS:
                yield _batch(rows, schema)
                rows = []
        if rows:
            yield _batch(rows, schema)
        if blank_rows:
            click.echo(f"{self.name}: skipped {blank_rows:,} blank rows", err=True)
        say_what_is_lost(
            self.name, self.headers, self.match, self.sheet, self.scan, covered
        )


def workbook_sources(path: Path, source_system: SourceSystem) -> list[SheetSource]:
    """Find the raw tables of a source system in a workbook.

    Its size is checked before it is read, and sheets that Excel hides are named.

    A sheet has the name of its table. If the source system has only one table, every
    sheet with its columns is used: the periods of Online Retail II are two sheets.

    Parameters
    ----------
    path : Path
        The workbook.
    source_system : SourceSystem
        The source system.

    Returns
    -------
    list of SheetSource
        In the order of the tables, then of the sheets.

    Raises
    ------
    InputError
        If no sheet is a table, two sheets are the same table, or a sheet misses a
        column.
    """
    scans = scan_workbook(path)
    sheets, hidden = _sheets(path)
    names = ", ".join(repr(sheet.name) for sheet in sheets)
    found: list[SheetSource] = []
    for table in source_system.tables:
        named = [
            sheet
            for sheet in sheets
            if normalized_header(sheet.name) == normalized_header(table.name)
        ]
        if len(named) > 1:
            raise InputError(
                f"{path}: two sheets are named {table.name}; its sheets are: {names}"
            )
        found += [_sheet_source(path, sheet, table, scans) for sheet in named]
    if not found and len(source_system.tables) == 1:
        found = _sheets_with_columns(path, sheets, source_system.tables[0], scans)
    if not found:
        looked_for = ", ".join(table.name for table in source_system.tables)
        raise InputError(
            f"{path}: has no sheet of {source_system.name} (looked for {looked_for}); "
            f"its sheets are: {names}"
        )
    _name_hidden(found, hidden)
    used = {source.sheet.name for source in found}
    unused = [repr(sheet.name) for sheet in sheets if sheet.name not in used]
    if unused:
        click.echo(
            f"{path}: ignored sheets that are not raw tables: {', '.join(unused)}",
            err=True,
        )
    return found


def _sheets(path: Path) -> tuple[list[CalamineSheet], dict[str, str]]:
    """Return the sheets of a workbook, and how those are hidden that are."""
    try:
        workbook = CalamineWorkbook.from_path(path)
        found = [
            metadata
            for metadata in workbook.sheets_metadata
            if metadata.typ == SheetTypeEnum.WorkSheet
        ]
        sheets = [workbook.get_sheet_by_name(metadata.name) for metadata in found]
    except (CalamineError, OSError) as error:
        raise InputError(
            f"{path}: cannot be read as an Excel workbook: {error}"
        ) from error
    hidden = {
        metadata.name: how
        for metadata in found
        for state, how in HIDDEN
        if metadata.visible == state
    }
    return sheets, hidden


def _name_hidden(sources: Sequence[SheetSource], hidden: Mapping[str, str]) -> None:
    """Name the sheets that land although Excel does not show them."""
    for source in sources:
        if how := hidden.get(source.sheet.name):
            click.echo(
                f"{source.name}: is {how} in Excel, and lands; delete the sheet if it "
                "is out of date",
                err=True,
            )


def _sheet_source(
    path: Path, sheet: CalamineSheet, table: RawTable, scans: Mapping[str, SheetScan]
) -> SheetSource:
    where = _sheet_name(path, sheet.name)
    headers = _sheet_headers(sheet)
    if not headers:
        raise InputError(f"{where}: is empty (no rows)")
    match = match_headers(table, headers, where)
    scan = scans.get(sheet.name, SheetScan())
    return SheetSource(path, table, headers, match, sheet, scan)


def _sheets_with_columns(
    path: Path,
    sheets: Sequence[CalamineSheet],
    table: RawTable,
    scans: Mapping[str, SheetScan],
) -> list[SheetSource]:
    matching = [
        sheet for sheet in sheets if not missing_columns(table, _sheet_headers(sheet))
    ]
    if not matching and len(sheets) == 1:
        matching = list(sheets)  # the error message says which column is missing
    return [_sheet_source(path, sheet, table, scans) for sheet in matching]


def _sheet_headers(sheet: CalamineSheet) -> tuple[str, ...]:
    rows = _rows_from_header(sheet)
    _, headers = next(rows, (0, []))
    return tuple(value or "" for value in headers)


def _rows_from_header(
    sheet: CalamineSheet,
) -> Iterator[tuple[int, list[str | None]]]:
    """Read the rows of a sheet, with numbers, from the first that is not blank."""
    has_begun = False
    for number, row in enumerate(sheet.iter_rows()):
        texts = [_text_of(value) for value in row]
        has_begun = has_begun or any(text is not None for text in texts)
        if has_begun:
            yield number, texts


def _text_of(value: Any) -> str | None:
    """Return a cell as text, None if it is empty."""
    match value:
        case None | "":
            return None
        case bool():
            return "TRUE" if value else "FALSE"
        case float() if value.is_integer() and abs(value) <= MAX_EXACT_INTEGER:
            return str(int(value))
        case datetime():
            # Excel stores a time as a fraction of a day, slightly off the full second
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
