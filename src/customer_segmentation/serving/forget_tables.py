"""Forgotten customers leave a DuckDB file: their rows, and the bytes of these rows.

Tables are found in the catalog by their columns, so a new table needs no entry here.
DuckDB keeps the bytes of deleted rows until it needs the room, so what stays is copied
to a new file.
"""

import json
import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from customer_segmentation.errors import InputError
from customer_segmentation.landing.forgotten import Customer, identifier
from customer_segmentation.landing.sources import sql_name, sql_text
from customer_segmentation.prediction.segments import KEEP_ROWS
from customer_segmentation.private_files import set_mode, sync
from customer_segmentation.raw_tables import LANDED_BY_NAME, RawTable
from customer_segmentation.segmentation.fits import FittedSegmentation
from customer_segmentation.segmentation.prototypes import centroids
from customer_segmentation.stored import SEAL, sealed

__all__ = ["forget_in_tables", "tables_naming"]

# a guest has no key, and the key of the transaction stands for the buyer
CUSTOMER_COLUMNS = ("customer_key", "buyer_key")
# what a customer's row leads to
OWNED = (
    ("customer_key", "transaction_key"),
    ("transaction_key", "transaction_line_key"),
)
# a table about several kinds of things says of each row which kind it is
ENTITY, CUSTOMER_ENTITY = "entity", "entity = 'customer'"
ENTITY_COLUMNS = ("entity_key", "entity_name")
FITS, PROTOTYPES = "int_segmentation__fits", "int_segmentation__prototypes"
PUBLIC_PROTOTYPES, MODELS = "cluster_prototypes", "int_prediction__models"
RETIRED = "retired: a customer was forgotten"


@dataclass(frozen=True)
class Table:
    """A table of a database, with the types of its columns.

    Parameters
    ----------
    schema, name : str
        Its name.
    columns : dict of str to str
        The type of each column.
    """

    schema: str
    name: str
    columns: dict[str, str]

    @property
    def sql(self) -> str:
        """Its name in SQL."""
        return f"{sql_name(self.schema)}.{sql_name(self.name)}"

    @property
    def texts(self) -> list[str]:
        """The columns that hold text."""
        return [name for name, kind in self.columns.items() if kind == "VARCHAR"]


def tables_naming(
    connection: duckdb.DuckDBPyConnection, customers: Collection[Customer]
) -> dict[str, int]:
    """Count the rows that hold the key of a customer, alone or within a text.

    Other things have keys of their own, which may be the same text: branch 1 of a
    source system, and customer 1.

    Returns
    -------
    dict of str to int
        By table, where there are any.
    """
    _collect_keys(connection, customers)
    pattern = "|".join(re.escape(one.key) for one in sorted(customers))
    whole = sql_text(f"(^|[^A-Za-z0-9_])({pattern})($|[^A-Za-z0-9_])")
    counts = {}
    for table in _tables(connection):
        texts = [
            f"regexp_matches({sql_name(one)}, {whole})"
            for one in table.texts
            if not one.endswith("_key") and one not in ENTITY_COLUMNS
        ]
        count = _count(connection, table, " or ".join([*texts, _is_of(table)]))
        if count:
            counts[f"{table.schema}.{table.name}"] = count
    return counts


def forget_in_tables(
    source: Path, target: Path, customers: Collection[Customer]
) -> dict[str, int]:
    """Copy a DuckDB file without the rows of customers.

    A row goes if it has the key of a customer, or of a transaction or line of theirs,
    or is a raw record of theirs. Fits that keep points of customers keep the centres of
    their segments only, and ids stay; models that keep training rows go.

    Parameters
    ----------
    source : Path
        The file, which nobody has open.
    target : Path
        The new file.
    customers : collection of Customer
        Whom to forget.

    Returns
    -------
    dict of str to int
        The rows that were removed by table, and the fits and models that were changed.

    Raises
    ------
    InputError
        If a view reads what is not in the file.
    """
    removed: dict[str, int] = {}
    with duckdb.connect() as connection:
        connection.execute(f"attach {sql_text(str(source))} as old (read_only)")
        connection.execute(f"attach {sql_text(str(target))} as new")
        set_mode(target)
        try:
            connection.execute("copy from database old to new")
        except duckdb.Error as error:
            raise InputError(f"{source}: cannot be copied: {error}") from error
        connection.execute("use new")
        _collect_keys(connection, customers)
        for table in _tables(connection):
            condition = _is_of(table)
            count = _count(connection, table, condition)
            if count:
                connection.execute(f"delete from {table.sql} where {condition}")
                removed[f"{table.schema}.{table.name}"] = count
            removed |= _retire(connection, table, customers)
        connection.execute("use memory")
        connection.execute("detach new")
    # the copy still has the bytes of what was deleted from it
    compacted = target.with_name(f"{target.name}.compact")
    with duckdb.connect() as connection:
        connection.execute(f"attach {sql_text(str(target))} as old (read_only)")
        connection.execute(f"attach {sql_text(str(compacted))} as new")
        set_mode(compacted)
        connection.execute("copy from database old to new")
        connection.execute("detach new")
    sync(compacted)
    os.replace(compacted, target)
    return removed


def _tables(connection: duckdb.DuckDBPyConnection) -> Iterator[Table]:
    rows = connection.execute(
        "select t.schema_name, t.table_name, list((c.column_name, c.data_type))"
        " from duckdb_tables() as t join duckdb_columns() as c"
        " using (database_name, schema_name, table_name)"
        " where not t.internal and t.database_name = current_database()"
        " and not t.temporary group by all order by all"
    ).fetchall()
    for schema, name, columns in rows:
        yield Table(schema, name, dict(columns))


def _count(connection: duckdb.DuckDBPyConnection, table: Table, condition: str) -> int:
    [(count,)] = connection.execute(
        f"select count(*) from {table.sql} where {condition}"
    ).fetchall()
    return int(count)


def _collect_keys(
    connection: duckdb.DuckDBPyConnection, customers: Collection[Customer]
) -> None:
    """Make a table of the keys of customers, their transactions, and the lines."""
    connection.execute("create or replace temp table own (kind varchar, key varchar)")
    connection.executemany(
        "insert into temp.own values ('customer_key', $1)",
        [[one.key] for one in sorted(customers)],
    )
    for owner, owned in OWNED:
        for table in _tables(connection):
            if owner in table.columns and owned in table.columns:
                connection.execute(
                    f"insert into temp.own select distinct '{owned}', {owned}"
                    f" from {table.sql} where {_is_own(owner, owner)}"
                    f" and {owned} is not null"
                )


def _is_own(column: str, kind: str) -> str:
    """Return SQL that tells whether a column has a key collected before."""
    own = f"select key from temp.own where kind = '{kind}'"
    return f"coalesce({column} in ({own}), false)"


def _is_of(table: Table) -> str:
    """Return SQL that tells whether a row is of a customer whose keys are collected."""
    found = [
        _is_own(column, "customer_key")
        for column in CUSTOMER_COLUMNS
        if column in table.columns
    ]
    found += [_is_own(owned, owned) for _, owned in OWNED if owned in table.columns]
    if ENTITY in table.columns:
        found += [
            f"({CUSTOMER_ENTITY} and {_is_own(column, 'customer_key')})"
            for column in ENTITY_COLUMNS
            if column in table.columns
        ]
    found += [_is_own(key, "customer_key") for key in _keys_of_raw_rows(table)]
    return " or ".join(["false", *found])


def _keys_of_raw_rows(table: Table) -> list[str]:
    """Return SQL for the customer's key of a row that is staged or rejected."""
    if table.name.startswith("stg_"):
        return [
            key
            for system in LANDED_BY_NAME.values()
            for raw in system.tables
            if table.name == f"stg_{system.name}__{raw.name}"
            for key in _keys_of_staged_row(table, system.name, raw)
        ]
    if {"source_system", "source_table", "raw_record"} <= table.columns.keys():
        cases = [
            f"when source_system = '{system.name}' and source_table = '{raw.name}'"
            f" then {_key_in_record(system.name, raw.customer_column)}"
            for system in LANDED_BY_NAME.values()
            for raw in system.tables
            if raw.customer_column
        ]
        return [f"case {' '.join(cases)} end"]
    if {"source_system", "customer_id"} <= table.columns.keys():
        return ["source_system || ':' || customer_id"]
    return []


def _keys_of_staged_row(table: Table, system: str, raw: RawTable) -> Iterator[str]:
    column = raw.customer_column
    if column in table.columns:
        named = "source_system" in table.columns
        yield f"{'source_system' if named else sql_text(system)} || ':' || {column}"
    if column and "raw_record" in table.columns:
        yield _key_in_record(system, column)


def _key_in_record(system: str, column: str) -> str:
    """Return SQL for the customer's key in a raw row, which is JSON."""
    # a message that was rejected says itself whose customer it was for
    of_record, raw_id = (
        f"json_extract_string(raw_record, '$.{name}')"
        for name in ("source_system", column)
    )
    return f"coalesce({of_record}, '{system}') || ':' || {identifier(raw_id)}"


def _retire(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    customers: Collection[Customer],
) -> dict[str, int]:
    """Take customers' points out of fits, and remove models that keep training rows."""
    systems = ", ".join(sorted({sql_text(one.source_system) for one in customers}))
    of_systems = f"source_system in ({systems})"
    if table.name == MODELS:
        kept = ", ".join(sql_text(name) for name in KEEP_ROWS)
        condition = f"{of_systems} and algorithm in ({kept})"
        count = _count(connection, table, condition)
        connection.execute(f"delete from {table.sql} where {condition}")
        return {"models that keep training rows": count} if count else {}
    if table.name != FITS:
        return {}
    retired = []
    for fit_id, text in connection.execute(
        f"select fit_id, model from {table.sql} where {of_systems} order by fit_id"
    ).fetchall():
        without = _without_points(text)
        if without is None:
            continue
        connection.execute(
            f"update {table.sql} set model = $1, fingerprint = $2 where fit_id = $3",
            [sealed(without, fit_id), RETIRED, fit_id],
        )
        retired.append(fit_id)
    for other in _tables(connection):
        if other.name in (PROTOTYPES, PUBLIC_PROTOTYPES) and retired:
            connection.execute(
                f"delete from {other.sql} where fit_id in"
                f" ({', '.join(map(sql_text, retired))})"
            )
    return {"fits that keep points": len(retired)} if retired else {}


def _without_points(text: str) -> str | None:
    """Return a fit with the centres of its segments only; None if it has no more."""
    stored = json.loads(text)
    stored.pop(SEAL, None)
    fit = FittedSegmentation.from_json(json.dumps(stored))
    points = fit.prototypes
    means = centroids(points.positions, points.segments, points.weights)
    if len(points.positions) == len(means.positions):
        return None
    return replace(fit, prototypes=means, refits=None).to_json()
