"""Raw data of one table in one file or sheet, as a query that DuckDB runs.

A Parquet file is the simplest source and stands here; CSV files and sheets of a
workbook have their own modules.
"""

import glob
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from customer_segmentation.errors import InputError
from customer_segmentation.landing.headers import HeaderMatch, match_headers
from customer_segmentation.raw_tables import RawTable

MEMORY_LIMIT = "384MB"
# DuckDB reads longer decimals as floats, which are wrong from the 17th digit on
MAX_DECIMAL_DIGITS = 38


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
        The headers, as written in the file.
    match : HeaderMatch
        Which of the headers are the columns of the table.
    """

    path: Path
    table: RawTable
    headers: tuple[str, ...]
    match: HeaderMatch

    @property
    def name(self) -> str:
        """The name of the source in messages."""
        return str(self.path)

    def select(self, connection: duckdb.DuckDBPyConnection) -> str:
        """Return a query of the table's columns, in order, all as text.

        Parameters
        ----------
        connection : duckdb.DuckDBPyConnection
            The connection that will run the query.

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
        """Return the file as a relation in SQL, with one column per header."""

    def input_error(self, error: Exception) -> InputError:
        """Return an error of DuckDB or Arrow as one line that names the file."""
        return InputError(f"{self.name}: cannot be read: {_first_line(error)}")


@dataclass(frozen=True)
class ParquetSource(RawSource):
    """A Parquet file."""

    def _relation(self, connection: duckdb.DuckDBPyConnection) -> str:
        # times with a zone become text in UTC on every machine
        connection.execute("set TimeZone = 'UTC'")
        return (
            f"read_parquet({sql_files([self.path])}, binary_as_string = true, "
            "hive_partitioning = false, union_by_name = false)"
        )


def parquet_source(path: Path, table: RawTable) -> ParquetSource:
    """Find a raw table in a Parquet file; nothing but its schema is read.

    Parameters
    ----------
    path : Path
        The file.
    table : RawTable
        The table.

    Raises
    ------
    InputError
        If it is not a readable Parquet file with the table's columns, or one of them
        has no text that stands for its values.
    """
    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            f"{path}: cannot be read as Parquet: {_first_line(error)}"
        ) from error
    headers = tuple(schema.names)
    match = match_headers(table, headers, str(path))
    for position in match.positions:
        if position is not None:
            _check_type(path, schema.field(position))
    return ParquetSource(path, table, headers, match)


def _check_type(path: Path, field: pa.Field) -> None:
    kind = field.type
    if pa.types.is_nested(kind):
        reason, remedy = "holds several values in one", "write one value per row"
    elif pa.types.is_decimal(kind) and kind.precision > MAX_DECIMAL_DIGITS:
        reason = f"has more than {MAX_DECIMAL_DIGITS} digits"
        remedy = "write it as text, or with fewer digits"
    else:
        return
    raise InputError(
        f"{path}: the column {field.name!r} of type {kind} {reason}; {remedy}"
    )


@contextmanager
def open_connection(scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection that uses little memory and keeps the order of the rows.

    Parameters
    ----------
    scratch : Path
        Folder for data that does not fit in memory.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        # on several threads, a join changes the order of the rows
        "threads": 1,
        "temp_directory": str(scratch.absolute() / "spilled"),
        "autoinstall_known_extensions": False,
        # and so does a join whose sides are swapped
        "disabled_optimizers": "build_side_probe_side,join_order",
    }
    with duckdb.connect(config=config) as connection:
        yield connection


def sql_files(paths: Sequence[Path]) -> str:
    """Return paths as a list in SQL, where ``*``, ``?`` and ``[`` stand for themselves.

    Examples
    --------
    >>> sql_files([Path("/raw/it's [1].csv")])
    "['/raw/it''s [[]1].csv']"
    """
    return f"[{', '.join(sql_text(glob.escape(str(p.absolute()))) for p in paths)}]"


def sql_text(text: str) -> str:
    """Return a text literal in SQL."""
    return "'" + text.replace("'", "''") + "'"


def sql_name(name: str) -> str:
    """Return a quoted name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
