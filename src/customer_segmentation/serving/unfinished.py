"""A mark beside a database while a build works in it, which a killed build leaves.

Tables of a database whose build was killed are of several builds. The published tables
are not: they change at the end of a whole build, in one step.
"""

import json
import time
from pathlib import Path

from customer_segmentation.private_files import create_file

__all__ = ["mark_build", "mark_of"]

IN_MEMORY = ":memory:"


def mark_of(database: Path) -> Path:
    """Return the file that stands beside a database while a build works in it."""
    return database.with_name(f"{database.name}.unfinished")


def mark_build(database: str, build: str, step: str) -> str:
    """Mark that a build has begun or ended; say whether an earlier one did not end.

    Parameters
    ----------
    database : str
        The file of the build.
    build : str
        dbt's invocation id.
    step : {"begun", "ended", "published"}
        The mark of a killed build stays until a build is published, because a build of
        some tables mends only these.

    Returns
    -------
    str
        As a build begins, a sentence if an earlier one did not end. Else nothing.
    """
    if database == IN_MEMORY:
        return ""
    mark = mark_of(Path(database))
    known = _read(mark)
    if step != "begun":
        if step == "published" or known.get("build") == build:
            mark.unlink(missing_ok=True)
        return ""
    if mark.exists():
        return (
            f"The build of {known.get('begun', 'an unknown time')} did not end: tables"
            f" of {database} may be of different builds until a build is published. The"
            " published tables are whole."
        )
    create_file(mark)
    begun = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    mark.write_text(json.dumps({"build": build, "begun": begun}), encoding="utf-8")
    return ""


def _read(mark: Path) -> dict[str, str]:
    try:
        found = json.loads(mark.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # a kill may leave it empty
        return {}
    return found if isinstance(found, dict) else {}
