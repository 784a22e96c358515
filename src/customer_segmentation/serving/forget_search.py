"""Where a customer's key still stands: rows, pages, logs, and the bytes of files."""

import mmap
import os
import re
from collections.abc import Collection
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from customer_segmentation.landing.forgotten import (
    Customer,
    count_in_zone,
    earlier_versions_naming,
)
from customer_segmentation.landing.sources import sql_name
from customer_segmentation.serving.forget_tables import tables_naming

__all__ = ["is_in_tables", "places_left", "places_searched"]

# dbt's environment variables for the folders of its logs and of its results
LOGS, TARGET = ("DBT_LOG_PATH", "logs"), ("DBT_TARGET_PATH", "target")
# what else is in the target folder is code, and the same for every customer
RESULTS = "run_results.json"


def places_searched(landing_zone: Path, database: Path, published: Path) -> list[str]:
    """Return where `places_left` looks, in words."""
    return [
        str(landing_zone),
        f"rows and bytes of {database}",
        f"rows and bytes of {published}",
        f"files in {published.parent}",
        f"dbt's logs in {_folder(*LOGS)}",
        f"{_folder(*TARGET) / RESULTS}",
    ]


def places_left(
    landing_zone: Path,
    database: Path,
    published: Path,
    customers: Collection[Customer],
) -> list[str]:
    """Return each place that still names a customer.

    Parameters
    ----------
    landing_zone, database, published : Path
        Where to look; pages and exports beside the published file are read too.
    customers : collection of Customer
        Whom to look for.
    """
    left = [
        f"{landing_zone}: {name}" for name in count_in_zone(landing_zone, customers)
    ]
    left += [str(one) for one in earlier_versions_naming(landing_zone, customers)]
    for file in (database, published):
        left += [f"{file}: {name}" for name in _naming(file, customers)]
        left += [f"{one}: bytes of the file" for one in _bytes_naming(file, customers)]
    keys = [one.key for one in customers]
    pages = [one for one in _files(published.parent) if one != published]
    texts = [*_files(_folder(*LOGS)), _folder(*TARGET) / RESULTS]
    left += [
        str(file)
        for file in dict.fromkeys([*pages, *texts])
        if file.is_file() and _stands_in(file, keys)
    ]
    return left


def is_in_tables(file: Path, customer: Customer) -> bool:
    """Whether a row of a DuckDB file, which may be missing, names a customer."""
    return bool(_naming(file, [customer]))


def _naming(file: Path, customers: Collection[Customer]) -> dict[str, int]:
    if not file.exists():
        return {}
    with duckdb.connect(file, read_only=True) as connection:
        return tables_naming(connection, customers)


def _bytes_naming(database: Path, customers: Collection[Customer]) -> list[Path]:
    """Return a DuckDB file, and those that DuckDB writes beside it, if bytes are left.

    The bytes of a key are also those of a longer key, or of another thing, such as
    branch 1 beside customer 1. A value of the file that has them explains them.
    """
    if not database.parent.is_dir():
        return []
    beside = [
        one
        for one in sorted(database.parent.iterdir())
        if one.is_file() and one.name.startswith(database.name)
    ]
    found = []
    for file in beside:
        keys = [one.key for one in sorted(customers) if _has_bytes(file, one.key)]
        explained = file == database and all(_is_explained(file, one) for one in keys)
        if keys and not explained:
            found.append(file)
    return found


def _has_bytes(file: Path, text: str) -> bool:
    if not file.stat().st_size:
        return False
    with (
        file.open("rb") as handle,
        mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        return content.find(text.encode()) >= 0


def _is_explained(file: Path, text: str) -> bool:
    """Whether a value, a description or a view of a DuckDB file has a text in it."""
    with duckdb.connect(file, read_only=True) as connection:
        columns = connection.execute(
            "select schema_name, table_name, column_name from duckdb_columns()"
            " join duckdb_tables() using (database_name, schema_name, table_name)"
            " where not duckdb_columns.internal and data_type = 'VARCHAR'"
        ).fetchall()
        sources = [
            ("duckdb_tables()", "comment"),
            ("duckdb_columns()", "comment"),
            ("duckdb_views()", "comment"),
            ("duckdb_views()", "sql"),
            *(
                (f"{sql_name(schema)}.{sql_name(table)}", sql_name(column))
                for schema, table, column in columns
            ),
        ]
        return any(
            connection.execute(
                f"select 1 from {table} where contains({column}, $1) limit 1", [text]
            ).fetchall()
            for table, column in sources
        )


def _folder(variable: str, default: str) -> Path:
    return Path(os.environ.get(variable) or default)


def _files(folder: Path) -> list[Path]:
    return sorted(one for one in folder.rglob("*") if one.is_file())


def _stands_in(file: Path, keys: Collection[str]) -> bool:
    """Whether a page or a table names a customer; not as part of a longer key."""
    if file.suffix == ".parquet":
        table = pq.read_table(file)
        found = (
            table.column("customer_key") if "customer_key" in table.column_names else []
        )
        return not set(keys).isdisjoint(map(str, found))
    pattern = b"|".join(re.escape(key.encode()) for key in keys)
    whole = b"(?<![A-Za-z0-9_])(" + pattern + b")(?![A-Za-z0-9_])"
    return bool(re.search(whole, file.read_bytes()))
