"""What the columns of raw files look like: kinds of values, how many, which."""

import re
from dataclasses import dataclass
from pathlib import Path

import duckdb

from customer_segmentation.errors import InputError
from customer_segmentation.landing.files import check_kind, stem_of
from customer_segmentation.landing.sources import sql_name, sql_text

__all__ = ["ColumnProfile", "FileProfile", "profile_file", "snake_case"]

# rows of a file that are looked at
ROWS = 200_000
# of the values of a column, so many decide its kind
MOST = 0.95
FEW_VALUES = 25
DATE = (
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([ T].*)?"
    r"|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}([ T].*)?"
)


@dataclass(frozen=True)
class ColumnProfile:
    """A column of a raw file.

    Parameters
    ----------
    header : str
        As the file has it.
    kind : str
        ``date``, ``whole``, ``number``, ``text``, or ``empty``.
    filled, distinct : float
        The share of rows with a value, and of values that are distinct.
    minimum : float or None
        Of numbers.
    values : tuple of str
        All values if there are few, otherwise none.
    """

    header: str
    kind: str
    filled: float
    distinct: float
    minimum: float | None = None
    values: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The header as a name of SQL."""
        return snake_case(self.header)


@dataclass(frozen=True)
class FileProfile:
    """A raw file, and its columns.

    Parameters
    ----------
    path : Path
        The file.
    rows : int
        The number of distinct rows that were looked at.
    columns : tuple of ColumnProfile
        In the order of the file.
    """

    path: Path
    rows: int
    columns: tuple[ColumnProfile, ...]

    @property
    def name(self) -> str:
        """The name of its raw table."""
        return snake_case(stem_of(self.path))


def snake_case(text: str) -> str:
    """Return a text in lower case with underscores, as names of SQL are.

    Examples
    --------
    >>> snake_case("Order ID"), snake_case("orderDate"), snake_case("2024 Total (£)")
    ('order_id', 'order_date', 'n2024_total')
    """
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    name = re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_") or "column"
    return f"n{name}" if name[0].isdigit() else name


def profile_file(path: Path) -> FileProfile:
    """Look at a CSV or Parquet file.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    InputError
        If it cannot be read, or has no rows.
    """
    if not path.exists():
        raise InputError(f"{path}: there is no such file")
    kind = check_kind(path)
    if kind == "Excel":
        raise InputError(
            f"{path}: is a workbook; save each sheet as CSV to have it looked at. The "
            "landing reads workbooks too"
        )
    reader = "read_parquet" if kind == "Parquet" else "read_csv"
    options = "" if kind == "Parquet" else ", all_varchar = true, header = true"
    with duckdb.connect(config={"threads": 2}) as connection:
        try:
            connection.execute(
                f"create table raw as select distinct columns(*)::varchar from"
                f" {reader}({sql_text(str(path))}{options}) limit {ROWS}"
            )
            headers = [row[0] for row in connection.execute("describe raw").fetchall()]
        except duckdb.Error as error:
            raise InputError(
                f"{path}: cannot be read: {str(error).partition(chr(10))[0]}"
            ) from error
        [(rows,)] = connection.execute("select count(*) from raw").fetchall()
        if not rows:
            raise InputError(f"{path}: has no rows below its header")
        columns = tuple(_profile(connection, one, rows) for one in headers)
    return FileProfile(path, rows, columns)


def _profile(
    connection: duckdb.DuckDBPyConnection, header: str, rows: int
) -> ColumnProfile:
    value = f"nullif(trim({sql_name(header)}), '')"
    [(filled, distinct, dates, numbers, whole, minimum)] = connection.execute(
        f"""
        select count(v), count(distinct v),
            count(*) filter (regexp_full_match(v, {sql_text(DATE)})),
            count(try_cast(v as double)),
            count(*) filter (try_cast(v as double) = floor(try_cast(v as double))),
            min(try_cast(v as double))
        from (select {value} as v from raw)
        """
    ).fetchall()
    if not filled:
        return ColumnProfile(header, "empty", 0, 0)
    kind = "text"
    if dates >= MOST * filled:
        kind = "date"
    elif numbers >= MOST * filled:
        kind = "whole" if whole == numbers else "number"
    values: tuple[str, ...] = ()
    if distinct <= FEW_VALUES:
        found = connection.execute(
            f"select distinct {value} as v from raw where v is not null order by v"
        ).fetchall()
        values = tuple(row[0] for row in found)
    return ColumnProfile(
        header,
        kind,
        filled / rows,
        distinct / filled,
        minimum if kind in ("whole", "number") else None,
        values,
    )
