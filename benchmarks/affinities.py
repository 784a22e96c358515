"""Compare the affinities with shuffled baskets, or measure them on many lines.

Run ``python benchmarks/affinities.py shuffles --database data/real/real.duckdb`` after
a build. It shuffles the baskets of the whole shop within months, so that baskets keep
their sizes and products their numbers of baskets, and prints

- how far the expected numbers of baskets are from those of the shuffles,
- which share of all pairs of shuffled baskets has a low p-value, and how many pairs
  would be published of them (none should be),
- how many pairs plain counts would call affinities, without the sizes of baskets.

``python benchmarks/affinities.py scale --lines 100000000`` writes the tables that
affinities read, builds the affinities, and prints seconds and peak memory.
"""

import json
import os
import subprocess
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import duckdb
import numpy as np
import pandas as pd
from project import (
    PROJECT,
    SCRIPTS,
    database_option,
    dbt_folders,
)
from scipy.stats import hypergeom
from shuffled_baskets import pair_counts, shuffled

from customer_segmentation.exploration.chance import (
    MonthOfBaskets,
    expected_together,
    poisson_tail,
)

MAX_Q_VALUE = 0.05
MIN_BUYERS, MIN_BASKETS = 5, 20
BANDS = (0, 1, 2, 5, 10, 20, 50, np.inf)
# no landing zone: the tables are written
VARIABLES = (
    "{source_systems: [online_retail], segmentations: {},"
    " source_schemas: {online_retail: raw}}"
)
NO_TESTS = ("--exclude", "resource_type:test", "resource_type:unit_test")
AFFINITIES = (
    "thresholds",
    *("int_exploration__transaction_entities", "int_exploration__baskets"),
    *("int_exploration__basket_lines", "int_exploration__buyer_scopes"),
    *("int_exploration__scope_entities", "int_exploration__scope_baskets"),
    *("int_exploration__entity_pairs", "int_exploration__affinities"),
    *("int_exploration__significant_pairs", "int_exploration__top_pairs"),
    "product_affinities",
)
TABLES_COUNTED = (
    *("transaction_entities", "basket_lines", "entity_pairs"),
    "significant_pairs",
)
# like Online Retail: a mean of 20 products in a basket, a few of which sell most, and 5
# baskets of each customer. Nothing goes with anything
PRODUCTS, BASKET_PRODUCTS = 20_000, 20
SIMULATED = """
create schema if not exists main_private;
create or replace macro uniform(salt, key) as hash(key, salt) / 18446744073709551616;
create or replace table main.products as
    select 'online_retail:' || i as product_key, 'PRODUCT ' || i as product_name
    from range({products}) as numbers (i);
create or replace table main.product_categories as
    select
        'online_retail:' || i as product_key,
        'online_retail' as source_system,
        cast(i % 20 as int) as category_id,
        'Category ' || i % 20 as category_name
    from range({products}) as numbers (i);
create or replace table main.transactions as
    select
        'online_retail:' || i as transaction_key,
        'online_retail' as source_system,
        'online_retail:' || floor(uniform('customer', i) * {baskets} / 5)::int
            as customer_key,
        timestamp '2010-12-01' + to_days((uniform('day', i) * 365)::int)
            as completed_at,
        true as is_completed
    from range({baskets}) as numbers (i);
create or replace table main.transaction_lines as
    with sizes as (
        select
            i,
            1 + floor(-ln(1 - uniform('size', i)) * {mean})::int as lines
        from range({baskets}) as numbers (i)
    ),
    numbered as (
        select i, unnest(range(lines)) as line from sizes
    )
    select
        'online_retail:' || i as transaction_key,
        'online_retail:'
        || floor(pow(uniform('product', i * 1000 + line), 3) * {products})::int
            as product_key,
        true as is_product,
        1 as quantity,
        cast(1 + line as decimal(18, 2)) as amount
    from numbered;
create or replace table main.customer_rfm as
    select distinct
        customer_key,
        'Segment ' || hash(customer_key) % 11 as rfm_segment
    from main.transactions;
create or replace table main_private.int_segmentation__assignments as
    select
        'no customer' as customer_key,
        'no segmentation' as segmentation,
        cast(null as int) as segment_id
    limit 0;
create or replace table main_private.int_segmentation__names as
    select
        'no segmentation' as segmentation,
        cast(null as int) as segment_id,
        'no segment' as segment_name
    limit 0;
from main.transaction_lines select count(*)
"""


@click.group()
def main() -> None:
    """Measure what goes with what."""


@main.command()
@database_option
@click.option("--draws", default=20, show_default=True, help="Number of shuffles.")
def shuffles(database: Path, draws: int) -> None:
    """Compare with shuffled baskets."""
    with duckdb.connect(database, read_only=True) as connection:
        lines = connection.execute(
            "select source_system, month_date, basket_number, buyer_number,"
            " entity_number - 1 as product"
            " from main_private.int_exploration__basket_lines"
            " where entity = 'product' order by all"
        ).df()
    for source_system, of_shop in lines.groupby("source_system"):
        click.echo(f"{source_system}: {of_shop['basket_number'].nunique():,} baskets")
        compare_with_shuffles(of_shop, draws)


def compare_with_shuffles(lines: pd.DataFrame, draws: int) -> None:
    """Print how formulas and shuffles differ."""
    products = int(lines["product"].max()) + 1
    first, second = np.triu_indices(products, k=1)
    months = [
        [set(basket) for _, basket in month.groupby("basket_number")["product"]]
        for _, month in lines.groupby("month_date")
    ]
    expected = expected_together(
        [margins(baskets, products) for baskets in months], first, second
    )
    rng = np.random.default_rng(0)
    observed = sum(pair_counts(baskets, products) for baskets in months)
    total, low, published = np.zeros(len(first)), np.zeros(3), []
    start = time.perf_counter()
    for _ in range(draws):
        drawn = sum(
            pair_counts(shuffled(baskets, rng), products) for baskets in months
        )[first, second]
        total += drawn
        p_values = np.where(
            drawn > 0, poisson_tail(np.maximum(drawn, 1), expected), 1.0
        )
        low += [(p_values <= level).mean() for level in (0.05, 0.01, 0.001)]
        published.append(discoveries(p_values[drawn >= MIN_BUYERS], len(first)))
    seconds = (time.perf_counter() - start) / draws
    click.echo(f"  {seconds:.1f} s a shuffle, {draws} shuffles")
    click.echo("  expected baskets   pairs        formula / shuffles")
    for lower, upper in pairwise(BANDS):
        band = (expected >= lower) & (expected < upper)
        if band.any():
            ratio = expected[band].sum() / (total[band].sum() / draws)
            click.echo(f"  {lower:>6} to {upper:<6} {band.sum():>12,} {ratio:>14.3f}")
    shares = ", ".join(f"{share:.4%}" for share in low / draws)
    click.echo(f"  shuffled pairs with p <= 0.05, 0.01, 0.001: {shares}")
    click.echo(f"  pairs published of shuffled baskets: {published}")
    together = observed[first, second]
    naive = hypergeom.sf(
        together - 1,
        sum(map(len, months)),
        np.diag(observed)[first],
        np.diag(observed)[second],
    )
    click.echo(
        "  significant pairs by plain counts of baskets:"
        f" {discoveries(naive[together >= MIN_BUYERS], len(first)):,}"
    )
    ours = poisson_tail(np.maximum(together, 1), expected)
    click.echo(
        "  by baskets that keep their sizes:"
        f" {discoveries(ours[together >= MIN_BUYERS], len(first)):,}"
    )
    buyers = pairs_of_buyers(lines, products)[first, second]
    ours = poisson_tail(np.maximum(buyers, 1), expected)
    click.echo(
        "  by their buyers, as published:"
        f" {discoveries(ours[buyers >= MIN_BUYERS], len(first)):,}"
    )


def margins(baskets: list[set[int]], products: int) -> MonthOfBaskets:
    """Return the margins of the baskets of one month."""
    counts = np.bincount([one for basket in baskets for one in basket], None, products)
    sizes, of_size = np.unique([len(basket) for basket in baskets], return_counts=True)
    sold = np.flatnonzero(counts)
    return MonthOfBaskets(sold, counts[sold], sizes, of_size)


def discoveries(p_values: np.ndarray, tests: int) -> int:
    """Return how many tests Benjamini and Hochberg would call discoveries."""
    ordered = np.sort(p_values)
    is_low = ordered * tests <= MAX_Q_VALUE * np.arange(1, len(ordered) + 1)
    return int(np.flatnonzero(is_low).max(initial=-1)) + 1


def pairs_of_buyers(lines: pd.DataFrame, products: int) -> np.ndarray:
    """Return how many buyers had both products of each pair in one basket."""
    counts = np.zeros((products, products), np.int64)
    for _, of_buyer in lines.groupby("buyer_number"):
        baskets = of_buyer.groupby("basket_number")["product"]
        pairs = [
            np.sort(basket.to_numpy())[np.stack(np.triu_indices(len(basket), k=1))]
            for _, basket in baskets
        ]
        one, other = np.unique(np.hstack(pairs), axis=1)
        counts[one, other] += 1
    return counts


@main.command()
@click.option(
    "--lines",
    default=10_000_000,
    show_default=True,
    help="Approximate number of invoice lines.",
)
@click.option("--folder", type=click.Path(path_type=Path), help="Keep the files here.")
def scale(lines: int, folder: Path | None) -> None:
    """Measure time and memory on simulated lines."""
    with tempfile.TemporaryDirectory() as name:
        workshop = folder or Path(name)
        with duckdb.connect(workshop / "scale.duckdb") as connection:
            [(landed,)] = connection.execute(
                SIMULATED.format(
                    baskets=lines // BASKET_PRODUCTS,
                    products=PRODUCTS,
                    mean=BASKET_PRODUCTS - 1,
                )
            ).fetchall()
        click.echo(f"{landed:,} lines")
        seconds, mebibytes = run_dbt(workshop, "--select", *AFFINITIES, *NO_TESTS)
        click.echo(f"affinities: {seconds:,.0f} s, peak memory {mebibytes:,.0f} MiB")
        for model, seconds in model_seconds(workshop).items():
            click.echo(f"  {model:<42}{seconds:,.1f} s")
        with duckdb.connect(workshop / "scale.duckdb", read_only=True) as connection:
            for table in TABLES_COUNTED:
                query = f"from main_private.int_exploration__{table} select count(*)"
                [(rows,)] = connection.execute(query).fetchall()
                click.echo(f"  rows of {table:<34}{rows:,}")


def run_dbt(folder: Path, *selection: str) -> tuple[float, float]:
    """Build a selection; return seconds, and the peak memory in mebibytes."""
    environment = os.environ | {
        "CUSTOMER_SEGMENTATION_DATABASE": f"{folder}/scale.duckdb",
    }
    command = (SCRIPTS / "dbt", "build", "--vars", VARIABLES, *dbt_folders(folder))
    start = time.perf_counter()
    process = subprocess.Popen(
        [*command, *selection],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise click.ClickException(f"dbt failed: see {folder}/logs")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def model_seconds(folder: Path) -> dict[str, float]:
    """Return how long each model of the last build took."""
    text = (folder / "target" / "run_results.json").read_text(encoding="utf-8")
    results: list[dict[str, Any]] = json.loads(text)["results"]
    return {
        one["unique_id"].rpartition(".")[2]: one["execution_time"]
        for one in results
        if one["unique_id"].startswith("model.")
    }


if __name__ == "__main__":
    main()
