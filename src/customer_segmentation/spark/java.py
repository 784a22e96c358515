"""The Java that Spark in this process runs on, looked at before it is started."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from customer_segmentation.errors import InputError

__all__ = ["SUPPORTED", "check_java", "major_version"]

# those of Spark 4.3
SUPPORTED = (17, 21, 25)
REMEDY = (
    "install Java 17 (Debian has it as openjdk-17-jre-headless) or set JAVA_HOME to "
    f"the folder of a Java {', '.join(map(str, SUPPORTED[:-1]))} or {SUPPORTED[-1]}"
)
SECONDS_TO_ANSWER = 60


def check_java() -> None:
    """Look at the Java that Spark would start.

    Raises
    ------
    InputError
        There is none, or one that Spark does not run on.
    """
    java, where = _find_java()
    said = _ask_version(java)
    major = major_version(said)
    if major is None:
        raise InputError(
            f"Spark needs Java, and {java} ({where}) does not tell its version "
            f"({_first_line(said) or 'it says nothing'}): {REMEDY}"
        )
    if major not in SUPPORTED:
        raise InputError(
            f"Spark does not run on Java {major}, which is what {java} is ({where}): "
            f"{REMEDY}"
        )


def major_version(said: str) -> int | None:
    """Return the major version in what ``java -version`` says.

    Parameters
    ----------
    said : str
        Its output; other lines may come first.

    Returns
    -------
    int or None
        Java 8 and before call themselves 1.8.

    Examples
    --------
    >>> major_version('openjdk version "17.0.15" 2025-04-15')
    17
    >>> major_version('java version "1.8.0_431"')
    8
    """
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(found[1]) if found else None


def _find_java() -> tuple[str, str]:
    """Return its path, and how it was found, as Spark's own script looks for it."""
    home = os.environ.get("JAVA_HOME")
    if home:
        java = shutil.which("java", path=str(Path(home) / "bin"))
        if java is None:
            raise InputError(
                f"JAVA_HOME is {home}, where there is no bin/java: correct it, or "
                f"unset it to take the java on the PATH; or {REMEDY}"
            )
        return java, "by JAVA_HOME"
    java = shutil.which("java")
    if java is None:
        raise InputError(
            "Spark needs Java, and there is none: JAVA_HOME is not set, and no java is "
            f"on the PATH: {REMEDY}"
        )
    return java, "on the PATH"


def _ask_version(java: str) -> str:
    try:
        answer = subprocess.run(
            [java, "-version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=SECONDS_TO_ANSWER,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return answer.stdout


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "")
