"""A killed build leaves a mark, which the next ones tell.

``test_repeatability.py`` kills builds, and looks at what was published before.
"""

import json
from pathlib import Path

import pytest

from customer_segmentation.serving.unfinished import mark_build, mark_of

SAID = "did not end: tables of"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "shop.duckdb"


def test_a_build_that_ended_leaves_no_mark(database: Path) -> None:
    for build in ("one", "two"):
        assert mark_build(str(database), build, "begun") == ""
        assert mark_of(database).exists()
        assert mark_build(str(database), build, "ended") == ""
        assert not mark_of(database).exists()


def test_a_build_that_did_not_end_is_told_until_one_is_published(
    database: Path,
) -> None:
    mark_build(str(database), "one", "begun")
    begun = json.loads(mark_of(database).read_text())["begun"]
    for build in ("two", "three"):
        said = mark_build(str(database), build, "begun")
        assert said.startswith(f"The build of {begun} {SAID} {database} may be of diff")
        mark_build(str(database), build, "ended")
    mark_build(str(database), "three", "published")
    assert mark_build(str(database), "four", "begun") == ""


@pytest.mark.parametrize("text", ["", "[]", '{"build": '])
def test_a_damaged_mark_is_a_mark(text: str, database: Path) -> None:
    mark_of(database).write_text(text)
    assert "The build of an unknown time" in mark_build(str(database), "1", "begun")
    mark_build(str(database), "1", "published")
    assert not mark_of(database).exists()


def test_a_database_in_memory_has_no_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert mark_build(":memory:", "one", "begun") == ""
    assert list(tmp_path.iterdir()) == []
