"""Readers see one whole version, whatever happens to the builds that publish."""

import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import duckdb
import pytest

from customer_segmentation.errors import InputError
from customer_segmentation.serving import Publisher

KILLS = 12
READERS = 2
# publishes one version after another: two tables that name their version
WRITER = """
import sys
import time
import duckdb
from itertools import count
from pathlib import Path
from customer_segmentation.serving import Publisher

database, folder, run = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
for number in count():
    version = f"{run}_{number:06}"
    publisher = Publisher(database, folder, version).begin()
    with duckdb.connect(publisher.new_database) as connection:
        for table in ("customers", "segments"):
            connection.execute(
                f"create table {table} as"
                f" select range as id, '{version}' as version from range(20000)"
            )
            connection.execute(
                f"copy {table} to '{publisher.new_folder}/{table}.parquet'"
            )
    publisher.finish()
    print(version, flush=True)
    # readers of a folder have time for two versions more
    time.sleep(0.1)
"""
JOINED = (
    "select count(*), count(distinct c.version), max(c.version) from {0} as c"
    " join {1} as s on c.id = s.id and c.version = s.version"
)


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
        assert writer.stdout.readline().startswith(run)
        time.sleep(after)
        os.kill(writer.pid, signal.SIGKILL)
    assert writer.returncode == -signal.SIGKILL


def version_in(database: Path) -> str:
    with duckdb.connect(database, read_only=True) as connection:
        [(version,)] = connection.execute("from versions").fetchall()
    return version


def read_until(stop: Event, database: Path) -> list[tuple[int, int, str]]:
    """Join the tables again and again, each time as a BI tool that has just started."""
    found = []
    folder = database.with_suffix("") / "current"
    while not stop.is_set():
        # a process of its own would open the file anew: here an alias of its path does
        with duckdb.connect(":memory:") as connection:
            connection.execute(f"attach '{database}' as marts (read_only)")
            found += connection.execute(
                JOINED.format("marts.customers", "marts.segments")
            ).fetchall()
            version = folder.resolve()
            found += connection.execute(
                JOINED.format(
                    f"'{version}/customers.parquet'", f"'{version}/segments.parquet'"
                )
            ).fetchall()
    return found


def test_every_read_sees_one_version_while_writers_are_killed(published: Path) -> None:
    kill_writer(published, "0000", after=0)
    stop, chance = Event(), random.Random(0)
    with ThreadPoolExecutor(READERS) as readers:
        reading = [readers.submit(read_until, stop, published) for _ in range(READERS)]
        try:
            for kill in range(1, KILLS + 1):
                kill_writer(published, f"{kill:04}", after=chance.uniform(0, 0.2))
        finally:
            stop.set()
        reads = [read for one in reading for read in one.result()]
    assert len(reads) > KILLS
    assert {(rows, versions) for rows, versions, _ in reads} == {(20_000, 1)}
    # the versions of several writers were read
    assert len({version[:4] for *_, version in reads}) > KILLS / 2
    # a writer that ends in peace leaves nothing behind
    publish(published, "9999_000000")
    left = {path.name for path in published.parent.rglob("*.new*")}
    assert left == set()


def test_a_version_replaces_the_one_before(published: Path) -> None:
    for version in ("1", "2"):
        publish(published, version)
        assert version_in(published) == version
        current = published.with_suffix("") / "current"
        [(found,)] = duckdb.sql(f"from '{current}/versions.parquet'").fetchall()
        assert found == version


def test_a_reader_that_has_the_file_open_keeps_its_version(published: Path) -> None:
    publish(published, "1")
    with duckdb.connect(published, read_only=True) as reader:
        publish(published, "2")
        assert reader.execute("from versions").fetchall() == [("1",)]


def test_the_last_three_versions_of_the_folder_stay(published: Path) -> None:
    for version in "12345":
        publish(published, version)
    folders = {p.name for p in published.with_suffix("").iterdir() if p.is_dir()}
    assert folders == {"3", "4", "5", "current"}


def test_what_is_not_finished_changes_nothing(published: Path) -> None:
    publish(published, "1")
    unfinished = Publisher(published, published.with_suffix(""), "2").begin()
    with duckdb.connect(unfinished.new_database) as connection:
        connection.execute("create table versions as select '2' as version")
    assert version_in(published) == "1"


def test_only_one_build_publishes_at_a_time(published: Path) -> None:
    publisher = Publisher(published, published.with_suffix(""), "1").begin()
    with pytest.raises(InputError, match="another build is publishing"):
        Publisher(published, published.with_suffix(""), "2").begin()
    assert publisher.new_folder.exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot publish to .*file"):
        Publisher(tmp_path / "file" / "marts.duckdb", tmp_path / "file", "1").begin()
