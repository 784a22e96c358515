"""The project is built in the order of its subjects, and its paths are short.

``benchmarks/structure.py`` measures it, and prints all the figures.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from dbt_project import REPOSITORY

# products, which learn categories, come before features: 3 more, of which 2 were saved
LONGEST_PATH = 21
LEVELS_OF_IMPORTS = 7
# from a staging model to customer_segments
# one more since products, which learn categories, come before features
CHANGES_OF_FOLDER = 9


def load_structure() -> ModuleType:
    """Return the module of the benchmark, which stands in no package."""
    path = REPOSITORY / "benchmarks" / "structure.py"
    spec = spec_from_file_location("structure", path)
    module = module_from_spec(spec)
    # dataclasses look for their module by name
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


structure = load_structure()


@pytest.fixture(scope="module")
def lineage(manifest: dict[str, Any]) -> Any:
    return structure.Lineage(manifest)


@pytest.fixture(scope="module")
def modules() -> Any:
    return structure.Modules(REPOSITORY)


def test_every_model_and_test_stands_in_a_subject(lineage: Any) -> None:
    assert lineage.folders_without_a_subject == []


def test_a_folder_reads_only_those_before_it(lineage: Any, modules: Any) -> None:
    assert structure.reads_against_the_order(lineage, modules) == []


def test_the_longest_path_is_short(lineage: Any) -> None:
    path = [model.name for model in lineage.longest_path]
    assert len(path) <= LONGEST_PATH, " -> ".join(path)


def test_an_invoice_line_is_followed_through_few_folders(lineage: Any) -> None:
    paths = lineage.from_staging("customer_segments")
    changes = {name: path["changes_of_folder"] for name, path in paths.items()}
    assert {n: count for n, count in changes.items() if count > CHANGES_OF_FOLDER} == {}


def test_rfm_depends_on_no_python_model(lineage: Any) -> None:
    assert lineage.python_models_above("customer_rfm") == []


def test_no_model_passes_columns_only(lineage: Any) -> None:
    assert lineage.passing_on == []


def test_no_staging_model_filters_only(lineage: Any) -> None:
    staging = {
        model.name for model in lineage.models.values() if model.subject == "staging"
    }
    assert staging.isdisjoint(lineage.filtering)


def test_imports_within_a_package_have_few_levels(modules: Any) -> None:
    chains = {name: modules.longest_import(name) for name in modules.subjects if name}
    too_long = {
        n: chain for n, chain in chains.items() if len(chain) > LEVELS_OF_IMPORTS
    }
    assert too_long == {}


def test_no_modules_import_each_other(modules: Any) -> None:
    assert modules.circles == []


def test_no_class_name_is_defined_twice(modules: Any) -> None:
    assert modules.classes_defined_twice == {}


# ---------- what is found


def model(name: str, path: str, *parents: str, sql: str = "select 1") -> dict[str, Any]:
    return {
        "resource_type": "model",
        "name": name,
        "original_file_path": f"{path}/{name}.sql",
        "language": "sql",
        "raw_code": sql,
        "depends_on": {"nodes": [f"model.project.{parent}" for parent in parents]},
    }


def lineage_of(*models: dict[str, Any], **others: dict[str, Any]) -> Any:
    nodes = {f"model.project.{one['name']}": one for one in models}
    return structure.Lineage({"nodes": nodes | others})


def test_a_model_that_reads_a_later_subject_is_found() -> None:
    customers, rfm = (
        model("customers", "models/core", "rfm"),
        model("rfm", "models/rfm"),
    )
    [found] = lineage_of(customers, rfm).reads_against_the_order()
    assert found == (
        "models/core/customers.sql: customers reads rfm of rfm, which comes later"
    )


def test_a_test_that_reads_a_later_subject_is_found() -> None:
    relationship = model("related", "models/core", "rfm") | {"resource_type": "test"}
    rfm = model("rfm", "models/rfm")
    found = lineage_of(rfm, **{"test.project.related": relationship})
    assert len(found.reads_against_the_order()) == 1
    assert found.folders_without_a_subject == []


def test_a_folder_that_is_no_subject_is_found() -> None:
    found = lineage_of(
        model("customers", "models/marts/core")
    ).folders_without_a_subject
    assert found == ["models/marts/core"]


def test_the_path_with_most_changes_of_folder_counts() -> None:
    found = lineage_of(
        model("stg", "models/staging/mall"),
        model("direct", "models/core", "stg"),
        model("around", "models/features/intermediate", "direct"),
        model("back", "models/core", "around"),
        model("end", "models/features", "direct", "back"),
    )
    assert found.from_staging("end") == {
        "stg": {"hops": 4, "changes_of_folder": 4, "changes_of_subject": 4}
    }
    path = [one.name for one in found.longest_path]
    assert path == ["stg", "direct", "around", "back", "end"]


@pytest.mark.parametrize(
    "sql",
    [
        "select * from {{ ref('t') }}",
        "with t as (select * from {{ ref('t') }}), u as (select a, b as c from t)"
        " select * from u",
        "{{ config(materialized='table') }} -- why\nselect t.a from {{ ref('t') }} t",
    ],
)
def test_a_statement_that_passes_columns_only_is_found(sql: str) -> None:
    assert structure.passes_columns_only(sql)
    models = model("t", "models/core"), model("u", "models/core", "t", sql=sql)
    assert lineage_of(*models).passing_on == ["u"]


@pytest.mark.parametrize(
    "sql",
    [
        "select a from {{ ref('t') }} where b > 1",
        "select a, count(*) from {{ ref('t') }} group by a",
        "select distinct a from {{ ref('t') }}",
        "select cast(a as int) as a from {{ ref('t') }}",
        "select a + 1 as a from {{ ref('t') }}",
        "select a, row_number() over (order by a) as b from {{ ref('t') }}",
        "select a from {{ ref('t') }} as t inner join {{ ref('t') }} as u on t.a = u.b",
        "select a from {{ ref('t') }} union all select b from {{ ref('t') }}",
        "select {{ typed({'a': 'int'}) }} from {{ ref('t') }}",
        "with t as ({{ union_of('t') }}) select * from t",
        "select a, 'b' as b from {{ ref('t') }}",
    ],
)
def test_a_statement_that_does_something_passes(sql: str) -> None:
    assert not structure.passes_columns_only(sql)


def package(folder: Path, **modules: str) -> Any:
    """Write modules, their names with two underscores for a dot, and read them."""
    for name, text in modules.items():
        path = folder / "src/customer_segmentation" / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return structure.Modules(folder)


FROM = "from customer_segmentation"


def test_imports_are_found_wherever_they_stand(tmp_path: Path) -> None:
    found = package(
        tmp_path,
        core__a=f"def late():\n    {FROM}.core import b",
        core__b=f"{FROM}.core.c import anything",
        core__c="import customer_segmentation.core.a",
        core__d=f"{FROM}.core.a import late",
    )
    names = [f"customer_segmentation.core.{name}" for name in "abc"]
    assert found.circles == [names]
    assert found.longest_import("core") == ["d", "a = b = c"]


def test_an_import_of_a_later_subject_is_found(tmp_path: Path) -> None:
    found = package(
        tmp_path,
        engine=f"{FROM}.rfm import x",
        cli=f"{FROM}.rfm import x",
        core__a=f"{FROM}.rfm.x import y",
        rfm__x=f"{FROM}.core import a\n{FROM}.engine import z",
    ).reads_against_the_order()
    name = "customer_segmentation"
    assert found == [
        f"{name}.core.a imports {name}.rfm.x, which comes later",
        f"{name}.engine, which is of no subject, imports {name}.rfm.x",
    ]


def test_a_class_name_in_two_modules_is_found(tmp_path: Path) -> None:
    found = package(
        tmp_path,
        core__a="class Fit: ...",
        rfm__a="class Fit: ...",
        rfm__b="class A: ...",
    )
    assert list(found.classes_defined_twice) == ["Fit"]
    assert found.of("rfm")[0].lines == 1
