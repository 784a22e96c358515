"""A forgotten customer stands in no file, and does not come back."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from dbt_project import Sample

from customer_segmentation import landed
from customer_segmentation.cli import cli
from customer_segmentation.errors import InputError
from customer_segmentation.landing import land_files
from customer_segmentation.landing.forgotten import (
    Customer,
    ForgottenCustomers,
    earlier_versions_naming,
    forget_in_zone,
    identifier,
)
from customer_segmentation.raw_tables import (
    CAMPAIGNS,
    LANDED_BY_NAME,
    SOURCE_SYSTEMS,
    RawColumn,
    RawTable,
    SourceSystem,
)
from customer_segmentation.segmentation.algorithms import Candidate
from customer_segmentation.segmentation.declare import read_segmentations
from customer_segmentation.segmentation.fits import (
    FittedSegmentation,
    fit_segmentation,
)
from customer_segmentation.serving import forget as forgetting
from customer_segmentation.serving.forget_tables import forget_in_tables
from customer_segmentation.stored import SEAL, digest_of, sealed

MALL = SOURCE_SYSTEMS["mall"]

SEVEN = Customer("mall", "7")
HEADER = "CustomerID,Gender,Age,Annual Income (k$),Spending Score (1-100)\n"
# three ways to write one id, and others that are like it
IDS = ["7", " 7.0", "\t7 ", "77", "1.7", "7.05", "8", ""]
SENDS = (
    "campaign,source_system,customer_id,sent_at\n"
    "spring,mall,7,2024-05-01\nspring,mall,8,2024-05-01\nspring,other,7,2024-05-01\n"
)


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    """Return a landing zone with a few customers, and what was sent to them."""
    zone = tmp_path / "zone"
    land(zone, IDS)
    (tmp_path / "sends.csv").write_text(SENDS)
    land_files(CAMPAIGNS, (tmp_path / "sends.csv",), zone, append=False)
    return zone


def land(zone: Path, ids: list[str], *, append: bool = False) -> None:
    file = zone.parent / "customers.csv"
    file.write_text(HEADER + "".join(f'"{one}",Male,40,30,20\n' for one in ids))
    land_files(MALL, (file,), zone, append=append)


def ids_in(zone: Path, table: str = "mall/customers") -> list[str]:
    return pq.read_table(zone / table)["customer_id"].to_pylist()


def test_each_raw_row_of_the_customer_goes(zone: Path) -> None:
    before = [one for one in ids_in(zone) if one is None or one.strip() not in "7.0"]
    forget_in_zone(zone, [SEVEN])
    assert ids_in(zone) == before
    sends = pq.read_table(zone / "campaigns" / "sends").to_pylist()
    assert [(one["source_system"], one["customer_id"]) for one in sends] == [
        ("mall", "8"),
        ("other", "7"),
    ]
    # what was replaced is gone from the disk
    parts = sorted(zone.rglob("*.parquet"))
    assert len([one for one in parts if not one.is_symlink()]) == 2


@pytest.mark.parametrize("append", [False, True])
def test_a_later_landing_leaves_the_customer_out(
    zone: Path, append: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    forget_in_zone(zone, [SEVEN])
    land(zone, ["7.0", "9"], append=append)
    assert "left out 1 rows of forgotten customers" in capsys.readouterr().err
    ids = ids_in(zone)
    assert "9" in ids
    assert "7.0" not in ids
    # a file of nobody else lands nothing
    land(zone, ["7"], append=True)
    assert ids_in(zone) == ids


def test_a_version_that_a_build_reads_is_told(zone: Path) -> None:
    landed.folder_in_build(str(zone), "mall", "a build", "build")
    forget_in_zone(zone, [SEVEN])
    [folder] = earlier_versions_naming(zone, [SEVEN])
    assert folder.parent == zone / ".versions"
    landed._end_leases()
    land(zone, ["9"])
    assert earlier_versions_naming(zone, [SEVEN]) == []


def test_a_mapping_says_which_column_has_the_customer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of `shop`, whose mapping calls the customer's id otherwise."""
    columns = tuple(RawColumn(name) for name in ("sale", "buyer"))
    sales = RawTable("sales", columns, ("sale",), customer="buyer")
    shop = SourceSystem("shop", (sales,))
    monkeypatch.setitem(LANDED_BY_NAME, "shop", shop)
    seven = Customer.of_key("shop:7")
    (tmp_path / "sales.csv").write_text("sale,buyer\n1,7.0\n2,8\n7,9\n")
    land_files(shop, (tmp_path / "sales.csv",), tmp_path / "zone", append=False)
    forget_in_zone(tmp_path / "zone", [seven])
    landed_rows = pq.read_table(tmp_path / "zone/shop/sales")
    assert landed_rows["buyer"].to_pylist() == ["8", "9"]

    old, new = tmp_path / "old.duckdb", tmp_path / "new.duckdb"
    with duckdb.connect(old) as connection:
        connection.execute(
            """
            create table stg_shop__sales as from (values
                ('1', '7', null), ('2', '8', null), ('7', '9', null),
                (null, null, '{"sale": null, "buyer": "7.0"}'),
                (null, null, '{"sale": "7", "buyer": null}')
            ) as t (sale, buyer, raw_record);
            create table rejected_records as
            select 'shop' as source_system, 'sales' as source_table, raw_record
            from stg_shop__sales where raw_record is not null
            """
        )
    assert forget_in_tables(old, new, [seven]) == {
        "main.rejected_records": 1,
        "main.stg_shop__sales": 2,
    }
    computed = replace(sales, is_customer_computed=True)
    monkeypatch.setitem(LANDED_BY_NAME, "shop", SourceSystem("shop", (computed,)))
    with pytest.raises(InputError, match="computes its customer_id, so raw rows"):
        forget_in_zone(tmp_path / "zone", [seven])


def test_the_list_names_nobody(zone: Path) -> None:
    forget_in_zone(zone, [SEVEN])
    forget_in_zone(zone, [Customer("mall", "8")])
    text = (zone / ".forgotten").read_text()
    stored = json.loads(text)
    assert len(stored["digests"]) == 2
    assert "mall" not in text
    known = ForgottenCustomers.read(zone)
    assert SEVEN in known
    assert Customer("mall", "9") not in known
    (zone / ".forgotten").write_text("{")
    with pytest.raises(InputError, match="restore it from a backup"):
        land(zone, ["1"])


def test_ids_are_read_as_staging_reads_them(manifest: dict[str, Any]) -> None:
    code = manifest["nodes"]["model.customer_segmentation.stg_mall__customers"]
    text = code["compiled_code"]
    begin = text.index("---------- ids") + len("---------- ids")
    macro = text[begin : text.index("as customer_id", begin)]
    raw = pd.DataFrame({"customer_id": [*IDS, ".0", "-3.0", "x.0", "1e3.0", "0.0"]})
    with duckdb.connect() as connection:
        connection.register("raw", raw)
        rows = connection.execute(
            f"select {macro}, {identifier('customer_id')} from raw"
        ).fetchall()
    # an id that stands for a missing value is nobody's
    assert [(staged, ours) for staged, ours in rows if staged is not None] == [
        (staged, staged) for staged, _ in rows if staged is not None
    ]


@pytest.fixture(scope="module")
def fitted() -> FittedSegmentation:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"age": rng.normal(size=60) + 9 * (np.arange(60) % 2)})
    declared = {
        "source_system": "mall",
        "features": [{"name": "age", "transform": "passthrough"}],
        "value_feature": "age",
    }
    variables = {
        "segmentations": {"ages": declared},
        "source_systems": ["mall"],
        "source_system_catalog": {"mall": {}},
    }
    [segmentation] = read_segmentations(variables).segmentations
    fit, _ = fit_segmentation(frame, segmentation, Candidate("ward", "k", 2), refits=2)
    return fit


def test_fits_lose_points_and_keep_segments(
    fitted: FittedSegmentation, tmp_path: Path
) -> None:
    assert len(fitted.prototypes.positions) == 60
    old, new = tmp_path / "old.duckdb", tmp_path / "new.duckdb"
    with duckdb.connect(old) as connection:
        connection.execute(
            "create schema main_training; create table main_training"
            ".int_segmentation__fits (fit_id text, source_system text, model text,"
            " fingerprint text)"
        )
        for fit_id, system in (("ages:1", "mall"), ("others:1", "marketplace")):
            connection.execute(
                "insert into main_training.int_segmentation__fits values ($1, $2, $3,"
                " 'before')",
                [fit_id, system, sealed(fitted.to_json(), fit_id)],
            )
        connection.execute(
            "create table int_segmentation__prototypes as"
            " from (values ('ages:1'), ('others:1')) as t (fit_id)"
        )
    assert forget_in_tables(old, new, [SEVEN]) == {"fits that keep points": 1}
    with duckdb.connect(new, read_only=True) as connection:
        rows = connection.execute(
            "select fit_id, model, fingerprint"
            " from main_training.int_segmentation__fits order by fit_id"
        ).fetchall()
        left = connection.execute("from int_segmentation__prototypes").fetchall()
    assert left == [("others:1",)]
    [(_, text, fingerprint), (_, other, unchanged)] = rows
    # so the next training fits again
    assert fingerprint != "before" == unchanged
    assert other == sealed(fitted.to_json(), "others:1")
    stored = json.loads(text)
    assert stored.pop(SEAL) == digest_of("ages:1", json.dumps(stored).encode())
    without = FittedSegmentation.from_json(json.dumps(stored))
    assert len(without.prototypes.positions) == 2
    assert without.centres == fitted.centres
    same = [
        one.prototypes.assign(np.array([[0.0], [9.0]])) for one in (fitted, without)
    ]
    assert same[0].segment.tolist() == same[1].segment.tolist()


@pytest.fixture
def shop(sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a copy of the sample: landed, built and published."""
    shutil.copytree(sample.landing, tmp_path / "landing", symlinks=True)
    shutil.copy(sample.database, tmp_path / "shop.duckdb")
    shutil.copytree(sample.published.parent, tmp_path / "published", symlinks=True)
    monkeypatch.setenv("CUSTOMER_SEGMENTATION_LANDING", str(tmp_path / "landing"))
    monkeypatch.setenv("CUSTOMER_SEGMENTATION_DATABASE", str(tmp_path / "shop.duckdb"))
    return tmp_path


def places_of(folder: Path, key: str) -> list[str]:
    """Return each text column of each table, and each Parquet file, that has a key."""
    found = []
    for file in sorted(folder.rglob("*.duckdb")):
        with duckdb.connect(file, read_only=True) as connection:
            columns = connection.execute(
                "select schema_name, table_name, column_name from duckdb_columns()"
                " where data_type = 'VARCHAR' and not internal"
            ).fetchall()
            for schema, table, column in columns:
                query = f'from {schema}."{table}" where contains("{column}", $1)'
                if connection.execute(query + " limit 1", [key]).fetchall():
                    found.append(f"{file.name}: {schema}.{table}.{column}")
    customer_id = key.partition(":")[2]
    for file in sorted(folder.rglob("*.parquet")):
        for name in ("customer_key", "customer_id"):
            table = pq.read_table(file)
            if name in table.column_names:
                ids = set(table[name].to_pylist())
                if {key, customer_id, f"{customer_id}.0"} & ids:
                    found.append(f"{file}: {name}")
    return found


def test_a_customer_of_the_sample_is_forgotten(
    sample: Sample, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [(key,)] = sample.rows(
        "select customer_key from customer_rfm where source_system = 'online_retail'"
        " and frequency > 3 order by customer_key limit 1"
    )
    before = places_of(shop, key)
    assert len(before) > 40
    page = shop / "published" / "list.html"
    page.write_text(f"<td>{key}</td>")

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    # interrupted once, between the database and what is published
    places = shop / "landing", shop / "shop.duckdb", shop / "published/marts.duckdb"
    with monkeypatch.context() as patch:
        patch.setattr(forgetting, "_publish_without", fail)
        with pytest.raises(KeyboardInterrupt):
            forgetting.forget([key], *places)
    ended = CliRunner().invoke(cli, ["forget", key])
    assert ended.exit_code == 1
    assert f"Still named in {page}\n" in ended.stderr
    page.unlink()
    again = CliRunner().invoke(cli, ["forget", key])
    assert again.exit_code == 0
    assert f"0 places name {key}." in again.stdout
    assert forgetting.places_left(*places, [Customer.of_key(key)]) == []
    assert places_of(shop, key) == []
    for file in shop.rglob("*.duckdb*"):
        assert key.encode() not in file.read_bytes()
    # the others are all there, and so are the views
    with duckdb.connect(shop / "shop.duckdb", read_only=True) as connection:
        customers = "select count(*) from customers"
        [(count,)] = connection.execute(customers).fetchall()
        views = connection.execute(
            "select schema_name || '.' || view_name from duckdb_views()"
            " where not internal"
        ).fetchall()
        for (view,) in views:
            connection.execute(f"from {view} limit 1")
    assert count == sample.value(customers) - 1
    assert len(views) == sample.value(
        "select count(*) from duckdb_views() where not internal"
    )


def test_an_unknown_customer_is_one_line(shop: Path) -> None:
    for key, problem in (
        ("online_retail:nobody", "no such customer in"),
        ("nobody", "is no customer_key: give"),
        ("campaigns:1", "is no customer_key: give"),
    ):
        ended = CliRunner().invoke(cli, ["forget", key])
        assert isinstance(ended.exception, InputError)
        assert problem in str(ended.exception)
    assert not (shop / "landing" / ".forgotten").exists()
