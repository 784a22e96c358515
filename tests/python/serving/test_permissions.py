"""Published tables, reports and databases are their owner's, unless they are shared."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from published_by_hand import make_published

from customer_segmentation import cli
from customer_segmentation.private_files import ACCESS_VARIABLE
from customer_segmentation.serving.publishing import Publisher
from customer_segmentation.serving.report import write_report

VERSION = "20260101T000000_0000000f"
ACCESS = [(None, 0o600, 0o700), ("group", 0o640, 0o750), ("everyone", 0o644, 0o755)]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o027])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """Set the umask of this process."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def shared_with(access: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set who may read."""
    monkeypatch.delenv(ACCESS_VARIABLE, raising=False)
    if access:
        monkeypatch.setenv(ACCESS_VARIABLE, access)


@pytest.mark.parametrize(("access", "file", "folder"), ACCESS)
def test_what_is_published_is_the_owner_s_at_all_times(
    access: str | None,
    file: int,
    folder: int,
    umask: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared_with(access, monkeypatch)
    database = tmp_path / "published" / "marts.duckdb"
    publisher = Publisher(database, database.with_suffix(""), VERSION).begin()
    with duckdb.connect(publisher.new_database) as connection:
        connection.execute("create table customers as select 1 as a")
        part = publisher.new_folder / "customers.parquet"
        connection.execute(f"copy customers to '{part}'")
        # also while they are written, and what DuckDB keeps beside its file
        written = [*database.parent.glob("*.new*"), part]
        assert len(written) == 3
        assert {oct(mode(path)) for path in written} == {oct(file)}
    publisher.finish()
    parts = database.with_suffix("") / "current"
    for path in (database.parent, parts.parent, parts):
        assert oct(mode(path)) == oct(folder), path
    for path in (database, parts / "customers.parquet"):
        assert oct(mode(path)) == oct(file), path
    # the process has its umask back
    assert os.umask(umask) == umask


def test_a_publication_that_fails_gives_the_umask_back(
    umask: int, tmp_path: Path
) -> None:
    database = tmp_path / "marts.duckdb"
    publisher = Publisher(database, database.with_suffix(""), VERSION).begin()
    publisher.close()
    assert os.umask(umask) == umask


@pytest.mark.parametrize(("access", "file", "folder"), ACCESS)
def test_a_report_is_the_owner_s(
    access: str | None,
    file: int,
    folder: int,
    umask: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared_with(access, monkeypatch)
    page = tmp_path / "reports" / "report.html"
    write_report(make_published(tmp_path / "marts.duckdb"), page)
    assert oct(mode(page)) == oct(file)
    assert oct(mode(page.parent)) == oct(folder)


def test_files_that_a_command_makes_are_the_owner_s(tmp_path: Path) -> None:
    program = (
        "import os, sys; os.umask(0); sys.argv = ['customer-segmentation', '--help']\n"
        "from customer_segmentation import cli\n"
        "try:\n    cli.main()\n"
        "except SystemExit:\n    open('database', 'w').close()"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(cli.__file__).parents[1])}
    environment.pop(ACCESS_VARIABLE, None)
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
    )
    assert oct(mode(tmp_path / "database")) == "0o600"
