"""Where a build publishes: the macro, the command and ``make`` say the same place."""

import datetime
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from dbt.adapters.duckdb.relation import DuckDBRelation
from dbt_project import REPOSITORY
from macros_of_publishing import ReturnedError, macros

from customer_segmentation.cli import (
    DATABASE_VARIABLE,
    PUBLISHED_VARIABLE,
    default_published,
)
from customer_segmentation.serving.duckdb_plugin import Plugin

DATABASES = ("shop.duckdb", "some where/shop.duckdb", "./a/b/published.duckdb")

# a table whose names need quotes
ORDERS = SimpleNamespace(
    alias="order",
    schema="other",
    relation_name='"published"."other"."order"',
    description="Orders.",
    columns={"group": SimpleNamespace(name="group", description="It's a group.")},
)


def called(macro: str, path: str, *arguments: object, published: str = "") -> object:
    """Return what a macro of publishing returns if the build is at a path."""

    def stop(message: str) -> None:
        raise ValueError(message)

    module = macros(
        env_var=lambda _, __: published,
        target=SimpleNamespace(path=path),
        exceptions=SimpleNamespace(raise_compiler_error=stop),
    )
    with pytest.raises(ReturnedError) as returned:
        getattr(module, macro)(*arguments)
    return returned.value.args[0]


def made(target: str, **variables: str) -> str:
    """Return what ``make`` would run."""
    assigned = [f"{name}={value}" for name, value in variables.items()]
    return subprocess.run(
        ["make", "--dry-run", "--no-print-directory", target, *assigned],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize("database", DATABASES)
def test_the_place_beside_the_database_is_the_same_for_all(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PUBLISHED_VARIABLE, raising=False)
    monkeypatch.setenv(DATABASE_VARIABLE, database)
    place = default_published()
    assert Path(str(called("published_file", database))) == place
    [marts] = re.findall(r'--marts "(.*)"', made("superset"))
    [pictures] = re.findall(r'--pictures "(.*)"', made("slides"))
    assert Path(marts) == place
    assert Path(pictures) == place.with_name("pictures")


def test_a_file_that_is_named_is_the_place_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named = "for all/of us.duckdb"
    monkeypatch.setenv(PUBLISHED_VARIABLE, named)
    assert called("published_file", "a/shop.duckdb", published=named) == named
    assert f'--marts "{named}"' in made("superset")
    assert '--pictures "for all/pictures"' in made("slides")


@pytest.mark.parametrize("name", ["marts", "out.d/marts", "marts.db", "a/.duckdb"])
def test_a_file_with_another_suffix_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name}: name a file that ends in"):
        called("published_file", "shop.duckdb", published=name)


def test_a_database_in_memory_is_not_published() -> None:
    reason = called("why_not_published", ":memory:", [])
    assert reason == "the database of the build is in memory."


def test_a_database_named_published_can_publish(tmp_path: Path) -> None:
    built = tmp_path / "published.duckdb"
    with duckdb.connect(built) as connection:
        Plugin("publishing", {}).configure_connection(connection)
        connection.execute("create schema other")
        connection.execute('create table other."order" as select 7 as "group"')
        macros(
            env_var=lambda _, default: default,
            target=SimpleNamespace(path=str(built)),
            api=SimpleNamespace(Relation=DuckDBRelation),
            adapter=SimpleNamespace(quote='"{}"'.format),
            run_query=connection.execute,
            run_started_at=datetime.datetime(2026, 1, 2, 3, 4, 5),
            invocation_id="0123abcd-0000",
            log=lambda *_, **__: None,
        ).default__publish_tables([ORDERS], {"passed": 1, "warned": 0})
    marts = tmp_path / "published" / "marts.duckdb"
    with duckdb.connect(marts, read_only=True) as connection:
        assert connection.execute('from main."order"').fetchall() == [(7,)]
        comments = connection.execute(
            "select comment from duckdb_columns() where table_name = 'order'"
        ).fetchall()
    assert comments == [("It's a group.",)]
    assert (marts.with_suffix("") / "current" / "order.parquet").exists()
