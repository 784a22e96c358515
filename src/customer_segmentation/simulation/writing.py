"""Raw tables to CSV or Parquet, a chunk at a time."""

from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

PART_ROWS = 2_000_000
ROW_GROUP_ROWS = 250_000

# nothing written here holds a comma, a quote or a line break; pyarrow checks that
_UNQUOTED = pa_csv.WriteOptions(include_header=False, quoting_style="none")


class CsvWriter:
    """Write chunks of one table to one CSV file (UTF-8, LF, blank for null).

    Parameters
    ----------
    path : Path
        The file, ending in ``.csv``.
    headers : tuple of str
        What the columns are called in the file, in order.
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
        What the columns are called in the file, in order.
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
    """Return the writer of a raw table; large ones become folders in Parquet."""
    if file_format == "csv":
        return CsvWriter(folder / f"{name}.csv", headers)
    return ParquetWriter(folder / (name if is_large else f"{name}.parquet"), headers)
