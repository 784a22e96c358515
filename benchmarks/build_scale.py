"""Build the marts from simulated invoice lines; say seconds and peak memory.

Run with ``python benchmarks/build_scale.py --lines 10000000``, and with ``--target
duckdb --target spark`` on both engines. The machine's speed is not ours, so the time is
also given as a ratio to one pass of DuckDB over the same landing zone that counts and
sums each customer's lines.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import duckdb

PROJECT = Path(__file__).resolve().parent.parent
SCRIPTS = Path(sys.executable).parent
SCAN = """
    select customer_id, count(*), sum(try_cast(quantity as bigint)), max(invoice_date)
    from read_parquet('{}/online_retail/invoice_lines/*.parquet')
    group by customer_id
"""


def run(*command: str, environment: dict[str, str]) -> float:
    """Run a command to its end and return the seconds that it took."""
    start = time.perf_counter()
    subprocess.run(
        [str(SCRIPTS / command[0]), *command[1:]],
        cwd=PROJECT,
        env=os.environ | environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


@click.command()
@click.option("--lines", type=int, default=10_000_000, show_default=True)
@click.option(
    "--target",
    "targets",
    type=click.Choice(["duckdb", "spark"]),
    multiple=True,
    default=["duckdb"],
    show_default=True,
)
@click.option("--train/--no-train", default=True, show_default=True)
def measure(lines: int, targets: tuple[str, ...], train: bool) -> None:
    """Simulate, land, scan and build; say what each took."""
    with tempfile.TemporaryDirectory() as folder:
        raw, landing = Path(folder, "raw"), Path(folder, "landing")
        environment = {
            "CUSTOMER_SEGMENTATION_LANDING": str(landing),
            "CUSTOMER_SEGMENTATION_DATABASE": str(Path(folder, "scale.duckdb")),
            "CUSTOMER_SEGMENTATION_SPARK": str(Path(folder, "spark")),
        }
        simulate = ("customer-segmentation", "simulate", "--output", str(raw))
        options = ("--lines", str(lines), "--format", "parquet")
        simulated = run(*simulate, *options, environment=environment)
        land = ("customer-segmentation", "land", "online_retail")
        landed = run(*land, str(raw / "online_retail"), environment=environment)

        start = time.perf_counter()
        duckdb.sql(SCAN.format(landing)).to_arrow_table()
        scanned = time.perf_counter() - start

        paths = ("--target-path", f"{folder}/target", "--log-path", f"{folder}/logs")
        only = ("--vars", "{source_systems: [online_retail]}")
        without = () if train else ("--exclude", "tag:train+")
        build = ("dbt", "build", *paths, *only, *without, "--target")
        built = {one: run(*build, one, environment=environment) for one in targets}

    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    click.echo(f"lines asked for     {lines:,}")
    click.echo(f"simulated           {simulated:,.1f} s")
    click.echo(f"landed              {landed:,.1f} s")
    click.echo(f"one scan            {scanned:,.1f} s")
    for target, took in built.items():
        click.echo(f"built on {target:10} {took:,.1f} s, {took / scanned:,.0f} scans")
    click.echo(f"peak memory         {peak:,} MiB, of any of these")


if __name__ == "__main__":
    measure()
