"""Land a big CSV in a process of its own; say rows, seconds and peak memory.

Run with ``python benchmarks/landing_memory.py --gigabytes 5``.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from customer_segmentation.cli import LANDING_VARIABLE

LINES_IN_A_BLOCK = 100_000
HEADER = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country"


@click.command()
@click.option("--gigabytes", type=float, default=1.0, show_default=True)
def measure(gigabytes: float) -> None:
    """Generate a CSV of that size, land it, and append it to itself."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "invoice_lines.csv"
        n_rows = write_invoice_lines(path, int(gigabytes * 1e9))
        click.echo(f"{n_rows:,} rows, {path.stat().st_size / 1e9:.2f} GB")
        for arguments in ([], ["--append"]):
            land(path, Path(folder) / "landing", arguments)


def write_invoice_lines(path: Path, n_bytes: int) -> int:
    """Write invoice lines until the file has that size; return how many."""
    n_rows = 0
    with path.open("w") as file:
        file.write(HEADER + "\n")
        while file.tell() < n_bytes:
            file.writelines(
                f"{500_000 + row // 20},{85_000 + row % 999}A,WHITE HANGING HEART "
                f"T-LIGHT HOLDER,{row % 9},2010-12-01 08:26:00,2.55,"
                f"{17_000 + row % 5_000},United Kingdom\n"
                for row in range(n_rows, n_rows + LINES_IN_A_BLOCK)
            )
            n_rows += LINES_IN_A_BLOCK
    return n_rows


def land(path: Path, landing_zone: Path, arguments: list[str]) -> None:
    """Land a file in a process of its own, and say what that took."""
    started_at = time.monotonic()
    subprocess.run(
        [
            *(sys.executable, "-m", "customer_segmentation", "land"),
            *("online_retail", str(path), *arguments),
        ],
        env=os.environ | {LANDING_VARIABLE: str(landing_zone)},
        check=True,
    )
    seconds = time.monotonic() - started_at
    # of the largest child so far, in kibibytes
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    click.echo(f"{seconds:.0f} seconds, at most {peak:,.0f} MiB resident")


if __name__ == "__main__":
    measure()
