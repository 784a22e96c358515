"""Build on a Spark cluster on loopback; print where the work is done.

Run ``python benchmarks/spark_cluster.py`` in an environment with the extra ``spark``. A
standalone master, two workers and a Spark Connect server start from its pyspark, and
dbt is their client. The event log tells which executor runs which tasks, and how many
bytes they return to the driver. The first build trains. The next builds only score: as
many invoice lines, then ten times as many, on a driver with the same small heap. With
``--kill-worker``, one of the workers is killed during a build.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import duckdb
import pandas as pd
from project import (
    ONE_SOURCE_SYSTEM,
    PROJECT,
    SCRIPTS,
    WITHOUT_TRAINING,
    dbt_folders,
    land_invoice_lines,
)
from spark_event_log import (
    peak_driver_heap,
    peak_live_heap,
    read_tasks,
    removed_executors,
)
from standalone_cluster import Cluster, Memory, descendants, peak_memory

from customer_segmentation.cli import LANDING_VARIABLE

# a unit test has its rows in its statement
WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")
SCORE_ONLY = ("--exclude", "tag:train")
SECONDS_UNTIL_BUSY = 120
SHOWN_RESULTS = 4


@dataclass
class Client:
    """dbt as a client of a cluster.

    Parameters
    ----------
    folder : Path
        For the files of dbt.
    landing : Path
        The landing zone.

    Attributes
    ----------
    code : int
        Exit code of the last build.
    seconds : float
        What the last build took.
    peak : int
        Peak memory of the builds in bytes.
    programs : set of str
        Programs of the processes that the builds started.
    """

    folder: Path
    landing: Path
    code: int = field(default=0, init=False)
    seconds: float = field(default=0.0, init=False)
    peak: int = field(default=0, init=False)
    programs: set[str] = field(default_factory=set, init=False)

    def build(
        self, remote: str, *options: str, watch: Callable[[str], None] | None = None
    ) -> None:
        """Build on a cluster.

        Parameters
        ----------
        remote : str
            Address of the Connect server.
        *options : str
            Further options of ``dbt build``.
        watch : callable, optional
            Gets each line that dbt prints.

        Raises
        ------
        click.ClickException
            If a build started Java, which only the cluster needs.
        """
        environment = os.environ | {
            "SPARK_REMOTE": remote,
            LANDING_VARIABLE: str(self.landing),
            "CUSTOMER_SEGMENTATION_SPARK": str(self.folder / "client"),
        }
        command = [SCRIPTS / "dbt", "--no-use-colors", "build", "--target", "spark"]
        command += [*dbt_folders(self.folder), *ONE_SOURCE_SYSTEM, *WITHOUT_UNIT_TESTS]
        start = time.perf_counter()
        with subprocess.Popen(
            [*command, *options],
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            observer = threading.Thread(target=self._observe, args=[process])
            observer.start()
            try:
                for line in process.stdout:
                    if re.search(r"ERROR|FAIL|Done\.", line):
                        click.echo(f"    {line.strip()}")
                    if watch is not None:
                        watch(line)
            except BaseException:
                process.kill()
                raise
            finally:
                process.wait()
                observer.join()
        self.code, self.seconds = process.returncode, time.perf_counter() - start
        if "java" in self.programs:
            raise click.ClickException("dbt started Java, which only the cluster needs")

    def _observe(self, process: subprocess.Popen[str]) -> None:
        while process.poll() is None:
            # the process may end at any time
            with contextlib.suppress(OSError, ValueError):
                self.peak = max(self.peak, peak_memory(process.pid))
            self.programs |= set(descendants(process.pid).values())
            time.sleep(0.5)


class Killer:
    """Kills a worker while it has a task, after a model has started.

    Parameters
    ----------
    cluster : Cluster
        The cluster.
    worker : str
        The worker to kill.
    model : str
        Name of the model.
    """

    def __init__(self, cluster: Cluster, worker: str, model: str) -> None:
        self.cluster = cluster
        self.worker = worker
        self.start = re.compile(rf"START \w+ \w+ model \S+\.{model} ")
        self.has_killed = False

    def __call__(self, line: str) -> None:
        """Read a line that dbt prints."""
        if self.has_killed or not self.start.search(line):
            return
        [executor] = [
            one for one, at in self.cluster.executors().items() if at == self.worker
        ]
        # otherwise the executor could end its task before it is killed
        self.cluster.freeze(self.worker)
        until = time.monotonic() + SECONDS_UNTIL_BUSY
        while not self.cluster.active_tasks().get(executor):
            if time.monotonic() > until:
                raise click.ClickException(f"worker {self.worker} got no task to lose")
        self.cluster.kill(self.worker)
        self.has_killed = True
        click.echo(f"    killed worker {self.worker} with executor {executor}")


def read_nodes(folder: Path) -> list[dict[str, Any]]:
    """Return the nodes of dbt's manifest."""
    text = (folder / "target" / "manifest.json").read_text(encoding="utf-8")
    return list(json.loads(text)["nodes"].values())


def public_tables(folder: Path, warehouse: Path) -> pd.DataFrame:
    """Return bytes, rows and a hash of all rows of each public table."""
    found = {}
    for node in read_nodes(folder):
        table = warehouse / f"{node['schema']}.db" / node["alias"]
        files = list(table.glob("*.parquet"))
        if node["config"].get("access") != "public" or not files:
            continue
        [(rows, content)] = duckdb.execute(
            "select count(*), coalesce(bit_xor(hash(one)), 0) from read_parquet(?) one",
            [[str(file) for file in files]],
        ).fetchall()
        size = sum(file.stat().st_size for file in files)
        found[node["alias"]] = {"bytes": size, "rows": rows, "hash": content}
    return pd.DataFrame.from_dict(found, orient="index")


def subjects_of_models(folder: Path) -> dict[str, str]:
    """Return the subject of each model: its first folder."""
    return {
        node["name"]: node["fqn"][1]
        for node in read_nodes(folder)
        if node["resource_type"] == "model"
    }


def mebibytes(count: float) -> str:
    """Return bytes as text in MiB."""
    return f"{count / 2**20:,.2f}"


def report(cluster: Cluster, folder: Path, client: Client, peak: int) -> dict[str, str]:
    """Print the work of the executors of a stopped cluster; return its figures.

    Parameters
    ----------
    cluster : Cluster
        The cluster.
    folder : Path
        With dbt's manifest.
    client : Client
        That has built on it.
    peak : int
        Peak memory of the driver in bytes.
    """
    [events] = cluster.events.iterdir()
    tasks = read_tasks(events, subjects_of_models(folder))
    names = {one: f"worker {at}" for one, at in cluster.executors().items()}
    tasks["at"] = tasks["executor"].map(names).fillna(tasks["executor"])
    counts = tasks.groupby(["subject", "at"]).agg(
        tasks=("stage", "size"),
        rows_read=("rows_read", "sum"),
        rows_shuffled=("rows_shuffled", "sum"),
        rows_written=("rows_written", "sum"),
        result_bytes=("result_bytes", "sum"),
    )
    click.echo(counts.to_string(float_format="{:,.0f}".format))
    click.echo(f"    tasks on the driver: {sum(tasks['executor'] == 'driver')}")
    jobs = tasks.groupby(["is_broadcast", "job", "subject", "model"])[
        "result_bytes"
    ].sum()
    for is_broadcast, of_kind in jobs.groupby("is_broadcast"):
        for (_, _, subject, model), size in of_kind.nlargest(SHOWN_RESULTS).items():
            kind = "broadcast" if is_broadcast else "result"
            click.echo(f"    large {kind}: {mebibytes(size)} MiB, {subject} {model}")
    tables = public_tables(folder, cluster.warehouse)
    return {
        "seconds": f"{client.seconds:,.0f}",
        "transaction_lines, rows": f"{tables['rows']['transaction_lines']:,}",
        "transaction_lines, MiB": mebibytes(tables["bytes"]["transaction_lines"]),
        "transactions, rows": f"{tables['rows']['transactions']:,}",
        "transactions, MiB": mebibytes(tables["bytes"]["transactions"]),
        "tasks": f"{len(tasks):,}",
        "rows read by tasks": f"{tasks['rows_read'].sum():,}",
        "results to the driver, MiB": mebibytes(tasks["result_bytes"].sum()),
        "results of more than a MiB": f"{tasks['is_fetched'].sum():,}",
        "largest broadcast, MiB": mebibytes(jobs.get(True, jobs * 0).max()),
        "largest other result, MiB": mebibytes(jobs[False].max()),
        "driver: heap after collection, MiB": mebibytes(
            peak_live_heap(cluster.collections)
        ),
        "driver: heap in use, MiB": mebibytes(peak_driver_heap(events)),
        "driver: process, MiB": mebibytes(peak),
        "client: process, MiB": mebibytes(client.peak),
        "client: processes it starts": ", ".join(sorted(client.programs)) or "none",
    }


def grow(folder: Path, memory: Memory, sizes: list[int], trains: bool) -> None:
    """Build from some invoice lines, then from more; each build has its own driver."""
    landed = {lines: land_invoice_lines(folder / str(lines), lines) for lines in sizes}
    builds = [(lines, SCORE_ONLY if trains else WITHOUT_TRAINING) for lines in sizes]
    if trains:
        builds.insert(0, (sizes[0], ()))
    figures = {}
    for lines, options in builds:
        title = f"{lines:,} {' '.join(options) or 'all'}"
        click.echo(title)
        client = Client(folder, landed[lines].folder)
        with Cluster(folder / "cluster", memory) as cluster:
            client.build(cluster.remote, *options)
            peak = peak_memory(cluster.driver)
        figures[title] = report(cluster, folder, client, peak)
        if client.code:
            raise click.ClickException("dbt build failed, as said above")
    click.echo(pd.DataFrame(figures).to_string())


def lose_a_worker(
    folder: Path, memory: Memory, lines: int, model: str, trains: bool
) -> None:
    """Build, kill a worker during a second build, build again; compare the tables."""
    options = SCORE_ONLY if trains else WITHOUT_TRAINING
    client = Client(folder, land_invoice_lines(folder, lines).folder)
    tables = {}
    with Cluster(folder / "cluster", memory) as cluster:
        if trains:
            click.echo("training")
            client.build(cluster.remote)
        for name in ("undisturbed", "disturbed", "after"):
            click.echo(name)
            killer = Killer(cluster, "1", model) if name == "disturbed" else None
            client.build(cluster.remote, *options, watch=killer)
            click.echo(f"    dbt returned {client.code} in {client.seconds:,.0f} s")
            if client.code and name != "disturbed":
                raise click.ClickException("dbt build failed, as said above")
            tables[name] = public_tables(folder, cluster.warehouse)
    [events] = cluster.events.iterdir()
    reasons = read_tasks(events, subjects_of_models(folder))["reason"].value_counts()
    click.echo(f"lost executors: {', '.join(removed_executors(events))}")
    click.echo(f"tasks by the reason of their end: {reasons.to_dict()}")
    rows = pd.DataFrame({name: table["rows"] for name, table in tables.items()})
    for name in ("disturbed", "after"):
        hashes = tables[name]["hash"].reindex(rows.index)
        rows[f"{name} is the same"] = hashes == tables["undisturbed"]["hash"]
    click.echo(rows.to_string())


@click.command()
@click.option(
    "--lines",
    type=int,
    multiple=True,
    default=(100_000, 1_000_000),
    show_default=True,
    help="Approximate number of invoice lines; may be repeated.",
)
@click.option(
    "--train/--no-train",
    default=True,
    show_default=True,
    help="Whether to build the tables that need trained models.",
)
@click.option("--driver-memory", default="1g", show_default=True, help="Maximum heap.")
@click.option(
    "--kill-worker",
    is_flag=True,
    help="Kill a worker during a build of the first number of lines.",
)
@click.option(
    "--kill-at",
    default="transactions",
    show_default=True,
    help="The model during which to kill it.",
)
def measure(
    lines: tuple[int, ...],
    train: bool,
    driver_memory: str,
    kill_worker: bool,
    kill_at: str,
) -> None:
    """Start a cluster, build on it, and print what runs where."""
    # stop the cluster in this case too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    memory = Memory(driver=driver_memory)
    with tempfile.TemporaryDirectory() as name:
        if kill_worker:
            lose_a_worker(Path(name), memory, lines[0], kill_at, train)
        else:
            grow(Path(name), memory, list(lines), train)


if __name__ == "__main__":
    measure()
