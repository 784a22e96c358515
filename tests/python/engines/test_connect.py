"""A client of Spark Connect, which has no Java, against a server on this machine."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SECONDS_TO_START = 120
# what the adapter does for a Python model, in another process with its own session
CLIENT = """
import pyarrow as pa
from customer_segmentation import engine
from customer_segmentation.spark import check_executors, open_session, write_table

spark = open_session({
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "",
    "spark.driver.memory": "1g",
})
assert spark.conf.get("spark.sql.shuffle.partitions") == "3", "the server's own"
check_executors(spark)

try:
    spark.sql("select no_such_column").collect()
except Exception as error:
    assert "no_such_column" in str(error)

def write(result, name):
    write_table(result, spark, name, file_format="parquet", partition_by=None)

customers = pa.table({"customer_key": ["b", "a", "c"], "spend": [2.0, 1.0, 3.0]})
write(customers, "customers")
write(customers.slice(0, 0), "nobody")
relation = spark.table("customers")
frame = engine.read(relation, ["spend"], limit=2)
assert frame["spend"].tolist() == sorted(frame["spend"]), frame
assert engine.read(spark.table("nobody"), ["spend"], order_by="customer_key").empty

def doubled(table):
    import pyarrow.compute as pc
    return pa.table({"spend": pc.multiply(table["spend"], 2)})

schema = pa.schema([("spend", pa.float64())])
write(engine.map_batches(relation, ["spend"], doubled, schema), "scores")
print(sorted(row.spend for row in spark.table("scores").collect()))
"""


@pytest.fixture(scope="module")
def server(spark_installed: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of a Spark Connect server."""
    yield from run_server(tmp_path_factory.mktemp("server"))


def run_server(folder: Path) -> Iterator[str]:
    """Run a server until the tests have ended."""
    from pyspark.find_spark_home import _find_spark_home

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    settings = {
        "spark.master": "local[1]",
        "spark.driver.memory": "1g",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.shuffle.partitions": "3",
        "spark.ui.enabled": "false",
    }
    command = [
        f"{_find_spark_home()}/bin/spark-submit",
        *("--class", "org.apache.spark.sql.connect.service.SparkConnectServer"),
        *(f"--conf={name}={value}" for name, value in settings.items()),
    ]
    environment = os.environ | {
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        # for a few short jobs, a quick start counts most
        "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }
    environment.pop("SPARK_REMOTE", None)
    log = folder / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output
        )
    try:
        until = time.monotonic() + SECONDS_TO_START
        while not is_open(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.5)
        yield f"sc://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def is_open(port: int) -> bool:
    """Whether a program listens at a port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def test_models_run_on_a_server_without_java_here(server: str, tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", CLIENT],
        env=os.environ | {"SPARK_REMOTE": server, "JAVA_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout
    # an error that is raised is not printed too
    assert finished.stdout == "[2.0, 4.0, 6.0]\n"
