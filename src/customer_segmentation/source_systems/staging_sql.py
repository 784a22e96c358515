"""Staging models from a mapping: type every column, and flag the rows to reject."""

import re
from collections.abc import Iterable

from customer_segmentation.source_systems.declare import (
    ColumnMapping,
    SourceMapping,
    TableMapping,
)

__all__ = ["first_line", "staging_sql", "wrapped"]

WIDTH = 88
HEADINGS = {
    "id": "ids",
    "text": "text",
    "number": "numerics",
    "whole": "numerics",
    "money": "numerics",
    "date": "timestamps",
}
NUMBERS = ("number", "whole", "money")
ADDED = ("is_usable", "reasons", "copy_number", "raw_record")


def first_line(mapping: SourceMapping, comment: str = "--") -> str:
    """Return the line by which the generator knows its own files."""
    return (
        f"{comment} Written from {mapping.located.where}; do not edit.\n{comment} "
        f"`customer-segmentation generate-source {mapping.name}` writes it again.\n"
    )


def wrapped(text: str, indent: str, width: int = WIDTH) -> str:
    r"""Return SQL in lines of at most a width, broken only outside of its texts.

    Examples
    --------
    >>> wrapped("a in ('b c', 'd')", "", 12)
    "a in ('b c',\n'd')"
    """
    lines = [""]
    for word in re.findall(r"(?:'[^']*'|[^\s'])+", text):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and len(indent) + len(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return f"\n{indent}".join(lines)


def _parsed(column: ColumnMapping, time_zone: str) -> str:
    name = column.name
    if column.kind == "id":
        return f"identifier('{name}')"
    if column.kind == "text":
        return f"known_text('{name}')"
    if column.kind in NUMBERS:
        return f"number('{name}')"
    if time_zone != "UTC":
        return f"shop_time('{name}', '{time_zone}')"
    return f"timestamp_from_text('{name}')"


def _problem(column: ColumnMapping, time_zone: str) -> str:
    parsed = _parsed(column, time_zone)
    if column.is_filled:
        return f"{{{{ {parsed} }}}} is null"
    return f"{{{{ is_unreadable('{column.name}', {parsed}) }}}}"


def _flag(table: TableMapping, kinds: Iterable[str], name: str, zone: str) -> list[str]:
    problems = [_problem(one, zone) for one in table.columns if one.kind in kinds]
    if not problems:
        return []
    together = "\n            or ".join(problems)
    return [f"        (\n            {together}\n        ) as {name},"]


def _typed(mapping: SourceMapping, table: TableMapping) -> str:
    zone = mapping.time_zone
    blocks: list[str] = []
    for heading in dict.fromkeys(HEADINGS.values()):
        columns = [one for one in table.columns if HEADINGS[one.kind] == heading]
        lines = [
            f"        {{{{ {_parsed(one, zone)} }}}} as {one.name}," for one in columns
        ]
        if heading == "numerics":
            lines += _flag(table, NUMBERS, "is_number_unreadable", zone)
        if heading == "timestamps":
            lines += _flag(table, ("date",), "is_date_unreadable", zone)
        if lines:
            blocks.append("\n".join([f"        ---------- {heading}", *lines]))
    blocks.append("        {{ raw_values(columns) }} as raw_values,\n        copies")
    body = "\n\n".join(blocks)
    return f"typed as (\n\n    select\n{body}\n\n    from distinct_rows\n\n)"


def reasons_of(mapping: SourceMapping, table: TableMapping) -> dict[str, str]:
    """Return the condition of each reason to reject a row of a raw table."""
    kinds = {column.kind for column in table.columns}
    reasons = {"missing_key": " or ".join(f"{one} is null" for one in table.key)}
    if "date" in kinds:
        reasons["unreadable_date"] = "is_date_unreadable"
    if kinds & set(NUMBERS):
        reasons["unreadable_number"] = "is_number_unreadable"
    for column in table.references:
        entity = column.removesuffix("_id")
        reasons[f"orphan_{entity}"] = f"{column} is not null and known_{column} is null"
    currency = mapping.currency_column
    if currency in {one.name for one in table.columns}:
        reasons["other_currency"] = (
            f"coalesce(upper({currency}), '') <> '{mapping.currency}'"
        )
    for relation in mapping.relations:
        if relation.table == table.name and relation.statuses:
            words = ", ".join(f"'{word}'" for word in relation.statuses)
            status = relation.columns["status"]
            reasons["unknown_status"] = f"lower({status}) not in ({words})"
    return reasons | dict(table.reject)


def staging_sql(mapping: SourceMapping, table: TableMapping) -> str:
    """Return the staging model of a raw table."""
    name = mapping.name
    imports = [_source(mapping, table), "{{ distinct_rows('source', columns) }}"]
    imports += [
        f"usable_{other} as (\n\n    select * from "
        f"{{{{ ref('stg_{name}__{other}') }}}}\n    where is_usable\n\n)"
        for other in dict.fromkeys(table.references.values())
    ]
    steps = [*imports, _typed(mapping, table)]
    relation = "typed"
    if table.references:
        relation = "joined"
        steps.append(_joined(mapping, table))
    lines = []
    for reason, condition in reasons_of(mapping, table).items():
        quote = '"' if "'" in condition else "'"
        text = wrapped(condition, " " * 8, WIDTH - 3)
        if len(reason) + len(condition) + 12 > WIDTH - 2:
            text = "\n        " + text
        lines.append(f"    '{reason}': {quote}{text}{quote},")
    key = ", ".join(table.key)
    body = ",\n\n".join(steps)
    reasons = "\n".join(lines)
    columns = ",\n    ".join([*map(_final, table.columns), *ADDED])
    return (
        f"{first_line(mapping)}{_columns(table)}with\n\n{body},\n\n"
        f"{{{{ flagged('{relation}', key='{key}', reasons={{\n{reasons}\n}}) }}}}\n\n"
        f"select\n    {columns}\n\nfrom flagged\n"
    )


def _columns(table: TableMapping) -> str:
    """Return the names of the raw columns, as the macros take them."""
    names = ", ".join(f"'{one.name}'" for one in table.columns)
    line = f"{{% set columns = [{names}] %}}"
    if len(line) > WIDTH:
        line = f"{{% set columns = [\n    {wrapped(names + ',', ' ' * 4)}\n] %}}"
    return f"{line}\n\n"


def _source(mapping: SourceMapping, table: TableMapping) -> str:
    """Return the CTE of the raw rows; a table in the warehouse may lack a column."""
    raw = f"{{{{ source('{mapping.name}', '{table.name}') }}}}"
    if not any(one.is_optional for one in table.columns):
        return f"source as (\n\n    select * from {raw}\n\n)"
    names = ",\n        ".join(
        f"{{{{ raw_column('{mapping.name}', '{table.name}', '{one.name}') }}}}"
        if one.is_optional
        else one.name
        for one in table.columns
    )
    return f"source as (\n\n    select\n        {names}\n\n    from {raw}\n\n)"


def _joined(mapping: SourceMapping, table: TableMapping) -> str:
    known, joins = [], []
    for number, (column, other) in enumerate(table.references.items(), start=1):
        # two columns may refer to the same table
        alias = f"known_{number}"
        key = mapping.table(other).key[0]
        known.append(f"        {alias}.{key} as known_{column}")
        joins.append(
            f"    left join usable_{other} as {alias}\n"
            f"        on typed.{column} = {alias}.{key}"
        )
    columns, sources = ",\n".join(known), "\n".join(joins)
    return (
        f"joined as (\n\n    select\n        typed.*,\n{columns}\n\n"
        f"    from typed\n{sources}\n\n)"
    )


def _final(column: ColumnMapping) -> str:
    if column.kind == "whole":
        return f"{{{{ whole_number('{column.name}', 'int') }}}} as {column.name}"
    if column.kind == "money":
        return f"{{{{ money('{column.name}') }}}} as {column.name}"
    return column.name
