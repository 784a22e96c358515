"""Assign categories to very many products, and score interests of very many customers.

After a build of Online Retail, run
``python benchmarks/categories_scale.py --database data/real/real.duckdb``. Products and
histories are copies of those of the database under other keys; a copied name has one
word more. Prints seconds and the peak memory of the process after each step.
"""

import resource
import time
from pathlib import Path

import click
import duckdb
from project import database_option, peak_mebibytes, read_variables

from customer_segmentation.prediction import score_interests
from customer_segmentation.products import assign_products

PRODUCTS = """
    create temp table many_products as
    select products.* replace (product_key || '-' || copy as product_key,
        product_name || ' ' || chr(cast(97 + copy % 26 as int)) || copy as product_name)
    from products, range(1, 1000) as copies (copy)
    where source_system = 'online_retail' and is_product
    limit $count
"""
HISTORIES = """
    create temp table many_histories as
    select histories.* replace (customer_key || '-' || copy as customer_key)
    from main_training.int_prediction__category_histories as histories,
        range(1, 1000) as copies (copy)
    where is_scored
    limit $count
"""


@click.command()
@database_option
@click.option("--products", default=50_000, show_default=True)
@click.option("--customers", default=1_000_000, show_default=True)
def main(database: Path, products: int, customers: int) -> None:
    """Print what assigning and scoring take."""
    variables = read_variables() | {"source_systems": ["online_retail"]}
    with duckdb.connect(database, read_only=True) as connection:
        connection.execute("set memory_limit = '1GB'")
        connection.execute(PRODUCTS, {"count": products})
        connection.execute(HISTORIES, {"count": customers})
        report("copied", 0.0, 0)
        start = time.perf_counter()
        assigned = assign_products(
            connection.table("many_products"),
            connection.table("main_training.int_products__fits"),
            variables,
        )
        rows = sum(batch.num_rows for batch in assigned)
        report("products assigned", time.perf_counter() - start, rows)
        start = time.perf_counter()
        scored = score_interests(
            connection.table("many_histories"),
            connection.table("model_registry"),
            connection.table("main_training.int_prediction__models"),
            connection.table("main_training.int_prediction__category_seasons"),
            connection.table("product_categories"),
        )
        rows = sum(batch.num_rows for batch in scored)
        report("interests scored", time.perf_counter() - start, rows)


def report(step: str, seconds: float, rows: int) -> None:
    """Print a step: seconds, rows and the peak so far."""
    peak = peak_mebibytes(resource.RUSAGE_SELF)
    click.echo(f"{step:<18} {rows:>10,} rows {seconds:>7.1f} s, peak {peak:,.0f} MiB")


if __name__ == "__main__":
    main()
