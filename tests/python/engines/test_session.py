"""The session of Spark: what keeps it from opening is said in one sentence."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

pytest.importorskip("pyspark", reason="pyspark is not installed")

import pyspark
from pyspark import cloudpickle
from pyspark.errors import PySparkRuntimeError

from customer_segmentation.errors import InputError
from customer_segmentation.spark import embedded, executors, session
from customer_segmentation.spark.connect import compare_versions, open_remote
from customer_segmentation.spark.embedded import open_embedded
from customer_segmentation.spark.executors import (
    MODULES,
    Installation,
    judge,
    translate,
)
from customer_segmentation.spark.java import check_java, major_version

SEVENTEEN = 'openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment'
EIGHT = 'java version "1.8.0_431"\nJava(TM) SE Runtime Environment'

# before a test takes Java away
ENVIRONMENT = dict(os.environ)


def lack_of_java() -> str:
    try:
        check_java()
    except InputError as error:
        return str(error)
    return ""


needs_java = pytest.mark.skipif(lack_of_java() != "", reason=lack_of_java())


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave the PATH, and in it no Java; the working folder is the test's own."""
    for name in ("JAVA_HOME", "SPARK_HOME", "SPARK_REMOTE", "MASTER"):
        monkeypatch.delenv(name, raising=False)
    # restored after the test, which may set them
    for name in ("PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON", "SPARK_LOCAL_IP"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("bash", "cat", "dirname", "env", "ps", "sh"):
        if found := shutil.which(name):
            (programs / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.chdir(tmp_path)


def install_java(folder: Path, says: str) -> Path:
    """Make a program that says this of its version, and fails at all else."""
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(
        f"#!/bin/sh\n[ \"$1\" = -version ] || exit 1\ncat >&2 <<'.'\n{says}\n.\n"
    )
    java.chmod(0o755)
    return folder


def run_python(
    code: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program; pyspark takes one without a file for its doctests."""
    Path("program.py").write_text(code)
    return subprocess.run(
        [sys.executable, "program.py", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


# Java


@pytest.mark.parametrize(
    ("says", "major"),
    [
        (EIGHT, 8),
        (SEVENTEEN, 17),
        ('openjdk version "21" 2023-09-19', 21),
        ('openjdk version "24-ea" 2025-03-18', 24),
        (f"Picked up JAVA_TOOL_OPTIONS: -Xmx2g\n{SEVENTEEN}", 17),
        ("The operation couldn't be completed. Unable to locate a Java Runtime.", None),
        ("", None),
    ],
)
def test_the_version_of_java_is_read(says: str, major: int | None) -> None:
    assert major_version(says) == major


def test_no_java_is_said_before_spark_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_session", None)
    with pytest.raises(InputError, match=r"there is none: .*openjdk-17-jre-headless"):
        session.open_session({})


def test_a_java_home_without_java_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    good = install_java(tmp_path / "good", SEVENTEEN)
    monkeypatch.setenv("PATH", str(good / "bin"), prepend=os.pathsep)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "gone"))
    with pytest.raises(InputError, match=r"JAVA_HOME is .*gone, where there is no bin"):
        check_java()


@pytest.mark.parametrize("says", [EIGHT, SEVENTEEN.replace("17", "11")])
def test_a_java_of_another_version_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: str
) -> None:
    folder = install_java(tmp_path / "old", says)
    expected = rf"not run on Java {major_version(says)}, .*old/bin/java is \(%s\)"
    monkeypatch.setenv("PATH", str(folder / "bin"), prepend=os.pathsep)
    with pytest.raises(InputError, match=expected % "on the PATH"):
        check_java()
    monkeypatch.setenv("JAVA_HOME", str(folder))
    with pytest.raises(InputError, match=expected % "by JAVA_HOME"):
        check_java()


def test_a_java_that_is_none_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = install_java(tmp_path / "stub", "Unable to locate a Java Runtime.")
    monkeypatch.setenv("JAVA_HOME", str(folder))
    with pytest.raises(InputError, match=r"its version \(Unable to locate a Java Run"):
        check_java()


@pytest.mark.parametrize("says", [SEVENTEEN, 'openjdk version "21"'])
def test_java_home_comes_before_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: str
) -> None:
    old = install_java(tmp_path / "old", EIGHT)
    monkeypatch.setenv("PATH", str(old / "bin"), prepend=os.pathsep)
    monkeypatch.setenv("JAVA_HOME", str(install_java(tmp_path / "good", says)))
    check_java()


# Spark in this process


class StartedError(Exception):
    """All has been looked at, and Spark would start."""


@pytest.fixture
def java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have a Java that passes for a good one, and is not started."""
    monkeypatch.setenv("JAVA_HOME", str(install_java(tmp_path / "java", SEVENTEEN)))

    class Started:
        @property
        def builder(self) -> None:
            raise StartedError

    monkeypatch.setattr(embedded, "SparkSession", Started())


@contextmanager
def opened_elsewhere(metastore: Path) -> Iterator[None]:
    """Keep the lock that Derby has on a metastore, in another process."""
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
def test_a_spark_home_of_another_version_is_said(
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
def test_the_spark_home_of_pyspark_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_workers_of_a_cluster_run_the_python_that_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYSPARK_PYTHON", "/there/python")
    with pytest.raises(StartedError):
        open_embedded({"spark.master": "spark://host:7077"})
    assert os.environ["PYSPARK_PYTHON"] == "/there/python"


def test_a_java_that_ends_is_said(tmp_path: Path) -> None:
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
def test_a_metastore_that_is_open_elsewhere_is_said(
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
    # and when the other has ended, Java is started
    with pytest.raises(StartedError):
        open_embedded(parameters)


@pytest.mark.usefixtures("java")
def test_a_metastore_of_a_server_has_no_folder(tmp_path: Path) -> None:
    url = "jdbc:derby://host:1527/metastore_db"
    with (
        opened_elsewhere(tmp_path / "metastore_db"),
        pytest.raises(StartedError),
    ):
        open_embedded({embedded.METASTORE_PARAMETER: url})


# Spark Connect


@pytest.mark.parametrize(
    "address",
    ["spark://host:7077", "local[*]", "host:15002", "sc://", "sc://host:port", "sc:/h"],
)
def test_an_address_of_another_form_is_said(address: str) -> None:
    with pytest.raises(InputError, match=r"is not of the form sc://host:port"):
        open_remote(address, {})


def test_a_token_is_not_said() -> None:
    with pytest.raises(InputError, match="'sc://host/path', is not of") as caught:
        open_remote("sc://host/path;token=secret", {})
    assert "secret" not in str(caught.value)


def test_an_address_where_nothing_listens_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setattr(session, "_session", None)
    monkeypatch.setenv("SPARK_REMOTE", f"sc://127.0.0.1:{port}")
    with pytest.raises(InputError, match=rf"1:{port} \(Connection refused\): start it"):
        session.open_session({})


def test_a_host_that_is_not_known_is_said() -> None:
    with pytest.raises(InputError, match=r"reached at host\.invalid:15002 \("):
        open_remote("sc://host.invalid", {})


def test_a_server_of_something_else_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customer_segmentation.spark.connect.SECONDS_TO_ANSWER", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"sc://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(InputError, match="does not answer as a Spark Connect serv"):
            open_remote(address, {})


def test_a_missing_package_of_the_client_is_said() -> None:
    code = (
        "import sys\n"
        "sys.modules['grpc'] = None\n"
        "from customer_segmentation.spark.connect import open_remote\n"
        "open_remote('sc://localhost', {})\n"
    )
    last = run_python(code).stderr.splitlines()[-1]
    assert "InputError: a client of Spark Connect needs a package" in last
    assert "grpcio" in last
    assert last.endswith("install customer-segmentation[spark]")


def test_a_server_of_another_version_is_said() -> None:
    with pytest.raises(InputError, match=r"at host:15002 is Spark 4\.1\.4 and"):
        compare_versions("4.1.4", "host:15002")


def test_a_server_of_another_patch_is_good() -> None:
    minor = pyspark.__version__.rpartition(".")[0]
    compare_versions(f"{minor}.99", "host:15002")


# executors

HERE = Installation(
    host="here",
    python="/here/python",
    versions={"customer-segmentation": "0.1.0", "scikit-learn": "1.9.1"},
)
THERE = replace(HERE, host="worker", python="/there/python")


def test_the_same_packages_are_good() -> None:
    judge([HERE, THERE], HERE)


def test_a_package_missing_on_the_executors_is_said() -> None:
    broken = replace(THERE, broken={"skops": "No module named 'skops'"})
    with pytest.raises(
        InputError,
        match=r"/there/python on worker\) cannot import skops \(No module named .*"
        r"install requirements-spark.txt and customer-segmentation there",
    ):
        judge([HERE, broken], HERE)


def test_a_package_of_another_version_on_the_executors_is_said() -> None:
    versions = {**HERE.versions, "customer-segmentation": "0.0.9"}
    with pytest.raises(InputError, match=r"customer-segmentation 0\.0\.9 \(here 0\.1"):
        judge([THERE, replace(THERE, versions=versions)], HERE)


def test_another_python_on_the_executors_is_said() -> None:
    error = PySparkRuntimeError(
        errorClass="PYTHON_VERSION_MISMATCH",
        messageParameters={"worker_version": "3.12", "driver_version": "3.11"},
    )
    said = translate(f"An exception was thrown from the Python worker:\n{error}")
    assert "the executors' Python is 3.12 and 3.11 here" in said
    assert "PYSPARK_PYTHON" in said


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            'java.io.IOException: Cannot run program "/gone/python": error=2',
            "the executors have no Python at /gone/python; PYSPARK_PYTHON",
        ),
        (
            "Error from python worker:\nModuleNotFoundError: No module named 'pyspark'",
            "the executors' Python has no pyspark: install requirements-spark.txt",
        ),
        (
            "\n An exception was thrown.\nTraceback:\nValueError: bad magic\n\tat org.",
            "Spark could not run Python on its executors: ValueError: bad magic",
        ),
    ],
)
def test_what_keeps_python_from_running_is_said(error: str, expected: str) -> None:
    assert translate(error).startswith(expected)


def test_the_look_at_an_executor_needs_no_package_there() -> None:
    code = (
        "import sys\n"
        "sys.modules['customer_segmentation'] = sys.modules['pyarrow'] = None\n"
        "from pyspark import cloudpickle\n"
        "print(cloudpickle.loads(bytes.fromhex(sys.argv[1]))(0))\n"
    )
    pickled = cloudpickle.dumps(executors.reporter(MODULES)).hex()
    found = Installation(**json.loads(run_python(code, pickled).stdout))
    assert set(found.broken) == {"customer-segmentation", "pyarrow"}
    assert set(found.versions) == set(MODULES.values()) - set(found.broken)
    with pytest.raises(InputError, match="cannot import customer-segmentation"):
        judge([found], HERE)


def test_all_that_scoring_imports_is_looked_at() -> None:
    code = (
        "import sys\n"
        "import customer_segmentation.prediction.scoring\n"
        "import customer_segmentation.segmentation.tables\n"
        "print(*{name.partition('.')[0] for name in sys.modules})\n"
    )
    imported = set(run_python(code).stdout.split())
    assert "numpy" in imported
    required = {
        re.match(r"[\w.-]+", one)[0]
        for one in metadata.requires("customer-segmentation")
        if "extra ==" not in one
    }
    ours = {
        module
        for module, packages in metadata.packages_distributions().items()
        if required & set(packages)
    }
    assert imported & ours <= set(MODULES)


# the real thing


@needs_java
def test_a_session_opens_quietly_and_runs_python(tmp_path: Path) -> None:
    code = (
        "import json, sys\n"
        "from customer_segmentation.spark import open_session\n"
        "from customer_segmentation.spark.executors import check_executors\n"
        "from customer_segmentation.spark.executors import installations\n"
        "parameters = json.loads(sys.argv[1])\n"
        "session = open_session(parameters)\n"
        "assert open_session(parameters) is session\n"
        "check_executors(session)\n"
        "print(*{one.python for one in installations(session)})\n"
    )
    parameters = {
        "spark.sql.warehouse.dir": str(tmp_path / "warehouse"),
        "spark.ui.enabled": "false",
    }
    result = run_python(
        code,
        json.dumps(parameters),
        environment={**ENVIRONMENT, "PYSPARK_PYTHON": "python2"},
    )
    assert result.stdout.split() == [sys.executable], result.stderr
    # of the JVM itself, and nothing turns it off
    said = [line for line in result.stderr.splitlines() if "incubator" not in line]
    assert said == []
