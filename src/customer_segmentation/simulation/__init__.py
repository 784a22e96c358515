"""Raw files of three source systems with planted customers, dirt and their truth.

The files look like those of the real source systems. The truth beside them says what
was planted, so tests can compare it with the results of the project.
"""

import shutil
import tempfile
from pathlib import Path

import click

from customer_segmentation.errors import InputError
from customer_segmentation.simulation.dirt import Ledger
from customer_segmentation.simulation.drawing import CHUNK_CUSTOMERS
from customer_segmentation.simulation.mall import simulate_mall
from customer_segmentation.simulation.marketplace import simulate_marketplace
from customer_segmentation.simulation.online_retail import (
    LINES_PER_CUSTOMER,
    simulate_online_retail,
)
from customer_segmentation.simulation.writing import CsvWriter

TRUTH = "truth"
# mappings that are off by default have samples of their own, such as `simulate_orders`
SIMULATED = ("marketplace", "online_retail", "mall")
FOLDERS = (*SIMULATED, "campaigns", TRUTH)
FILE_FORMATS = ("csv", "parquet")
MINIMUM_CUSTOMERS = 100
MINIMUM_LINES = 1_000
_TOTALS = "planted_totals.csv"


def simulate_files(
    output: Path,
    *,
    seed: int,
    customers: int,
    lines: int | None,
    file_format: str,
    chunk_customers: int = CHUNK_CUSTOMERS,
) -> None:
    """Write raw files of all three source systems, and the truth beside them.

    The same arguments give the same bytes. The new files replace those in the folder
    once all of them are complete.

    Parameters
    ----------
    output : Path
        Folder of ``marketplace``, ``online_retail``, ``mall``, ``campaigns`` and
        ``truth``.
    seed : int
        Not negative.
    customers : int
        Number of customers of each source system.
    lines : int or None
        Approximate number of invoice lines of the online retailer. None: it follows
        from the number of customers.
    file_format : str
        ``csv``, or ``parquet`` with text columns and a folder per large table.
    chunk_customers : int
        Number of customers drawn and written at a time; limits the memory.

    Raises
    ------
    InputError
        If an argument is out of range, or the files cannot be replaced.
    """
    _check(output, seed, customers, lines, file_format)
    shoppers = customers
    if lines is not None:
        shoppers = max(MINIMUM_LINES // LINES_PER_CUSTOMER, lines // LINES_PER_CUSTOMER)
    try:
        output.mkdir(parents=True, exist_ok=True)
        # in the same folder, so a rename never crosses file systems
        work = Path(tempfile.mkdtemp(prefix=".simulation-", dir=output))
    except OSError as error:
        raise InputError(f"Cannot write to {output}: {error.strerror}.") from error
    ledger = Ledger()
    try:
        new, old = work / "new", work / "old"
        truth = new / TRUTH
        for simulate, system, size in (
            (simulate_marketplace, "marketplace", customers),
            (simulate_online_retail, "online_retail", shoppers),
            (simulate_mall, "mall", customers),
        ):
            simulate(
                new / system,
                truth,
                ledger,
                seed=seed,
                customers=size,
                file_format=file_format,
                chunk_customers=chunk_customers,
            )
        for name, table in (
            ("planted_dirt.csv", ledger.dirt_table()),
            (_TOTALS, ledger.totals_table()),
        ):
            with CsvWriter(truth / name, tuple(table.column_names)) as writer:
                writer.write(table)
        _replace(output, new, old)
    except OSError as error:
        raise InputError(f"Cannot write to {output}: {error.strerror}.") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    click.echo(
        f"Simulated {sum(ledger.rows.values()):,} raw rows, "
        f"{sum(ledger.dirt.values()):,} of them dirt, in {output}",
        err=True,
    )


def _check(
    output: Path, seed: int, customers: int, lines: int | None, file_format: str
) -> None:
    if seed < 0:
        raise InputError(f"The seed is {seed}; it must be 0 or more.")
    if customers < MINIMUM_CUSTOMERS:
        raise InputError(
            f"{customers} customers are too few; the minimum is {MINIMUM_CUSTOMERS}."
        )
    if lines is not None and lines < MINIMUM_LINES:
        raise InputError(f"{lines} lines are too few; the minimum is {MINIMUM_LINES}.")
    if file_format not in FILE_FORMATS:
        raise InputError(
            f"Unknown format {file_format!r}; use {' or '.join(FILE_FORMATS)}."
        )
    if output.exists() and not output.is_dir():
        raise InputError(f"{output} is a file; choose a folder for the raw files.")
    in_the_way = [name for name in FOLDERS if (output / name).exists()]
    if in_the_way and not (output / TRUTH / _TOTALS).is_file():
        raise InputError(
            f"{output / in_the_way[0]} exists and was not simulated; choose another "
            "folder, or remove it."
        )


def _replace(output: Path, new: Path, old: Path) -> None:
    """Move the new folders into place; restore the old ones if that fails."""
    old.mkdir()
    try:
        for name in FOLDERS:
            if (output / name).exists():
                (output / name).rename(old / name)
            (new / name).rename(output / name)
    except BaseException:
        for name in FOLDERS:
            if (old / name).exists():
                shutil.rmtree(output / name, ignore_errors=True)
                (old / name).rename(output / name)
        raise
