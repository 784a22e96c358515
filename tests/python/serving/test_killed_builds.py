"""A killed build leaves a mark, which the next ones tell, and what was published."""

import json
from pathlib import Path

import duckdb
import pytest
from dbt_project import QUICK_SEARCH, WITHOUT_TESTS, Warehouse, land_no_rows

from customer_segmentation.raw_tables import SOURCE_SYSTEMS
from customer_segmentation.serving import Publisher
from customer_segmentation.serving.unfinished import mark_build, mark_of

VERSION = "20260101T000000_0123abcd"
STAGING = ("--select", "path:models/staging/marketplace", *WITHOUT_TESTS)
# its table is the last, because it reads others
LAST = "main_private.stg_marketplace__transactions"
SAID = "did not end: tables of"


def publish(database: Path) -> None:
    """Publish a table that says which version it is of."""
    publisher = Publisher(database, database.with_suffix(""), VERSION).begin()
    with duckdb.connect(publisher.new_database) as connection:
        connection.execute(f"create table versions as select '{VERSION}' as version")
        connection.execute(
            f"copy versions to '{publisher.new_folder}/versions.parquet'"
        )
    publisher.finish()


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_build_killed_between_models_changes_nothing_that_is_published(
    workshop: Path,
) -> None:
    warehouse = Warehouse(workshop / "killed", workshop)
    land_no_rows(warehouse.landing, SOURCE_SYSTEMS)
    publish(warehouse.published)
    published = contents(warehouse.published.parent)
    assert warehouse.build_until(
        "OK created sql table model main_private.stg_marketplace__",
        *STAGING,
        variables=QUICK_SEARCH,
    )
    built = warehouse.tables()
    assert built
    assert LAST not in built
    assert contents(warehouse.published.parent) == published

    # a build of some of the tables says so, and leaves it to the next one
    warehouse.build(*STAGING, variables=QUICK_SEARCH)
    assert warehouse.messages.read_text(encoding="utf-8").count(SAID) == 1
    assert mark_of(warehouse.database).exists()
    assert LAST in warehouse.tables()
    assert contents(warehouse.published.parent) == published


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
