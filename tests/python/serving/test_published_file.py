"""Where a build publishes: the macro, the command and ``make`` say the same place."""

import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from dbt_project import REPOSITORY
from jinja2 import Environment

from customer_segmentation.cli import (
    DATABASE_VARIABLE,
    PUBLISHED_VARIABLE,
    default_published,
)

DATABASES = ("shop.duckdb", "some where/shop.duckdb", "./a/b/published.duckdb")


class ReturnedError(Exception):
    """What a macro returns, as dbt hands it on."""


def called(macro: str, path: str, *arguments: object, published: str = "") -> object:
    """Return what a macro of publishing returns if the build is at a path."""

    def hand_on(value: object) -> None:
        raise ReturnedError(value)

    def stop(message: str) -> None:
        raise ValueError(message)

    jinja = Environment(extensions=["jinja2.ext.do"], autoescape=False)
    text = (REPOSITORY / "macros" / "publishing.sql").read_text(encoding="utf-8")
    module = jinja.from_string(text).make_module(
        {
            "return": hand_on,
            "env_var": lambda _, __: published,
            "target": SimpleNamespace(path=path),
            "modules": SimpleNamespace(re=re),
            "exceptions": SimpleNamespace(raise_compiler_error=stop),
        }
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
