"""Raw data of one table in a CSV file."""

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import duckdb

from customer_segmentation.errors import InputError
from customer_segmentation.landing.csv_checks import (
    check_quotes,
    check_text,
    check_utf_8,
    text_chunks,
)
from customer_segmentation.landing.files import kind_of
from customer_segmentation.landing.headers import match_headers, missing_columns
from customer_segmentation.landing.sources import RawSource, sql_files, sql_text
from customer_segmentation.raw_tables import RawTable

DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class CsvSource(RawSource):
    """A CSV file, gzipped or not.

    Parameters
    ----------
    delimiter : str
        The text between two values.
    """

    delimiter: str

    def _relation(self, connection: duckdb.DuckDBPyConnection) -> str:
        check_utf_8(self.path)
        check_quotes(self.path, self.delimiter)
        columns = ", ".join(f"'c{i}': 'varchar'" for i in range(len(self.headers)))
        compression = "gzip" if kind_of(self.path) == "gzip" else "none"
        # DuckDB detects nothing by itself. It reads in one thread: a second thread may
        # start inside a quoted value with line ends and take its lines for rows
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

    def input_error(self, error: Exception) -> InputError:
        """Return what DuckDB could not read, and in which line."""
        message = str(error)
        line = re.search(r"CSV Error on Line: (\d+)", message)
        where = f"{self.name}: line {line[1]}" if line else self.name
        cells = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
        if cells:
            return InputError(
                f"{where}: has {cells[2]} values, but the header has {cells[1]}"
            )
        if "unterminated quote" in message:
            return InputError(
                f"{where}: a quote is not closed, or a quote inside a quoted value is "
                "not doubled"
            )
        if "invalid state" in message:
            return InputError(
                f"{where}: mixes line ends (LF, CRLF, CR) outside quotes; save the "
                "file again with one kind of line end"
            )
        if "Maximum line size" in message:
            return InputError(f"{where}: is too long for a row (is a quote left open?)")
        return super().input_error(error)


def csv_source(path: Path, table: RawTable) -> CsvSource:
    """Find a raw table in a CSV file; nothing but the header is read.

    Parameters
    ----------
    path : Path
        The file.
    table : RawTable
        The table.

    Raises
    ------
    InputError
        If it is not a readable CSV file with the table's columns.
    """
    head = next(text_chunks(path), b"")
    if not head:
        raise InputError(f"{path}: is empty (no text after unpacking)")
    check_text(path, head)
    # errors below the header are found, with their line, when the file is read
    text = head.decode("utf-8-sig", errors="replace")
    readings = [
        (delimiter, _first_row(path, text, delimiter)) for delimiter in DELIMITERS
    ]
    delimiter, headers = min(
        readings,
        key=lambda reading: (len(missing_columns(table, reading[1])), -len(reading[1])),
    )
    if "\ufffd" in "".join(headers):
        check_utf_8(path)
    match = match_headers(table, headers, str(path))
    return CsvSource(path, table, headers, match, delimiter)


def _first_row(path: Path, text: str, delimiter: str) -> tuple[str, ...]:
    # as DuckDB reads them: spaces before a quote do not count
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True
    )
    try:
        return tuple(next(reader, ()))
    except csv.Error as error:
        raise InputError(f"{path}: its header is not readable: {error}") from error
