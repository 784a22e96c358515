"""Build on a cluster of Spark on loopback; say where the work was done.

Run with ``python benchmarks/spark_cluster.py`` in an environment with the extra
``spark``. A standalone master, two workers and a Spark Connect server start from its
pyspark, dbt is their client, and the event log tells which executor ran which tasks and
how many bytes they answered to the driver. The first build trains; then customers are
scored, among so many invoice lines and ten times as many, on a driver whose heap stays
as small. With ``--kill-worker`` one of the workers is killed during a build.
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

import click
import duckdb
import pandas as pd
from spark_event_log import (
    peak_driver_heap,
    peak_live_heap,
    read_tasks,
    removed_executors,
)
from standalone_cluster import Cluster, Memory, descendants, peak_memory

PROJECT = Path(__file__).resolve().parent.parent
SCRIPTS = Path(sys.executable).parent
ONLY = ("--vars", "{source_systems: [online_retail]}")
# whose rows are in the statement
NO_UNIT_TESTS = ("--exclude-resource-type", "unit_test")
SCORE_ONLY = ("--exclude", "tag:train")
NOTHING_TRAINED = ("--exclude", "tag:train+")
SECONDS_TO_BE_BUSY = 120


@dataclass
class Client:
    """dbt, and what was seen of it while it built."""

    folder: Path
    landing: Path
    code: int = 0
    seconds: float = 0.0
    peak: int = 0
    programs: set[str] = field(default_factory=set)

    def build(
        self, remote: str, *options: str, watch: Callable[[str], None] | None = None
    ) -> None:
        """Build against a Connect server, and show each line of dbt to a function."""
        environment = os.environ | {
            "SPARK_REMOTE": remote,
            "CUSTOMER_SEGMENTATION_LANDING": str(self.landing),
            "CUSTOMER_SEGMENTATION_SPARK": str(self.folder / "client"),
        }
        paths = ("--target-path", f"{self.folder}/target", "--log-path", self._logs)
        command = [SCRIPTS / "dbt", "--no-use-colors", "build", "--target", "spark"]
        start = time.perf_counter()
        with subprocess.Popen(
            [*map(str, command), *paths, *ONLY, *NO_UNIT_TESTS, *options],
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
            raise click.ClickException("the client of a cluster started Java")

    @property
    def _logs(self) -> str:
        return f"{self.folder}/logs"

    def _observe(self, process: subprocess.Popen[str]) -> None:
        while process.poll() is None:
            # it may end while it is looked at
            with contextlib.suppress(OSError, ValueError):
                self.peak = max(self.peak, peak_memory(process.pid))
            self.programs |= set(descendants(process.pid).values())
            time.sleep(0.5)


class Killer:
    """Kills a worker while it has a task, once a model has begun."""

    def __init__(self, cluster: Cluster, worker: str, model: str) -> None:
        self.cluster = cluster
        self.worker = worker
        self.begun = re.compile(rf"START \w+ \w+ model \S+\.{model} ")
        self.has_killed = False

    def __call__(self, line: str) -> None:
        """Look at a line of dbt."""
        if self.has_killed or not self.begun.search(line):
            return
        [victim] = [
            one for one, at in self.cluster.executors().items() if at == self.worker
        ]
        # or it could end its task before it is killed
        self.cluster.freeze(self.worker)
        until = time.monotonic() + SECONDS_TO_BE_BUSY
        while not self.cluster.active_tasks().get(victim):
            if time.monotonic() > until:
                raise click.ClickException("the worker to kill has had no task")
        self.cluster.kill(self.worker)
        self.has_killed = True
        click.echo(f"    killed worker {self.worker} with executor {victim}")


def land(folder: Path, lines: int) -> Path:
    """Simulate and land about so many invoice lines; return the landing zone."""
    raw, landing = folder / "raw", folder / "landing"
    environment = os.environ | {"CUSTOMER_SEGMENTATION_LANDING": str(landing)}
    options = ("--lines", str(lines), "--format", "parquet")
    for arguments in (
        ("simulate", "--output", str(raw), *options),
        ("land", "online_retail", str(raw / "online_retail")),
    ):
        subprocess.run(
            [str(SCRIPTS / "customer-segmentation"), *arguments],
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return landing


def public_tables(folder: Path, warehouse: Path) -> pd.DataFrame:
    """Return bytes, rows and a hash of all rows of each public table."""
    manifest = json.loads((folder / "target" / "manifest.json").read_text())
    found = {}
    for node in manifest["nodes"].values():
        place = warehouse / f"{node['schema']}.db" / node["alias"]
        files = list(place.glob("*.parquet"))
        if node["config"].get("access") != "public" or not files:
            continue
        [(rows, content)] = duckdb.execute(
            "select count(*), coalesce(bit_xor(hash(one)), 0) from read_parquet(?) one",
            [[str(file) for file in files]],
        ).fetchall()
        size = sum(file.stat().st_size for file in files)
        found[node["alias"]] = {"bytes": size, "rows": rows, "content": content}
    return pd.DataFrame.from_dict(found, orient="index")


def layers(folder: Path) -> dict[str, str]:
    """Return the layer of each model: its first folder."""
    manifest = json.loads((folder / "target" / "manifest.json").read_text())
    return {
        node["name"]: node["fqn"][1]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
    }


def mebibytes(count: float) -> str:
    """Return bytes in MiB."""
    return f"{count / 2**20:,.2f}"


def report(cluster: Cluster, folder: Path, client: Client, peak: int) -> dict[str, str]:
    """Say what the executors of a cluster that has ended did; return its figures."""
    [events] = cluster.events.iterdir()
    tasks = read_tasks(events, layers(folder))
    names = {one: f"worker {at}" for one, at in cluster.executors().items()}
    tasks["at"] = tasks["executor"].map(names).fillna(tasks["executor"])
    counts = tasks.groupby(["layer", "at"]).agg(
        tasks=("stage", "size"),
        rows_read=("rows_read", "sum"),
        rows_shuffled=("rows_shuffled", "sum"),
        rows_written=("rows_written", "sum"),
        result_bytes=("result_bytes", "sum"),
    )
    click.echo(counts.to_string(float_format="{:,.0f}".format))
    click.echo(f"    tasks on the driver: {sum(tasks['executor'] == 'driver')}")
    jobs = tasks.groupby(["is_broadcast", "job", "layer", "model"])[
        "result_bytes"
    ].sum()
    for is_broadcast, of_kind in jobs.groupby("is_broadcast"):
        for (_, _, layer, model), size in of_kind.nlargest(4).items():
            kind = "broadcast" if is_broadcast else "result"
            click.echo(f"    great {kind}: {mebibytes(size)} MiB, {layer} {model}")
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
        "of them fetched": f"{tasks['is_fetched'].sum():,}",
        "greatest broadcast, MiB": mebibytes(jobs.get(True, jobs * 0).max()),
        "greatest other result, MiB": mebibytes(jobs[False].max()),
        "driver: heap after collection, MiB": mebibytes(
            peak_live_heap(cluster.collections)
        ),
        "driver: heap in use, MiB": mebibytes(peak_driver_heap(events)),
        "driver: process, MiB": mebibytes(peak),
        "client: process, MiB": mebibytes(client.peak),
        "client's own processes": ", ".join(sorted(client.programs)) or "none",
    }


def grow(folder: Path, memory: Memory, sizes: list[int], trains: bool) -> None:
    """Build among some invoice lines, and more, each with a driver of its own."""
    landings = {lines: land(folder / str(lines), lines) for lines in sizes}
    builds = [(lines, SCORE_ONLY if trains else NOTHING_TRAINED) for lines in sizes]
    if trains:
        builds.insert(0, (sizes[0], ()))
    figures = {}
    for lines, options in builds:
        title = f"{lines:,} {' '.join(options) or 'all'}"
        click.echo(title)
        client = Client(folder, landings[lines])
        with Cluster(folder / "cluster", memory) as cluster:
            client.build(cluster.remote, *options)
            peak = peak_memory(cluster.driver)
        figures[title] = report(cluster, folder, client, peak)
        if client.code:
            raise click.ClickException("dbt has failed")
    click.echo(pd.DataFrame(figures).to_string())


def lose_a_worker(
    folder: Path, memory: Memory, lines: int, model: str, trains: bool
) -> None:
    """Build, build while a worker is killed, and build once more; compare tables."""
    landing = land(folder, lines)
    options = SCORE_ONLY if trains else NOTHING_TRAINED
    client = Client(folder, landing)
    tables = {}
    with Cluster(folder / "cluster", memory) as cluster:
        if trains:
            click.echo("trained")
            client.build(cluster.remote)
        for name in ("undisturbed", "disturbed", "after"):
            click.echo(name)
            killer = Killer(cluster, "1", model) if name == "disturbed" else None
            client.build(cluster.remote, *options, watch=killer)
            click.echo(f"    dbt returned {client.code} in {client.seconds:,.0f} s")
            if client.code and name != "disturbed":
                raise click.ClickException("dbt has failed")
            tables[name] = public_tables(folder, cluster.warehouse)
    [events] = cluster.events.iterdir()
    reasons = read_tasks(events, layers(folder))["reason"].value_counts()
    click.echo(f"executors lost: {', '.join(removed_executors(events))}")
    click.echo(f"tasks by their end: {reasons.to_dict()}")
    rows = pd.DataFrame({name: table["rows"] for name, table in tables.items()})
    for name in ("disturbed", "after"):
        content = tables[name]["content"].reindex(rows.index)
        rows[f"{name} is the same"] = content == tables["undisturbed"]["content"]
    click.echo(rows.to_string())


@click.command()
@click.option(
    "--lines", type=int, multiple=True, default=(100_000, 1_000_000), show_default=True
)
@click.option("--train/--no-train", default=True, show_default=True)
@click.option("--driver-memory", default="1g", show_default=True)
@click.option("--kill-worker", is_flag=True, help="With the first number of lines.")
@click.option("--kill-at", default="transactions", show_default=True, help="A model.")
def measure(
    lines: tuple[int, ...],
    train: bool,
    driver_memory: str,
    kill_worker: bool,
    kill_at: str,
) -> None:
    """Start a cluster, build on it, and say what ran where."""
    # so that the cluster is ended then, too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    memory = Memory(driver=driver_memory)
    with tempfile.TemporaryDirectory() as name:
        if kill_worker:
            lose_a_worker(Path(name), memory, lines[0], kill_at, train)
        else:
            grow(Path(name), memory, list(lines), train)


if __name__ == "__main__":
    measure()
