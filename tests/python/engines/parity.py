"""Compare the public tables of two builds, row by row: one of DuckDB and one of Spark.

Run with ``python tests/python/engines/parity.py warehouse.duckdb spark/warehouse``.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

__all__ = ["Difference", "compare_tables", "public_tables"]

# of floating figures: another order of the sums, and other libraries of mathematics
RELATIVE, ABSOLUTE = 1e-6, 1e-9
TEXT = "coalesce(cast({} as varchar), '<null>')"
# when and by what a model was made, not what it says
NOT_COMPARED = {"fitted_at", "trained_at", "fit_seconds", "model", "library_versions"}


@dataclass(frozen=True)
class Difference:
    """How one table differs from another.

    Parameters
    ----------
    table : str
        Its name.
    rows : int
        Of the first build.
    columns : int
        That were compared.
    greatest : float
        Relative difference of floating figures.
    problems : tuple of str
        What is not equal, or not within the tolerance.
    """

    table: str
    rows: int
    columns: int
    greatest: float
    problems: tuple[str, ...]


def public_tables(database: Path) -> dict[str, pd.DataFrame]:
    """Return the tables that DuckDB has in the schema ``main``."""
    with duckdb.connect(str(database), read_only=True) as connection:
        names = connection.sql(
            "select table_name from duckdb_tables where schema_name = 'main' order by 1"
        ).fetchall()
        return {name: plain(connection.table(f"main.{name}")) for (name,) in names}


def spark_tables(warehouse: Path) -> dict[str, pd.DataFrame]:
    """Return the tables that Spark has in the schema ``main``."""
    folders = sorted(path for path in (warehouse / "main.db").iterdir())
    with duckdb.connect() as connection:
        connection.sql("set timezone = 'UTC'")
        return {
            path.name: plain(connection.read_parquet(f"{path}/*.parquet"))
            for path in folders
        }


def compare_tables(one: pd.DataFrame, other: pd.DataFrame, table: str) -> Difference:
    """Return how two tables differ, in whatever order their rows come."""
    problems = []
    if set(one) != set(other):
        problems.append(f"columns: {sorted(set(one) ^ set(other))}")
    columns = [name for name in one if name in other and name not in NOT_COMPARED]
    if len(one) != len(other):
        problems.append(f"rows: {len(one)} and {len(other)}")
        return Difference(table, len(one), len(columns), 0.0, tuple(problems))
    both = [frame[columns] for frame in (one, other)]
    exact = [name for name in columns if one[name].dtype != float]
    order = exact + [name for name in columns if name not in exact]
    left, right = (
        frame.assign(**{n: frame[n].round(6) for n in columns if n not in exact})
        .sort_values(order, kind="stable", na_position="last")
        .index
        for frame in both
    )
    first, second = both[0].loc[left], both[1].loc[right]
    greatest = 0.0
    for name in columns:
        a, b = first[name].to_numpy(), second[name].to_numpy()
        if name in exact:
            wrong = a != b
        else:
            wrong = ~np.isclose(a, b, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
            scale = np.maximum(np.abs(a), np.abs(b))
            apart = np.abs(a - b)[np.isfinite(scale) & (scale > ABSOLUTE)]
            relative = apart / scale[np.isfinite(scale) & (scale > ABSOLUTE)]
            greatest = max(greatest, float(relative.max(initial=0.0)))
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            problems.append(f"{name}: {wrong.sum()} rows, as {a[at]!r} and {b[at]!r}")
    return Difference(table, len(one), len(columns), greatest, tuple(problems))


def plain(relation: duckdb.DuckDBPyRelation) -> pd.DataFrame:
    """Return doubles as floats, and all else as texts: decimals to their last digit."""
    doubles = {
        name
        for name, kind in zip(relation.columns, relation.types, strict=True)
        if str(kind) in ("DOUBLE", "FLOAT")
    }
    selected = (
        name if name in doubles else f"{TEXT.format(name)} as {name}"
        for name in relation.columns
    )
    return relation.select(", ".join(selected)).df()


def main(database: str, warehouse: str) -> None:
    """Print how each table differs."""
    ours, theirs = public_tables(Path(database)), spark_tables(Path(warehouse))
    print("only here:", sorted(set(ours) - set(theirs)))  # noqa: T201
    print("only there:", sorted(set(theirs) - set(ours)))  # noqa: T201
    for name in sorted(set(ours) & set(theirs)):
        found = compare_tables(ours[name], theirs[name], name)
        said = "; ".join(found.problems) or "equal"
        print(  # noqa: T201
            f"{name:34} {found.rows:8,} rows {found.columns:3} columns "
            f"{found.greatest:8.1e}  {said[:2000]}"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
