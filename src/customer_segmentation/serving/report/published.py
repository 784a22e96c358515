"""The published tables, which may come from an older warehouse than this report."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from customer_segmentation.errors import InputError

__all__ = ["MissingMartError", "PublishedTables"]

Row = dict[str, Any]
NAMES = (
    (re.compile(r"Table with name (\S+) does not exist"), "table"),
    (re.compile(r'column "?([^"\s]+)"? not found', re.IGNORECASE), "column"),
    (re.compile(r'does not have a column named "([^"]+)"'), "column"),
)


class MissingMartError(Exception):
    """The published file lacks a table or a column: the message says which."""


class PublishedTables:
    """Reads the published file.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        A connection to the file.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.tables = {
            name
            for (name,) in connection.execute(
                "select table_name from duckdb_tables() where schema_name = 'main'"
            ).fetchall()
        }

    def rows(self, query: str, *parameters: object) -> list[Row]:
        """Return the rows of a query, in values that JSON knows.

        Raises
        ------
        MissingMartError
            If a table or a column of the query is not in the file.
        """
        try:
            found = self._connection.execute(query, list(parameters))
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise MissingMartError(_what_is_missing(str(error))) from error
        names = [column[0] for column in found.description or ()]
        return [
            dict(zip(names, map(plain, row), strict=True)) for row in found.fetchall()
        ]

    def has(self, table: str) -> bool:
        """Return whether the file has the table, and the table has rows."""
        if table not in self.tables:
            return False
        return bool(self.rows(f"select 1 as found from {table} limit 1"))


@contextmanager
def opened(file: Path) -> Iterator[PublishedTables]:
    """Open a published file, read-only.

    Raises
    ------
    InputError
        If there is no such file, or it is no database of DuckDB.
    """
    if not file.is_file():
        raise InputError(
            f"there is no published file {file}: run `make build` first, or name the "
            "file with --published"
        )
    try:
        connection = duckdb.connect(file, read_only=True)
    except duckdb.Error as error:
        raise InputError(
            f"cannot read {file} as a DuckDB file ({str(error).splitlines()[0]}): "
            "name a published file with --published"
        ) from error
    with connection:
        yield PublishedTables(connection)


def plain(value: object) -> Any:
    """Return a value as JSON knows it: decimals as numbers, days as ISO texts.

    Examples
    --------
    >>> plain(Decimal("1.50")), plain(date(2011, 12, 9)), plain(float("nan"))
    (1.5, '2011-12-09', None)
    """
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _what_is_missing(message: str) -> str:
    for pattern, kind in NAMES:
        if found := pattern.search(message):
            return f"the {kind} `{found[1].rstrip('!')}`"
    return message.splitlines()[0]
