"""A whole build publishes its public tables; any other build leaves the last ones."""

import shutil
from typing import Any

import duckdb
from dbt_project import (
    NEWCOMER,
    ONLY_MALL,
    QUICK_SEARCH,
    UNIT_TESTS,
    Sample,
    Scored,
    Warehouse,
)

METADATA = "published_tables"


def public_tables(manifest: dict[str, Any]) -> set[str]:
    return {
        node["alias"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "seed"
        or (node["resource_type"], node["config"].get("access")) == ("model", "public")
    }


def published_rows(warehouse: Warehouse, query: str) -> list[tuple]:
    with duckdb.connect(warehouse.published, read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_the_file_has_the_public_tables_and_nothing_else(
    sample: Sample, manifest: dict[str, Any]
) -> None:
    tables = dict(
        published_rows(
            sample, "select table_name, comment from duckdb_tables() where not internal"
        )
    )
    assert tables.keys() == public_tables(manifest) | {METADATA}
    assert all(tables[name] for name in tables if name != METADATA)
    [(undescribed,)] = published_rows(
        sample,
        "select count(*) from duckdb_columns() where not internal and comment is null"
        f" and table_name != '{METADATA}'",
    )
    assert undescribed == 0
    assert not list(sample.published.parent.glob("*.wal"))


def test_published_tables_are_those_of_the_build(
    sample: Sample, manifest: dict[str, Any]
) -> None:
    with sample.connected() as connection:
        connection.execute(f"attach '{sample.published}' as published (read_only)")
        for name in sorted(public_tables(manifest)):
            for one, other in (("main", "published.main"), ("published.main", "main")):
                [(rows,)] = connection.execute(
                    f"select count(*) from (from {one}.{name}"
                    f" except all from {other}.{name})"
                ).fetchall()
                assert rows == 0, name


def test_every_table_is_a_file_of_the_current_version(sample: Sample) -> None:
    current = sample.published.with_suffix("") / "current"
    counts = published_rows(sample, f"select table_name, row_count from {METADATA}")
    assert counts
    for name, rows in counts:
        [(found,)] = duckdb.sql(
            f"select count(*) from '{current / name}.parquet'"
        ).fetchall()
        assert found == rows
    [(versions, builds, passed)] = published_rows(
        sample,
        "select count(distinct version), count(distinct build_id), min(tests_passed)"
        f" from {METADATA}",
    )
    assert (versions, builds) == (1, 1)
    assert passed > 100
    assert (current / f"{METADATA}.parquet").exists()


def test_a_part_of_the_project_is_not_published(sample: Sample) -> None:
    part = sample.copied("part")
    # the vars of the sample: dbt need not parse the project again
    finished = part.dbt(
        *("build", "--select", "resource_type:seed"), variables=QUICK_SEARCH
    )
    assert finished.returncode == 0
    assert "Not published: the build left out" in finished.stdout
    assert not part.published.exists()


def test_a_daily_run_publishes_who_has_come_since(scored: Scored) -> None:
    newcomers = f"from customers where customer_key = 'mall:{NEWCOMER}'"
    [(found,)] = published_rows(scored, f"select count(*) {newcomers}")
    assert found == 1


def test_a_failed_build_leaves_the_last_version(sample: Sample) -> None:
    broken = sample.beside("broken", same_landing=False)
    shutil.copytree(sample.landing / "mall", broken.landing / "mall")
    for part in (broken.landing / "mall" / "customers").glob("*.parquet"):
        part.write_bytes(b"no Parquet")
    shutil.copytree(sample.published.parent, broken.published.parent, symlinks=True)
    before = published_rows(broken, f"select distinct version from {METADATA}")
    finished = broken.dbt("build", "--exclude", UNIT_TESTS, variables=ONLY_MALL)
    assert finished.returncode == 1
    assert "Not published: " in finished.stdout
    assert published_rows(broken, f"select distinct version from {METADATA}") == before
