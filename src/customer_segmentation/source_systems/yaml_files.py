"""YAML files of models from a mapping: sources, columns, tests and registration."""

import textwrap
from collections.abc import Iterable

import yaml

from customer_segmentation.source_systems.declare import (
    SourceMapping,
    TableMapping,
)
from customer_segmentation.source_systems.staging_sql import first_line

__all__ = ["catalog_entry", "core_models", "sources", "staging_models"]

WIDTH = 90
ADDED = {
    "is_usable": "is_usable",
    "reasons": "rejection_reasons",
    "copy_number": "copy_number",
    "raw_record": "raw_record",
}
# the docs block of each column of a conformed relation
CONFORMED = {
    "customers": {
        name: name
        for name in (
            *("customer_key", "source_system", "customer_id", "joined_at", "gender"),
            *("city", "country", "age", "annual_income", "spending_score"),
        )
    },
    "transactions": {
        "transaction_key": "transaction_key",
        "source_system": "source_system",
        "customer_key": "buyer_key",
        "branch_key": "branch_key",
        "transacted_at": "transacted_at",
        "completed_at": "completed_at",
        "status": "transaction_status",
        "coupon_code": "coupon_code",
        "amount": "amount",
    },
}


def _described(text: str, indent: int) -> str:
    """Return a description: on its line if it fits and YAML reads it as it is."""
    lead = " " * indent
    if _is_plain(text) and indent + len("description: ") + len(text) <= WIDTH:
        return f"{lead}description: {text}"
    lines = textwrap.wrap(text, WIDTH - indent - 2, break_long_words=False)
    inside = "\n".join(f"{lead}  {line}" for line in lines)
    return f"{lead}description: >\n{inside}"


def _is_plain(text: str) -> bool:
    """Whether YAML reads a text without quotes as this text."""
    try:
        found: object = yaml.safe_load(f"description: {text}")
    except (yaml.YAMLError, ValueError):
        return False
    return found == {"description": text}


def sources(mapping: SourceMapping) -> str:
    """Return ``_<name>__sources.yml``."""
    name = mapping.name
    parts = [mapping.description]
    if mapping.record == "sample":
        parts.append("The rows are a sample of the shop's.")
    if mapping.currency:
        parts.append(f"Amounts are in {mapping.currency}.")
    if mapping.time_zone != "UTC":
        parts.append(f"Staged times are those of {mapping.time_zone}.")
    text = " ".join([*parts, "All columns are text, as they were landed."])
    lines = [
        f"{first_line(mapping, '#')}sources:\n  - name: {name}",
        _described(text, 4),
        f"    schema: \"{{{{ var('source_schemas').get('{name}', '{name}') }}}}\"",
        "    config:",
        f"      enabled: \"{{{{ '{name}' in (var('source_systems', []) or []) }}}}\"",
        "    tables:",
    ]
    for table in mapping.tables:
        lines += [f"      - name: {table.name}", _described(table.description, 8)]
        if table.freshness:
            column, days = table.freshness
            lines += [
                "        config:",
                "          freshness:",
                f"            warn_after: {{count: {days}, period: day}}",
                f"          loaded_at_field: try_cast({column} as timestamp)",
            ]
        lines.append("        columns:")
        for one in table.columns:
            lines += [f"          - name: {one.name}", _described(one.description, 12)]
    return "\n".join(lines) + "\n"


def staging_models(mapping: SourceMapping) -> str:
    """Return ``_<name>__models.yml`` of the staging models."""
    models = [_staging_model(mapping, table) for table in mapping.tables]
    return f"{first_line(mapping, '#')}models:\n" + "\n\n".join(models) + "\n"


def _staging_model(mapping: SourceMapping, table: TableMapping) -> str:
    text = (
        f"{table.staged}, typed, with the reasons why a row is not used. One row per "
        "raw row."
    )
    lines = [f"  - name: stg_{mapping.name}__{table.name}", _described(text, 4)]
    lines.append("    data_tests:")
    tests = ["rows_are_staged_or_rejected", "few_rows_are_rejected"]
    for test in tests:
        lines += [
            f"      - {test}:",
            "          arguments:",
            f"            source_name: {mapping.name}",
            f"            table_name: {table.name}",
        ]
    lines.append("    columns:")
    for column in table.columns:
        lines.append(f"      - name: {column.name}")
        lines.append(_described(column.description, 8))
        if column.name in table.key:
            lines.append("        data_tests:")
            names = ("not_null", "unique") if len(table.key) == 1 else ("not_null",)
            for test in names:
                lines += [
                    f"          - {test}:",
                    "              config:",
                    "                where: is_usable",
                ]
    return "\n".join([*lines, *_documented(ADDED.items())])


def _documented(columns: Iterable[tuple[str, str]], key: str = "") -> list[str]:
    lines = []
    for name, block in columns:
        lines.append(f"      - name: {name}")
        lines.append(f"        description: \"{{{{ doc('{block}') }}}}\"")
        if name == key:
            lines += [
                "        data_tests:",
                "          - not_null",
                "          - unique",
            ]
    return lines


def core_models(mapping: SourceMapping) -> str:
    """Return ``_<name>_intermediate__models.yml`` of the conformed models."""
    models = []
    for relation in mapping.relations:
        columns = CONFORMED[relation.name]
        text = (
            f"{relation.name.capitalize()} of `{mapping.name}`, with the columns that "
            f"all source systems share. One row per {relation.name.removesuffix('s')}."
        )
        lines = [
            f"  - name: int_{mapping.name}__{relation.name}",
            _described(text, 4),
            "    columns:",
            *_documented(columns.items(), key=next(iter(columns))),
        ]
        models.append("\n".join(lines))
    return f"{first_line(mapping, '#')}models:\n" + "\n\n".join(models) + "\n"


def catalog_entry(mapping: SourceMapping) -> str:
    """Return the entry of ``source_system_catalog`` in ``vars.yml``."""
    # tables that others refer to come first
    tables = sorted(mapping.tables, key=lambda one: len(one.references))
    raw = ", ".join(table.name for table in tables)
    relations = ", ".join(relation.name for relation in mapping.relations)
    return (
        f"    {mapping.name}:\n      raw_tables: [{raw}]\n"
        f"      relations: [{relations}]\n"
    )
