"""The YAML files follow the JSON schema that dbt-core ships.

On DuckDB, dbt does not check the keys of these files: a misspelt key is silently
ignored. The schema leaves open the names of tests, the arguments of the project's own
tests, flags, vars and ``meta``.
"""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dbt.jsonschemas import JSONSCHEMAS_PATH
from jsonschema import Draft7Validator

REPOSITORY = Path(__file__).parents[2]
FOLDERS = (
    *("models", "python_models", "seeds", "snapshots"),
    *("tests", "analyses", "macros"),
)
PROPERTY_FILES = sorted(
    path for folder in FOLDERS for path in (REPOSITORY / folder).rglob("*.y*ml")
)


def validator(kind: str) -> Draft7Validator:
    """Return the validator of ``project`` or ``resources`` files."""
    schema = json.loads((Path(JSONSCHEMAS_PATH) / kind / "latest.json").read_text())
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


PROJECT, RESOURCES = validator("project"), validator("resources")


def read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def errors(schema: Draft7Validator, document: dict[str, Any]) -> list[str]:
    """Return the path and the message of each error."""
    return [f"{e.json_path}: {e.message}" for e in schema.iter_errors(document)]


def test_the_project_file_is_valid():
    assert errors(PROJECT, read(REPOSITORY / "dbt_project.yml")) == []


@pytest.mark.parametrize(
    "path", PROPERTY_FILES, ids=lambda path: str(path.relative_to(REPOSITORY))
)
def test_a_property_file_is_valid(path: Path):
    assert errors(RESOURCES, read(path)) == []
    assert path.name.startswith("_")
    assert path.suffix == ".yml"


def mappings(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping of a document."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node:
        if isinstance(child, dict | list):
            yield from mappings(child)


@pytest.mark.parametrize(
    ("file", "key", "misspelt"),
    [
        ("models/core/_core__models.yml", "description", "descripton"),
        ("models/core/_core__models.yml", "data_tests", "data_test"),
        ("models/core/_core__models.yml", "data_type", "datatype"),
        ("models/rfm/_rfm__unit_tests.yml", "given", "givens"),
        ("models/rfm/_rfm__unit_tests.yml", "expect", "expected"),
        ("models/staging/mall/_mall__sources.yml", "tables", "table"),
        ("models/_groups.yml", "owner", "owners"),
        ("models/core/_core__models.yml", "agg_time_dimension", "time_dimension"),
        ("models/serving/_serving__metrics.yml", "numerator", "nominator"),
        ("models/core/_core__models.yml", "standard_granularity_column", "column"),
        ("models/serving/_serving__models.yml", "dimension", "dimensions"),
        ("models/serving/_serving__exposures.yml", "depends_on", "depends"),
        ("seeds/_seeds.yml", "column_types", "column_type"),
        ("macros/_macros.yml", "arguments", "args"),
        ("python_models/segmentation/_segmentation__models.yml", "config", "configs"),
        ("python_models/segmentation/_segmentation__models.yml", "tags", "tag"),
    ],
)
def test_a_misspelt_key_is_an_error_wherever_it_stands(file, key, misspelt):
    document = read(REPOSITORY / file)
    places = [i for i, found in enumerate(mappings(document)) if key in found]
    assert places
    for place in places:
        typo = copy.deepcopy(document)
        mapping = list(mappings(typo))[place]
        mapping[misspelt] = mapping.pop(key)
        assert errors(RESOURCES, typo), f"{misspelt} passes in {mapping}"


def test_a_misspelt_key_of_the_project_file_is_an_error():
    project = read(REPOSITORY / "dbt_project.yml")
    project["models"]["customer_segmentation"]["core"]["+acess"] = "public"
    assert errors(PROJECT, project)


def test_every_column_of_a_seed_has_a_type():
    for seed in read(REPOSITORY / "seeds" / "_seeds.yml")["seeds"]:
        described = {column["name"] for column in seed["columns"]}
        path = REPOSITORY / "seeds" / f"{seed['name']}.csv"
        header = path.read_text(encoding="utf-8").splitlines()[0]
        assert described == set(seed["config"]["column_types"])
        assert described == set(header.split(","))
