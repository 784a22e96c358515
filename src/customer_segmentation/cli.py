"""The ``customer-segmentation`` command: simulate, land, build, report and export.

The commands import what they run when they run it, so ``--help`` is quick.
"""

import os
import sys
from pathlib import Path
from typing import Literal

import click

from customer_segmentation.errors import InputError
from customer_segmentation.private_files import folder_mode
from customer_segmentation.source_systems.commands import (
    check_source,
    generate_source,
    new_source,
)

LANDING_VARIABLE = "CUSTOMER_SEGMENTATION_LANDING"
DEFAULT_LANDING = "data/landing"
PUBLISHED_VARIABLE = "CUSTOMER_SEGMENTATION_PUBLISHED"
DATABASE_VARIABLE = "CUSTOMER_SEGMENTATION_DATABASE"
DEFAULT_DATABASE = "data/customer_segmentation.duckdb"


@click.group()
@click.version_option(package_name="customer-segmentation")
def cli() -> None:
    """Turn a retailer's raw tables into customer segments people can act on."""


@cli.command()
@click.argument("source_system", metavar="SOURCE_SYSTEM")
@click.argument(
    "paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path)
)
@click.option(
    "--append",
    is_flag=True,
    help="Add to what has landed before, instead of replacing it. Records that have "
    "landed before are skipped.",
)
@click.option(
    "--dates",
    type=click.Choice(["day-first", "month-first"]),
    help="The order of dates such as 1/2/2010. By default all values of a file tell.",
)
def land(
    source_system: str,
    paths: tuple[Path, ...],
    append: bool,
    dates: Literal["day-first", "month-first"] | None,
) -> None:
    """Land raw files (Excel, CSV, gzipped CSV or Parquet) for dbt to read.

    PATH is an Excel workbook with one sheet per table, or a file or folder with the
    name of its table. Any name will do if the source system has only one table.
    Several files of one table are its periods; records that two of them share land
    once. `land campaigns sends.csv` lands what was sent to whom.

    The files land in the folder that the environment variable
    CUSTOMER_SEGMENTATION_LANDING names, by default data/landing.
    """
    from customer_segmentation.landing import land_files
    from customer_segmentation.raw_tables import LANDED_BY_NAME

    if source_system not in LANDED_BY_NAME:
        raise InputError(
            f"There is no source system {source_system}; choose one of "
            f"{', '.join(sorted(LANDED_BY_NAME))}, or declare it in "
            f"source_systems/{source_system}.yml."
        )
    landing_zone = Path(os.environ.get(LANDING_VARIABLE, DEFAULT_LANDING))
    land_files(
        LANDED_BY_NAME[source_system], paths, landing_zone, append=append, dates=dates
    )


@cli.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data/raw"),
    show_default=True,
    help="Folder for the raw files. Their truth goes to its subfolder 'truth'.",
)
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Seed of the random numbers. The same seed gives the same files.",
)
@click.option(
    "--customers",
    type=click.IntRange(min=100),
    default=4_000,
    show_default=True,
    help="Number of customers of each source system.",
)
@click.option(
    "--lines",
    type=click.IntRange(min=1_000),
    help="Approximate number of invoice lines of the online retailer. It overrides "
    "--customers for that source system.",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["csv", "parquet"]),
    default="csv",
    show_default=True,
    help="Format of the raw files.",
)
def simulate(
    output: Path, seed: int, customers: int, lines: int | None, file_format: str
) -> None:
    """Simulate raw files of all source systems, and the truth about them."""
    from customer_segmentation.simulation import simulate_files

    simulate_files(
        output, seed=seed, customers=customers, lines=lines, file_format=file_format
    )


@cli.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument(
    "arguments", nargs=-1, metavar="[DBT ARGUMENTS]...", type=click.UNPROCESSED
)
@click.pass_context
def build(context: click.Context, arguments: tuple[str, ...]) -> None:
    """Run dbt build with its arguments, show its progress, and explain its warnings."""
    from customer_segmentation.build import build as run_build

    context.exit(run_build(arguments))


@cli.command()
@click.option(
    "--published",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar=PUBLISHED_VARIABLE,
    default=lambda: default_published(),
    show_default="published/marts.duckdb beside the database",
    show_envvar=True,
    help="The published DuckDB file.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The HTML file. By default report.html beside the published file.",
)
@click.option(
    "--pictures",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder for the main charts as SVG and PNG, for slides.",
)
def report(published: Path, output: Path | None, pictures: Path | None) -> None:
    """Write a report of the published tables: one HTML file that opens offline."""
    from customer_segmentation.serving.report import write_index, write_report

    page = output or published.with_name("report.html")
    write_report(published, page, pictures)
    # a place of one's own gets the report only
    click.echo(f"Open {page if output else write_index(page)}")


@cli.command()
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--published",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar=PUBLISHED_VARIABLE,
    default=lambda: default_published(),
    show_default="published/marts.duckdb beside the database",
    show_envvar=True,
    help="The published DuckDB file.",
)
@click.option("--campaign", help="The audience of this campaign.")
@click.option("--segmentation", help="rfm, or the name of a segmentation.")
@click.option("--segment", help="Name or number of a segment of --segmentation.")
@click.option(
    "--source-system",
    help="The source system of the segment's customers. A segment of rfm can span "
    "several.",
)
@click.option(
    "--columns", default="", help="Columns to write, separated by commas, in order."
)
@click.option(
    "--with-holdout",
    is_flag=True,
    help="Write customers who are held out of a campaign too, with the column "
    "is_control. Send them nothing.",
)
def export(
    published: Path,
    output: Path,
    campaign: str | None,
    segmentation: str | None,
    segment: str | None,
    source_system: str | None,
    columns: str,
    with_holdout: bool,
) -> None:
    """Write an audience or a segment to OUTPUT, a .csv or .parquet file.

    The customers come from the last published version. An audience leaves out who is
    held out of its campaign; a segment leaves out who is held out of any campaign.
    """
    from customer_segmentation.serving.export import (
        export_campaign,
        export_segment,
    )

    chosen = [name.strip() for name in columns.split(",") if name.strip()]
    of_segment = segmentation, segment, source_system
    if campaign is not None and not any(of_segment):
        customers = export_campaign(
            published, campaign, output, columns=chosen, holdout=with_holdout
        )
    elif campaign is None and segmentation is not None and segment is not None:
        customers = export_segment(
            published,
            segmentation,
            segment,
            output,
            source_system=source_system,
            columns=chosen,
            holdout=with_holdout,
        )
    else:
        raise InputError(
            "name either --campaign, or both --segmentation and --segment; "
            "--source-system is for segments"
        )
    click.echo(f"Wrote {customers} customers to {output}")


@cli.command()
@click.argument("keys", nargs=-1, required=True, metavar="CUSTOMER_KEY...")
def forget(keys: tuple[str, ...]) -> None:
    """Forget customers: in the landing zone, the database and what is published.

    CUSTOMER_KEY is the customer_key of the tables, such as online_retail:17841. Their
    records are removed, and do not land again. Afterwards, build all: what is made of
    many customers, such as sums and models, changes only then.
    """
    from customer_segmentation.serving.forget import forget as forget_customers

    landing_zone = Path(os.environ.get(LANDING_VARIABLE) or DEFAULT_LANDING)
    database = Path(os.environ.get(DATABASE_VARIABLE) or DEFAULT_DATABASE)
    published = Path(os.environ.get(PUBLISHED_VARIABLE) or default_published())
    done = forget_customers(keys, landing_zone, database, published)
    for place, count in done.removed.items():
        click.echo(f"{place}: {count:,} removed")
    for place in done.left:
        click.echo(f"Still named in {place}", err=True)
    if done.left:
        click.echo(
            "Write pages again after a build, with make report; delete exports and "
            "logs; run this again when builds that read an earlier landing have ended.",
            err=True,
        )
        sys.exit(1)
    click.echo(
        f"Searched {'; '.join(done.searched)}: 0 places name {', '.join(keys)}. "
        "Exports elsewhere, backups and raw tables of a warehouse are yours to clean. "
        "Build all next: customer-segmentation build"
    )


for command in (new_source, generate_source, check_source):
    cli.add_command(command)


def default_published() -> Path:
    """Return the file that a build publishes to, unless another is named."""
    database = Path(os.environ.get(DATABASE_VARIABLE) or DEFAULT_DATABASE)
    return database.parent / "published" / "marts.duckdb"


def main() -> None:
    """Run the command; unusable input ends it with one line and status 2."""
    try:
        # dbt and DuckDB make the database of a build, with what the umask leaves
        os.umask(os.umask(0o777) | (0o777 & ~folder_mode()))
        cli()
    except InputError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
