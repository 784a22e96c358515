"""Raw files: numbers and dates become columns of text, tables become CSV or Parquet."""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

PART_ROWS = 2_000_000
ROW_GROUP_ROWS = 250_000

# no value holds a comma, a quote or a line break; pyarrow checks that
_UNQUOTED = pa_csv.WriteOptions(include_header=False, quoting_style="none")


def text_at(values: list[str], positions: np.ndarray) -> pa.Array:
    """Return ``values[positions]``; a negative position is a blank.

    Examples
    --------
    >>> text_at(["Female", "Male"], np.array([1, -1, 0])).to_pylist()
    ['Male', None, 'Female']
    """
    is_blank = positions < 0
    return pa.array(values, pa.string()).take(
        pa.array(np.where(is_blank, 0, positions), mask=is_blank)
    )


def integer_text(
    values: np.ndarray, *, is_blank: np.ndarray | None = None, suffix: str = ""
) -> pa.Array:
    """Return integers as text, with an optional suffix such as ``.0``."""
    text = pa.array(values, mask=is_blank).cast(pa.string())
    if not suffix:
        return text
    return pc.binary_join_element_wise(text, suffix, "")


def formatted_text(
    values: np.ndarray,
    template: Callable[[int], str],
    *,
    is_blank: np.ndarray | None = None,
) -> pa.Array:
    """Return integers as text by a template, called once for each distinct value."""
    encoded: Any = pa.array(values, mask=is_blank).dictionary_encode()
    distinct = [template(value) for value in encoded.dictionary.to_pylist()]
    return pa.array(distinct, pa.string()).take(encoded.indices)


def amount_text(cents: np.ndarray, *, is_blank: np.ndarray | None = None) -> pa.Array:
    """Return hundredths as text with two decimals.

    Examples
    --------
    >>> amount_text(np.array([5, -1234])).to_pylist()
    ['0.05', '-12.34']
    """
    return formatted_text(
        cents,
        lambda value: f"{'-' * (value < 0)}{abs(value) // 100}.{abs(value) % 100:02d}",
        is_blank=is_blank,
    )


def date_text(days: np.ndarray, *, is_blank: np.ndarray | None = None) -> pa.Array:
    """Return ``datetime64[D]`` as ``YYYY-MM-DD``."""
    return pa.array(days.astype("datetime64[D]"), mask=is_blank).cast(pa.string())


def time_text(seconds: np.ndarray) -> pa.Array:
    """Return ``datetime64[s]`` as ``YYYY-MM-DD HH:MM:SS``."""
    return pa.array(seconds.astype("datetime64[s]")).cast(pa.string())


class CsvWriter:
    """Write chunks of one table to one CSV file (UTF-8, LF, blank for null).

    Parameters
    ----------
    path : Path
        The file, ending in ``.csv``.
    headers : tuple of str
        The headers of the file, in order.
    """

    def __init__(self, path: Path, headers: tuple[str, ...]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._sink = path.open("wb")
        self._sink.write((",".join(headers) + "\n").encode())

    def write(self, table: pa.Table) -> None:
        """Append the rows of a table, column by position."""
        pa_csv.write_csv(table, self._sink, _UNQUOTED)

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._sink.close()


class ParquetWriter:
    """Write chunks of one table to one Parquet file, or to a folder of parts.

    Parameters
    ----------
    path : Path
        The file, ending in ``.parquet``, or the folder for ``part-00000.parquet``, ….
    headers : tuple of str
        The names of the columns, in order.
    """

    def __init__(self, path: Path, headers: tuple[str, ...]) -> None:
        self._is_folder = path.suffix != ".parquet"
        folder = path if self._is_folder else path.parent
        folder.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._schema = pa.schema([(header, pa.string()) for header in headers])
        self._parts = 0
        self._rows_in_part = 0
        self._writer: pq.ParquetWriter | None = None

    def write(self, table: pa.Table) -> None:
        """Append the rows of a table, column by position."""
        if self._is_folder and self._rows_in_part >= PART_ROWS:
            self._close()
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._next_path(), self._schema)
        renamed = table.rename_columns(self._schema.names)
        self._writer.write_table(renamed, row_group_size=ROW_GROUP_ROWS)
        self._rows_in_part += table.num_rows

    def _next_path(self) -> Path:
        path = self._path
        if self._is_folder:
            path = path / f"part-{self._parts:05d}.parquet"
        self._parts += 1
        return path

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer, self._rows_in_part = None, 0

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._close()


def table_writer(
    folder: Path,
    name: str,
    headers: tuple[str, ...],
    file_format: str,
    *,
    is_large: bool = False,
) -> CsvWriter | ParquetWriter:
    """Return the writer of a raw table; a large table becomes a folder in Parquet."""
    if file_format == "csv":
        return CsvWriter(folder / f"{name}.csv", headers)
    return ParquetWriter(folder / (name if is_large else f"{name}.parquet"), headers)
