"""The dashboard shows one segmentation, and a start that failed can be repeated."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from dbt_project import DECLARED, REPOSITORY

FOLDER = REPOSITORY / "docs" / "superset"


@pytest.fixture
def start() -> ModuleType:
    spec = importlib.util.spec_from_file_location("start", FOLDER / "start.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_dashboard_shows_exactly_one_segmentation() -> None:
    board, dataset = (
        yaml.safe_load((FOLDER / "dashboard" / name).read_text(encoding="utf-8"))
        for name in ("dashboards/segments.yaml", "datasets/marts/segments.yaml")
    )
    [only] = board["metadata"]["native_filter_configuration"]
    [target] = only["targets"]
    assert target == {
        "column": {"name": "segmentation"},
        "datasetUuid": dataset["uuid"],
    }
    assert only["controlValues"]["enableEmptyFilter"]
    assert not only["controlValues"]["multiSelect"]
    assert only["scope"] == {"rootPath": ["ROOT_ID"], "excluded": []}
    [chosen] = only["defaultDataMask"]["filterState"]["value"]
    [condition] = only["defaultDataMask"]["extraFormData"]["filters"]
    assert condition == {"col": "segmentation", "op": "IN", "val": [chosen]}
    assert chosen in DECLARED


def test_a_start_that_failed_keeps_the_password_of_its_user(
    start: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "marts.duckdb").touch()
    arguments = ["--marts", tmp_path / "marts.duckdb", "--home", tmp_path / "home"]
    monkeypatch.setattr(sys, "argv", ["start.py", *map(str, arguments)])
    commands: list[list[str]] = []
    broken = {"init"}

    def run(command: list[str], **_: object) -> None:
        commands.append(command[1:])
        if command[1] in broken:
            raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(subprocess.CalledProcessError):
        start.main()
    broken.clear()
    start.main()
    start.main()
    password = (tmp_path / "home" / "password").read_text(encoding="utf-8")
    # what failed was repeated once, and the third start had nothing to prepare
    assert [
        one[one.index("--password") + 1] for one in commands if "create-admin" in one
    ] == [password, password]
    assert commands.count(["init"]) == 2
