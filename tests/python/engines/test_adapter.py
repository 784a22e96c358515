"""The adapter ``sparksession``, without dbt around it."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("dbt.adapters.spark", reason="the extra spark is not installed")

from dbt.adapters.sparksession import (
    Cursor,
    Plugin,
    SessionConnection,
    SessionConnectionWrapper,
    SessionJobHelper,
    SparkSessionAdapter,
)
from dbt_common.exceptions import DbtDatabaseError, DbtRuntimeError

from customer_segmentation.errors import InputError
from customer_segmentation.spark import (
    create_over_leftovers,
    executors,
    write_table,
)

# a Python model as dbt compiles it, without refs
COMPILED = """
def model(dbt, session):
    return session.sql("select 1 as number")

from customer_segmentation.spark import write_table
write_table(
    model(None, spark), spark, "{name}", file_format="parquet", partition_by=None
)
"""


@pytest.fixture(autouse=True)
def _executors_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "_outcome", True)


@pytest.fixture
def credentials() -> Any:
    return Plugin.credentials.from_dict({"schema": "main"})


@pytest.fixture
def table(spark: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the name of a table that is dropped after the test."""
    name = request.node.name.partition("[")[0]
    yield name
    spark.sql(f"drop table if exists {name}")


def folder_of(spark: Any, table: str) -> Path:
    return Path(spark.conf.get("spark.sql.warehouse.dir").removeprefix("file:"), table)


def test_a_profile_needs_only_a_schema(credentials: Any) -> None:
    assert credentials.type == "sparksession"
    assert credentials.method == "session"
    assert credentials.server_side_parameters == {"spark.sql.ansi.enabled": "true"}


def test_python_models_run_in_the_session_by_default() -> None:
    helpers = SparkSessionAdapter.python_submission_helpers.fget
    adapter = SparkSessionAdapter.__new__(SparkSessionAdapter)
    assert adapter.default_python_submission_method == "session"
    assert helpers(adapter)["session"] is SessionJobHelper


@pytest.mark.parametrize(
    "value", ["Can't Lose Them", 'a "quoted" \\ text\\', "100 %", None, 12, "ünïcode"]
)
def test_values_are_written_into_statements(spark: Any, value: object) -> None:
    wrapper = SessionConnectionWrapper(SessionConnection(server_side_parameters={}))
    wrapper.cursor().execute("select %s as value", [value])
    assert wrapper.fetchall() == [(value,)]


def test_a_bad_cast_is_an_error_as_on_duckdb(spark: Any) -> None:
    cursor = Cursor(server_side_parameters={})
    cursor.execute("select cast(upper('abc') as int)")
    with pytest.raises(DbtDatabaseError, match="CAST_INVALID_INPUT"):
        cursor.fetchall()


def test_a_wrong_statement_is_an_error_of_dbt(spark: Any) -> None:
    with pytest.raises(DbtDatabaseError, match="no_such_table"):
        Cursor(server_side_parameters={}).execute("select * from no_such_table")


def test_a_python_model_runs_and_is_written(
    spark: Any, credentials: Any, table: str
) -> None:
    helper = SessionJobHelper({"alias": "numbers"}, credentials)
    helper.submit(COMPILED.format(name=table))
    assert spark.table(table).collect() == [(1,)]


def test_an_error_of_a_python_model_is_an_error_of_dbt(
    spark: Any, credentials: Any
) -> None:
    with pytest.raises(DbtRuntimeError, match="no_such_table"):
        SessionJobHelper({"alias": "numbers"}, credentials).submit(
            "spark.table('no_such_table')"
        )


def test_a_missing_extra_is_reported() -> None:
    code = (
        "import sys; sys.modules['dbt.adapters.spark'] = None\n"
        "import dbt.adapters.sparksession"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert "needs dbt.adapters.spark, which is not installed" in finished.stderr
    assert "make install-spark" in finished.stderr


def test_executors_are_checked_before_a_python_model(
    spark: Any, credentials: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def complain(_: Any) -> None:
        raise InputError("the executors have no scikit-learn")

    monkeypatch.setattr("dbt.adapters.sparksession.check_executors", complain)
    with pytest.raises(DbtRuntimeError, match="no scikit-learn"):
        SessionJobHelper({"alias": "numbers"}, credentials).submit("1 / 0")


def test_the_result_of_a_model_replaces_the_table(spark: Any, table: str) -> None:
    arrow = pa.table({"shop": ["a", "b"], "number": [1, None]})
    options = {"file_format": "parquet", "partition_by": None}
    write_table(arrow, spark, table, **options)
    assert sorted(spark.table(table).collect()) == [("a", 1), ("b", None)]
    write_table(arrow.slice(0, 0), spark, table, **options)
    assert spark.table(table).schema.names == ["shop", "number"]
    assert spark.table(table).collect() == []
    write_table(pd.DataFrame({"number": [2.5]}), spark, table, **options)
    assert spark.table(table).collect() == [(2.5,)]
    write_table(spark.range(2), spark, table, **options)
    assert sorted(spark.table(table).collect()) == [(0,), (1,)]


def test_partitions_are_folders(spark: Any, table: str) -> None:
    shops = pa.table({"number": [1, 2], "shop": ["a", "b"]})
    write_table(shops, spark, table, file_format="parquet", partition_by="shop")
    found = {path.name for path in folder_of(spark, table).glob("shop=*")}
    assert found == {"shop=a", "shop=b"}


def unfinished(spark: Any, table: str) -> Path:
    """Return a file of a table that the metastore does not know."""
    folder = folder_of(spark, table)
    folder.mkdir(parents=True)
    file = folder / "part-00000.parquet"
    file.write_text("half of a file")
    return file


@pytest.mark.parametrize("how", ["statement", "python model"])
def test_files_of_a_killed_build_do_not_stop_the_next_build(
    spark: Any, table: str, how: str
) -> None:
    unfinished(spark, table)
    if how == "statement":
        cursor = Cursor(server_side_parameters={})
        cursor.execute(f"create table {table} using parquet as select 1 as number")
    else:
        one = pa.table({"number": [1]})
        write_table(one, spark, table, file_format="parquet", partition_by=None)
    assert spark.table(table).collect() == [(1,)]


@pytest.mark.parametrize("how", ["another metastore", "a finished table"])
def test_files_of_another_metastore_are_kept(
    spark: Any, table: str, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    file = unfinished(spark, table)
    if how == "another metastore":
        name = "customer_segmentation.spark.tables.has_embedded_metastore"
        monkeypatch.setattr(name, lambda _: False)
    else:
        file.with_name("_SUCCESS").touch()
    with pytest.raises(InputError, match=f"{table}.*remove that folder"):
        create_over_leftovers(
            spark, lambda: spark.sql(f"create table {table} using parquet as select 1")
        )
    assert file.exists()
    shutil.rmtree(file.parent)


def test_empty_and_missing_folders_have_no_parquet(
    spark: Any, credentials: Any, tmp_path: Path
) -> None:
    adapter = SparkSessionAdapter.__new__(SparkSessionAdapter)
    adapter.config = type("Config", (), {"credentials": credentials})
    assert not adapter.folder_has_parquet(str(tmp_path / "missing"))
    assert not adapter.folder_has_parquet(str(tmp_path))
    pq.write_table(pa.table({"a": ["1"]}), tmp_path / "part-0.parquet")
    assert adapter.folder_has_parquet(str(tmp_path))
