"""Forget a customer: in the landing zone, in the database, and in what is published."""

import os
import re
import shutil
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from customer_segmentation.errors import InputError
from customer_segmentation.landing.forgotten import (
    Customer,
    ForgottenCustomers,
    count_in_zone,
    earlier_versions_naming,
    forget_in_zone,
)
from customer_segmentation.landing.sources import sql_name, sql_text
from customer_segmentation.private_files import sync
from customer_segmentation.serving.forget_tables import (
    forget_in_tables,
    tables_naming,
)
from customer_segmentation.serving.publishing import CURRENT, Publisher
from customer_segmentation.settings.database import check_database

__all__ = ["Forgetting", "forget", "places_left"]


@dataclass(frozen=True)
class Forgetting:
    """What was removed, and where a key still stands.

    Parameters
    ----------
    removed : dict of str to int
        Rows by place.
    left : list of str
        Places that still name a customer.
    """

    removed: dict[str, int]
    left: list[str]


def forget(
    keys: Sequence[str], landing_zone: Path, database: Path, published: Path
) -> Forgetting:
    """Remove customers from all that this project keeps, and look for what is left.

    An interrupted run is ended by the next one. The list of the landing zone comes
    first, so nobody comes back with a later landing.

    Parameters
    ----------
    keys : sequence of str
        Their ``customer_key``.
    landing_zone, database, published : Path
        Where things are; each may be missing.

    Returns
    -------
    Forgetting
        What was removed, and what is left: pages of the published folder, which are
        written again.

    Raises
    ------
    InputError
        If a key is wrong or unknown, or a build, a landing or a reader is at work.
    """
    customers = sorted({Customer.of_key(key) for key in keys})
    if (
        problems := check_database(dict(os.environ), Path())
        if database.exists()
        else []
    ):
        raise InputError(problems[0])
    in_zone = count_in_zone(landing_zone, customers)
    in_files = [_naming(file, customers) for file in (database, published)]
    known = ForgottenCustomers.read(landing_zone)
    if not in_zone and not any(in_files) and not all(one in known for one in customers):
        unknown = ", ".join(one.key for one in customers if one not in known)
        raise InputError(
            f"{unknown}: no such customer in {landing_zone}, {database} and {published}"
            "; give the customer_key as these tables have it"
        )
    forget_in_zone(landing_zone, customers)
    removed = {f"{landing_zone}: {name}": rows for name, rows in in_zone.items()}
    if database.exists():
        removed |= _replace(database, customers)
    if published.exists():
        removed |= _publish_without(published, customers)
    return Forgetting(
        removed, places_left(landing_zone, database, published, customers)
    )


def _naming(file: Path, customers: Collection[Customer]) -> dict[str, int]:
    if not file.exists():
        return {}
    with duckdb.connect(file, read_only=True) as connection:
        return tables_naming(connection, customers)


def _replace(database: Path, customers: Collection[Customer]) -> dict[str, int]:
    """Put a copy without the customers in the place of the database, in one step."""
    new = database.with_name(f"{database.name}.{uuid.uuid4().hex[:8]}.forget")
    for leftover in database.parent.glob(f"{database.name}.*.forget*"):
        leftover.unlink()
    # what a killed build left beside the file goes into it
    with duckdb.connect(database) as connection:
        connection.execute("checkpoint")
    removed = forget_in_tables(database, new, customers)
    sync(new)
    new.replace(database)
    sync(database.parent)
    return {f"{database}: {name}": count for name, count in removed.items()}


def _publish_without(
    published: Path, customers: Collection[Customer]
) -> dict[str, int]:
    """Publish the last version without the customers, and remove those before."""
    now = datetime.now(UTC)
    version = f"{now:%Y%m%dT%H%M%S}_{uuid.uuid4().hex[:8]}"
    folder = published.with_suffix("")
    publisher = Publisher(published, folder, version).begin()
    try:
        removed = forget_in_tables(published, publisher.new_database, customers)
        with duckdb.connect(publisher.new_database, read_only=True) as connection:
            tables = connection.execute(
                "select table_name from duckdb_tables() where not internal"
            ).fetchall()
            for (name,) in tables:
                file = publisher.new_folder / f"{name}.parquet"
                connection.execute(
                    f"copy {sql_name(name)} to {sql_text(str(file))} (format parquet)"
                )
        publisher.finish()
    except BaseException:
        publisher.close()
        raise
    for older in folder.iterdir():
        if older.is_dir() and older.name not in (CURRENT, version):
            shutil.rmtree(older)
    return {f"{published}: {name}": count for name, count in removed.items()}


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
    if published.parent.is_dir():
        keys = [one.key for one in customers]
        left += [
            str(file)
            for file in sorted(published.parent.rglob("*"))
            if file.is_file() and file != published and _stands_in(file, keys)
        ]
    return left


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
