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

from customer_segmentation.errors import InputError
from customer_segmentation.landing.forgotten import (
    Customer,
    ForgottenCustomers,
    count_in_zone,
    forget_in_zone,
)
from customer_segmentation.landing.sources import sql_name, sql_text
from customer_segmentation.private_files import sync
from customer_segmentation.serving.forget_search import (
    is_in_tables,
    places_left,
    places_searched,
)
from customer_segmentation.serving.forget_tables import forget_in_tables
from customer_segmentation.serving.publishing import VERSION, Publisher
from customer_segmentation.settings.database import check_database

__all__ = ["Forgetting", "forget", "places_left"]


@dataclass(frozen=True)
class Forgetting:
    """What was removed, and where a key still stands.

    Parameters
    ----------
    removed : dict of str to int
        Rows by place.
    searched : list of str
        Places that were searched afterwards.
    left : list of str
        Places that still name a customer.
    """

    removed: dict[str, int]
    searched: list[str]
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
    # a link stays one, and what it leads to is replaced
    database = database.resolve()
    if (
        problems := check_database(dict(os.environ), Path())
        if database.exists()
        else []
    ):
        raise InputError(problems[0])
    _check_known(customers, landing_zone, (database, published))
    in_zone = count_in_zone(landing_zone, customers)
    forget_in_zone(landing_zone, customers)
    removed = {f"{landing_zone}: {name}": rows for name, rows in in_zone.items()}
    if database.exists():
        removed |= _replace(database, customers)
    if published.exists():
        removed |= _publish_without(published, customers)
    places = landing_zone, database, published
    return Forgetting(
        removed, places_searched(*places), places_left(*places, customers)
    )


def _check_known(
    customers: Collection[Customer], landing_zone: Path, files: Collection[Path]
) -> None:
    """Refuse keys that stand nowhere: a typo must not be taken for a success."""
    known = ForgottenCustomers.read(landing_zone)
    unknown = [
        one.key
        for one in customers
        if one not in known
        and not count_in_zone(landing_zone, [one])
        and not any(is_in_tables(file, one) for file in files)
    ]
    if unknown:
        places = ", ".join(map(str, (landing_zone, *files)))
        raise InputError(
            f"{', '.join(unknown)}: no such customer in {places}; nobody was "
            "forgotten: give the customer_key as these tables have it"
        )


def _replace(database: Path, customers: Collection[Customer]) -> dict[str, int]:
    """Put a copy without the customers in the place of the database, in one step."""
    new = database.with_name(f"{database.name}.{uuid.uuid4().hex[:8]}.forget")
    leftover = re.compile(rf"{re.escape(database.name)}\.[0-9a-f]{{8}}\.forget.*")
    for file in list(database.parent.iterdir()):
        if leftover.fullmatch(file.name):
            file.unlink()
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
        with duckdb.connect(publisher.new_database) as connection:
            _count_again(connection, version)
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
    for older in list(folder.iterdir()):
        # folders of other people stay
        if re.fullmatch(VERSION, older.name) and older.name != version:
            shutil.rmtree(older)
    return {f"{published}: {name}": count for name, count in removed.items()}


def _count_again(connection: duckdb.DuckDBPyConnection, version: str) -> None:
    """Correct what `published_tables` says of this version: its name, and its rows."""
    found = connection.execute(
        "select table_name from duckdb_tables() where not internal"
    ).fetchall()
    names = {name for (name,) in found}
    if "published_tables" not in names:
        return
    for name in sorted(names):
        connection.execute(
            "update published_tables set version = $1, row_count ="
            f" (select count(*) from {sql_name(name)}) where table_name = $2",
            [version, name],
        )
