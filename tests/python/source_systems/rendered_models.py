"""The models that a mapping generates, rendered without dbt and made in DuckDB."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any

import duckdb
from macros_of_publishing import DbtEnvironment, hand_on, macros

from customer_segmentation.source_systems.declare import SourceMapping

__all__ = ["make_views"]

FILES = ("parsing.sql", "rejects.sql", "source.sql", "source_systems.sql")


def dispatch(name: str) -> Callable[..., Any]:
    """Return the macro of DuckDB, as dbt's adapter does."""
    found: Callable[..., Any] = getattr(MACROS, f"default__{name}")
    return found


NAMES = {"adapter": SimpleNamespace(dispatch=dispatch), "execute": False}
MACROS = macros(files=FILES, **NAMES)
JINJA = DbtEnvironment(extensions=["jinja2.ext.do"], autoescape=False)


def make_views(
    connection: duckdb.DuckDBPyConnection,
    mapping: SourceMapping,
    files: Mapping[str, str],
) -> None:
    """Make a view of each model, over raw tables without rows."""
    for table in mapping.tables:
        columns = ", ".join(f"{column.name} varchar" for column in table.columns)
        connection.execute(f"create table raw_{table.name} ({columns})")
    for name in in_order(mapping):
        [model] = (text for path, text in files.items() if stem(path) == name)
        connection.execute(f"create view {name} as {rendered(model)}")


@cache
def rendered(model: str) -> str:
    """Return a model as dbt would render it; most changes leave most models alone."""
    return JINJA.from_string(model).render(
        {key: one for key, one in vars(MACROS).items() if not key.startswith("_")}
        | NAMES
        | {
            "return": hand_on,
            "source": lambda _, table: f"raw_{table}",
            "ref": lambda model: model,
        }
    )


def stem(path: str) -> str:
    """Return the name of a model; empty for what is no SQL."""
    found = PurePosixPath(path)
    return found.stem if found.suffix == ".sql" else ""


def in_order(mapping: SourceMapping) -> Iterator[str]:
    """Return the models, each after those that it reads."""
    left = {table.name: set(table.references.values()) for table in mapping.tables}
    while left:
        done = [name for name, needed in left.items() if not needed & set(left)]
        for name in done:
            yield f"stg_{mapping.name}__{name}"
            del left[name]
    for relation in mapping.relations:
        yield f"int_{mapping.name}__{relation.name}"
