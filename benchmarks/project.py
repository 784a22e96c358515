"""What benchmarks share: folders, vars, commands, and simulated lines that land."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import yaml

from customer_segmentation.cli import LANDING_VARIABLE

PROJECT = Path(__file__).resolve().parent.parent
# commands of the environment that runs the benchmark
SCRIPTS = Path(sys.executable).parent
# the folder whose subfolder data has the public data sets
SHARED = Path(os.environ.get("CUSTOMER_SEGMENTATION_SHARED", PROJECT.parent / "shared"))

# options of dbt: one source system; no model that trains or reads a trained one, but
# the categories of products, which features need
ONE_SOURCE_SYSTEM = ("--vars", "{source_systems: [online_retail]}")
WITHOUT_TRAINING = (
    *("--exclude", "int_segmentation__candidates+", "int_movement__rhythm_fits+"),
    *("int_prediction__backtests+", "int_prediction__segment_backtests+"),
    "int_prediction__interest_backtests+",
)

database_option = click.option(
    "--database",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=PROJECT / "data/customer_segmentation.duckdb",
    help="A built database; data/customer_segmentation.duckdb by default.",
)


@dataclass(frozen=True)
class Landed:
    """Simulated invoice lines that have landed.

    Parameters
    ----------
    folder : Path
        The landing zone.
    simulation_seconds, landing_seconds : float
        What the two commands took.
    """

    folder: Path
    simulation_seconds: float
    landing_seconds: float


def read_variables() -> dict[str, Any]:
    """Return the vars of ``vars.yml``."""
    text = (PROJECT / "vars.yml").read_text(encoding="utf-8")
    variables: dict[str, Any] = yaml.safe_load(text)["vars"]
    return variables


def run(command: str, *arguments: str | Path, environment: Mapping[str, str]) -> float:
    """Run a command in the project, and return the seconds it takes.

    Raises
    ------
    click.ClickException
        If the command fails; has its output, which is not shown otherwise.
    """
    start = time.perf_counter()
    process = subprocess.run(
        [SCRIPTS / command, *arguments],
        cwd=PROJECT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    if process.returncode:
        raise click.ClickException(f"{command} failed:\n{process.stdout}")
    return time.perf_counter() - start


def dbt_folders(folder: Path) -> tuple[str, ...]:
    """Return options that make dbt write its files to a folder."""
    return "--target-path", f"{folder}/target", "--log-path", f"{folder}/logs"


def land_invoice_lines(folder: Path, lines: int) -> Landed:
    """Simulate about so many invoice lines, and land them in a folder."""
    raw, landing = folder / "raw", folder / "landing"
    environment = {LANDING_VARIABLE: str(landing)}
    simulate = ("simulate", "--output", raw, "--lines", str(lines))
    land = ("land", "online_retail", raw / "online_retail")
    command = "customer-segmentation"
    return Landed(
        landing,
        run(command, *simulate, "--format", "parquet", environment=environment),
        run(command, *land, environment=environment),
    )


def peak_mebibytes(who: int) -> float:
    """Return the peak memory of this process, or of the largest child that has ended.

    Parameters
    ----------
    who : int
        ``resource.RUSAGE_SELF`` or ``resource.RUSAGE_CHILDREN``.
    """
    # in kibibytes
    return resource.getrusage(who).ru_maxrss / 1024
