"""A standalone Spark cluster on loopback, from the installed pyspark.

It has one master, workers with one core each, and a Spark Connect server, which is the
driver of all its sessions. They write all their files to one folder.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pyspark.find_spark_home import _find_spark_home

LOOPBACK = "127.0.0.1"
SECONDS_TO_START = 120
SECONDS_TO_STOP = 30
CONNECT = "org.apache.spark.sql.connect.service.SparkConnectServer"
MASTER = "org.apache.spark.deploy.master.Master"
WORKER = "org.apache.spark.deploy.worker.Worker"
HERE = ("--host", LOOPBACK, "--webui-port", "0")
DRIVER = "connect"


@dataclass(frozen=True)
class Memory:
    """Sizes as Java writes them, such as ``1g``.

    Parameters
    ----------
    driver, executor : str
        Maximum heap of the driver, and of an executor.
    results : str
        Maximum size of all results of one job.
    """

    driver: str = "1g"
    executor: str = "1g"
    results: str = "64m"


class Cluster:
    """A cluster that runs inside a ``with`` statement.

    Parameters
    ----------
    folder : Path
        For all files. A cluster finds the tables of an earlier one in the same folder.
    memory : Memory
        Memory of the processes.
    workers : int
        Number of workers.

    Attributes
    ----------
    remote : str
        Address of the Connect server.
    events, warehouse : Path
        Folder of the event log, and of the tables.
    collections : Path
        Log of the driver's garbage collections.
    """

    def __init__(self, folder: Path, memory: Memory, workers: int = 2) -> None:
        self.folder = folder
        self.memory = memory
        self.workers = workers
        self.events = folder / "events"
        self.warehouse = folder / "warehouse"
        self.collections = folder / "driver_gc.log"
        self.remote = ""
        self._home = Path(_find_spark_home())
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        """Start the cluster."""
        # the tables stay; events of an earlier cluster are not those of this one
        for earlier in (self.events, self.folder / "work"):
            shutil.rmtree(earlier, ignore_errors=True)
        self.events.mkdir(parents=True)
        (self.folder / "scratch").mkdir(exist_ok=True)
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the cluster."""
        self.stop()

    @property
    def driver(self) -> int:
        """The process id of the Connect server."""
        return self._processes[DRIVER].pid

    def executors(self) -> dict[str, str]:
        """Return the worker of each executor so far."""
        places = (self.folder / "work").glob("*/app-*/*")
        return {place.name: place.parent.parent.name for place in places}

    def active_tasks(self) -> dict[str, int]:
        """Return the number of tasks that each executor runs now."""
        with urllib.request.urlopen(f"{self._page}/applications") as answer:
            [application] = json.load(answer)
        page = f"{self._page}/applications/{application['id']}/executors"
        with urllib.request.urlopen(page) as answer:
            return {one["id"]: one["activeTasks"] for one in json.load(answer)}

    def freeze(self, worker: str) -> None:
        """Stop a worker and its executor: they get tasks, and end none."""
        os.killpg(self._processes[worker].pid, signal.SIGSTOP)

    def kill(self, worker: str) -> None:
        """Kill a worker and its executor."""
        process = self._processes.pop(worker)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Stop all processes, first the driver, which then closes its event log."""
        for name in reversed(list(self._processes)):
            process = self._processes.pop(name)
            # an executor is in the group of its worker; its Python ends with it
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(SECONDS_TO_STOP)

    def _start(self) -> None:
        # other processes may use the usual ports
        master, connect, page = free_ports(3)
        self._page = f"http://{LOOPBACK}:{page}/api/v1"
        self._run("master", "spark-class", MASTER, "--port", str(master), *HERE)
        self._wait_for("master", master)
        url = f"spark://{LOOPBACK}:{master}"
        for number in map(str, range(1, self.workers + 1)):
            size = ("--cores", "1", "--memory", self.memory.executor)
            place = ("--work-dir", str(self.folder / "work" / number))
            self._run(number, "spark-class", WORKER, *size, *place, *HERE, url)
        settings = self._settings() | {
            "spark.master": url,
            "spark.connect.grpc.binding.port": str(connect),
            "spark.ui.port": str(page),
        }
        configured = [f"--conf={name}={value}" for name, value in settings.items()]
        self._run(DRIVER, "spark-submit", "--class", CONNECT, *configured)
        self._wait_for(DRIVER, connect)
        self.remote = f"sc://{LOOPBACK}:{connect}"

    def _settings(self) -> dict[str, str]:
        derby = f"-Dderby.system.home={self.folder}"
        # after a collection, the heap has only what is in use
        heap = f"-Xlog:gc:file={self.collections}"
        metastore = f"jdbc:derby:;databaseName={self.folder}/metastore;create=true"
        return {
            "spark.connect.grpc.binding.address": LOOPBACK,
            "spark.driver.host": LOOPBACK,
            "spark.driver.memory": self.memory.driver,
            "spark.driver.maxResultSize": self.memory.results,
            "spark.driver.extraJavaOptions": f"{derby} {heap}",
            "spark.executor.memory": self.memory.executor,
            "spark.executor.cores": "1",
            # all workers are there before the first task
            "spark.scheduler.minRegisteredResourcesRatio": "1.0",
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": self.events.as_uri(),
            "spark.eventLog.rolling.enabled": "false",
            "spark.eventLog.compress": "false",
            "spark.eventLog.logStageExecutorMetrics": "true",
            "spark.executor.processTreeMetrics.enabled": "true",
            "spark.sql.catalogImplementation": "hive",
            "spark.sql.warehouse.dir": str(self.warehouse),
            "spark.hadoop.javax.jdo.option.ConnectionURL": metastore,
            # do not wait if the comment of a column is too long for Derby
            "spark.hadoop.hive.hmshandler.retry.attempts": "1",
            "spark.hadoop.hive.hmshandler.retry.interval": "1ms",
            "spark.ui.enabled": "true",
            "spark.log.level": "WARN",
        }

    def _run(self, name: str, script: str, *arguments: str) -> None:
        environment = os.environ | {
            "SPARK_HOME": str(self._home),
            "SPARK_LOCAL_IP": LOOPBACK,
            "SPARK_LOCAL_DIRS": str(self.folder / "scratch"),
            # a Connect server reads this, not spark.driver.memory
            "SPARK_DAEMON_MEMORY": self.memory.driver if name == DRIVER else "256m",
            "SPARK_MASTER_OPTS": "-Dspark.master.rest.enabled=false",
            "PYSPARK_PYTHON": sys.executable,
            "PYSPARK_DRIVER_PYTHON": sys.executable,
        }
        # the server must not be a client of another server
        environment.pop("SPARK_REMOTE", None)
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [str(self._home / "bin" / script), *arguments],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _wait_for(self, name: str, port: int) -> None:
        until = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < until and self._processes[name].poll() is None:
            with contextlib.suppress(OSError):
                socket.create_connection((LOOPBACK, port), 1).close()
                return
            time.sleep(0.2)
        log = (self.folder / f"{name}.log").read_text(errors="replace")
        raise RuntimeError(f"the process {name} did not start:\n{log[-3000:]}")


def free_ports(count: int) -> list[int]:
    """Return ports that no process listens to."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((LOOPBACK, 0))
        return [one.getsockname()[1] for one in sockets]


def descendants(process: int) -> dict[int, str]:
    """Return the process ids below a process, and their programs."""
    parents, programs = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            text = (folder / "stat").read_text()
            program, _, rest = text.partition("(")[2].rpartition(")")
            parents[int(folder.name)] = int(rest.split()[1])
            programs[int(folder.name)] = program
    found, new = {process}, {process}
    while new:
        new = {one for one, parent in parents.items() if parent in new} - found
        found |= new
    return {one: programs[one] for one in found - {process}}


def peak_memory(process: int) -> int:
    """Return the peak memory of a process in bytes."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    [peak] = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(peak) * 1024
