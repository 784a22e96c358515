"""The environment variables: the schema and the check."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from customer_segmentation.private_files import FILE_MODES
from customer_segmentation.settings.values import (
    Check,
    Setting,
    anything,
    choice,
    mistakes,
    unknown,
)

__all__ = ["DATABASE", "DEFAULT_DATABASE", "ENVIRONMENT", "check_environment"]

PREFIX = "CUSTOMER_SEGMENTATION_"
DATABASE = f"{PREFIX}DATABASE"
DEFAULT_DATABASE = "data/customer_segmentation.duckdb"
MEMORY = re.compile(r"(\d+|\d*\.\d+)\s*[kmgt](i?b)?", re.IGNORECASE)
# the JVM knows no fractions
MEMORY_OF_SPARK = re.compile(r"\d+\s*[mg](i?b)?", re.IGNORECASE)
SCHEMA = re.compile(r"[a-z_][a-z0-9_]*", re.IGNORECASE)


def check_environment(values: Mapping[str, str], target: str = "duckdb") -> list[str]:
    """Return a sentence for each mistake in the environment variables of a build.

    Parameters
    ----------
    values : mapping of str to str
        All environment variables.
    target : str
        The engine, ``duckdb`` or ``spark``: it says what memory may be.

    Examples
    --------
    >>> check_environment({"CUSTOMER_SEGMENTATION_THREADS": "0"})
    ['CUSTOMER_SEGMENTATION_THREADS is 0: give a whole number of at least 1.']
    """
    known = [setting.name for setting in ENVIRONMENT]
    found = [
        f"{name}, given as {value}, {unknown(name, known)}"
        for name, value in sorted(values.items())
        if name.startswith(PREFIX) and name not in known
    ]
    named = mistakes("", ENVIRONMENT, {**values, "target": target})
    return found + [sentence.lstrip() for sentence in named]


def _count(value: Any, values: Mapping[str, Any]) -> str | None:
    if re.fullmatch(r"0*[1-9]\d*", value):
        return None
    return f"is {value or 'empty'}: give a whole number of at least 1"


def _count_or_nothing(value: Any, values: Mapping[str, Any]) -> str | None:
    return _count(value, values) if value else None


def _memory(value: Any, values: Mapping[str, Any]) -> str | None:
    on_spark = values["target"] == "spark"
    form = MEMORY_OF_SPARK if on_spark else MEMORY
    if form.fullmatch(value.strip()) and re.search("[1-9]", value):
        return None
    whole = "a whole number of GB or MB" if on_spark else "a number and its unit"
    return f"is {value or 'empty'}: give {whole}, such as 4GB or 500MB"


def _database(value: Any, values: Mapping[str, Any]) -> str | None:
    if not value:
        return "is empty: name a DuckDB file, or unset it"
    # dbt puts the name of the file into its queries as it is
    if set("'\"") & set(Path(value).name):
        return (
            f"is {value}, with a quote in the name of the file: give a name without ' "
            'and "'
        )
    return None


def _schema(value: Any, values: Mapping[str, Any]) -> str | None:
    if SCHEMA.fullmatch(value):
        return None
    return f"is {value or 'empty'}: give letters, digits and underscores, such as main"


def _filled(what: str) -> Check:
    def check(value: Any, values: Mapping[str, Any]) -> str | None:
        return None if value else f"is empty: name {what}, or unset it"

    return check


def _setting(name: str, meaning: str, default: str, check: Check) -> Setting:
    return Setting(PREFIX + name, meaning, default, check)


ENVIRONMENT = (
    _setting("LANDING", "landing zone", "`data/landing`", _filled("a folder")),
    _setting("DATABASE", "DuckDB file", f"`{DEFAULT_DATABASE}`", _database),
    _setting(
        "PUBLISHED",
        "the published file, `*.duckdb`",
        "`published/marts.duckdb` beside the database",
        anything,
    ),
    _setting(
        "FILE_ACCESS",
        "who may read landed and published files, reports and the database: `owner`,"
        " `group` or `everyone`",
        "`owner`",
        choice(*FILE_MODES),
    ),
    _setting(
        "ACCESS",
        "`read_only` lets `mf` query a DuckDB file that others read too",
        "`automatic`",
        choice("automatic", "read_only", "read_write"),
    ),
    _setting("THREADS", "threads of dbt on DuckDB", "2", _count),
    _setting(
        "MEMORY",
        "memory limit of DuckDB, or of Spark in process (there in whole GB or MB)",
        "`4GB`",
        _memory,
    ),
    Setting(
        "LOKY_MAX_CPU_COUNT",
        "processes of the search and of back-tests",
        "all cores",
        _count,
    ),
    _setting("SHARED", "folder of the public data sets", "`../shared`", anything),
    # docs/spark.md describes these
    _setting("SPARK", "warehouse, metastore, scratch", "`data/spark`", anything),
    _setting("SCHEMA", "schema of the public tables", "`main`", _schema),
    _setting("SHUFFLE_PARTITIONS", "partitions of a shuffle", "8", _count_or_nothing),
)
