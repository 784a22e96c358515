"""The SQL expressions of a mapping: DuckDB and Spark must read them alike.

sqlglot parses each expression as both engines would. Where the trees differ, or hold a
function that sqlglot does not know, one of the engines would refuse it or compute
something else.
"""

from collections.abc import Collection, Iterator

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from customer_segmentation.source_systems.declare import SourceMapping

ENGINES = {"duckdb": "DuckDB", "spark": "Spark"}
# what staging makes of each type, and what the models do with the columns of a relation
TYPES = {
    "id": "varchar",
    "text": "varchar",
    "number": "decimal(18, 4)",
    "whole": "int",
    "money": "decimal(18, 2)",
    "date": "timestamp",
}
USES = {
    "customer_id": "'shop:' || {}",
    "transaction_id": "'shop:' || {}",
    "branch_id": "'shop:' || {}",
    "status": "lower({}) in ('a')",
    "amount": "case when {} < 0 then -abs({}) end",
    "reject": "case when {} then 1 end",
}
NO_EXPRESSIONS = (exp.Query, exp.Alias, exp.Window, exp.AggFunc, exp.Command)


def check_expressions(mapping: SourceMapping) -> None:
    """Refuse a mapping with an expression that one of the engines cannot read.

    Raises
    ------
    InputError
        For the first such expression: its line, what is wrong and what to write.
    """
    for place, expression, columns in _expressions(mapping):
        problem = problem_of(expression, columns)
        if problem:
            raise mapping.located.error(place, f"`{expression}` {problem}")
    _check_types(mapping)


def _check_types(mapping: SourceMapping) -> None:
    """Refuse an expression whose types do not fit, as DuckDB finds without rows."""
    with duckdb.connect(config={"threads": 1}) as connection:
        for table in mapping.tables:
            for column in table.columns:
                _try(
                    connection,
                    f"create or replace table raw ({column.name} {TYPES[column.kind]})",
                    mapping,
                    ("tables", table.name, "columns", column.name),
                    column.name,
                )
            columns = ", ".join(
                f"{one.name} {TYPES[one.kind]}" for one in table.columns
            )
            connection.execute(f"create table {table.name}_rows ({columns})")
        tables = {one.name: one.table for one in mapping.relations}
        for place, expression, _ in _expressions(mapping):
            name = tables[place[1]] if place[0] == "relations" else place[1]
            use = USES.get(place[-1] if place[0] == "relations" else "reject", "{}")
            query = f"select {use.replace('{}', f'({expression})')} from {name}_rows"
            _try(connection, query, mapping, place, expression)


def _try(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    mapping: SourceMapping,
    place: tuple[str, ...],
    expression: str,
) -> None:
    try:
        connection.execute(query)
    except duckdb.Error as error:
        # the kind of the error comes first, and hints follow
        said = str(error).partition("\n")[0].partition("Error: ")[2]
        raise mapping.located.error(
            place,
            f"`{expression}` does not fit there: {said}; mind the types of the columns "
            "and what the column is for.",
        ) from error


def _expressions(
    mapping: SourceMapping,
) -> Iterator[tuple[tuple[str, ...], str, list[str]]]:
    for table in mapping.tables:
        names = [column.name for column in table.columns]
        for reason, expression in table.reject.items():
            yield ("tables", table.name, "reject", reason), expression, names
    for relation in mapping.relations:
        names = [column.name for column in mapping.table(relation.table).columns]
        for column, expression in relation.columns.items():
            place = ("relations", relation.name, "columns", column)
            yield place, expression, names


def problem_of(expression: str, columns: Collection[str]) -> str | None:
    """Return what is wrong with an expression, or None.

    Parameters
    ----------
    expression : str
        SQL.
    columns : collection of str
        The columns it may name.

    Examples
    --------
    >>> problem_of("lower(city)", ["city"])
    >>> problem_of("lower(town)", ["city"])
    'names the column town, which is not there; the columns are city.'
    """
    if '"' in expression or "`" in expression or "{" in expression:
        return "has a double quote, backtick or brace; write columns without quotes."
    trees = {}
    for dialect, engine in ENGINES.items():
        try:
            [tree] = sqlglot.parse(expression, read=dialect)
            if not isinstance(tree, exp.Expression):
                raise ValueError
            trees[dialect] = tree
        except (SqlglotError, ValueError):
            return f"is no expression that {engine} can read; mind brackets and quotes."
    for dialect, tree in trees.items():
        unknown = next(tree.find_all(exp.Anonymous), None)
        if unknown is not None:
            return (
                f"calls {unknown.name}, which is not known on {ENGINES[dialect]}; "
                "write it with functions that both engines have."
            )
        if tree.find(*NO_EXPRESSIONS):
            return (
                "has a query, alias, window or aggregate; write one expression of the "
                "columns of the row."
            )
    if trees["duckdb"] != trees["spark"]:
        return "means something else on DuckDB than on Spark; write it in another way."
    for column in trees["duckdb"].find_all(exp.Column):
        if column.table or column.name not in columns:
            return (
                f"names the column {column.sql()}, which is not there; the columns "
                f"are {', '.join(columns)}."
            )
    return None
