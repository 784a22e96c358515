"""A landing zone is read whatever its name, and no zone is read as another one."""

from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from macros_of_publishing import ReturnedError, macros
from raw_files import MALL_CSV, land, write

from customer_segmentation.raw_tables import SOURCE_SYSTEMS

MALL = SOURCE_SYSTEMS["mall"]

# the name of a zone, and of the one beside it that it matches as a pattern
NAMES = {
    "shop[1]": "shop1",
    "shop*": "shops",
    "shop?": "shop2",
    "it's [a-b]*": "it's ab",
    "shop=1": "other",
}


def landing_macros(engine: str, **names: object) -> Any:
    """Return the macros that read the landing zone, as dbt calls them on an engine."""
    adapter = SimpleNamespace()
    module = macros(files=("source.sql", "landing_zone.sql"), adapter=adapter, **names)
    adapter.dispatch = lambda name: getattr(module, f"{engine}__{name}")
    return module


def returned(macro: Any, *arguments: object) -> Any:
    """Return what a macro hands to dbt's ``return``."""
    with pytest.raises(ReturnedError) as caught:
        macro(*arguments)
    return caught.value.args[0]


@pytest.mark.parametrize("name", NAMES)
def test_duckdb_reads_a_zone_and_not_the_one_beside_it(name, tmp_path):
    for zone in (name, NAMES[name]):
        content = MALL_CSV.replace("Male", zone)
        land(MALL, tmp_path / zone, write(tmp_path / "m.csv", content))
    relation = returned(
        landing_macros("default").parquet_folder, f"{tmp_path}/{name}/mall/customers"
    )
    rows = duckdb.sql(f"select * from {relation}").fetchall()
    assert [row[1] for row in rows] == [name, "Female"]
    # a folder that looks like a partition gives no further column
    assert {len(row) for row in rows} == {5}


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_zone_is_not_filled_by_the_one_beside_it(name, tmp_path):
    def run_query(query: str) -> Any:
        values = duckdb.sql(query).fetchone()
        return SimpleNamespace(columns=[SimpleNamespace(values=lambda: values)])

    land(MALL, tmp_path / NAMES[name], write(tmp_path / "m.csv", MALL_CSV))
    read = landing_macros("default", run_query=run_query).folder_has_files
    assert not returned(read, f"{tmp_path}/{name}/mall/customers")
    assert returned(read, f"{tmp_path}/{NAMES[name]}/mall/customers")


def test_spark_gets_a_pattern_that_matches_one_path():
    folder = returned(landing_macros("spark").parquet_folder, r"/a[1]/{b,c}/*/q?\`d")
    assert folder == r"parquet.`/a\[1\]/\{b,c\}/\*/q\?\\``d`"
