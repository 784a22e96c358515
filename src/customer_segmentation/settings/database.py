"""Whether DuckDB can open the file of a build, and if not, who has it open."""

import re
from collections.abc import Mapping
from pathlib import Path

import duckdb

from customer_segmentation.settings.environment import DATABASE, DEFAULT_DATABASE

__all__ = ["check_database"]

# after the checksum of its first block, a DuckDB file has these bytes and its
# format; further on, the version of DuckDB that wrote it
MAGIC, LIBRARY = b"DUCK", slice(52, 84)
OTHER_FORMAT = re.compile(
    r"version number (?P<found>\d+), but we can only read versions between"
    r" (?P<first>\d+) and (?P<last>\d+)"
)
HOLDER = re.compile(r"lock is held in (?P<program>.*?) \(PID (?P<process>\d+)\)")


def check_database(values: Mapping[str, str], folder: Path) -> list[str]:
    """Return what keeps DuckDB from opening the file of the build.

    Parameters
    ----------
    values : mapping of str to str
        All environment variables.
    folder : Path
        Where relative paths begin.

    Examples
    --------
    >>> named = {"CUSTOMER_SEGMENTATION_DATABASE": "/no/x.duckdb"}
    >>> [sentence] = check_database(named, Path())
    >>> sentence.partition(":")[0]
    'CUSTOMER_SEGMENTATION_DATABASE is /no/x.duckdb, and the folder /no does not exist'
    """
    named = values.get(DATABASE) or DEFAULT_DATABASE
    path = folder / named
    if named == ":memory:":
        return []
    if path.is_dir():
        problem = "is a folder: name a file in it, such as customers.duckdb"
    elif not path.parent.is_dir():
        problem = (
            f"and the folder {path.parent} does not exist: create it, or name a file in"
            " another folder"
        )
    elif path.exists():
        return _open(path)
    else:
        return []
    return [f"{DATABASE} is {named}, {problem}."]


def _open(path: Path) -> list[str]:
    """Open the file as a build does, and close it."""
    try:
        duckdb.connect(path).close()
    except duckdb.IOException as error:
        held = HOLDER.search(str(error))
        if held is None:
            return [_unreadable(path, error)]
        program = Path(held["program"]).name
        return [
            f"The database {path} is open in {program} (process {held['process']}):"
            " close it there, or wait until that build has ended, then build again."
            " Others read the published file instead."
        ]
    except duckdb.ConnectionException:
        # this process has it open already, for an earlier build
        return []
    return []


def _unreadable(path: Path, error: duckdb.IOException) -> str:
    """Say why DuckDB cannot read a file, and what to do."""
    with path.open("rb") as file:
        head = file.read(LIBRARY.stop)
    other = OTHER_FORMAT.search(str(error))
    if other is not None:
        writer = (
            head[LIBRARY].rstrip(b"\0").decode(errors="replace") or "another version"
        )
        return (
            f"The database {path} has the format {other['found']}, written by DuckDB "
            f"{writer}; DuckDB {duckdb.__version__} here reads formats "
            f"{other['first']} to {other['last']}. Copy it with that DuckDB, as "
            "docs/operations.md shows under 'Another version of DuckDB': segments keep "
            "their ids, and models stay."
        )
    if MAGIC not in head:
        return (
            f"The database {path} is no DuckDB file: move it away, or name another "
            "file."
        )
    return (
        f"The database {path} cannot be opened: {str(error).partition(chr(10))[0]}. "
        "If it is damaged, restore it from a backup, or move it away and build anew: "
        "segments then get new ids."
    )
