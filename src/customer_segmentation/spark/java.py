"""The Java that Spark in this process would start, checked before it starts."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from customer_segmentation.errors import InputError

__all__ = ["SUPPORTED", "check_java", "major_version"]

# the versions that Spark 4.3 supports
SUPPORTED = (17, 21, 25)
REMEDY = (
    "install Java 17 (Debian has it as openjdk-17-jre-headless) or set JAVA_HOME to "
    f"the folder of a Java {', '.join(map(str, SUPPORTED[:-1]))} or {SUPPORTED[-1]}"
)
SECONDS_TO_ANSWER = 60


def check_java() -> None:
    """Check that there is a Java, and that Spark supports its version.

    Raises
    ------
    InputError
        If there is none, or Spark does not support its version.
    """
    java, where = _find_java()
    output = _version_output(java)
    major = major_version(output)
    if major is None:
        raise InputError(
            f"Spark needs Java, but {java} ({where}) does not print its version "
            f"({_first_line(output) or 'it prints nothing'}): {REMEDY}"
        )
    if major not in SUPPORTED:
        raise InputError(
            f"Spark does not run on Java {major}, the version of {java} ({where}): "
            f"{REMEDY}"
        )


def major_version(output: str) -> int | None:
    """Return the major version of Java from the output of ``java -version``.

    Parameters
    ----------
    output : str
        The output; other lines may come first.

    Returns
    -------
    int or None
        The major version: 8 for Java 1.8. None if the output has no version.

    Examples
    --------
    >>> major_version('openjdk version "17.0.15" 2025-04-15')
    17
    >>> major_version('java version "1.8.0_431"')
    8
    """
    found = re.search(r'version "(?:1\.)?(\d+)', output)
    return int(found[1]) if found else None


def _find_java() -> tuple[str, str]:
    """Return the path of Java, and how it was found: as Spark's start script does."""
    home = os.environ.get("JAVA_HOME")
    if home:
        java = shutil.which("java", path=str(Path(home) / "bin"))
        if java is None:
            raise InputError(
                f"JAVA_HOME is {home}, where there is no bin/java: correct it, or "
                f"unset it to use the java on the PATH; or {REMEDY}"
            )
        return java, "by JAVA_HOME"
    java = shutil.which("java")
    if java is None:
        raise InputError(
            "Spark needs Java, but there is none: JAVA_HOME is not set, and no java is "
            f"on the PATH: {REMEDY}"
        )
    return java, "on the PATH"


def _version_output(java: str) -> str:
    try:
        finished = subprocess.run(
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
    return finished.stdout


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "")
