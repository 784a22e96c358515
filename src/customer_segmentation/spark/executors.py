"""The Python of the executors, which must be as it is here."""

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
    "installations",
    "judge",
    "reporter",
    "translate",
]

# what a function over batches imports, and the package that has it
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
# rows are spread over as many tasks as the cluster has cores
ROWS = 256

_checking = Lock()
_outcome: InputError | bool = False


@dataclass(frozen=True)
class Installation:
    """Python on a host, and the packages that scoring needs.

    Parameters
    ----------
    host : str
        Its name.
    python : str
        The interpreter.
    versions : mapping of str to str
        By package.
    broken : mapping of str to str
        Packages that cannot be imported, and why.
    """

    host: str
    python: str
    versions: Mapping[str, str]
    broken: Mapping[str, str] = field(default_factory=dict)


def check_executors(session: SparkSession) -> None:
    """Look at the Python of the executors, once a process.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
        Whose executors they are.

    Raises
    ------
    InputError
        It is of another version than here, or lacks a package.
    """
    global _outcome
    with _checking:
        if not _outcome:
            try:
                if not _are_here(session):
                    judge(installations(session), _here())
                _outcome = True
            except InputError as error:
                _outcome = error
        if isinstance(_outcome, InputError):
            raise _outcome


def judge(executors: Iterable[Installation], here: Installation) -> None:
    """Compare the packages of the executors with those here.

    Parameters
    ----------
    executors : iterable of Installation
        What tasks found.
    here : Installation
        Where dbt runs.

    Raises
    ------
    InputError
        Says what the first of the executors that differs lacks.
    """
    remedy = f"install {LOCK_FILE} and customer-segmentation there, as here; {WHERE}"
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


def translate(said: str) -> str:
    """Return what to do about an error of Spark that kept Python from running.

    Parameters
    ----------
    said : str
        Its whole text.
    """
    versions = re.search(r"version: (\d+\.\d+) than that in driver: (\d+\.\d+)", said)
    if versions:
        there, here = versions.groups()
        return (
            f"the executors' Python is {there} and {here} here ({sys.executable}), and "
            f"both must be of one minor version; {WHERE}"
        )
    program = re.search(r'Cannot run program "([^"]*)"', said)
    if program:
        return f"the executors have no Python at {program[1]}; {WHERE}"
    module = re.search(r"No module named '([^']*)'", said)
    if module:
        return (
            f"the executors' Python has no {module[1]}: install {LOCK_FILE} there, as "
            f"here; {WHERE}"
        )
    why = re.search(r"^\w*(?:Error|Exception)\b.*", said, re.MULTILINE)
    line = why[0] if why else said.strip().partition("\n")[0]
    return f"Spark could not run Python on its executors: {line}; {WHERE}"


def installations(session: SparkSession) -> list[Installation]:
    """Return what tasks find where they run.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
        Whose executors run them.

    Raises
    ------
    InputError
        No task can run Python.
    """
    report = udf(reporter(MODULES), StringType(), useArrow=False)
    numbers = session.range(ROWS)
    try:
        rows = numbers.select(report(numbers.id)).collect()
    except PySparkException as error:
        raise InputError(translate(str(error))) from error
    found = sorted({row[0] for row in rows})
    return [Installation(**json.loads(said)) for said in found]


def _are_here(session: SparkSession) -> bool:
    """Whether they are of this process: their Python is this one, and needs no look."""
    is_classic = isinstance(session, SparkSession)
    return is_classic and session.conf.get("spark.master").startswith("local")


def _here() -> Installation:
    return Installation(**json.loads(reporter(MODULES)(0)))


def reporter(modules: Mapping[str, str]) -> Callable[[int], str]:
    """Return a function that travels to executors where this package may be missing.

    So it is one that pickles with its code: defined here, and without names of this
    module. It is no function over Arrow batches either, as pyarrow may be missing.

    Parameters
    ----------
    modules : mapping of str to str
        What to import, and the package that has it.

    Returns
    -------
    callable
        Takes a number, and returns an ``Installation`` as JSON.
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
