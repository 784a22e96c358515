"""Open published tables again and again, join them, and count the right answers.

``python benchmarks/published_reader.py KIND FILE STOP`` reads until the file ``STOP``
is there, and prints a JSON object: reads, right answers, versions met, and errors.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import duckdb

TABLES = ("customers", "customer_features", "missing_values")
ROWS = ", ".join(f"(select count(*) from {name}) as {name}" for name in TABLES)
# what the tables have, beside what was published of them
QUERY = f"""
    select version, table_name, row_count, found.* from published_tables
    cross join (select {ROWS}) as found
    where table_name in {TABLES}
"""


def by_duckdb(marts: Path) -> list[Any]:
    """Read the file with DuckDB."""
    with duckdb.connect(marts, read_only=True) as connection:
        return connection.execute(QUERY).fetchall()


def by_sqlalchemy(marts: Path) -> list[Any]:
    """Read the file as BI tools in Python do."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(
        f"duckdb:///{marts}",
        connect_args={"read_only": True},
        poolclass=sqlalchemy.NullPool,
    )
    with engine.connect() as connection:
        return list(connection.execute(sqlalchemy.text(QUERY)))


def by_adbc(marts: Path) -> list[Any]:
    """Read the file as Arrow, by ADBC."""
    import adbc_driver_duckdb
    import adbc_driver_manager.dbapi

    with (
        adbc_driver_manager.dbapi.connect(
            driver=adbc_driver_duckdb.driver_path(),
            entrypoint="duckdb_adbc_init",
            db_kwargs={"path": str(marts), "access_mode": "READ_ONLY"},
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(QUERY)
        rows: list[Any] = cursor.fetchall()
        return rows


def by_parquet(marts: Path) -> list[Any]:
    """Read the folder of the last version, without DuckDB."""
    import pyarrow.parquet

    # one version, whatever is published meanwhile
    folder = (marts.with_suffix("") / "current").resolve()
    found = [
        pyarrow.parquet.read_metadata(folder / f"{name}.parquet").num_rows
        for name in TABLES
    ]
    published = pyarrow.parquet.read_table(folder / "published_tables.parquet")
    return [
        (row["version"], row["table_name"], row["row_count"], *found)
        for row in published.to_pylist()
        if row["table_name"] in TABLES
    ]


READERS: dict[str, Callable[[Path], list[Any]]] = {
    "duckdb": by_duckdb,
    "sqlalchemy": by_sqlalchemy,
    "adbc": by_adbc,
    "parquet": by_parquet,
}


def is_right(rows: list[Any]) -> bool:
    """Whether all tables are there, of one version, with the rows published of them."""
    versions = {row[0] for row in rows}
    counts = [row[2] == row[3 + TABLES.index(row[1])] for row in rows]
    return len(versions) == 1 and len(rows) == len(TABLES) and all(counts)


def main() -> None:
    """Read until told to stop."""
    kind, marts, stop = sys.argv[1], *map(Path, sys.argv[2:])
    reads = right = 0
    versions: set[str] = set()
    errors: list[str] = []
    while not stop.exists():
        reads += 1
        try:
            rows = READERS[kind](marts)
        except Exception as error:  # what it is does not matter: nothing may fail
            errors.append(f"{type(error).__name__}: {error}")
        else:
            right += is_right(rows)
            versions |= {row[0] for row in rows}
        time.sleep(0.1)
    found = {"reads": reads, "right": right, "versions": sorted(versions)}
    click.echo(json.dumps(found | {"errors": errors}))


if __name__ == "__main__":
    main()
