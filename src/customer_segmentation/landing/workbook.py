"""Raw data of the tables in the sheets of an Excel workbook."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb
import pyarrow as pa
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    SheetTypeEnum,
)

from customer_segmentation.errors import InputError
from customer_segmentation.landing.cells import rows_from_header
from customer_segmentation.landing.headers import match_headers, missing_columns
from customer_segmentation.landing.notices import report
from customer_segmentation.landing.sources import RawSource
from customer_segmentation.raw_tables import (
    RawTable,
    SourceSystem,
    normalized_header,
)

ROWS_IN_A_CHUNK = 50_000


@dataclass(frozen=True)
class SheetSource(RawSource):
    """A sheet of an Excel workbook.

    Parameters
    ----------
    sheet : CalamineSheet
        The sheet.
    """

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
        for row in islice(rows_from_header(self.sheet), 1, None):
            if all(value is None for value in row):
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


def workbook_sources(path: Path, source_system: SourceSystem) -> list[SheetSource]:
    """Find the raw tables of a source system in a workbook.

    A sheet is named after its table. Where there is only one table, any sheet that has
    its columns will do: the periods of Online Retail II are two sheets.

    Parameters
    ----------
    path : Path
        The workbook.
    source_system : SourceSystem
        Whose tables to find.

    Returns
    -------
    list of SheetSource
        In the order of the tables, then of the sheets.

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
    rows = rows_from_header(sheet)
    return tuple(value or "" for value in next(rows, []))


def _batch(rows: list[list[str | None]], schema: pa.Schema) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    return pa.RecordBatch.from_arrays(
        [pa.array(column, pa.string()) for column in columns], schema=schema
    )


def _sheet_name(path: Path, sheet: str) -> str:
    return f"{path}, sheet {sheet!r}"
