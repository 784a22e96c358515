"""The engine under the Python models: how tables are read, and written in streams.

The one module that knows what ``dbt.ref`` hands over, and what ``model()`` may
return. On DuckDB that is a relation, and a stream of Arrow batches, which dbt-duckdb
writes while it is read. On Spark both are a DataFrame, and batches are mapped where
they lie, on the executors. Another engine gets its class here, and nowhere else.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import duckdb
import pandas as pd
import pyarrow as pa
from duckdb import ColumnExpression, ConstantExpression, FunctionExpression

__all__ = ["Relation", "Stream", "empty_frame", "map_batches", "read", "to_frame"]

# what dbt.ref hands over, and what model() may hand back: classes of the engine, and
# those of an engine that is not installed cannot be named
Relation = Any
Stream = Any

ROWS_A_BATCH = 100_000

Batches = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]


class Rows(Protocol):
    """What each engine can do with rows of a table, reading nothing too early."""

    def having(self, column: str, value: str | bool) -> Self:
        """Return those where a column has a value."""

    def select(self, columns: Sequence[str]) -> Self:
        """Return them with these columns."""

    def sort(self, columns: Sequence[str], *, by_hash_of: str | None = None) -> Self:
        """Return them in the order of the MD5 hash of a text, and then of columns.

        None of these has nulls.
        """

    def limit(self, count: int) -> Self:
        """Return the first of them."""

    def to_arrow(self) -> pa.Table:
        """Return all of them, in order, in this process."""

    def map(self, function: Batches, schema: pa.Schema) -> Stream:
        """Return what a function makes of their batches, for ``model()`` to return."""


@dataclass(frozen=True)
class DuckDBRows:
    """A relation in this process."""

    relation: duckdb.DuckDBPyRelation

    def having(self, column: str, value: str | bool) -> Self:
        """Return those where a column has a value."""
        wanted = ColumnExpression(column) == ConstantExpression(value)
        return type(self)(self.relation.filter(wanted))

    def select(self, columns: Sequence[str]) -> Self:
        """Return them with these columns."""
        return type(self)(self.relation.select(*map(ColumnExpression, columns)))

    def sort(self, columns: Sequence[str], *, by_hash_of: str | None = None) -> Self:
        """Return them in an order."""
        order = [ColumnExpression(column) for column in columns]
        if by_hash_of is not None:
            order.insert(0, FunctionExpression("md5", ColumnExpression(by_hash_of)))
        return type(self)(self.relation.sort(*(one.asc() for one in order)))

    def limit(self, count: int) -> Self:
        """Return the first of them."""
        return type(self)(self.relation.limit(count))

    def to_arrow(self) -> pa.Table:
        """Return all of them."""
        return self.relation.to_arrow_table()

    def map(self, function: Batches, schema: pa.Schema) -> pa.RecordBatchReader:
        """Return a stream, in memory that the rows do not fill."""

        def batches() -> Iterator[pa.RecordBatch]:
            yield from function(self.relation.to_arrow_reader(ROWS_A_BATCH))

        return pa.RecordBatchReader.from_batches(schema, batches())


@dataclass(frozen=True)
class SparkRows:
    """A DataFrame of a session, local or of a cluster."""

    frame: Any

    def having(self, column: str, value: str | bool) -> Self:
        """Return those where a column has a value."""
        return type(self)(self.frame.filter(self.frame[column] == value))

    def select(self, columns: Sequence[str]) -> Self:
        """Return them with these columns."""
        return type(self)(self.frame.select(*columns))

    def sort(self, columns: Sequence[str], *, by_hash_of: str | None = None) -> Self:
        """Return them in an order."""
        from pyspark.sql.functions import col, md5

        order = [col(column) for column in columns]
        if by_hash_of is not None:
            order.insert(0, md5(by_hash_of))
        return type(self)(self.frame.sort(*order))

    def limit(self, count: int) -> Self:
        """Return the first of them."""
        return type(self)(self.frame.limit(count))

    def to_arrow(self) -> pa.Table:
        """Return all of them."""
        return without_time_zones(self.frame.toArrow())

    def map(self, function: Batches, schema: pa.Schema) -> Any:
        """Return a DataFrame whose batches are made on the executors."""
        from pyspark.sql.pandas.types import from_arrow_schema

        def batches(rows: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            tables = (without_time_zones(pa.Table.from_batches([one])) for one in rows)
            yield from function(one for table in tables for one in table.to_batches())

        return self.frame.mapInArrow(batches, from_arrow_schema(schema))


def without_time_zones(table: pa.Table) -> pa.Table:
    """Return timestamps as DuckDB has them; a session of Spark gives its zone, UTC."""
    plain = [
        field.with_type(pa.timestamp(field.type.unit))
        if pa.types.is_timestamp(field.type)
        else field
        for field in table.schema
    ]
    return table.cast(pa.schema(plain))


def read(
    relation: Relation,
    columns: Sequence[str],
    *,
    order_by: str | Sequence[str] = "customer_key",
    where: Mapping[str, str | bool] | None = None,
    limit: int | None = None,
    sample_by: str | None = None,
) -> pd.DataFrame:
    """Read columns of a relation, in an order that no run changes.

    Parameters
    ----------
    relation : Relation
        From ``dbt.ref``.
    columns : sequence of str
        To read, in this order.
    order_by : str or sequence of str
        Columns that tell the rows apart, the first a text; need not be among those
        read.
    where : mapping of str to str or bool, optional
        Columns and the values they must have.
    limit : int, optional
        At most so many rows: those whose ``sample_by`` has the least MD5 hash. A sample
        that keeps its rows when others come, and is the same on every engine.
    sample_by : str, optional
        A text column, by default the first to order by. Rows that share it are sampled
        together.

    Returns
    -------
    DataFrame
        Decimals as floats.
    """
    rows = _rows(relation, where)
    keys = [order_by] if isinstance(order_by, str) else list(order_by)
    if limit is not None:
        rows = rows.sort(keys, by_hash_of=sample_by or keys[0]).limit(limit)
    # what is sorted before it is selected is not sorted on every engine
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
    """Apply a function to a relation batch by batch, in memory that rows do not fill.

    Parameters
    ----------
    relation : Relation
        From ``dbt.ref``.
    columns : sequence of str
        That the function gets.
    function : callable
        Takes a table of at most ``ROWS_A_BATCH`` rows and returns one of the schema,
        of as many rows as it likes. What it says of a row must not depend on the other
        rows: how they are batched is the engine's affair.
    schema : pyarrow.Schema
        Of the result.
    where : mapping of str to str or bool, optional
        Columns and the values they must have.

    Returns
    -------
    Stream
        Arrow batches, to be returned from ``model()``. Nothing is read before it is.
    """

    def mapped(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            result = function(pa.Table.from_batches([batch]))
            yield from result.cast(schema).to_batches()

    return _rows(relation, where).select(columns).map(mapped, schema)


def empty_frame(relation: Relation, columns: Sequence[str]) -> pd.DataFrame:
    """Return columns of a relation without a row, which tells their types."""
    return to_frame(_rows(relation).select(columns).limit(0).to_arrow())


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return an Arrow table as pandas, decimals as floats."""
    plain = pa.schema(
        [
            field.with_type(pa.float64()) if pa.types.is_decimal(field.type) else field
            for field in table.schema
        ]
    )
    return table.cast(plain).to_pandas()


def _rows(relation: Relation, where: Mapping[str, str | bool] | None = None) -> Rows:
    kind = DuckDBRows if isinstance(relation, duckdb.DuckDBPyRelation) else SparkRows
    rows: Rows = kind(relation)
    for column, value in (where or {}).items():
        rows = rows.having(column, value)
    return rows
