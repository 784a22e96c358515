"""Spark in this process starts, or a message says why it cannot."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("pyspark", reason="pyspark is not installed")

import pyspark
from programs import SEVENTEEN, install_java, run_python

from customer_segmentation.errors import InputError
from customer_segmentation.spark import embedded
from customer_segmentation.spark.embedded import open_embedded
from customer_segmentation.spark.java import check_java

pytestmark = pytest.mark.spark

# before a test takes Java away
ENVIRONMENT = dict(os.environ)


def lack_of_java() -> str:
    try:
        check_java()
    except InputError as error:
        return str(error)
    return ""


needs_java = pytest.mark.skipif(lack_of_java() != "", reason=lack_of_java())


class StartedError(Exception):
    """All checks have passed, and Spark would start."""


@pytest.fixture
def java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Install a Java that passes the checks, and keep Spark from starting."""
    monkeypatch.setenv("JAVA_HOME", str(install_java(tmp_path / "java", SEVENTEEN)))

    class Started:
        @property
        def builder(self) -> None:
            raise StartedError

    monkeypatch.setattr(embedded, "SparkSession", Started())


@contextmanager
def opened_elsewhere(metastore: Path) -> Iterator[None]:
    """Hold the lock of Derby on a metastore, in another process."""
    metastore.mkdir()
    (metastore / "dbex.lck").touch()
    code = (
        "import fcntl, sys\n"
        "handle = open(sys.argv[1], 'r+b')\n"
        "fcntl.lockf(handle, fcntl.LOCK_EX)\n"
        "print('locked', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(metastore / "dbex.lck")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "locked\n"
        yield


@pytest.mark.usefixtures("java")
def test_a_spark_home_of_another_version_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    with pytest.raises(InputError, match=r"holds no Spark, .* unset SPARK_HOME"):
        open_embedded({})
    (tmp_path / "jars").mkdir()
    (tmp_path / "jars" / "spark-core_2.12-3.5.1.jar").touch()
    with pytest.raises(InputError, match=r"holds Spark 3\.5\.1, .* unset SPARK_HOME"):
        open_embedded({})


@pytest.mark.usefixtures("java")
def test_the_spark_home_of_pyspark_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_HOME", str(Path(pyspark.__file__).parent))
    with pytest.raises(StartedError):
        open_embedded({})


@pytest.mark.usefixtures("java")
def test_workers_in_this_process_run_its_python(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON"):
        monkeypatch.setenv(name, "jupyter")
    with pytest.raises(StartedError):
        open_embedded({})
    assert os.environ["PYSPARK_PYTHON"] == sys.executable
    assert os.environ["PYSPARK_DRIVER_PYTHON"] == sys.executable


@pytest.mark.usefixtures("java")
def test_workers_of_a_cluster_run_the_python_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYSPARK_PYTHON", "/there/python")
    with pytest.raises(StartedError):
        open_embedded({"spark.master": "spark://host:7077"})
    assert os.environ["PYSPARK_PYTHON"] == "/there/python"


def test_a_java_that_ends_is_reported(tmp_path: Path) -> None:
    java = install_java(tmp_path / "java", SEVENTEEN)
    code = (
        "from customer_segmentation.spark import open_session\n"
        "open_session({'spark.driver.memory': '1g'})\n"
    )
    environment = {**os.environ, "JAVA_HOME": str(java)}
    last = run_python(code, environment=environment).stderr.splitlines()[-1]
    assert "InputError: the Java of Spark ended before Spark had started" in last


@pytest.mark.usefixtures("java")
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {embedded.METASTORE_PARAMETER: "jdbc:derby:metastore_db;create=true"},
        {
            embedded.METASTORE_PARAMETER: "jdbc:derby:;databaseName=metastore_db",
            "spark.driver.extraJavaOptions": "-Xss8m '-Dderby.system.home={here}'",
        },
        {embedded.METASTORE_PARAMETER: "jdbc:derby:;databaseName={here}/metastore_db"},
    ],
)
def test_a_metastore_that_is_open_elsewhere_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, parameters: dict[str, str]
) -> None:
    here = tmp_path / "a folder"
    here.mkdir()
    if "{here}" not in str(parameters):
        monkeypatch.chdir(here)
    parameters = {name: text.format(here=here) for name, text in parameters.items()}
    monkeypatch.setattr(embedded, "SECONDS_TO_RELEASE", 0)
    with (
        opened_elsewhere(here / "metastore_db"),
        pytest.raises(
            InputError, match=r"process has the metastore .*metastore_db open"
        ),
    ):
        open_embedded(parameters)
    # once the other process has ended, Spark starts
    with pytest.raises(StartedError):
        open_embedded(parameters)


@pytest.mark.usefixtures("java")
def test_a_database_server_has_no_folder_to_check(tmp_path: Path) -> None:
    url = "jdbc:derby://host:1527/metastore_db"
    with (
        opened_elsewhere(tmp_path / "metastore_db"),
        pytest.raises(StartedError),
    ):
        open_embedded({embedded.METASTORE_PARAMETER: url})


@needs_java
def test_a_session_opens_quietly_and_runs_python(tmp_path: Path) -> None:
    code = (
        "import json, sys\n"
        "from customer_segmentation.spark import check_executors, executors\n"
        "from customer_segmentation.spark import open_session\n"
        "parameters = json.loads(sys.argv[1])\n"
        "session = open_session(parameters)\n"
        "assert open_session(parameters) is session\n"
        "check_executors(session)\n"
        "executors.MODULES.clear()\n"
        "print(*{one.python for one in executors.find_installations(session)})\n"
    )
    parameters = {
        "spark.sql.warehouse.dir": str(tmp_path / "warehouse"),
        "spark.ui.enabled": "false",
        # for one short job, a quick start counts most
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }
    result = run_python(
        code,
        json.dumps(parameters),
        environment={**ENVIRONMENT, "PYSPARK_PYTHON": "python2"},
    )
    assert result.stdout.split() == [sys.executable], result.stderr
    # the JVM itself prints this line, and no option turns it off
    printed = [line for line in result.stderr.splitlines() if "incubator" not in line]
    assert printed == []
