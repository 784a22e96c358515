"""Readers see one whole version, whatever happens to the builds that publish."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from errno import EACCES, EPERM
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt_project import REPOSITORY

from customer_segmentation.errors import InputError
from customer_segmentation.serving import Publisher
from customer_segmentation.serving.duckdb_plugin import Plugin

KILLS = 12
READER = REPOSITORY / "benchmarks" / "published_reader.py"
READERS = ("duckdb", "sqlalchemy", "adbc", "parquet")
# publishes one version after another: three tables, and the numbers of their rows
WRITER = """
import sys
import time
import duckdb
from itertools import count
from pathlib import Path
from customer_segmentation.serving import Publisher

database, folder, run = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
for number in count():
    version = f"20260101T{run}_{number:08x}"
    publisher = Publisher(database, folder, version).begin()
    with duckdb.connect(publisher.new_database) as connection:
        rows = 20_000 + 100 * int(run) + number % 100
        tables = ("customers", "customer_features", "missing_values")
        for table in tables:
            connection.execute(f"create table {table} as from range({rows})")
        connection.execute(
            "create table published_tables as"
            f" select '{version}' as version, unnest(?) as table_name,"
            f" {rows} as row_count",
            [list(tables)],
        )
        for table in (*tables, "published_tables"):
            connection.execute(
                f"copy {table} to '{publisher.new_folder}/{table}.parquet'"
            )
    publisher.finish()
    print(version, flush=True)
    # readers of a folder have time for two versions more
    time.sleep(0.1)
"""


# what other people may have where we publish, some of it named almost as ours
FOREIGN_FOLDERS = (".git", "landing", "raw", "1.new", "20260101T000000_00000001.old")
FOREIGN_FILES = (
    *("current.txt", "current.backup", "notes.new"),
    *("../marts.duckdb.mine.new", "../marts.duckdb.new", "../marts.duckdb.wal"),
)


def version_of(day: int) -> str:
    """Return a name of a version, as builds have them."""
    return f"202601{day:02}T000000_0000000f"


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return tmp_path / "published" / "marts.duckdb"


def publish(database: Path, version: str) -> Publisher:
    """Publish one table that holds its version."""
    publisher = Publisher(database, database.with_suffix(""), version).begin()
    with duckdb.connect(publisher.new_database) as connection:
        connection.execute(f"create table versions as select '{version}' as version")
        connection.execute(
            f"copy versions to '{publisher.new_folder}/versions.parquet'"
        )
    publisher.finish()
    return publisher


def kill_writer(database: Path, run: str, after: float) -> None:
    """Start a writer, and kill it some seconds after its first version."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, database, database.with_suffix(""), run],
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline().startswith(f"20260101T{run}_")
        time.sleep(after)
        os.kill(writer.pid, signal.SIGKILL)
    assert writer.returncode == -signal.SIGKILL


def version_in(database: Path) -> str:
    with duckdb.connect(database, read_only=True) as connection:
        [(version,)] = connection.execute("from versions").fetchall()
    return version


@contextmanager
def readers(database: Path, stop: Path) -> Iterator[dict[str, dict[str, Any]]]:
    """Read in a process of each kind until the end; then there is what they read."""
    found: dict[str, dict[str, Any]] = {}
    processes = {
        kind: subprocess.Popen(
            [sys.executable, READER, kind, database, stop],
            stdout=subprocess.PIPE,
            text=True,
        )
        for kind in READERS
    }
    try:
        yield found
    finally:
        stop.touch()
        said = {kind: process.communicate()[0] for kind, process in processes.items()}
        found.update({kind: json.loads(text) for kind, text in said.items()})


def test_every_read_sees_one_version_while_writers_are_killed(published: Path) -> None:
    kill_writer(published, "000000", after=0)
    chance = random.Random(0)
    with readers(published, published.with_name("stop")) as found:
        for kill in range(1, KILLS + 1):
            kill_writer(published, f"{kill:06}", after=chance.uniform(0, 0.2))
    assert {kind: one["errors"] for kind, one in found.items()} == {
        kind: [] for kind in READERS
    }
    for one in found.values():
        assert one["reads"] == one["right"] > KILLS / 2
        # the versions of several writers were read
        assert len({version[:15] for version in one["versions"]}) > KILLS / 4
    # a writer that ends in peace leaves nothing behind
    publish(published, version_of(2))
    left = {path.name for path in published.parent.rglob("*.new*")}
    assert left == set()


def test_a_version_replaces_the_one_before(published: Path) -> None:
    for version in (version_of(1), version_of(2)):
        publish(published, version)
        assert version_in(published) == version
        current = published.with_suffix("") / "current"
        [(found,)] = duckdb.sql(f"from '{current}/versions.parquet'").fetchall()
        assert found == version


def test_a_reader_that_has_the_file_open_keeps_its_version(published: Path) -> None:
    publish(published, version_of(1))
    with duckdb.connect(published, read_only=True) as reader:
        publish(published, version_of(2))
        assert reader.execute("from versions").fetchall() == [(version_of(1),)]


def test_the_last_three_versions_of_the_folder_stay(published: Path) -> None:
    for day in range(1, 6):
        publish(published, version_of(day))
    assert folders_of(published) == {"current", *map(version_of, (3, 4, 5))}


def test_a_version_stays_though_the_clock_was_set_back(published: Path) -> None:
    for day in (6, 7, 8, 1):
        publish(published, version_of(day))
    assert folders_of(published) == {"current", *map(version_of, (1, 7, 8))}
    assert version_in(published) == version_of(1)


def test_what_others_have_in_the_places_stays(published: Path) -> None:
    folder = published.with_suffix("")
    for name in FOREIGN_FOLDERS:
        (folder / name / "inner").mkdir(parents=True)
    for name in FOREIGN_FILES:
        (folder / name).write_text("mine")
    for day in range(1, 6):
        publish(published, version_of(day))
    assert all((folder / name / "inner").is_dir() for name in FOREIGN_FOLDERS)
    assert {(folder / name).read_text() for name in FOREIGN_FILES} == {"mine"}


def test_a_current_that_is_not_ours_is_not_replaced(published: Path) -> None:
    folder = published.with_suffix("")
    folder.mkdir(parents=True)
    (folder / "current").write_text("mine")
    with pytest.raises(InputError, match="current leads to no published version"):
        begin(published, version_of(1))
    assert [one.name for one in folder.iterdir() if one.is_dir()] == []


def test_what_is_not_finished_changes_nothing(published: Path) -> None:
    publish(published, version_of(1))
    with closing(begin(published, version_of(2))) as unfinished:
        with duckdb.connect(unfinished.new_database) as connection:
            connection.execute("create table versions as select '2' as version")
        assert version_in(published) == version_of(1)


def test_only_one_build_publishes_at_a_time(published: Path) -> None:
    with closing(begin(published, version_of(1))) as publisher:
        with pytest.raises(InputError, match="another build is publishing"):
            begin(published, version_of(2))
        assert publisher.new_folder.exists()


@pytest.mark.parametrize("link", [False, True])
def test_the_database_of_the_build_is_never_replaced(
    tmp_path: Path, *, link: bool
) -> None:
    built = named = tmp_path / "shop.duckdb"
    with duckdb.connect(built) as connection:
        connection.execute("create table fits as select 1 as id")
    if link:
        named = tmp_path / "link.duckdb"
        named.symlink_to(built)
    with pytest.raises(InputError, match="is the database of the build"):
        Publisher(named, named.with_suffix(""), version_of(1), built).begin()
    assert {one.name for one in tmp_path.iterdir()} == {built.name, named.name}


def test_a_build_publishes_after_one_that_failed_in_its_process(
    published: Path,
) -> None:
    with connected_to_plugin() as connection:
        # its copy fails: nothing is finished
        begin_in_sql(connection, published, version_of(1))
        begin_in_sql(connection, published, version_of(2))
        duckdb.connect(f"{published}.{version_of(2)}.new").close()
        connection.execute("select publish_finish(?)", [version_of(2)])
    assert published.exists()
    assert folders_of(published) == {"current", version_of(2)}


def test_a_build_may_be_published_after_one_that_could_not_finish(
    published: Path,
) -> None:
    unfinished = begin(published, version_of(1))
    with pytest.raises(InputError, match=r"cannot publish to .*marts"):
        # the database was not written
        unfinished.finish()
    publish(published, version_of(2))
    assert version_in(published) == version_of(2)


@pytest.mark.parametrize("broken", ["shutil.rmtree", "pathlib.Path.unlink"])
def test_what_cannot_be_removed_is_said_and_locks_nobody_out(
    published: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    begin(published, version_of(1)).close()

    def fail(*_: object, **__: object) -> None:
        raise PermissionError(EACCES, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(broken, fail)
        with pytest.raises(InputError, match="Permission denied; see that"):
            begin(published, version_of(2))
    publish(published, version_of(3))
    assert version_in(published) == version_of(3)


def test_a_disk_without_symbolic_links_is_named_before_anything_is_copied(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(EPERM, "Operation not permitted")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "symlink_to", fail)
        for version in (version_of(1), version_of(2)):
            with pytest.raises(
                InputError, match=r"symbolic link in .*marts: Operation"
            ):
                publish(published, version)
    assert folders_of(published) == set()
    publish(published, version_of(3))
    assert version_in(published) == version_of(3)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot publish to .*file"):
        begin(tmp_path / "file" / "marts.duckdb", version_of(1))


def begin(database: Path, version: str) -> Publisher:
    return Publisher(database, database.with_suffix(""), version).begin()


def folders_of(database: Path) -> set[str]:
    """Return the names of the folders, and of links to folders, beside the file."""
    return {one.name for one in database.with_suffix("").iterdir() if one.is_dir()}


@contextmanager
def connected_to_plugin() -> Iterator[duckdb.DuckDBPyConnection]:
    """Connect as dbt does: with the functions of the plugin."""
    with duckdb.connect(":memory:") as connection:
        Plugin("publishing", {}).configure_connection(connection)
        yield connection


def begin_in_sql(
    connection: duckdb.DuckDBPyConnection, database: Path, version: str
) -> None:
    places = [database, database.with_suffix(""), version, database.with_name("built")]
    connection.execute("select publish_begin(?, ?, ?, ?)", [str(one) for one in places])
