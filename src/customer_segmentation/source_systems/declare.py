"""The declaration of a source system: its raw tables, and what they mean.

``source_systems/<name>.yml`` declares it. `read_mapping` refuses what is misspelt or
contradicts itself, with the line and the way out. It reads no SQL: `check_expressions`
does.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from customer_segmentation.errors import InputError
from customer_segmentation.source_systems.located import LocatedYaml, read_located
from customer_segmentation.source_systems.names import (
    days_of,
    expression_of,
    flag_of,
    name_of,
    text_of,
    words_of,
)
from customer_segmentation.source_systems.tables import (
    RawColumn,
    RawTable,
    SourceSystem,
)

FOLDER = "source_systems"
TYPES = ("id", "text", "number", "whole", "money", "date")
RECORDS = ("census", "sample")
# the columns that a mapping may fill, the first of which is the key; the rest follows
RELATIONS = {
    "customers": (
        *("customer_id", "joined_at", "gender", "city", "country", "age"),
        *("annual_income", "spending_score"),
    ),
    "transactions": (
        *("transaction_id", "customer_id", "branch_id", "transacted_at", "status"),
        *("coupon_code", "amount"),
    ),
}
REQUIRED = {"customers": 1, "transactions": 4}
STATUSES = {"purchase": "sold", "return": "returned", "neither": "adjusted"}


@dataclass(frozen=True)
class ColumnMapping:
    """A raw column: its type, and whether each file and each row must have it."""

    name: str
    kind: str
    description: str
    aliases: tuple[str, ...] = ()
    is_optional: bool = False
    is_filled: bool = False


@dataclass(frozen=True)
class TableMapping:
    """A raw table: columns, key, references to other tables, and rules that reject."""

    name: str
    description: str
    staged: str
    key: tuple[str, ...]
    columns: tuple[ColumnMapping, ...]
    references: Mapping[str, str] = field(default_factory=dict)
    reject: Mapping[str, str] = field(default_factory=dict)
    freshness: tuple[str, int] | None = None

    def column(self, name: str) -> ColumnMapping:
        """Return the column with that name."""
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True)
class RelationMapping:
    """A conformed relation: the raw table it comes from, and an expression a column."""

    name: str
    table: str
    columns: Mapping[str, str]
    first_by: str | None = None
    statuses: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SourceMapping:
    """A source system that is declared by a mapping."""

    name: str
    description: str
    record: str
    time_zone: str
    currency: str | None
    currency_column: str | None
    tables: tuple[TableMapping, ...]
    relations: tuple[RelationMapping, ...]
    located: LocatedYaml

    def table(self, name: str) -> TableMapping:
        """Return the raw table with that name."""
        return next(table for table in self.tables if table.name == name)

    @property
    def source_system(self) -> SourceSystem:
        """The raw tables as landing knows them."""
        return SourceSystem(
            self.name,
            tuple(
                RawTable(
                    table.name,
                    tuple(
                        RawColumn(
                            column.name,
                            column.aliases,
                            is_required=not column.is_optional,
                            is_date=column.kind == "date",
                        )
                        for column in table.columns
                    ),
                    append_key=table.key,
                    customer=self._customer_of(table),
                    is_customer_computed=self._is_computed(table),
                )
                for table in self.tables
            ),
        )

    def _customer_of(self, table: TableMapping) -> str | None:
        """Return the column of a raw table that has the id of a customer."""
        names = [column.name for column in table.columns]
        for relation in self.relations:
            expression = relation.columns.get("customer_id")
            if relation.table == table.name and expression in names:
                return expression
        customers = [one.table for one in self.relations if one.name == "customers"]
        refer = [name for name, to in table.references.items() if to in customers]
        return refer[0] if refer else None

    def _is_computed(self, table: TableMapping) -> bool:
        names = [column.name for column in table.columns]
        return any(
            relation.table == table.name
            and relation.columns.get("customer_id", names[0]) not in names
            for relation in self.relations
        )


def read_mappings(folder: Path) -> dict[str, SourceMapping]:
    """Return the mappings of a project by name, in the order of their names."""
    paths = sorted((folder / FOLDER).glob("*.yml"))
    return {path.stem: read_mapping(path) for path in paths}


def read_mapping(path: Path) -> SourceMapping:
    """Return the mapping that a file declares.

    Parameters
    ----------
    path : Path
        ``source_systems/<name>.yml``.

    Raises
    ------
    InputError
        If there is no such file, or it has a mistake; the message has the line.
    """
    where = f"{FOLDER}/{path.name}"
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"Cannot read {where}: declare the source system there, in UTF-8."
        ) from error
    return parse_mapping(read_located(text, where), path.stem)


def parse_mapping(located: LocatedYaml, name: str) -> SourceMapping:
    """Return the mapping that YAML declares; see `read_mapping`."""
    keys = ("source_system", "description", "record", "time_zone", "currency")
    top = located.section(
        (), (*keys, "tables", "relations"), (*keys[:3], "tables", "relations")
    )
    if top["source_system"] != name:
        raise located.error(
            ("source_system",),
            f"source_system is {top['source_system']}; the file is {name}.yml. Give "
            "both the same name.",
        )
    if not name.isidentifier() or name != name.lower():
        raise located.error(
            ("source_system",),
            f"{name} cannot name a schema; use lower-case letters, digits and _.",
        )
    _one_of(located, ("record",), top["record"], RECORDS)
    time_zone = str(top.get("time_zone", "UTC"))
    try:
        ZoneInfo(time_zone)
    except (KeyError, ValueError, OSError) as error:
        raise located.error(
            ("time_zone",),
            f"there is no time zone {time_zone}; write one such as Europe/London.",
        ) from error
    tables = tuple(_table(located, one) for one in located.entries(("tables",)))
    by_name = {table.name: table for table in tables}
    for table in tables:
        _check_references(located, table, by_name)
    currency, column = _currency(located, tables)
    relations = located.section(("relations",), tuple(RELATIONS))
    return SourceMapping(
        name,
        text_of(located, ("description",), top),
        top["record"],
        time_zone,
        currency,
        column,
        tables,
        tuple(_relation(located, one, by_name) for one in relations),
        located,
    )


def _one_of(
    located: LocatedYaml, place: tuple[str, ...], value: Any, known: Any
) -> None:
    # what YAML says may be a list, which is in no set
    if value not in list(known):
        raise located.error(
            place, f"{place[-1]} is {value}; write one of {', '.join(known)}."
        )


def _table(located: LocatedYaml, name: str) -> TableMapping:
    place = ("tables", name_of(located, ("tables", str(name)), name))
    keys = ("description", "key", "columns", "staged", "references", "reject")
    entry = located.section(place, (*keys, "freshness"), keys[:3])
    columns = tuple(
        _column(located, (*place, "columns", str(one)), one)
        for one in located.entries((*place, "columns"))
    )
    names = [column.name for column in columns]
    if not names:
        raise located.error((*place, "columns"), f"{name} has no columns; add them.")
    key = entry["key"]
    if not isinstance(key, list) or not key:
        raise located.error((*place, "key"), f"key is {key}; write [{names[0]}].")
    for one in key:
        _one_of(located, (*place, "key"), one, names)
    freshness = None
    if "freshness" in entry:
        wanted = ("column", "warn_after_days")
        days = located.section((*place, "freshness"), wanted, wanted)
        _one_of(located, (*place, "freshness", "column"), days["column"], names)
        last = (*place, "freshness", "warn_after_days")
        freshness = days["column"], days_of(located, last, days)
    return TableMapping(
        name,
        text_of(located, (*place, "description"), entry),
        text_of(located, (*place, "staged"), {"staged": f"Rows of {name}", **entry}),
        tuple(key),
        columns,
        {str(k): str(v) for k, v in located.entries((*place, "references")).items()},
        {
            name_of(located, (*place, "reject", str(k)), k): expression_of(
                located, (*place, "reject", str(k)), v
            )
            for k, v in located.entries((*place, "reject")).items()
        },
        freshness,
    )


def _column(
    located: LocatedYaml, place: tuple[str, ...], name: object
) -> ColumnMapping:
    name_of(located, place, name)
    keys = ("type", "description", "aliases", "optional", "filled")
    entry = located.section(place, keys, keys[:2])
    _one_of(located, (*place, "type"), entry["type"], TYPES)
    aliases = entry.get("aliases", [])
    if not isinstance(aliases, list):
        raise located.error((*place, "aliases"), f"write aliases as [{aliases}].")
    return ColumnMapping(
        place[-1],
        entry["type"],
        text_of(located, (*place, "description"), entry),
        tuple(str(alias) for alias in aliases),
        flag_of(located, (*place, "optional"), entry),
        flag_of(located, (*place, "filled"), entry),
    )


def _check_references(
    located: LocatedYaml, table: TableMapping, tables: Mapping[str, TableMapping]
) -> None:
    for column, other in table.references.items():
        place = ("tables", table.name, "references", column)
        _one_of(located, place, column, [one.name for one in table.columns])
        _one_of(located, place, other, list(tables))
        if len(tables[other].key) > 1:
            raise located.error(
                place,
                f"{other} has a key of several columns; refer to a table with one.",
            )
        # follow the references from there: they must not come back
        ahead, seen = [other], set[str]()
        while ahead:
            current = ahead.pop()
            if current == table.name:
                raise located.error(
                    place,
                    f"{table.name} and {other} refer to each other in a circle; "
                    "remove one of the references.",
                )
            if current not in seen and current in tables:
                seen.add(current)
                ahead.extend(tables[current].references.values())


def _currency(
    located: LocatedYaml, tables: tuple[TableMapping, ...]
) -> tuple[str | None, str | None]:
    currency = located.content.get("currency")
    if not isinstance(currency, dict):
        place = ("currency",)
        if currency is None:
            return None, None
        return text_of(located, place, located.content), None
    entry = located.section(("currency",), ("column", "is"), ("column", "is"))
    names = {column.name for table in tables for column in table.columns}
    _one_of(located, ("currency", "column"), entry["column"], sorted(names))
    code = str(entry["is"]).upper()
    if not re.fullmatch("[A-Z]{3}", code):
        raise located.error(("currency", "is"), f"is says {code}; write GBP or such.")
    return code, str(entry["column"])


def _relation(
    located: LocatedYaml, name: str, tables: Mapping[str, TableMapping]
) -> RelationMapping:
    place = ("relations", name)
    keys = ("from", "columns", "first_by", "statuses")
    entry = located.section(place, keys, keys[:2])
    _one_of(located, (*place, "from"), entry["from"], list(tables))
    table, known = tables[entry["from"]], RELATIONS[name]
    required = [one for one in known[: REQUIRED[name]] if one != "branch_id"]
    columns = located.section((*place, "columns"), known, required)
    key = str(columns[known[0]])
    first_by = entry.get("first_by")
    if first_by is not None:
        names = [column.name for column in table.columns]
        _one_of(located, (*place, "first_by"), first_by, names)
    elif table.key != (key,):
        raise located.error(
            (*place, "columns", known[0]),
            f"{known[0]} is {key}, but {table.name} has one row per "
            f"{', '.join(table.key)}; add first_by with the column whose first row "
            "counts.",
        )
    statuses: dict[str, str] = {}
    for kind in located.section((*place, "statuses"), tuple(STATUSES)):
        words_place = (*place, "statuses", kind)
        for word in words_of(located, words_place, entry["statuses"][kind]):
            if word in statuses:
                raise located.error(
                    words_place, f"the status {word} stands there twice; keep one."
                )
            statuses[word] = STATUSES[kind]
    if statuses and "status" not in columns:
        raise located.error(
            (*place, "statuses"), "no column holds the status; add status to columns."
        )
    if "status" in columns and not statuses:
        raise located.error(
            (*place, "columns", "status"),
            "nothing says which statuses are a purchase; add statuses.",
        )
    expressions = {
        k: expression_of(located, (*place, "columns", k), v) for k, v in columns.items()
    }
    return RelationMapping(name, table.name, expressions, first_by, statuses)
