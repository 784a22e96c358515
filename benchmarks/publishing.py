"""Read the published tables while builds run, fail and are killed; count the answers.

Run ``python benchmarks/publishing.py --builds 100 --kills 20``. Each build has one more
customer of the mall than the one before. Some builds are killed at random moments, and
some run out of room. Meanwhile each reader opens the published tables anew again and
again, in a process of its own, and joins them: DuckDB for Python, SQLAlchemy and ADBC
on the file, and pyarrow on the folder of Parquet. An answer is right if the tables
together have the numbers of rows that ``published_tables`` says, of one version.
"""

import csv
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import click
from project import PROJECT, SCRIPTS, dbt_folders, run

from customer_segmentation.cli import (
    DATABASE_VARIABLE,
    LANDING_VARIABLE,
    PUBLISHED_VARIABLE,
)

READER = Path(__file__).with_name("published_reader.py")
READERS = ("duckdb", "sqlalchemy", "adbc", "parquet")
# the smallest build that publishes: tests of data run, unit tests do not
OPTIONS = (
    *("--vars", "{source_systems: [mall], segmentations: {}}"),
    *("--exclude", "resource_type:unit_test"),
)
CUSTOMERS = 200
# bytes that a build may write to one file, where it runs out of room
ROOM = 4 * 2**20


class Mall:
    """A mall whose customers land and are built, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.published = folder / "published" / "marts.duckdb"
        self.environment = {
            LANDING_VARIABLE: str(folder / "landing"),
            DATABASE_VARIABLE: str(folder / "mall.duckdb"),
            PUBLISHED_VARIABLE: str(self.published),
        }

    def land(self, customers: int) -> None:
        """Land so many customers in place of those before."""
        file = self.folder / "Mall_Customers.csv"
        names = ["CustomerID", "Gender", "Age", "Annual Income (k$)"]
        chance = random.Random(0)
        with file.open("w", encoding="utf-8", newline="") as opened:
            rows = csv.writer(opened)
            rows.writerow([*names, "Spending Score (1-100)"])
            for number in range(1, customers + 1):
                numbers = (chance.randint(18, 70), chance.randint(15, 130))
                rows.writerow([number, "Female", *numbers, chance.randint(1, 100)])
        command = "customer-segmentation"
        run(command, "land", "mall", file, environment=self.environment)

    def start(self, *, with_room: bool = True) -> subprocess.Popen[bytes]:
        """Start a build."""

        def limit() -> None:
            if not with_room:
                resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, ROOM))
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

        return subprocess.Popen(
            [SCRIPTS / "dbt", "build", "--quiet", *OPTIONS, *dbt_folders(self.folder)],
            cwd=PROJECT,
            env=os.environ | self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=limit,
        )


@click.command()
@click.option("--builds", default=100, show_default=True, help="Number of builds.")
@click.option("--kills", default=20, show_default=True, help="How many are killed.")
@click.option("--full", default=5, show_default=True, help="How many lack room.")
def measure(builds: int, kills: int, full: int) -> None:
    """Build while others read; print what they read."""
    chance = random.Random(0)
    fates = ["kill"] * kills + ["full"] * full
    fates += ["whole"] * (builds - len(fates))
    chance.shuffle(fates)
    with tempfile.TemporaryDirectory() as name:
        mall = Mall(Path(name))
        mall.land(CUSTOMERS)
        start = time.perf_counter()
        if mall.start().wait():
            raise click.ClickException("the first build failed")
        seconds = time.perf_counter() - start
        stop = mall.folder / "stop"
        readers = {
            kind: subprocess.Popen(
                [sys.executable, READER, kind, mall.published, stop],
                stdout=subprocess.PIPE,
                text=True,
            )
            for kind in READERS
        }
        ends: Counter[str] = Counter()
        for number, fate in enumerate(fates, start=1):
            mall.land(CUSTOMERS + number)
            build = mall.start(with_room=fate != "full")
            if fate == "kill":
                try:
                    build.wait(chance.uniform(0, seconds))
                except subprocess.TimeoutExpired:
                    os.killpg(build.pid, signal.SIGKILL)
            ends[f"{fate}, exit code {build.wait()}"] += 1
        stop.touch()
        answers = {
            kind: json.loads(reader.communicate()[0])
            for kind, reader in readers.items()
        }
    for end, number in sorted(ends.items()):
        click.echo(f"{number:>5} builds: {end}")
    click.echo("reader         reads   right  versions  errors")
    for kind, answer in answers.items():
        versions, errors = len(answer["versions"]), answer["errors"]
        click.echo(
            f"{kind:<12}{answer['reads']:>8,}{answer['right']:>8,}{versions:>10}"
            f"{len(errors):>8}"
        )
        for error in errors[:3]:
            click.echo(f"    {error}")


if __name__ == "__main__":
    measure()
