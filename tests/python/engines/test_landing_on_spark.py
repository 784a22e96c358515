"""Spark reads the landing zone that is named, and its texts as DuckDB does."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dbt.adapters.sparksession import Plugin, SparkSessionAdapter
from macros_of_publishing import ReturnedError, macros
from texts_and_keys import (
    LINES,
    NUMBERS,
    TEXTS,
    TIMES,
    query_of_numbers,
    query_of_texts,
    query_of_times,
)

from customer_segmentation.landed import leased_versions

pytestmark = pytest.mark.spark


def returned(macro: Any, *arguments: object) -> Any:
    """Return what a macro hands to dbt's ``return``."""
    with pytest.raises(ReturnedError) as caught:
        macro(*arguments)
    return caught.value.args[0]


@pytest.mark.parametrize(
    ("name", "beside"), [("shop[1]", "shop1"), ("{a,b}*", "a"), ("q?", "q1")]
)
def test_spark_reads_a_zone_and_not_the_one_beside_it(
    name: str, beside: str, spark: Any, tmp_path: Path
) -> None:
    adapter = SparkSessionAdapter.__new__(SparkSessionAdapter)
    adapter.config = SimpleNamespace(
        credentials=Plugin.credentials.from_dict({"schema": "main"})
    )
    module = macros(
        files=("source.sql", "landing_zone.sql"),
        adapter=SimpleNamespace(
            dispatch=lambda macro: getattr(module, f"spark__{macro}"),
            folder_has_parquet=adapter.folder_has_parquet,
        ),
    )
    folder = f"{tmp_path}/{name}"
    for zone in (beside, name):
        assert not returned(module.folder_has_files, folder)
        (tmp_path / zone).mkdir()
        pq.write_table(pa.table({"a": [zone]}), tmp_path / zone / "part-0.parquet")
    assert returned(module.folder_has_files, folder)
    relation = returned(module.parquet_folder, folder)
    assert re.match(r"parquet\.`.*`$", relation)
    assert [row.a for row in spark.sql(f"select a from {relation}").collect()] == [name]


def test_spark_reads_one_version_in_a_build(spark: Any, tmp_path: Path) -> None:
    adapter = SparkSessionAdapter.__new__(SparkSessionAdapter)

    def land(version: str) -> None:
        folder = tmp_path / ".versions" / version / "customers"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"a": [version]}), folder / "part-0.parquet")
        (tmp_path / "mall").unlink(missing_ok=True)
        (tmp_path / "mall").symlink_to(folder.parent.relative_to(tmp_path))

    def read_in(build: str) -> str:
        module = macros(
            files=("source.sql",),
            adapter=SimpleNamespace(
                dispatch=lambda macro: (
                    lambda *given: returned(getattr(module, f"spark__{macro}"), *given)
                ),
                folder_in_build=adapter.folder_in_build,
            ),
            env_var=lambda *_: str(tmp_path),
            execute=True,
            invocation_id=build,
            flags=SimpleNamespace(WHICH="build"),
        )
        folder = returned(module.landing_folder, "mall", "customers")
        relation = returned(module.parquet_folder, folder)
        [row] = spark.sql(f"select a from {relation}").collect()
        return row.a

    first, second = "mall-0123456789ab", "mall-ba9876543210"
    land(first)
    assert read_in("one") == first
    land(second)
    assert read_in("one") == first
    assert leased_versions(tmp_path, "mall") == {first}
    assert read_in("two") == second
    assert leased_versions(tmp_path, "mall") == {second}


@pytest.fixture
def view(spark: Any) -> Iterator[Callable[[str, list[tuple], str], None]]:
    """Return a function that makes a temporary view; other tests do not see it."""
    names = []

    def make(name: str, rows: list[tuple], columns: str) -> None:
        spark.createDataFrame(rows, columns).createOrReplaceTempView(name)
        names.append(name)

    yield make
    for name in names:
        spark.catalog.dropTempView(name)


def test_numbers_are_the_same_on_spark(spark: Any) -> None:
    rows = [(number, raw) for number, (raw, _) in enumerate(NUMBERS)]
    spark.createDataFrame(rows, "number int, raw string").createOrReplaceTempView(
        "texts"
    )
    found = spark.sql(query_of_numbers()).collect()
    assert [row.found for row in found] == [number for _, number in NUMBERS]


def test_days_of_a_shop_are_the_same_on_spark(spark: Any) -> None:
    rows = [(number, raw) for number, (raw, _) in enumerate(TIMES)]
    spark.createDataFrame(rows, "number int, raw string").createOrReplaceTempView(
        "texts"
    )
    found = spark.sql(query_of_times("spark")).collect()
    assert [row.time for row in found] == [time for _, time in TIMES]


def test_spark_trims_and_escapes_alike(spark: Any, view: Any) -> None:
    systems = macros(
        files=("source_systems.sql",), var=lambda *_: {}, execute=False, graph={}
    )
    rows = [(number, raw) for number, (raw, *_) in enumerate(TEXTS)]
    view("texts", rows, "number int, raw string")
    found = [tuple(row) for row in spark.sql(query_of_texts()).collect()]
    assert found == [(known, identifier) for _, known, identifier in TEXTS]
    parts = [(part, key) for part, _, key in LINES if ":" in part or "\\" in part]
    view("parts", parts, "part string, key string")
    escaped = spark.sql(f"select {systems.key_part('part')} as e, key from parts")
    for row in escaped.collect():
        assert row.key.startswith(f"{row.e}:")
