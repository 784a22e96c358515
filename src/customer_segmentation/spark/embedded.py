"""Spark in this process: it starts a JVM, and keeps its metastore in a folder."""

import fcntl
import os
import re
import shlex
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pyspark
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from customer_segmentation.errors import InputError
from customer_segmentation.spark.java import check_java

__all__ = ["METASTORE_PARAMETER", "has_embedded_metastore", "open_embedded"]

# the defaults of Spark, and the parameter that names another metastore
MASTER = "local[*]"
METASTORE = "jdbc:derby:;databaseName=metastore_db;create=true"
METASTORE_PARAMETER = "spark.hadoop.javax.jdo.option.ConnectionURL"

# a JVM may still run for a moment after its process has ended
SECONDS_TO_RELEASE = 15

LOGGING = Path(__file__).with_name("log4j2.properties")


def open_embedded(parameters: Mapping[str, str]) -> SparkSession:
    """Return a session of Spark in this process.

    Parameters
    ----------
    parameters : mapping of str to str
        The Spark parameters of the profile.

    Raises
    ------
    InputError
        If Spark cannot start. Most causes are found before a JVM starts.
    """
    check_java()
    _check_spark_home()
    _check_metastore(parameters)
    _set_environment(parameters)
    builder = SparkSession.builder.enableHiveSupport()
    for name, value in {**_quiet_parameters(), **parameters}.items():
        if value:
            builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except (PySparkException, Py4JError) as error:
        raise InputError(_reason(error)) from error


def has_embedded_metastore(session: SparkSession) -> bool:
    """Whether the metastore of a session is a folder that only this process can open.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
        The session.
    """
    # a session of Spark Connect is of another class
    if not isinstance(session, SparkSession):
        return False
    url = str(session.conf.get(METASTORE_PARAMETER, METASTORE))
    return _metastore_folder({METASTORE_PARAMETER: url}) is not None


def _check_spark_home() -> None:
    """Refuse a SPARK_HOME of another version: it would fail with obscure errors."""
    home = os.environ.get("SPARK_HOME")
    if not home:
        return
    version = _version_of(Path(home))
    if version == pyspark.__version__:
        return
    content = f"Spark {version}" if version else "no Spark"
    raise InputError(
        f"SPARK_HOME is {home}, which holds {content}, but pyspark here is "
        f"{pyspark.__version__}: unset SPARK_HOME to run the Spark inside pyspark"
    )


def _version_of(home: Path) -> str | None:
    jars = home.glob("jars/spark-core_*.jar")
    versions = (re.fullmatch(r"spark-core_[\d.]+-(.+)\.jar", jar.name) for jar in jars)
    return next((version[1] for version in versions if version), None)


def _check_metastore(parameters: Mapping[str, str]) -> None:
    """Refuse a metastore that another process has open.

    Derby itself would report that in ten thousand lines of Java. It keeps a lock on a
    file in its folder while the metastore is open.
    """
    folder = _metastore_folder(parameters)
    if folder is None:
        return
    until = time.monotonic() + SECONDS_TO_RELEASE
    while _is_locked(folder / "dbex.lck"):
        if time.monotonic() > until:
            raise InputError(
                f"another process has the metastore {folder} open, and only one at a "
                "time can: wait until it ends, or set CUSTOMER_SEGMENTATION_SPARK (in "
                f"your own profile, {METASTORE_PARAMETER}) to another folder"
            )
        time.sleep(0.5)


def _metastore_folder(parameters: Mapping[str, str]) -> Path | None:
    """Return the folder of an embedded Derby; a database server has none."""
    url = parameters.get(METASTORE_PARAMETER, METASTORE)
    found = re.match(r"jdbc:derby:(?!//|memory:)(?:directory:)?([^;]*)(.*)", url)
    if not found:
        return None
    named = re.search(r";databaseName=([^;]*)", found[2])
    name = found[1] or (named[1] if named else "")
    return Path(_derby_home(parameters), name) if name else None


def _derby_home(parameters: Mapping[str, str]) -> str:
    options = shlex.split(parameters.get("spark.driver.extraJavaOptions", ""))
    prefix = "-Dderby.system.home="
    homes = [one.removeprefix(prefix) for one in options if one.startswith(prefix)]
    return homes[-1] if homes else "."


def _is_locked(file: Path) -> bool:
    try:
        with file.open("rb") as handle:
            fcntl.lockf(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _set_environment(parameters: Mapping[str, str]) -> None:
    """Make Spark use this Python, whatever another installation has set."""
    # pyspark takes even an empty SPARK_REMOTE for an address
    os.environ.pop("SPARK_REMOTE", None)
    os.environ.pop("SPARK_API_MODE", None)
    # the start script of Spark looks for pyspark with this Python
    os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    master = parameters.get("spark.master", os.environ.get("MASTER", MASTER))
    if master.startswith("local"):
        os.environ["PYSPARK_PYTHON"] = sys.executable
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    else:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)


def _quiet_parameters() -> dict[str, str]:
    return {
        "spark.driver.defaultJavaOptions": (
            f"-Dlog4j2.configurationFile={LOGGING.as_uri()}"
        ),
        "spark.ui.showConsoleProgress": "false",
    }


def _reason(error: Exception) -> str:
    if "JAVA_GATEWAY_EXITED" in str(error):
        return (
            "the Java of Spark ended before Spark had started; its output is above. "
            "Check the Spark parameters in the profile, first spark.driver.memory"
        )
    java = getattr(error, "java_exception", None)
    reason = str(error if java is None else java.toString()).strip().splitlines()[0]
    return f"Spark opens no session ({reason}): check its parameters in the profile"
