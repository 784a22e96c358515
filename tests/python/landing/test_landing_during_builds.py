"""All models of a build read one landed version, which stays as long as it is read."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from macros_of_publishing import ReturnedError, macros
from raw_files import MALL_CSV, MARKETPLACE_TABLES, land, write_numbered

from customer_segmentation import landed
from customer_segmentation.landed import folder_in_build
from customer_segmentation.raw_tables import CAMPAIGNS, MARKETPLACE, SOURCE_SYSTEMS
from customer_segmentation.serving.duckdb_plugin import Plugin

MALL = SOURCE_SYSTEMS["mall"]
TABLES = sorted(MARKETPLACE_TABLES)
# a build that begins, says what it reads, and goes on until its input ends
BUILD = """
import sys
from customer_segmentation.landed import folder_in_build
print(folder_in_build(sys.argv[1], "mall", "one", "build"), flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _no_build_goes_on() -> Iterator[None]:
    yield
    landed._end_leases()


@pytest.fixture
def mall(tmp_path: Path) -> Path:
    """Return a raw file of the mall."""
    path = tmp_path / "mall.csv"
    path.write_text(MALL_CSV)
    return path


def land_marketplace(zone: Path, number: int) -> None:
    land(MARKETPLACE, zone, write_numbered(zone.parent, number))


def versions(zone: Path) -> set[str]:
    return {path.name for path in (zone / ".versions").iterdir() if path.is_dir()}


def leases(zone: Path) -> list[Path]:
    return list((zone / ".versions").glob("*.lease"))


def version_of(zone: Path, name: str = "mall") -> str:
    return (zone / name).resolve().name


@contextmanager
def building(zone: Path) -> Iterator[subprocess.Popen[str]]:
    """Let another process read the mall until the end, and check what it reads."""
    with subprocess.Popen(
        [sys.executable, "-c", BUILD, str(zone)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        folder = process.stdout.readline().strip()
        assert folder == f"{zone}/.versions/{version_of(zone)}"
        yield process
        process.stdin.close()


class Build:
    """A build on DuckDB: the macros of a raw table, as dbt calls them."""

    def __init__(self, zone: Path, name: str) -> None:
        self.connection = duckdb.connect(":memory:")
        Plugin("landing", {}).configure_connection(self.connection)
        adapter = SimpleNamespace()
        self.macros = macros(
            files=("source.sql", "landing_zone.sql", "publishing.sql"),
            adapter=adapter,
            env_var=lambda *_: str(zone),
            execute=True,
            invocation_id=name,
            flags=SimpleNamespace(WHICH="build"),
            run_query=self.run_query,
            var=lambda _: (),
            builtins=SimpleNamespace(source=lambda *_: SimpleNamespace(is_cte=False)),
            no_rows=lambda _: "select 1 where false",
            graph=SimpleNamespace(sources={}),
        )
        adapter.dispatch = lambda macro: (
            lambda *arguments: self.returned(f"default__{macro}", *arguments)
        )

    def run_query(self, query: str) -> Any:
        """Return the rows of a query, as dbt hands them to a macro."""
        values = self.connection.execute(query).fetchone()
        return SimpleNamespace(columns=[SimpleNamespace(values=lambda: values)])

    def returned(self, macro: str, *arguments: object) -> Any:
        """Return what a macro hands to dbt's ``return``."""
        with pytest.raises(ReturnedError) as caught:
            getattr(self.macros, macro)(*arguments)
        return caught.value.args[0]

    def source(self, source_system: str, table: str) -> str:
        """Return a raw table as models write it."""
        return str(self.returned("source", source_system, table))

    def landing(self, table: str) -> str:
        """Return which landing the first value of a table is of."""
        folder = self.returned("landing_folder", "marketplace", table)
        relation = self.returned("parquet_folder", folder)
        row = self.connection.execute(f"from {relation}").fetchone()
        assert row is not None
        return str(row[0])


def test_a_landing_between_two_models_is_not_read(zone: Path) -> None:
    land_marketplace(zone, 1)
    first = Build(zone, "one")
    found = [first.landing(TABLES[0])]
    for number in (2, 3):
        land_marketplace(zone, number)
        found += [first.landing(table) for table in TABLES]
    assert set(found) == {"1"}
    # that of the second landing was never read
    assert len(versions(zone)) == 2
    second = Build(zone, "two")
    assert {second.landing(table) for table in TABLES} == {"3"}
    land_marketplace(zone, 4)
    assert len(versions(zone)) == 2
    landed._end_leases()
    land_marketplace(zone, 5)
    assert versions(zone) == {version_of(zone, "marketplace")}
    assert leases(zone) == []


@pytest.mark.parametrize("ending", [signal.SIGKILL, None])
def test_a_version_stays_until_the_build_of_another_process_ends(
    ending: signal.Signals | None, mall: Path, zone: Path
) -> None:
    land(MALL, zone, mall)
    first = version_of(zone)
    with building(zone) as process:
        land(MALL, zone, mall)
        land(MALL, zone, mall)
        assert versions(zone) == {first, version_of(zone)}
        if ending:
            os.kill(process.pid, ending)
    # a build that ends in peace takes its lease away
    assert len(leases(zone)) == (1 if ending else 0)
    land(MALL, zone, mall)
    assert versions(zone) == {version_of(zone)}
    assert leases(zone) == []


@pytest.mark.parametrize(("age", "stays"), [(0, True), (23, True), (25, False)])
@pytest.mark.parametrize("text", ["another machine", ""])
def test_a_lease_whose_lock_cannot_be_seen_counts_for_a_day(
    age: int, stays: bool, text: str, mall: Path, zone: Path
) -> None:
    land(MALL, zone, mall)
    first = version_of(zone)
    lease = zone / ".versions" / f"{first}.0123456789ab.lease"
    lease.write_text(text)
    begun = time.time() - age * 3600
    os.utime(lease, (begun, begun))
    land(MALL, zone, mall)
    assert (first in versions(zone)) == lease.exists() == stays


def test_a_landing_that_is_faster_than_the_lease_is_read(
    mall: Path, zone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(MALL, zone, mall)
    first = version_of(zone)
    make = landed._lease
    made = []

    def late(version: Path) -> Any:
        if not made:
            land(MALL, zone, mall)
        made.append(make(version))
        return made[-1]

    monkeypatch.setattr(landed, "_lease", late)
    folder = folder_in_build(str(zone), "mall", "one", "build")
    assert folder == f"{zone}/.versions/{version_of(zone)}"
    assert versions(zone) == {version_of(zone)} != {first}
    assert len(made) == 2
    assert len(leases(zone)) == 1


@pytest.mark.parametrize("command", ["compile", "show", "docs"])
def test_what_builds_nothing_leaves_nothing_in_the_zone(
    command: str, mall: Path, zone: Path
) -> None:
    land(MALL, zone, mall)
    folder = folder_in_build(str(zone), "mall", "one", command)
    assert folder == f"{zone}/.versions/{version_of(zone)}"
    assert leases(zone) == []


def test_a_zone_that_may_only_be_read_has_one_version_too(
    mall: Path, zone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(MALL, zone, mall)

    def refuse(*_: object) -> None:
        raise PermissionError

    with monkeypatch.context() as patched:
        patched.setattr(landed.os, "open", refuse)
        folder = folder_in_build(str(zone), "mall", "one", "build")
    land(MALL, zone, mall)
    assert folder_in_build(str(zone), "mall", "one", "build") == folder
    assert not Path(folder).exists()


def test_sends_whose_version_was_removed_are_not_taken_for_none(zone: Path) -> None:
    zone.mkdir()
    assert "where false" in Build(zone, "one").source("campaigns", "sends")
    sends = zone.parent / "sends.csv"
    sends.write_text("campaign,source_system,customer_id,sent_at\nspring,mall,1,\n")
    land(CAMPAIGNS, zone, sends)
    second = Build(zone, "two")
    assert version_of(zone, "campaigns") in second.source("campaigns", "sends")
    shutil.rmtree((zone / "campaigns").resolve())
    with pytest.raises(duckdb.IOException, match="No files found"):
        second.connection.execute(f"from {second.source('campaigns', 'sends')}")


def test_what_no_landing_made_is_read_where_it_is(mall: Path, zone: Path) -> None:
    elsewhere = zone.parent / "elsewhere"
    elsewhere.mkdir()
    (zone / "mall").mkdir(parents=True)
    (zone / "marketplace").symlink_to(elsewhere)
    for name in ("mall", "marketplace"):
        assert folder_in_build(str(zone), name, "one", "build") == f"{zone}/{name}"
    # only the hosts of a cluster may see it
    place = "s3a://shop/landing"
    assert folder_in_build(place, "mall", "one", "build") == f"{place}/mall"


def test_what_lands_first_during_a_build_is_not_read(mall: Path, zone: Path) -> None:
    zone.mkdir()
    folder = folder_in_build(str(zone), "mall", "one", "build")
    land(MALL, zone, mall)
    assert folder_in_build(str(zone), "mall", "one", "build") == folder
    assert not Path(folder).exists()
    later = folder_in_build(str(zone), "mall", "two", "build")
    assert Path(later).resolve() == (zone / "mall").resolve()
