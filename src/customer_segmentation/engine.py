"""The engine under the Python models: it reads tables and writes results in batches.

This is the one module that knows what ``dbt.ref`` returns and what ``model()`` may
return. On DuckDB, ``dbt.ref`` returns a relation, and a model returns a stream of Arrow
batches, which dbt-duckdb writes while it reads them. On Spark, both are a DataFrame,
and the executors process the batches. A further engine needs one more class here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import duckdb
import pandas as pd
import pyarrow as pa
from duckdb import ColumnExpression, ConstantExpression, FunctionExpression

__all__ = ["Relation", "Stream", "empty_frame", "map_batches", "read", "to_frame"]

# What dbt.ref returns, and what model() may return. The classes belong to the engine,
# and one that is not installed cannot be named here.
Relation = Any
Stream = Any

ROWS_A_BATCH = 100_000

Batches = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]


class Rows(Protocol):
    """Rows of a table on an engine; nothing is read before ``to_arrow`` or ``map``."""

    def where(self, column: str, value: str | bool) -> Self:
        """Return the rows that have a value in a column."""

    def select(self, columns: Sequence[str]) -> Self:
        """Return the rows with these columns."""

    def sort(self, columns: Sequence[str], *, by_hash_of: str | None = None) -> Self:
        """Return the rows in the order of the MD5 hash of a text, then of columns.

        None of these columns has nulls.
        """

    def limit(self, count: int) -> Self:
        """Return the first rows."""

    def to_arrow(self) -> pa.Table:
        """Return all rows, in order, in this process."""

    def map(self, function: Batches, schema: pa.Schema) -> Stream:
        """Return the results of a function on batches, for ``model()`` to return."""


@dataclass(frozen=True)
class DuckDBRows:
    """Rows of a relation in this process."""

    relation: duckdb.DuckDBPyRelation

    def where(self, column: str, value: str | bool) -> Self:
        """Return the rows that have a value in a column."""
        condition = ColumnExpression(column) == ConstantExpression(value)
        return type(self)(self.relation.filter(condition))

    def select(self, columns: Sequence[str]) -> Self:
        """Return the rows with these columns."""
        return type(self)(self.relation.select(*map(ColumnExpression, columns)))

    def sort(self, columns: Sequence[str], *, by_hash_of: str | None = None) -> Self:
        """Return the rows in the order of the MD5 hash of a text, then of columns."""
        order = [ColumnExpression(column) for column in columns]
        if by_hash_of is not None:
            order.insert(0, FunctionExpression("md5", ColumnExpression(by_hash_of)))
        return type(self)(self.relation.sort(*(one.asc() for one in order)))

    def limit(self, count: int) -> Self:
        """Return the first rows."""
        return type(self)(self.relation.limit(count))

    def to_arrow(self) -> pa.Table:
        """Return all rows."""
        return self.relation.to_arrow_table()

    def map(self, function: Batches, schema: pa.Schema) -> pa.RecordBatchReader:
        """Return a stream; its memory does not grow with the number of rows."""

        def batches() -> Iterator[pa.RecordBatch]:
            yield from function(self.relation.to_arrow_reader(ROWS_A_BATCH))

        return pa.RecordBatchReader.from_batches(schema, batches())


@dataclass(frozen=True)
class SparkRows:
    """Rows of a DataFrame of a Spark session, in this process or of a cluster."""

    frame: Any

    def where(self, column: str, value: str | bool) -> Self:
        """Return the rows that have a value in a column."""
        return type(self)(self.frame.filter(self.frame[column] == value))

    def select(self, columns: Sequence[str]) -> Self:
        """Return the rows with these columns."""
        return type(self)(self.frame.select(*columns))

    def sort(self, columns: Sequence[str], *, by_hash_of: str | None = None) -> Self:
        """Return the rows in the order of the MD5 hash of a text, then of columns."""
        from pyspark.sql.functions import col, md5

        order = [col(column) for column in columns]
        if by_hash_of is not None:
            order.insert(0, md5(by_hash_of))
        return type(self)(self.frame.sort(*order))

    def limit(self, count: int) -> Self:
        """Return the first rows."""
        return type(self)(self.frame.limit(count))

    def to_arrow(self) -> pa.Table:
        """Return all rows."""
        return _without_time_zones(self.frame.toArrow())

    def map(self, function: Batches, schema: pa.Schema) -> Any:
        """Return a DataFrame; the executors compute it batch by batch."""
        from pyspark.sql.pandas.types import from_arrow_schema

        def batches(rows: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            tables = (_without_time_zones(pa.Table.from_batches([one])) for one in rows)
            yield from function(one for table in tables for one in table.to_batches())

        return self.frame.mapInArrow(batches, from_arrow_schema(schema))


def read(
    relation: Relation,
    columns: Sequence[str],
    *,
    order_by: str | Sequence[str] = "customer_key",
    where: Mapping[str, str | bool] | None = None,
    limit: int | None = None,
    sample_by: str | None = None,
) -> pd.DataFrame:
    """Read columns of a relation, in the same order in every run.

    Parameters
    ----------
    relation : Relation
        From ``dbt.ref``.
    columns : sequence of str
        The columns to read, in this order.
    order_by : str or sequence of str
        Columns that identify a row, the first one a text. They need not be among the
        columns to read.
    where : mapping of str to str or bool, optional
        The value that each of these columns must have. By default, all rows are read.
    limit : int, optional
        Maximum number of rows: those with the lowest MD5 hash of ``sample_by``. This
        sample is the same on every engine, and keeps most of its rows as the table
        grows.
    sample_by : str, optional
        A text column, by default the first of ``order_by``. Rows that share its value
        are sampled together.

    Returns
    -------
    DataFrame
        The rows; decimals are floats.

    Examples
    --------
    >>> relation = duckdb.sql("values ('b', 2, true), ('a', 1, true), ('c', 3, false)")
    >>> rows = relation.project("col0 as customer_key, col1 as spend, col2 as is_today")
    >>> read(rows, ["spend"], where={"is_today": True})["spend"].tolist()
    [1, 2]
    """
    rows = _rows(relation, where)
    keys = [order_by] if isinstance(order_by, str) else list(order_by)
    if limit is not None:
        rows = rows.sort(keys, by_hash_of=sample_by or keys[0]).limit(limit)
    # select, then sort: not every engine keeps the order through a selection
    selected = rows.select(list(dict.fromkeys([*columns, *keys])))
    return to_frame(selected.sort(keys).to_arrow())[list(columns)]


def map_batches(
    relation: Relation,
    columns: Sequence[str],
    function: Callable[[pa.Table], pa.Table],
    schema: pa.Schema,
    *,
    where: Mapping[str, str | bool] | None = None,
) -> Stream:
    """Apply a function to a relation batch by batch, in constant memory.

    Parameters
    ----------
    relation : Relation
        From ``dbt.ref``.
    columns : sequence of str
        The columns that the function receives.
    function : callable
        Takes a table of at most ``ROWS_A_BATCH`` rows, and returns a table of the
        schema with any number of rows. Its result for one row must not depend on the
        other rows of the batch, because the engine decides how rows are batched.
    schema : pyarrow.Schema
        The schema of the result.
    where : mapping of str to str or bool, optional
        The value that each of these columns must have. By default, all rows are read.

    Returns
    -------
    Stream
        For ``model()`` to return. Nothing is read before that.
    """

    def mapped(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            result = function(pa.Table.from_batches([batch]))
            yield from result.cast(schema).to_batches()

    return _rows(relation, where).select(columns).map(mapped, schema)


def empty_frame(relation: Relation, columns: Sequence[str]) -> pd.DataFrame:
    """Return columns of a relation without rows, for their types."""
    return to_frame(_rows(relation).select(columns).limit(0).to_arrow())


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return an Arrow table as a pandas frame, decimals as floats."""
    types = pa.schema(
        [
            field.with_type(pa.float64()) if pa.types.is_decimal(field.type) else field
            for field in table.schema
        ]
    )
    return table.cast(types).to_pandas()


def _rows(relation: Relation, where: Mapping[str, str | bool] | None = None) -> Rows:
    kind = DuckDBRows if isinstance(relation, duckdb.DuckDBPyRelation) else SparkRows
    rows: Rows = kind(relation)
    for column, value in (where or {}).items():
        rows = rows.where(column, value)
    return rows


def _without_time_zones(table: pa.Table) -> pa.Table:
    """Return timestamps without a zone, as on DuckDB; Spark adds its session's UTC."""
    types = [
        field.with_type(pa.timestamp(field.type.unit))
        if pa.types.is_timestamp(field.type)
        else field
        for field in table.schema
    ]
    return table.cast(pa.schema(types))
