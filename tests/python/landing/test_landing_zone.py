"""A landing replaces or extends a source system as a whole, or changes nothing."""

import fcntl
import os
from pathlib import Path

import duckdb
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from raw_files import (
    MALL_CSV,
    MALL_HEADER,
    MALL_ROWS,
    land,
    landed,
    lines,
    tree,
    write,
    write_marketplace,
)

from customer_segmentation.errors import InputError
from customer_segmentation.raw_tables import (
    CAMPAIGNS,
    MARKETPLACE,
    ONLINE_RETAIL,
    SOURCE_SYSTEMS,
)

MALL = SOURCE_SYSTEMS["mall"]

# replaced as a whole, or not at all


def test_the_link_is_relative_and_the_old_version_goes(tmp_path, zone):
    path = write(tmp_path / "m.csv", MALL_CSV)
    land(MALL, zone, path)
    first = os.readlink(zone / "mall")
    crashed = zone / ".versions" / "mall-0123456789ab"
    write(crashed / "customers" / "part-00000.parquet", b"half")
    other = write(zone / ".versions" / "online_retail-x" / "a.parquet", b"not mine")
    land(MALL, zone, path)
    assert os.readlink(zone / "mall") != first
    assert not (zone / first).exists()
    assert not crashed.exists()
    assert other.exists()
    moved = zone.rename(tmp_path / "moved")
    assert landed(moved, "mall/customers") == MALL_ROWS


@pytest.mark.parametrize("append", [False, True])
def test_a_folder_put_there_by_hand_is_replaced(append, tmp_path, zone):
    path = write(tmp_path / "m.csv", MALL_CSV)
    land(MALL, tmp_path / "other", path)
    by_hand = zone / "mall" / "customers"
    by_hand.mkdir(parents=True)
    (source,) = (tmp_path / "other" / "mall" / "customers").iterdir()
    (by_hand / "mine.parquet").write_bytes(source.read_bytes())
    land(MALL, zone, path, append=append)
    assert (zone / "mall").is_symlink()
    assert landed(zone, "mall/customers") == MALL_ROWS
    names = [part.name for part in (zone / "mall" / "customers").iterdir()]
    assert names == (["mine.parquet"] if append else ["part-00000.parquet"])
    assert len(list((zone / ".versions").iterdir())) == 2  # the version and the lock


def test_a_folder_moved_aside_by_a_killed_landing_is_put_back(tmp_path, zone):
    path = write(tmp_path / "m.csv", MALL_CSV)
    land(MALL, zone, path)
    version = (zone / "mall").resolve()
    (zone / "mall").unlink()
    version.rename(zone / ".versions" / "mall-0123456789ab.replaced")
    more = write(tmp_path / "more.csv", f"{MALL_HEADER}\n3,Male,1,2,3\n")
    land(MALL, zone, more, append=True)
    assert [row[0] for row in landed(zone, "mall/customers")] == ["1", "2", "3"]


def test_only_one_landing_of_a_source_system_at_a_time(tmp_path, zone):
    path = write(tmp_path / "m.csv", MALL_CSV)
    land(MALL, zone, path)
    before = tree(zone)
    with (zone / ".versions" / "mall.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another landing of mall is running"):
            land(MALL, zone, path)
    assert tree(zone) == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left")])
def test_a_landing_cut_short_leaves_nothing(error, tmp_path, zone, monkeypatch):
    path = write(tmp_path / "m.csv", MALL_CSV)
    land(MALL, zone, path)
    before = tree(zone)

    def replace(*_: object) -> None:
        raise error

    monkeypatch.setattr("customer_segmentation.landing.versions.os.replace", replace)
    expected = KeyboardInterrupt if error is KeyboardInterrupt else InputError
    with pytest.raises(expected):
        land(MALL, zone, path)
    assert tree(zone) == before


# all tables, and further periods


@pytest.mark.parametrize("append", [False, True])
def test_a_first_landing_needs_every_table(append, tmp_path, zone):
    folder = write_marketplace(tmp_path / "raw")
    (folder / "cities.csv").unlink()
    with pytest.raises(InputError, match="missing cities; looked for"):
        land(MARKETPLACE, zone, folder, append=append)


def test_appending_adds_a_part_and_skips_known_records(tmp_path, zone, capsys):
    land(ONLINE_RETAIL, zone, write(tmp_path / "a.csv", lines("1", "1", "2", None)))
    first = zone / "online_retail/invoice_lines/part-00000.parquet"
    inode = first.stat().st_ino
    capsys.readouterr()
    more = write(tmp_path / "b.csv", lines("3", "2", "2", None, "3", "1"))
    land(ONLINE_RETAIL, zone, more, append=True)
    assert first.stat().st_ino == inode
    rows = landed(zone, "online_retail/invoice_lines")
    assert [row[:2] for row in rows[4:]] == [("3", "0"), (None, "3"), ("3", "4")]
    assert capsys.readouterr().err == (
        "online_retail.invoice_lines: 3 rows from b.csv; skipped 3 rows of 2 invoices "
        "that had landed before\n"
    )


def test_a_campaign_that_has_landed_takes_further_customers(tmp_path, zone, capsys):
    header = "campaign,source_system,customer_id,sent_at\n"
    first = [("spring", "mall", "1"), (None, "mall", "2")]
    # another customer, another shop, another campaign, and one without a name
    new = [("spring", "mall", "2"), ("spring", "card", "1"), ("autumn", "mall", "1")]
    files = [
        write(
            tmp_path / f"{name}.csv",
            header + "".join(f"{','.join(s or '' for s in row)},\n" for row in rows),
        )
        for name, rows in (("a", first), ("b", [*first, *new]))
    ]
    land(CAMPAIGNS, zone, files[0])
    capsys.readouterr()
    land(CAMPAIGNS, zone, files[1], append=True)
    rows = [row[:3] for row in landed(zone, "campaigns/sends")]
    assert rows == [*first, first[1], *new]
    assert capsys.readouterr().err == (
        "campaigns.sends: 4 rows from b.csv; skipped 1 rows of 1 sends that had landed "
        "before\n"
    )


def test_files_of_one_call_are_periods_too(tmp_path, zone):
    files = [
        write(tmp_path / "b.csv", lines("1", "2")),
        write(tmp_path / "a.csv", lines("2", "3")),
    ]
    land(ONLINE_RETAIL, zone, *files)
    rows = landed(zone, "online_retail/invoice_lines")
    assert [row[0] for row in rows] == ["1", "2", "3"]


def test_appending_one_table_keeps_the_others(tmp_path, zone):
    land(MARKETPLACE, zone, write_marketplace(tmp_path / "raw"))
    cities = write(tmp_path / "cities.csv", "city_id,city_name\n1,X\n2,Giza\n")
    land(MARKETPLACE, zone, cities, append=True)
    assert landed(zone, "marketplace/cities") == [("1", "Cairo"), ("2", "Giza")]
    assert landed(zone, "marketplace/merchants") == [("1", "Rivas Group")]


def test_appending_to_parts_that_are_not_landed_ones_is_refused(tmp_path, zone):
    part = zone / "mall" / "customers" / "part.parquet"
    part.parent.mkdir(parents=True)
    duckdb.sql("select 1 as customer_id").write_parquet(str(part))
    with pytest.raises(InputError, match="land without --append"):
        land(MALL, zone, write(tmp_path / "m.csv", MALL_CSV), append=True)


@pytest.mark.parametrize(("landed_rows", "new_rows"), [(10, 3_000), (3_000, 10)])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_rows_keep_their_order(landed_rows, new_rows, ending, tmp_path, zone):
    def file(name: str, invoices: list[str]) -> Path:
        csv = write(tmp_path / f"{name}.csv", lines(*invoices))
        if ending == "csv":
            return csv
        path = csv.with_suffix(".parquet")
        # several threads of DuckDB would share these row groups
        pq.write_table(pa_csv.read_csv(csv), path, row_group_size=100)
        return path

    before = ["x", *(f"a{i}" for i in range(landed_rows))]
    new = ["x", *(f"b{i * 7919 % new_rows}" for i in range(new_rows))]
    land(ONLINE_RETAIL, zone, file("a", before))
    land(ONLINE_RETAIL, zone, file("b", new), append=True)
    rows = landed(zone, "online_retail/invoice_lines")
    assert [row[0] for row in rows] == before + new[1:]


@pytest.mark.parametrize(("folder", "n_rows"), [("invoice_lines", 4), ("export", 4)])
def test_part_files_of_a_folder_are_one_input(folder, n_rows, tmp_path, zone):
    for number, content in enumerate([lines("1", "2"), lines("2", "3")]):
        csv = write(tmp_path / f"{number}.csv", content)
        part = tmp_path / folder / f"part-{number}.parquet"
        part.parent.mkdir(exist_ok=True)
        duckdb.read_csv(str(csv)).write_parquet(str(part))
    write(tmp_path / folder / "_SUCCESS", b"")
    write(tmp_path / folder / ".part-0.parquet.crc", b"x")
    land(ONLINE_RETAIL, zone, tmp_path / folder)
    assert len(landed(zone, "online_retail/invoice_lines")) == n_rows
    assert len(list((zone / "online_retail/invoice_lines").iterdir())) == 1


def test_a_file_name_may_look_like_a_pattern(tmp_path, zone):
    write(tmp_path / "it's m1.csv", MALL_CSV)
    path = write(tmp_path / "it's m[1]*.csv", MALL_CSV.replace("Male", "M"))
    land(MALL, tmp_path / "land[ing]*", path)
    assert landed(tmp_path / "land[ing]*", "mall/customers")[0][1] == "M"
