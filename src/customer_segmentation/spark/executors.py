"""The Python of the executors, which must have the packages of the Python here."""

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.functions import udf
from pyspark.sql.types import StringType

from customer_segmentation.errors import InputError

__all__ = [
    "MODULES",
    "Installation",
    "check_executors",
    "compare_installations",
    "explain_failure",
    "find_installations",
    "reporter",
]

# the modules that a function over batches imports, and the package of each
MODULES = {
    "customer_segmentation": "customer-segmentation",
    "duckdb": "duckdb",
    "joblib": "joblib",
    "kneed": "kneed",
    "numpy": "numpy",
    "pandas": "pandas",
    "pyarrow": "pyarrow",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "skops": "skops",
    "threadpoolctl": "threadpoolctl",
}
LOCK_FILE = "requirements-spark.txt"
# where the Python of the executors is set
WHERE = (
    "PYSPARK_PYTHON in the environment of the Spark Connect server (without a server, "
    "of dbt) is the path of the Python that all executors run"
)
# enough rows for a task on each core of the cluster
ROWS = 256

_checking = Lock()
_outcome: InputError | bool = False


@dataclass(frozen=True)
class Installation:
    """The Python of a host, with the packages that scoring needs.

    Parameters
    ----------
    host : str
        Name of the host.
    python : str
        Path of the interpreter.
    versions : mapping of str to str
        Version of each package.
    broken : mapping of str to str
        For each package that cannot be imported, the error.
    """

    host: str
    python: str
    versions: Mapping[str, str]
    broken: Mapping[str, str] = field(default_factory=dict)


def check_executors(session: SparkSession) -> None:
    """Check the Python of the executors, once per process.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
        The session of the executors.

    Raises
    ------
    InputError
        If the version of Python or of a package differs from the one here, or a package
        is missing.
    """
    global _outcome
    with _checking:
        if not _outcome:
            try:
                if not _are_local(session):
                    compare_installations(find_installations(session), _local())
                _outcome = True
            except InputError as error:
                _outcome = error
        if isinstance(_outcome, InputError):
            raise _outcome


def compare_installations(
    executors: Iterable[Installation], here: Installation
) -> None:
    """Compare the packages of the executors with the packages here.

    Parameters
    ----------
    executors : iterable of Installation
        Installations of the executors.
    here : Installation
        Installation where dbt runs.

    Raises
    ------
    InputError
        If an installation of the executors differs: the message names the packages.
    """
    remedy = f"install {LOCK_FILE} and customer-segmentation there too; {WHERE}"
    for one in executors:
        at = f"the executors' Python ({one.python} on {one.host})"
        if one.broken:
            why = next(iter(one.broken.values()))
            raise InputError(
                f"{at} cannot import {', '.join(one.broken)} ({why}): {remedy}"
            )
        others = {
            name: version
            for name, version in one.versions.items()
            if version != here.versions.get(name)
        }
        if others:
            pairs = ", ".join(
                f"{name} {version} (here {here.versions.get(name, 'none')})"
                for name, version in others.items()
            )
            raise InputError(f"{at} has {pairs}: {remedy}")


def explain_failure(message: str) -> str:
    """Explain why Spark could not run Python on its executors, and what to do.

    Parameters
    ----------
    message : str
        The whole error message of Spark.
    """
    versions = re.search(
        r"version: (\d+\.\d+) than that in driver: (\d+\.\d+)", message
    )
    if versions:
        there, here = versions.groups()
        return (
            f"the executors' Python is {there}, but Python here ({sys.executable}) is "
            f"{here}, and their minor versions must be equal; {WHERE}"
        )
    program = re.search(r'Cannot run program "([^"]*)"', message)
    if program:
        return f"the executors have no Python at {program[1]}; {WHERE}"
    module = re.search(r"No module named '([^']*)'", message)
    if module:
        return (
            f"the executors' Python has no {module[1]}: install {LOCK_FILE} there too; "
            f"{WHERE}"
        )
    reason = re.search(r"^\w*(?:Error|Exception)\b.*", message, re.MULTILINE)
    line = reason[0] if reason else message.strip().partition("\n")[0]
    return f"Spark could not run Python on its executors: {line}; {WHERE}"


def find_installations(session: SparkSession) -> list[Installation]:
    """Return the distinct installations of the executors, as their tasks report them.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
        The session of the executors.

    Raises
    ------
    InputError
        If no executor can run Python.
    """
    report = udf(reporter(MODULES), StringType(), useArrow=False)
    numbers = session.range(ROWS)
    try:
        rows = numbers.select(report(numbers.id)).collect()
    except PySparkException as error:
        raise InputError(explain_failure(str(error))) from error
    reports = sorted({row[0] for row in rows})
    return [Installation(**json.loads(report)) for report in reports]


def _are_local(session: SparkSession) -> bool:
    """Whether the executors run in this process, with the Python of this process."""
    is_classic = isinstance(session, SparkSession)
    return is_classic and str(session.conf.get("spark.master")).startswith("local")


def _local() -> Installation:
    return Installation(**json.loads(reporter(MODULES)(0)))


def reporter(modules: Mapping[str, str]) -> Callable[[int], str]:
    """Return a function for executors on which this package may be missing.

    It is pickled with its code: it is defined inside a function and uses no names of
    this module. It does not use Arrow batches, because pyarrow may be missing too.

    Parameters
    ----------
    modules : mapping of str to str
        The modules to import, and the package of each.

    Returns
    -------
    callable
        Takes any number, and returns an ``Installation`` as JSON.
    """
    known: list[str] = []

    def report(_: int) -> str:
        import importlib
        import json
        import platform
        import sys
        from importlib import metadata

        if not known:
            versions, broken = {}, {}
            for module, package in modules.items():
                try:
                    importlib.import_module(module)
                    versions[package] = metadata.version(package)
                except Exception as error:
                    broken[package] = str(error)
            found = {
                "host": platform.node(),
                "python": sys.executable,
                "versions": versions,
                "broken": broken,
            }
            known.append(json.dumps(found))
        return known[0]

    return report
