"""Print what the report takes of time, memory and room by the number of customers.

Run ``python benchmarks/report_scale.py --published data/published/marts.duckdb``. In a
copy of the published file, every row of a customer is repeated under further keys.
"""

import resource
import tempfile
from pathlib import Path

import click
import duckdb
from project import PROJECT, peak_mebibytes, run


def repeat_customers(published: Path, copy: Path, times: int) -> int:
    """Copy a published file with each customer so many times.

    Returns
    -------
    int
        The number of customers of the copy.
    """
    with duckdb.connect(copy) as connection:
        connection.execute(f"attach '{published}' as published (read_only)")
        tables = connection.execute(
            "select table_name, bool_or(column_name = 'customer_key')"
            " from duckdb_columns() where database_name = 'published' group by all"
        ).fetchall()
        for name, is_of_customers in tables:
            query = f"select * from published.{name}"
            if is_of_customers:
                query = (
                    "select * replace (customer_key || ':' || copy as customer_key)"
                    f" from published.{name}, range({times}) as copies (copy)"
                )
                query = f"select * exclude (copy) from ({query})"
            connection.execute(f"create table {name} as {query}")
        [(customers,)] = connection.execute("select count(*) from customers").fetchall()
    return int(customers)


@click.command()
@click.option(
    "--published",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=PROJECT / "data/published/marts.duckdb",
    help="A published file; data/published/marts.duckdb by default.",
)
@click.option(
    "--times",
    type=int,
    multiple=True,
    default=(1, 100),
    show_default=True,
    help="How often each customer is repeated.",
)
def measure(published: Path, times: tuple[int, ...]) -> None:
    """Write reports, and print a row for each."""
    click.echo("customers  seconds  peak MiB  report MB")
    for number in sorted(times):
        with tempfile.TemporaryDirectory() as folder:
            copy, page = Path(folder) / "marts.duckdb", Path(folder) / "report.html"
            customers = repeat_customers(published, copy, number)
            seconds = run(
                "customer-segmentation",
                *("report", "--published", copy, "--output", page),
                environment={},
            )
            click.echo(
                f"{customers:>9,}{seconds:>9.1f}"
                f"{peak_mebibytes(resource.RUSAGE_CHILDREN):>10,.0f}"
                f"{page.stat().st_size / 1e6:>11.2f}"
            )


if __name__ == "__main__":
    measure()
