"""The engine under the Python models: how tables are read, and written in streams.

The one module that knows what ``dbt.ref`` hands over. On DuckDB that is a relation, and
``model()`` may return a stream of Arrow batches, which dbt-duckdb writes while it is
read. Another engine gets its branch here, and nowhere else.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import duckdb
import pandas as pd
import pyarrow as pa
from duckdb import ColumnExpression, ConstantExpression, FunctionExpression

__all__ = ["Relation", "Stream", "empty_frame", "map_batches", "read", "to_frame"]

# what dbt.ref hands over, and what model() may hand back
Relation = duckdb.DuckDBPyRelation
Stream = pa.RecordBatchReader

ROWS_A_BATCH = 100_000


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
    rows = _filtered(relation, where)
    names = [order_by] if isinstance(order_by, str) else list(order_by)
    keys = [ColumnExpression(name).asc() for name in names]
    if limit is not None:
        by_hash = FunctionExpression("md5", ColumnExpression(sample_by or names[0]))
        rows = rows.sort(by_hash.asc(), *keys).limit(limit)
    # what is sorted before it is selected is not sorted on every engine
    selected = rows.select(*map(ColumnExpression, dict.fromkeys([*columns, *names])))
    return to_frame(selected.sort(*keys).to_arrow_table())[list(columns)]


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
    rows = _filtered(relation, where).select(*map(ColumnExpression, columns))

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in rows.to_arrow_reader(ROWS_A_BATCH):
            result = function(pa.Table.from_batches([batch]))
            yield from result.cast(schema).to_batches()

    return pa.RecordBatchReader.from_batches(schema, batches())


def empty_frame(relation: Relation, columns: Sequence[str]) -> pd.DataFrame:
    """Return columns of a relation without a row, which tells their types."""
    selected = relation.select(*map(ColumnExpression, columns)).limit(0)
    return to_frame(selected.to_arrow_table())


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return an Arrow table as pandas, decimals as floats."""
    plain = pa.schema(
        [
            field.with_type(pa.float64()) if pa.types.is_decimal(field.type) else field
            for field in table.schema
        ]
    )
    return table.cast(plain).to_pandas()


def _filtered(relation: Relation, where: Mapping[str, str | bool] | None) -> Relation:
    for column, value in (where or {}).items():
        relation = relation.filter(
            ColumnExpression(column) == ConstantExpression(value)
        )
    return relation
