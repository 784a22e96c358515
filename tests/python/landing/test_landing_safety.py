"""A landing removes what landings made and nothing else, and survives power loss."""

import os
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from raw_files import MALL_CSV, MALL_HEADER, MALL_ROWS, land, landed, tree, write

from customer_segmentation import private_files
from customer_segmentation.errors import InputError
from customer_segmentation.landing import versions
from customer_segmentation.raw_tables import SOURCE_SYSTEMS

MALL = SOURCE_SYSTEMS["mall"]

PART = "mall/customers/part-00000.parquet"
NEW_CSV = f"{MALL_HEADER}\n3,Male,1,2,3\n"
NEW_ROWS = [("3", "Male", "1", "2", "3")]


def text_parquet(path: Path, **columns: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


# ---------- originals stay


@pytest.mark.parametrize("place", ["mall/my.csv", "mall/customers/my.csv", "my.csv"])
@pytest.mark.parametrize("append", [False, True])
@pytest.mark.parametrize("has_landed", [False, True])
def test_a_raw_file_in_the_zone_is_refused(place, append, has_landed, tmp_path, zone):
    if has_landed:
        land(MALL, zone, write(tmp_path / "m.csv", MALL_CSV))
    inside = write(zone / place, NEW_CSV)
    (tmp_path / "link.csv").symlink_to(inside)
    before = tree(zone)
    for path in (inside, tmp_path / "link.csv"):
        with pytest.raises(InputError, match=r"lies in the landing zone.*move it out"):
            land(MALL, zone, path, append=append)
    assert tree(zone) == before


def test_a_zone_behind_a_link_is_the_same_zone(tmp_path, zone):
    inside = write(zone / "mall" / "my.csv", MALL_CSV)
    (tmp_path / "link").symlink_to(zone)
    with pytest.raises(InputError, match="lies in the landing zone"):
        land(MALL, tmp_path / "link", inside)


@pytest.mark.parametrize(
    "place",
    [
        *("mall", "mall/notes.txt", "mall/customers/my.csv", "mall/shops/a.parquet"),
        *("mall/customers/old/part-00000.parquet", "mall/customers/mine.parquet"),
    ],
)
@pytest.mark.parametrize("has_landed", [False, True])
def test_what_no_landing_wrote_is_not_removed(place, has_landed, tmp_path, zone):
    path = write(tmp_path / "m.csv", MALL_CSV)
    if has_landed and place != "mall":
        land(MALL, zone, path)
    if place.endswith(".parquet"):
        text_parquet(zone / place, customer_id=["1"])
    else:
        write(zone / place, "an original")
    before = tree(zone)
    with pytest.raises(InputError, match="move it out of the landing zone"):
        land(MALL, zone, path)
    empty = {".versions": "folder"}
    assert tree(zone) | empty == before | empty
    assert (zone / place).exists()


def test_a_part_of_another_tool_is_not_taken_for_one_of_ours(tmp_path, zone):
    text_parquet(zone / PART, customer_id=["1"])
    with pytest.raises(InputError, match=r"part-00000\.parquet: no landing wrote it"):
        land(MALL, zone, write(tmp_path / "m.csv", MALL_CSV))
    assert pq.read_table(zone / PART).num_rows == 1


def test_a_linked_part_is_not_taken_for_one_of_ours(tmp_path, zone):
    land(MALL, tmp_path / "other", write(tmp_path / "m.csv", MALL_CSV))
    (zone / PART).parent.mkdir(parents=True)
    (zone / PART).symlink_to(tmp_path / "other" / PART)
    with pytest.raises(InputError, match="no landing wrote it"):
        land(MALL, zone, tmp_path / "m.csv")


def test_a_backup_among_the_versions_stays(tmp_path, zone):
    path = write(tmp_path / "m.csv", MALL_CSV)
    land(MALL, zone, path)
    backup = zone / ".versions" / "mall-backup"
    shutil.copytree(zone / "mall", backup)
    lock = write(zone / ".versions" / "mall.lock", "mine")
    saved = tree(backup)
    land(MALL, zone, path)
    land(MALL, zone, write(tmp_path / "n.csv", NEW_CSV), append=True)
    assert tree(backup) == saved
    assert lock.read_text() == "mine"


def test_a_link_to_another_place_is_replaced_and_its_place_stays(tmp_path, zone):
    original = write(tmp_path / "elsewhere" / "my.csv", "an original")
    zone.mkdir()
    (zone / "mall").symlink_to(original.parent)
    land(MALL, zone, write(tmp_path / "m.csv", MALL_CSV))
    assert landed(zone, "mall/customers") == MALL_ROWS
    assert original.read_text() == "an original"


def test_damaged_parts_and_hidden_files_of_browsers_are_replaced(tmp_path, zone):
    path = write(tmp_path / "m.csv", MALL_CSV)
    land(MALL, zone, path)
    write(zone / PART, "damaged")
    write(zone / "mall" / ".DS_Store", "")
    write(zone / "mall" / "customers" / "Thumbs.db", "")
    old = (zone / "mall").resolve()
    land(MALL, zone, path)
    assert landed(zone, "mall/customers") == MALL_ROWS
    assert not old.exists()


# ---------- power loss


def test_a_version_is_on_the_disk_before_its_name_and_before_the_old_one_goes(
    tmp_path, zone, monkeypatch
):
    path = write(tmp_path / "m.csv", MALL_CSV)
    land(MALL, zone, path)
    old = (zone / "mall").resolve()
    calls: list[tuple[str, str]] = []
    written: dict[str, int] = {}

    def fsync(handle: int, fsync=os.fsync) -> None:
        file = os.readlink(f"/proc/self/fd/{handle}")
        written[file] = os.fstat(handle).st_size
        calls.append(("sync", file))
        fsync(handle)

    def replace(source: Path, target: Path, replace=os.replace) -> None:
        calls.append(("replace", str(target)))
        replace(source, target)

    def remove(path: Path, remove=versions.remove_own) -> None:
        if path == old:
            calls.append(("remove", str(path)))
        remove(path)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(versions, "remove_own", remove)
    land(MALL, zone, path)
    new = (zone / "mall").resolve()
    part = new / "customers" / "part-00000.parquet"
    named = calls.index(("replace", str(zone / "mall")))
    needed = {str(p) for p in (part, part.parent, new, new.parent)}
    assert needed <= {file for call, file in calls[:named] if call == "sync"}
    assert calls[named + 1 :] == [("sync", str(zone)), ("remove", str(old))]
    # the part was synced when it was whole
    assert written[str(part)] == part.stat().st_size


def test_a_new_zone_is_on_the_disk_itself(tmp_path, zone, monkeypatch):
    synced = []
    monkeypatch.setattr(private_files, "sync", synced.append)
    land(MALL, zone, write(tmp_path / "m.csv", MALL_CSV))
    assert synced[:2] == [tmp_path, zone]


def test_after_any_failure_of_the_disk_one_version_is_whole(
    tmp_path, zone, monkeypatch
):
    old, new = write(tmp_path / "m.csv", MALL_CSV), write(tmp_path / "n.csv", NEW_CSV)
    land(MALL, zone, old)
    calls_left = 0

    def failing(function):
        def call(*arguments, **named):
            nonlocal calls_left
            calls_left -= 1
            if calls_left < 0:
                raise OSError(5, "Input/output error")
            return function(*arguments, **named)

        return call

    for module, name in [(os, "fsync"), (os, "replace"), (Path, "symlink_to")]:
        monkeypatch.setattr(module, name, failing(getattr(module, name)))
    found, messages = [], []
    for calls in range(30):
        calls_left = calls
        try:
            land(MALL, zone, new)
        except InputError as error:
            messages.append(str(error))
        else:
            break
        found.append(landed(zone, "mall/customers"))
        calls_left = 100
        land(MALL, zone, old)
        assert landed(zone, "mall/customers") == MALL_ROWS
        assert len(list((zone / ".versions").iterdir())) == 2
    assert landed(zone, "mall/customers") == NEW_ROWS
    assert len(found) > 5
    assert all("Input/output error" in message for message in messages)
    # the last failure is after the name has changed
    assert all(rows == MALL_ROWS for rows in found[:-1])
    assert found[-1] == NEW_ROWS


# ---------- permissions


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
@pytest.mark.parametrize(
    ("access", "file", "folder"),
    [(None, 0o600, 0o700), ("group", 0o640, 0o750), ("everyone", 0o644, 0o755)],
)
def test_only_the_owner_reads_what_has_landed_by_default(
    umask, access, file, folder, tmp_path, zone, monkeypatch
):
    if access:
        monkeypatch.setenv(private_files.ACCESS_VARIABLE, access)
    raw = write(tmp_path / "m.csv", MALL_CSV)
    more = write(tmp_path / "n.csv", NEW_CSV)
    before = os.umask(umask)
    try:
        land(MALL, zone, raw)
        (zone / PART).chmod(0o666)
        land(MALL, zone, more, append=True)
    finally:
        os.umask(before)
    modes = {
        path: path.stat().st_mode & 0o777
        for path in (zone, *zone.rglob("*"))
        if path.suffix != ".lock"
    }
    assert len(modes) == 7
    for path, mode in modes.items():
        assert oct(mode) == oct(folder if path.is_dir() else file), path


def test_an_unknown_access_is_refused(tmp_path, zone, monkeypatch):
    monkeypatch.setenv(private_files.ACCESS_VARIABLE, "all")
    with pytest.raises(InputError, match="'all': set it to one of owner, group"):
        land(MALL, zone, write(tmp_path / "m.csv", MALL_CSV))
