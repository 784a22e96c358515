"""Forgetting says what it found: unknown keys, wrong counts, bytes, logs, links."""

import os
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from customer_segmentation.cli import cli
from customer_segmentation.errors import InputError
from customer_segmentation.landing import land_files, versions
from customer_segmentation.landing.forgotten import Customer
from customer_segmentation.raw_tables import SOURCE_SYSTEMS
from customer_segmentation.serving.forget import forget
from customer_segmentation.serving.forget_search import places_left

SEVEN = Customer("mall", "7")
HEADER = "CustomerID,Gender,Age,Annual Income (k$),Spending Score (1-100)\n"
EARLIER = "20260101T000000_1a2b3c4d"

Shop = tuple[Path, Path, Path]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Return a landing zone, a database and a published file of three customers."""
    raw = tmp_path / "customers.csv"
    raw.write_text(HEADER + "".join(f"{one},Male,40,30,20\n" for one in (7, 77, 8)))
    zone, database = tmp_path / "zone", tmp_path / "shop.duckdb"
    land_files(SOURCE_SYSTEMS["mall"], (raw,), zone, append=False)
    published = tmp_path / "published" / "marts.duckdb"
    version = published.with_suffix("") / EARLIER
    version.mkdir(parents=True)
    (version.parent / "current").symlink_to(EARLIER)
    for file in (database, published):
        with duckdb.connect(file) as connection:
            connection.execute(
                "create table customers as select 'mall:' || id as customer_key"
                " from (values (7), (77), (8)) as ids (id)"
            )
            if file == published:
                connection.execute(
                    "create table published_tables as select 'customers' as table_name,"
                    f" 3::bigint as row_count, '{EARLIER}' as version"
                )
            connection.execute(
                f"copy customers to '{version / 'customers.parquet'}' (format parquet)"
            )
    monkeypatch.setenv("CUSTOMER_SEGMENTATION_LANDING", str(zone))
    monkeypatch.setenv("CUSTOMER_SEGMENTATION_DATABASE", str(database))
    monkeypatch.setenv("CUSTOMER_SEGMENTATION_PUBLISHED", str(published))
    monkeypatch.setenv("DBT_LOG_PATH", str(tmp_path / "logs"))
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "target"))
    return zone, database, published


def keys_in(file: Path) -> list[str]:
    with duckdb.connect(file, read_only=True) as connection:
        return [key for (key,) in connection.execute("from customers").fetchall()]


def test_an_unknown_key_beside_a_known_one_forgets_nobody(shop: Shop) -> None:
    zone, database, _ = shop
    with pytest.raises(InputError, match=r"^mall:700: no such customer in "):
        forget(["mall:7", "mall:700"], *shop)
    assert "mall:7" in keys_in(database)
    assert not (zone / ".forgotten").exists()
    # two that are known go at once, and may be given as raw files have them
    assert forget(["mall:7.0", "mall: 8"], *shop).left == []
    assert keys_in(database) == ["mall:77"]
    assert forget(["mall:7"], *shop).removed == {}


def test_published_counts_are_those_of_the_new_version(shop: Shop) -> None:
    published = shop[2]
    folder = published.with_suffix("")
    # a folder of another person
    (folder / "slides").mkdir()
    forget(["mall:7"], *shop)
    version = os.readlink(folder / "current")
    assert version != EARLIER
    with duckdb.connect(published, read_only=True) as connection:
        rows = connection.execute("from published_tables").fetchall()
    assert rows == [("customers", 2, version)]
    [row] = pq.read_table(folder / "current/published_tables.parquet").to_pylist()
    assert (row["row_count"], row["version"]) == (2, version)
    assert {one.name for one in folder.iterdir() if one.is_dir()} == {
        *("slides", "current", version)
    }


def test_bytes_of_deleted_rows_are_found_until_the_file_is_written_anew(
    shop: Shop,
) -> None:
    _, database, _ = shop
    with duckdb.connect(database) as connection:
        connection.execute("delete from customers where customer_key = 'mall:7'")
    found = f"{database}: bytes of the file"
    # mall:77 is still a row of the file, so its bytes explain those of mall:7
    assert found not in places_left(*shop, [SEVEN])
    with duckdb.connect(database) as connection:
        connection.execute("delete from customers where customer_key = 'mall:77'")
    assert b"mall:7" in database.read_bytes()
    assert found in places_left(*shop, [SEVEN])
    assert forget(["mall:7", "mall:77"], *shop).left == []
    assert b"mall:7" not in database.read_bytes()
    backup = database.with_name(f"{database.name}.backup")
    backup.write_bytes(b"..mall:7..")
    assert places_left(*shop, [SEVEN]) == [f"{backup}: bytes of the file"]


def test_what_is_left_in_a_log_ends_with_exit_code_1(
    shop: Shop, tmp_path: Path
) -> None:
    for file in (tmp_path / "logs/dbt.log", tmp_path / "target/run_results.json"):
        file.parent.mkdir()
        file.write_text("mall:77 is another customer")
        assert places_left(*shop, [Customer("mall", "9")]) == []
        file.write_text("the customer mall:7, who is twice there")
        ended = CliRunner().invoke(cli, ["forget", "mall:7"])
        assert ended.exit_code == 1
        assert ended.stderr.startswith(f"Still named in {file}\n")
        file.unlink()
    ended = CliRunner().invoke(cli, ["forget", "mall:7"])
    assert ended.exit_code == 0
    assert "0 places name mall:7." in ended.stdout


def test_killed_before_an_old_landing_goes_the_next_run_removes_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = shop[0]
    remove, calls = versions._remove_all_but, []

    def killed(*places: Path) -> None:
        calls.append(places)
        if len(calls) == 2:
            raise KeyboardInterrupt
        remove(*places)

    with monkeypatch.context() as patch:
        patch.setattr(versions, "_remove_all_but", killed)
        with pytest.raises(KeyboardInterrupt):
            forget(["mall:7"], *shop)
    # the new version, its scratch folder, and the old version
    assert len(list((zone / ".versions").glob("mall-*"))) == 3
    assert forget(["mall:7"], *shop).left == []
    [kept] = (zone / ".versions").glob("mall-*")
    assert pq.read_table(kept / "customers")["customer_id"].to_pylist() == ["77", "8"]


def test_a_linked_database_is_cleaned_where_it_is(shop: Shop, tmp_path: Path) -> None:
    zone, database, published = shop
    elsewhere = tmp_path / "disk" / "shop.duckdb"
    elsewhere.parent.mkdir()
    database.rename(elsewhere)
    database.symlink_to(elsewhere)
    forget(["mall:7"], zone, database, published)
    assert database.is_symlink()
    assert keys_in(elsewhere) == ["mall:77", "mall:8"]
