"""Land a large CSV in a process of its own; print rows, seconds and peak memory.

Run ``python benchmarks/landing_memory.py --gigabytes 5``.
"""

import resource
import tempfile
from pathlib import Path

import click
from project import peak_mebibytes, run

from customer_segmentation.cli import LANDING_VARIABLE

LINES_PER_WRITE = 100_000
HEADER = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country"


@click.command()
@click.option(
    "--gigabytes", default=1.0, show_default=True, help="Size of the file to land."
)
def measure(gigabytes: float) -> None:
    """Generate a CSV of a given size, land it, and append it to itself."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "invoice_lines.csv")
        count = write_invoice_lines(path, int(gigabytes * 1e9))
        click.echo(f"{count:,} rows, {path.stat().st_size / 1e9:.2f} GB")
        environment = {LANDING_VARIABLE: f"{folder}/landing"}
        land = ("customer-segmentation", "land", "online_retail", path)
        for label, options in (("land", ()), ("append", ("--append",))):
            seconds = run(*land, *options, environment=environment)
            # of the largest process so far
            peak = peak_mebibytes(resource.RUSAGE_CHILDREN)
            click.echo(f"{label:<8}{seconds:,.0f} s, peak memory {peak:,.0f} MiB")


def write_invoice_lines(path: Path, size: int) -> int:
    """Write invoice lines until the file has at least `size` bytes; count them."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER + "\n")
        while file.tell() < size:
            file.writelines(
                f"{500_000 + row // 20},{85_000 + row % 999}A,WHITE HANGING HEART "
                f"T-LIGHT HOLDER,{row % 9},2010-12-01 08:26:00,2.55,"
                f"{17_000 + row % 5_000},United Kingdom\n"
                for row in range(count, count + LINES_PER_WRITE)
            )
            count += LINES_PER_WRITE
    return count


if __name__ == "__main__":
    measure()
