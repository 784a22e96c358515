"""Write the dbt models of a source system into the repository, from its mapping.

The models are written, and not computed by macros, so that an analytics engineer can
read and debug them as any other model.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from customer_segmentation.errors import InputError
from customer_segmentation.source_systems.core_sql import core_sql
from customer_segmentation.source_systems.declare import SourceMapping
from customer_segmentation.source_systems.expressions import check_expressions
from customer_segmentation.source_systems.staging_sql import staging_sql
from customer_segmentation.source_systems.yaml_files import (
    catalog_entry,
    core_models,
    sources,
    staging_models,
)

__all__ = ["generated_files", "write_source_system"]

STAGING = "models/staging"
CORE = "models/core/intermediate"
MARK = re.compile(r"(--|#) Written from source_systems/\w+\.yml")


def generated_files(mapping: SourceMapping) -> dict[str, str]:
    """Return the text of each file that follows from a mapping, by its path.

    Raises
    ------
    InputError
        If an expression of the mapping is not read alike by both engines.
    """
    check_expressions(mapping)
    name = mapping.name
    files = {
        f"{STAGING}/{name}/_{name}__sources.yml": sources(mapping),
        f"{STAGING}/{name}/_{name}__models.yml": staging_models(mapping),
        f"{CORE}/{name}/_{name}_intermediate__models.yml": core_models(mapping),
    }
    for table in mapping.tables:
        path = f"{STAGING}/{name}/stg_{name}__{table.name}.sql"
        files[path] = staging_sql(mapping, table)
    for relation in mapping.relations:
        path = f"{CORE}/{name}/int_{name}__{relation.name}.sql"
        files[path] = core_sql(mapping, relation)
    return files


def is_generated(path: Path) -> bool:
    """Whether the generator has written a file; others are written by hand."""
    with path.open(encoding="utf-8") as lines:
        return MARK.match(lines.readline()) is not None


def write_source_system(project: Path, mapping: SourceMapping) -> list[str]:
    """Write the models of a source system, and register it.

    A file that is written by hand stays as it is. A generated model that no longer
    follows from the mapping is removed.

    Parameters
    ----------
    project : Path
        The folder of ``dbt_project.yml``.
    mapping : SourceMapping
        The declaration.

    Returns
    -------
    list of str
        A sentence for each file that has changed, or was left to its author.
    """
    said = []
    files = generated_files(mapping)
    registered = _registered(project, mapping)
    for name, text in files.items():
        path = project / name
        if path.exists() and not is_generated(path):
            said.append(f"{name} is written by hand; it stays as it is.")
        elif not path.exists() or path.read_text("utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            said.append(f"{name} is written.")
    for parent in (STAGING, CORE):
        for path in sorted((project / parent / mapping.name).glob("*.sql")):
            name = path.relative_to(project).as_posix()
            if name not in files and is_generated(path):
                path.unlink()
                said.append(f"{name} is removed: the mapping has no such table.")
    for name, text in registered.items():
        if (project / name).read_text("utf-8") != text:
            (project / name).write_text(text, "utf-8")
            said.append(f"{name} registers {mapping.name}.")
    return said


def _registered(project: Path, mapping: SourceMapping) -> dict[str, str]:
    """Return ``vars.yml`` and ``dbt_project.yml`` with the source system in them."""
    name = mapping.name
    variables = (project / "vars.yml").read_text("utf-8")
    entry = re.compile(rf"^    {name}:\n(?:      .*\n)+", re.MULTILINE)
    head, catalog, rest = _split(variables, "  source_system_catalog:\n", 4, "vars.yml")
    if entry.search(catalog):
        catalog = entry.sub(lambda _: catalog_entry(mapping), catalog)
    else:
        catalog += catalog_entry(mapping)
    return {
        "vars.yml": head + catalog + rest,
        "dbt_project.yml": _switched(
            (project / "dbt_project.yml").read_text("utf-8"), name
        ),
    }


def _switched(text: str, name: str) -> str:
    if f"&{name}\n" in text:
        return text
    enabled = f"{{{{ '{name}' in (var('source_systems', []) or []) }}}}"
    for key, indent, entry in (
        (
            "    staging:\n",
            6,
            f'      {name}: &{name}\n        +enabled: "{enabled}"\n',
        ),
        ("      intermediate:\n", 8, f"        {name}: *{name}\n"),
    ):
        head, block, rest = _split(text, key, indent, "dbt_project.yml")
        text = head + block + entry + rest
    return text


def _split(text: str, key: str, indent: int, where: str) -> tuple[str, str, str]:
    """Part a YAML text after the last line of the block of a key."""
    if key not in text:
        raise InputError(f"{where} lacks the line `{key.strip()}`; add it.")
    start = text.index(key) + len(key)
    end = start + sum(map(len, _block(text[start:], indent)))
    return text[:start], text[start:end], text[end:]


def _block(text: str, indent: int) -> Iterator[str]:
    for line in text.splitlines(keepends=True):
        if not line.startswith(" " * indent):
            return
        yield line
