"""The ``customer-segmentation`` command."""

import os
import sys
from pathlib import Path

import click

from customer_segmentation.errors import InputError
from customer_segmentation.raw_tables import SOURCE_SYSTEMS

LANDING_VARIABLE = "CUSTOMER_SEGMENTATION_LANDING"
DEFAULT_LANDING = "data/landing"


@click.group()
@click.version_option(package_name="customer-segmentation")
def cli() -> None:
    """Turn a retailer's raw tables into customer segments people can act on."""


@cli.command()
@click.argument("source_system", type=click.Choice(sorted(SOURCE_SYSTEMS)))
@click.argument(
    "paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path)
)
@click.option(
    "--append",
    is_flag=True,
    help="Add to what has landed instead of replacing it; what has landed before is "
    "left out.",
)
def land(source_system: str, paths: tuple[Path, ...], append: bool) -> None:
    """Land raw files (Excel, CSV, gzipped CSV or Parquet) for dbt to read.

    PATH is a workbook with one sheet a table, or a file or folder of files named after
    the tables; a source system with one table takes any name. Several files of one
    table are its periods: records that two of them share count once.
    """
    from customer_segmentation.landing import land_files

    landing_zone = Path(os.environ.get(LANDING_VARIABLE, DEFAULT_LANDING))
    land_files(SOURCE_SYSTEMS[source_system], paths, landing_zone, append=append)


@cli.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data/raw"),
    show_default=True,
    help="Folder for the raw files; the truth goes to its subfolder 'truth'.",
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--customers",
    type=click.IntRange(min=100),
    default=4_000,
    show_default=True,
    help="Customers of each source system.",
)
@click.option(
    "--lines",
    type=click.IntRange(min=1_000),
    help="About how many invoice lines the online retailer has; sets --customers for "
    "that source system.",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["csv", "parquet"]),
    default="csv",
    show_default=True,
)
def simulate(
    output: Path, seed: int, customers: int, lines: int | None, file_format: str
) -> None:
    """Simulate raw files of all three source systems, with their truth beside them."""
    from customer_segmentation.simulation import simulate_files

    simulate_files(
        output, seed=seed, customers=customers, lines=lines, file_format=file_format
    )


def main() -> None:
    """Run the command; input that cannot be used ends it with one line and status 2."""
    try:
        cli()
    except InputError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
