"""What is published is on the disk before its name changes, so power loss spares it."""

import os
from pathlib import Path

import duckdb
import pytest

from customer_segmentation.serving.publishing import Publisher

VERSION = "20260101T000000_0000000f"


def test_a_version_is_on_the_disk_before_its_names_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, Path]] = []

    def fsync(handle: int, fsync=os.fsync) -> None:
        calls.append(("sync", Path(os.readlink(f"/proc/self/fd/{handle}"))))
        fsync(handle)

    def replace(source: Path, target: Path, replace=os.replace) -> None:
        calls.append(("name", Path(target)))
        replace(source, target)

    for name, function in [("fsync", fsync), ("replace", replace), ("rename", replace)]:
        monkeypatch.setattr(os, name, function)
    database = tmp_path / "new" / "published" / "marts.duckdb"
    folder = database.with_suffix("")
    publisher = Publisher(database, folder, VERSION).begin()
    # the folders that were made are on the disk, from the top
    made = [tmp_path, tmp_path / "new", database.parent, folder]
    assert calls == [("sync", path) for path in made]
    calls.clear()
    with duckdb.connect(publisher.new_database) as connection:
        connection.execute("create table customers as select 1 as a")
        connection.execute(f"copy customers to '{publisher.new_folder}/c.parquet'")
    publisher.finish()
    assert calls == [
        ("sync", publisher.new_folder / "c.parquet"),
        ("sync", publisher.new_folder),
        ("sync", publisher.new_database),
        ("name", folder / VERSION),
        ("name", folder / "current"),
        ("sync", folder),
        ("name", database),
        ("sync", database.parent),
    ]
