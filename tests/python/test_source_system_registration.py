"""Each source system of the var ``source_system_catalog`` is known where it must be.

The catalog in ``vars.yml`` is the one place of registration: the raw tables of a source
system, and the conformed relations that it fills. All else is compared with it.
"""

import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from customer_segmentation.raw_tables import SOURCE_SYSTEMS, SourceSystem

REPOSITORY = Path(__file__).parents[2]
VARS = "vars.yml"
PROJECT = "dbt_project.yml"
RAW_TABLES = "src/customer_segmentation/raw_tables.py"
STAGING = "models/staging"
CORE = "models/core/intermediate"
# campaigns land like a source system, but are none
OTHERS = {"campaigns"}

Catalog = Mapping[str, Mapping[str, list[str]]]


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def read_catalog(folder: Path) -> Catalog:
    return load(folder / VARS)["vars"]["source_system_catalog"]


def compared(
    where: str,
    what: str,
    found: Collection[str],
    expected: Collection[str],
    owner: str = "",
) -> Iterator[str]:
    """Say which of the expected names a place lacks, and which it has in addition."""
    of_owner = f" of {owner}" if owner else ""
    for name in sorted(set(expected) - set(found)):
        yield f"{where} lacks the {what} {name}{of_owner}"
    for name in sorted(set(found) - set(expected)):
        yield f"{where} has the {what} {name}{of_owner}, but {VARS} does not"


def disagreements(
    folder: Path, source_systems: Mapping[str, SourceSystem] = SOURCE_SYSTEMS
) -> list[str]:
    """Return a sentence for each difference from the catalog, with the file."""
    catalog = read_catalog(folder)
    return [
        *of_switches(folder, catalog),
        *of_raw_tables(source_systems, catalog),
        *of_sources(folder, source_systems, catalog),
        *of_models(folder, catalog),
    ]


def of_switches(folder: Path, catalog: Catalog) -> Iterator[str]:
    switched_on = load(folder / VARS)["vars"]["source_systems"]
    for name in sorted(set(switched_on) - set(catalog)):
        yield f"{VARS} lacks the source system {name} in source_system_catalog"
    configs = load(folder / PROJECT)["models"]["customer_segmentation"]
    for place, config in (
        ("staging", configs["staging"]),
        ("core.intermediate", configs["core"]["intermediate"]),
    ):
        found = [name for name in config if not name.startswith("+")]
        where = f"{PROJECT}, models.customer_segmentation.{place},"
        yield from compared(where, "source system", found, catalog)
        for name in catalog:
            expected = f"{{{{ '{name}' in (var('source_systems', []) or []) }}}}"
            if name in found and config[name].get("+enabled") != expected:
                yield f'{where} lacks +enabled: "{expected}" for {name}'


def of_raw_tables(
    source_systems: Mapping[str, SourceSystem], catalog: Catalog
) -> Iterator[str]:
    yield from compared(RAW_TABLES, "source system", source_systems, catalog)
    for name in catalog.keys() & source_systems.keys():
        found = [table.name for table in source_systems[name].tables]
        expected = catalog[name]["raw_tables"]
        yield from compared(RAW_TABLES, "raw table", found, expected, name)


def of_sources(
    folder: Path, source_systems: Mapping[str, SourceSystem], catalog: Catalog
) -> Iterator[str]:
    for name, entry in catalog.items():
        file = f"{STAGING}/{name}/_{name}__sources.yml"
        if not (folder / file).is_file():
            yield f"{file} is missing"
            continue
        sources = {source["name"]: source for source in load(folder / file)["sources"]}
        yield from compared(file, "source", sources, [name])
        if name not in sources:
            continue
        schema = f"{{{{ var('source_schemas').get('{name}', '{name}') }}}}"
        if sources[name].get("schema") != schema:
            yield f'{file} lacks schema: "{schema}"'
        tables = {table["name"]: table for table in sources[name]["tables"]}
        yield from compared(file, "table", tables, entry["raw_tables"])
        for table in source_systems[name].tables if name in source_systems else ():
            listed = tables.get(table.name, {}).get("columns")
            if listed is not None:
                columns = [column["name"] for column in listed]
                for column in sorted(set(table.column_names) - set(columns)):
                    yield f"{file} lacks the column {column} of {table.name}"
                owner = f"{name}.{table.name}"
                for column in sorted(set(columns) - set(table.column_names)):
                    yield f"{RAW_TABLES} lacks the column {column} of {owner}"


def of_models(folder: Path, catalog: Catalog) -> Iterator[str]:
    for parent, prefix, what in (
        (STAGING, "stg", "raw_tables"),
        (CORE, "int", "relations"),
    ):
        folders = {path.name for path in (folder / parent).iterdir() if path.is_dir()}
        found = sorted(folders - OTHERS)
        yield from compared(parent, "folder", found, catalog)
        for name in sorted(set(found) & set(catalog)):
            models = [path.name for path in (folder / parent / name).glob("*.sql")]
            expected = [f"{prefix}_{name}__{one}.sql" for one in catalog[name][what]]
            yield from compared(f"{parent}/{name}", "model", models, expected)


def test_each_source_system_is_known_where_it_must_be() -> None:
    assert disagreements(REPOSITORY) == []


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a copy of the files that are compared."""
    for name in (VARS, PROJECT):
        shutil.copy(REPOSITORY / name, tmp_path / name)
    for name in (STAGING, CORE):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    return tmp_path


def replace_in(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_a_new_source_system_is_missing_everywhere_else(project: Path) -> None:
    head = "  source_system_catalog:\n"
    entry = "    kiosk: {raw_tables: [sales], relations: []}\n"
    replace_in(project / VARS, head, head + entry)
    config = f"{PROJECT}, models.customer_segmentation"
    assert disagreements(project) == [
        f"{config}.staging, lacks the source system kiosk",
        f"{config}.core.intermediate, lacks the source system kiosk",
        f"{RAW_TABLES} lacks the source system kiosk",
        f"{STAGING}/kiosk/_kiosk__sources.yml is missing",
        f"{STAGING} lacks the folder kiosk",
        f"{CORE} lacks the folder kiosk",
    ]


def test_a_source_system_that_is_not_registered_is_named(project: Path) -> None:
    catalog = load(project / VARS)
    del catalog["vars"]["source_system_catalog"]["mall"]
    (project / VARS).write_text(yaml.safe_dump(catalog), "utf-8")
    found = disagreements(project)
    assert f"{VARS} lacks the source system mall in source_system_catalog" in found
    unregistered = [one for one in found if f"but {VARS} does not" in one]
    for place in (RAW_TABLES, STAGING, CORE, PROJECT):
        assert any(one.startswith(place) for one in unregistered)


SOURCES = f"{STAGING}/mall/_mall__sources.yml"


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        (
            PROJECT,
            "{{ 'mall' in (var('source_systems', []) or []) }}",
            "true",
            f"{PROJECT}, models.customer_segmentation.staging, lacks +enabled: "
            "\"{{ 'mall' in (var('source_systems', []) or []) }}\" for mall",
        ),
        (
            VARS,
            "raw_tables: [customers]",
            "raw_tables: [customers, visits]",
            f"{SOURCES} lacks the table visits",
        ),
        (
            VARS,
            "raw_tables: [customers]",
            "raw_tables: [customers, visits]",
            f"{RAW_TABLES} lacks the raw table visits of mall",
        ),
        (
            VARS,
            "relations: [customers]",
            "relations: [customers, transactions]",
            f"{CORE}/mall lacks the model int_mall__transactions.sql",
        ),
        (
            SOURCES,
            "- name: age",
            "- name: years",
            f"{SOURCES} lacks the column age of customers",
        ),
        (
            SOURCES,
            "- name: age",
            "- name: years",
            f"{RAW_TABLES} lacks the column years of mall.customers",
        ),
        (
            SOURCES,
            "var('source_schemas').get('mall', 'mall')",
            "target.schema",
            f"{SOURCES} lacks schema: "
            "\"{{ var('source_schemas').get('mall', 'mall') }}\"",
        ),
    ],
)
def test_the_file_that_disagrees_is_named(
    project: Path, file: str, old: str, new: str, expected: str
) -> None:
    replace_in(project / file, old, new)
    assert expected in disagreements(project)


def test_a_missing_model_is_named(project: Path) -> None:
    model = project / STAGING / "mall" / "stg_mall__customers.sql"
    model.unlink()
    assert disagreements(project) == [f"{STAGING}/mall lacks the model {model.name}"]
