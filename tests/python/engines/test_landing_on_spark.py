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
from texts_and_keys import LINES, TEXTS, query_of_texts

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
