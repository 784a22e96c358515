"""The DuckDB connection that reads raw files, and how paths and names are quoted."""

import glob
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

MEMORY_LIMIT = "384MB"
MOST_THREADS = 4


@contextmanager
def reading_connection(scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection that keeps to little memory and to the order of the rows.

    Parameters
    ----------
    scratch : Path
        Where it spills what does not fit in memory.
    """
    config = {
        "memory_limit": MEMORY_LIMIT,
        "threads": min(MOST_THREADS, os.cpu_count() or 1),
        "temp_directory": str(scratch.absolute() / "spilled"),
        "preserve_insertion_order": True,
        "autoinstall_known_extensions": False,
        # a join that is turned round gives its rows in another order
        "disabled_optimizers": "build_side_probe_side,join_order",
    }
    with duckdb.connect(config=config) as connection:
        yield connection


def sql_files(paths: Sequence[Path]) -> str:
    """Return paths as a list in SQL, where ``*``, ``?`` and ``[`` are no patterns."""
    return f"[{', '.join(sql_text(glob.escape(str(p.absolute()))) for p in paths)}]"


def sql_text(text: str) -> str:
    """Return a text literal in SQL."""
    return "'" + text.replace("'", "''") + "'"


def sql_name(name: str) -> str:
    """Return a quoted name in SQL."""
    return '"' + name.replace('"', '""') + '"'
