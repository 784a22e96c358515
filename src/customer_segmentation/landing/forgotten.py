"""Forgotten customers: their records leave the landing zone, and do not land again.

The zone keeps a list of them. It holds salted hashes instead of keys, so that it names
nobody; whoever has the list and guesses an id can still check the guess.
"""

import hashlib
import json
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import duckdb
import pyarrow.parquet as pq

from customer_segmentation.errors import InputError
from customer_segmentation.landed import VERSIONS
from customer_segmentation.landing.ownership import MARK, landing_schema
from customer_segmentation.landing.sources import sql_files, sql_name, sql_text
from customer_segmentation.landing.versions import (
    new_version,
    remove_earlier_versions,
)
from customer_segmentation.private_files import create_file, make_folder, sync
from customer_segmentation.raw_tables import LANDED_BY_NAME, RawTable, SourceSystem

__all__ = [
    "Customer",
    "ForgottenCustomers",
    "check_forgettable",
    "count_in_zone",
    "earlier_versions_naming",
    "forget_in_zone",
    "identifier",
]

LIST = ".forgotten"
SOURCE_SYSTEM_COLUMN = "source_system"
WHITE_SPACE = " || ".join(["' '", *(f"chr({code})" for code in (9, 10, 11, 12, 13))])
ROW_GROUP_ROWS = 65_536


@dataclass(frozen=True, order=True)
class Customer:
    """A customer of a source system.

    Parameters
    ----------
    source_system : str
        The source system.
    customer_id : str
        The customer's id in it.

    Examples
    --------
    >>> Customer.of_key("online_retail: 17841.0").customer_id
    '17841'
    """

    source_system: str
    customer_id: str

    @property
    def key(self) -> str:
        """The `customer_key` of all tables."""
        return f"{self.source_system}:{self.customer_id}"

    @classmethod
    def of_key(cls, key: str) -> Self:
        """Return the customer with a key, its id read as staging reads ids.

        Raises
        ------
        InputError
            If the key has no source system that can land, or no id.
        """
        source_system, _, customer_id = key.partition(":")
        known = [name for name in LANDED_BY_NAME if name != "campaigns"]
        if source_system not in known or not customer_id.strip():
            raise InputError(
                f"{key!r} is no customer_key: give <source system>:<customer id>, such "
                f"as {known[0]}:1234; source systems are {', '.join(known)}"
            )
        [(parsed,)] = duckdb.execute(
            f"select {identifier('$1')}", [customer_id]
        ).fetchall()
        return cls(source_system, parsed)


@dataclass(frozen=True)
class ForgottenCustomers:
    """The list of a landing zone.

    Parameters
    ----------
    salt : str
        Random text, which makes the same key another hash in another zone.
    digests : frozenset of str
        The hash of each customer's key.
    """

    salt: str
    digests: frozenset[str]

    @classmethod
    def read(cls, landing_zone: Path) -> Self:
        """Read the list; without one, nobody is forgotten.

        Raises
        ------
        InputError
            If the list cannot be read.
        """
        path = landing_zone / LIST
        if not path.exists():
            return cls(secrets.token_hex(16), frozenset())
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            return cls(stored["salt"], frozenset(stored["digests"]))
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise InputError(
                f"{path}: cannot be read, so forgotten customers would land again: "
                "restore it from a backup"
            ) from error

    def digest(self, customer: Customer) -> str:
        """Return the hash of a customer."""
        return hashlib.sha256(f"{self.salt}{customer.key}".encode()).hexdigest()

    def __contains__(self, customer: Customer) -> bool:
        """Whether a customer is on the list."""
        return self.digest(customer) in self.digests

    def write(self, landing_zone: Path, customers: Collection[Customer]) -> None:
        """Add customers to the list; the old or the new list survives a power loss."""
        digests = self.digests | {self.digest(one) for one in customers}
        path = landing_zone / LIST
        new = path.with_name(f"{LIST}.{secrets.token_hex(6)}")
        create_file(new)
        stored = {"salt": self.salt, "digests": sorted(digests)}
        new.write_text(json.dumps(stored), encoding="utf-8")
        sync(new)
        new.replace(path)
        sync(landing_zone)

    def condition(self, source_system: str, table: RawTable) -> str:
        """Return SQL that tells whether a raw row is of a forgotten customer.

        Parameters
        ----------
        source_system : str
            Whose raw table it is, or ``campaigns``.
        table : RawTable
            The raw table.
        """
        if not self.digests or table.customer_column is None:
            return "false"
        key = _key_of(source_system, table.customer_column, table)
        digests = ", ".join(sql_text(one) for one in sorted(self.digests))
        hashed = f"sha256({sql_text(self.salt)} || {key})"
        return f"coalesce({hashed} in ({digests}), false)"


def identifier(expression: str) -> str:
    """Return SQL that reads an id from a raw text as the macro ``identifier`` does.

    Parameters
    ----------
    expression : str
        SQL for the raw text.

    Examples
    --------
    >>> raw = "' 17841.0'"
    >>> duckdb.sql(f"select {identifier(raw)}").fetchone()
    ('17841',)
    """
    text = f"trim({expression}, {WHITE_SPACE})"
    return (
        f"case when {text} like '%.0'"
        f" and try_cast(replace({text}, '_', 'x') as double) is not null"
        f" and right({text}, 3) between '0.0' and '9.0'"
        f" then left({text}, length({text}) - 2) else {text} end"
    )


def count_in_zone(
    landing_zone: Path, customers: Collection[Customer]
) -> dict[str, int]:
    """Count the raw rows of customers.

    Returns
    -------
    dict of str to int
        By source system and table, where there are any.
    """
    counts = {}
    for system, table, parts in _landed(landing_zone, customers):
        condition = _is_of(customers, system.name, table)
        count = _count(parts, condition)
        if count:
            counts[f"{system.name}.{table.name}"] = count
    return counts


def earlier_versions_naming(
    landing_zone: Path, customers: Collection[Customer]
) -> list[Path]:
    """Return versions that were replaced, but have raw rows of customers.

    They stay as long as a build reads them; the next landing removes them.
    """
    found = []
    for name in sorted({one.source_system for one in customers} | {"campaigns"}):
        system = LANDED_BY_NAME[name]
        current = (landing_zone / name).resolve()
        for folder in sorted((landing_zone / VERSIONS).glob(f"{name}-*")):
            for table in system.tables:
                parts = sorted((folder / table.name).glob("*.parquet"))
                condition = _is_of(customers, name, table)
                if folder.resolve() != current and parts and _count(parts, condition):
                    found.append(folder)
    return list(dict.fromkeys(found))


def check_forgettable(customers: Collection[Customer]) -> None:
    """Refuse customers whose raw rows cannot be told.

    Raises
    ------
    InputError
        If a mapping computes the id of a customer from several columns.
    """
    for name in sorted({one.source_system for one in customers}):
        for table in LANDED_BY_NAME[name].tables:
            if table.is_customer_computed:
                raise InputError(
                    f"{name}.{table.name}: source_systems/{name}.yml computes its "
                    "customer_id, so raw rows of a customer cannot be told; remove "
                    "them from the raw files, land these again, and build all"
                )


def forget_in_zone(landing_zone: Path, customers: Collection[Customer]) -> None:
    """Remove the raw rows of customers, and let none of theirs land again.

    Each source system gets a new version, as from a landing; the list is written first,
    so that a rerun ends what was interrupted.

    Parameters
    ----------
    landing_zone : Path
        The landing zone.
    customers : collection of Customer
        Whom to forget.

    Raises
    ------
    InputError
        If a landing is running, or the zone cannot be written.
    """
    check_forgettable(customers)
    make_folder(landing_zone)
    ForgottenCustomers.read(landing_zone).write(landing_zone, customers)
    found = {name.partition(".")[0] for name in count_in_zone(landing_zone, customers)}
    for name in sorted(found):
        system = LANDED_BY_NAME[name]
        with new_version(landing_zone, system, append=True) as version:
            for table in system.tables:
                folder = version.folder / table.name
                make_folder(folder)
                condition = _is_of(customers, name, table)
                for part in sorted((version.current / table.name).glob("*.parquet")):
                    _copy_without(part, folder / part.name, table, condition)
    if (landing_zone / VERSIONS).is_dir():
        # a killed run may have left what it replaced
        for name in {one.source_system for one in customers} | {"campaigns"}:
            remove_earlier_versions(landing_zone, LANDED_BY_NAME[name])


def _landed(
    landing_zone: Path, customers: Collection[Customer]
) -> Iterator[tuple[SourceSystem, RawTable, list[Path]]]:
    """Yield the landed tables that name customers, with their part files."""
    names = {one.source_system for one in customers} | {"campaigns"}
    for name in sorted(names):
        system = LANDED_BY_NAME[name]
        for table in system.tables:
            parts = sorted((landing_zone / name / table.name).glob("*.parquet"))
            if parts and table.customer_column is not None:
                yield system, table, parts


def _is_of(customers: Collection[Customer], source_system: str, table: RawTable) -> str:
    if table.customer_column is None:
        return "false"
    keys = ", ".join(sql_text(one.key) for one in sorted(customers))
    key = _key_of(source_system, table.customer_column, table)
    return f"coalesce({key} in ({keys}), false)"


def _key_of(source_system: str, column: str, table: RawTable) -> str:
    """Return SQL for the customer's key of a raw row."""
    return (
        f"{_system_of(source_system, table)} || ':' || {identifier(sql_name(column))}"
    )


def _system_of(source_system: str, table: RawTable) -> str:
    """Return SQL for the source system of a raw row; messages sent have a column."""
    if SOURCE_SYSTEM_COLUMN in table.column_names:
        return f"trim({sql_name(SOURCE_SYSTEM_COLUMN)}, {WHITE_SPACE})"
    return sql_text(source_system)


def _count(parts: list[Path], condition: str) -> int:
    with duckdb.connect() as connection:
        [(count,)] = connection.execute(
            f"select count(*) from read_parquet({sql_files(parts)}) where {condition}"
        ).fetchall()
    return int(count)


def _copy_without(part: Path, target: Path, table: RawTable, condition: str) -> None:
    """Write a part file again, without the rows of a condition."""
    create_file(target)
    query = f"from read_parquet({sql_files([part])}) where not {condition}"
    names = ", ".join(sql_name(name) for name in table.column_names)
    with (
        duckdb.connect() as connection,
        pq.ParquetWriter(target, landing_schema(table), compression="zstd") as writer,
    ):
        # a part keeps the order of its rows
        reader = connection.sql(f"select {names} {query}").to_arrow_reader(
            ROW_GROUP_ROWS
        )
        for batch in reader:
            writer.write_batch(batch.cast(landing_schema(table)))
        writer.add_key_value_metadata(MARK)
