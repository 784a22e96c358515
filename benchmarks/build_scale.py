"""Build the project from simulated invoice lines; print seconds and peak memory.

Run ``python benchmarks/build_scale.py --lines 10000000``, or with ``--target duckdb
--target spark`` on both engines. Machines differ in speed, so the time is also given as
a ratio to one scan: DuckDB reads the same landing zone once, and counts and sums the
lines of each customer.
"""

import resource
import tempfile
import time
from pathlib import Path

import click
import duckdb
from project import (
    ONE_SOURCE_SYSTEM,
    WITHOUT_TRAINING,
    dbt_folders,
    land_invoice_lines,
    peak_mebibytes,
    run,
)

from customer_segmentation.cli import LANDING_VARIABLE

SCAN = """
    select customer_id, count(*), sum(try_cast(quantity as bigint)), max(invoice_date)
    from read_parquet('{}/online_retail/invoice_lines/*.parquet')
    group by customer_id
"""


@click.command()
@click.option(
    "--lines",
    default=10_000_000,
    show_default=True,
    help="Approximate number of invoice lines.",
)
@click.option(
    "--target",
    "targets",
    type=click.Choice(["duckdb", "spark"]),
    multiple=True,
    default=["duckdb"],
    show_default=True,
    help="The engine; may be repeated.",
)
@click.option(
    "--train/--no-train",
    default=True,
    show_default=True,
    help="Whether to build the tables that need trained models.",
)
def measure(lines: int, targets: tuple[str, ...], train: bool) -> None:
    """Simulate, land, scan and build; print what each step takes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        landed = land_invoice_lines(folder, lines)
        start = time.perf_counter()
        duckdb.sql(SCAN.format(landed.folder)).to_arrow_table()
        scan_seconds = time.perf_counter() - start
        environment = {
            LANDING_VARIABLE: str(landed.folder),
            "CUSTOMER_SEGMENTATION_DATABASE": f"{folder}/scale.duckdb",
            "CUSTOMER_SEGMENTATION_SPARK": f"{folder}/spark",
        }
        options = (*dbt_folders(folder), *ONE_SOURCE_SYSTEM)
        if not train:
            options += WITHOUT_TRAINING
        build_seconds = {
            target: run(
                "dbt", "build", *options, "--target", target, environment=environment
            )
            for target in targets
        }
    click.echo(f"lines, about        {lines:,}")
    click.echo(f"simulation          {landed.simulation_seconds:,.1f} s")
    click.echo(f"landing             {landed.landing_seconds:,.1f} s")
    click.echo(f"one scan            {scan_seconds:,.1f} s")
    for target, seconds in build_seconds.items():
        ratio = seconds / scan_seconds
        click.echo(f"build on {target:<11}{seconds:,.1f} s, {ratio:,.0f} scans")
    peak = peak_mebibytes(resource.RUSAGE_CHILDREN)
    click.echo(
        f"peak memory         {peak:,.0f} MiB, of the largest of these processes"
    )


if __name__ == "__main__":
    measure()
