"""Print how well the next interests of real customers are predicted.

Land Online Retail, run ``dbt build --vars '{source_systems: [online_retail]}'``, then
``python benchmarks/interests.py --database data/real/real.duckdb``. The categories are
learned anew for each number of them, by the shipped code; the histories and outcomes
are those of the shipped SQL, with these categories in place of the published ones.

The protocol: existing customers who buy from October to 9 December 2011, ten weeks. A
hit: the category on which a customer spends most is among the three most probable. The
earlier splits choose, the last one tests. ``any`` counts a hit if any of the three is
bought.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import click
import duckdb
import numpy as np
import pandas as pd
import yaml
from project import database_option, read_variables, run

from customer_segmentation.prediction import InterestData, metrics
from customer_segmentation.prediction.backtests import predict_interests
from customer_segmentation.prediction.cohort_pairs import CohortPair
from customer_segmentation.prediction.interests import INTEREST_CANDIDATES
from customer_segmentation.prediction.splits import Split

TABLES = (
    "main_training.int_prediction__category_histories",
    "main_training.int_prediction__category_outcomes",
    "main_training.int_prediction__category_seasons",
    "main_private.int_features__splits",
)
# what is built anew for each number of categories
REBUILT = (
    *("int_products__fits", "int_products__assignments", "int_products__terms"),
    "product_categories",
    *("int_features__category_totals", "int_prediction__category_sales"),
    *("int_prediction__category_outcomes", "int_prediction__category_texts"),
    *("int_prediction__category_histories", "int_prediction__category_seasons"),
)
DATABASE_VARIABLE = "CUSTOMER_SEGMENTATION_DATABASE"
# an earlier measurement, with other categories
PUBLISHED = "published over 20 categories: popularity 0.653, own 0.719, shrunk 0.737"
RESAMPLES = 1_000


@click.command()
@database_option
@click.option(
    "--categories",
    multiple=True,
    type=int,
    default=(0, 12, 20, 40),
    help="Numbers of categories; 0 is the published one.",
)
def main(database: Path, categories: tuple[int, ...]) -> None:
    """Back-test every candidate over each number of categories."""
    click.echo(PUBLISHED)
    for count in categories:
        with TemporaryDirectory() as folder:
            # views name the database, which is named by its file
            copy = Path(folder) / database.name
            copy.write_bytes(database.read_bytes())
            if count:
                _rebuild(copy, count)
            _print_back_tests(copy)


def _rebuild(database: Path, count: int) -> None:
    """Learn a number of categories, and count with them."""
    with duckdb.connect(str(database)) as connection:
        connection.execute("delete from main_training.int_products__fits")
    variables = {
        "source_systems": ["online_retail"],
        "product_categories": {"online_retail": {"k": [count, count]}},
    }
    arguments = ("--vars", yaml.safe_dump(variables), "--select", *REBUILT)
    environment = {DATABASE_VARIABLE: str(database.resolve())}
    run("dbt", "run", *arguments, environment=environment)


def _print_back_tests(database: Path) -> None:
    with duckdb.connect(str(database), read_only=True) as connection:
        data = InterestData.read(*map(connection.table, TABLES))
        [[count]] = connection.execute(
            "select count(distinct category_id) from product_categories"
        ).fetchall()
        folds = int(read_variables()["prediction_folds"])
        for split in data.splits:
            if split.is_backtest:
                pairs = data.pairs(split, folds)
                click.echo(f"\n{count} categories, {_describe(split)}")
                _print_candidates(pairs)
                if split.population == "existing" and split.name == "test":
                    known = _one_by_the_others(connection, split)
                    click.echo(f"  {'one by the others':22} {known}")


def _describe(split: Split) -> str:
    way = "cross-validated" if split.is_cross_validated else "out of time"
    assert split.test is not None
    return (
        f"{split.population} customers, {split.name}, {split.horizon_days} days"
        f" from {split.test.first}, {way}"
    )


def _print_candidates(pairs: list[CohortPair]) -> None:
    names = ("hit@3", "95 % interval", "less best baseline", "hit@1", "MRR", "log loss")
    heading = " ".join(f"{name:>18}" for name in (*names, "calibration", "any"))
    found = {
        name: pd.concat([predict_interests(name, *pair) for pair in pairs])
        for name in INTEREST_CANDIDATES
    }
    hits = {
        name: (rows["category_rank"] <= 3).to_numpy() for name, rows in found.items()
    }
    baselines = [name for name, one in INTEREST_CANDIDATES.items() if one.is_baseline]
    best = max(baselines, key=lambda name: hits[name].mean())
    count = len(hits[best])
    click.echo(f"  {f'{count} customers':22} {heading}")
    rng = np.random.default_rng(0)
    draws = rng.integers(0, count, (RESAMPLES, count))
    resampled = {name: hits[name][draws].mean(axis=1) for name in found}
    for name, rows in found.items():
        rank = rows["category_rank"].to_numpy(dtype=float)
        top = rows["top_three_probability"].to_numpy()
        error = metrics.calibration_error(top, rank <= 3)
        difference = resampled[name] - resampled[best]
        cells = (
            f"{metrics.hit_share(rank, 3):.3f}",
            _interval(resampled[name]),
            "" if name == best else _interval(difference),
            f"{metrics.hit_share(rank, 1):.3f}",
            f"{metrics.mean_reciprocal_rank(rank):.3f}",
            f"{metrics.log_loss(rows['category_probability'].to_numpy()):.3f}",
            f"{error:.3f}",
            f"{rows['has_bought_top'].mean():.3f}",
        )
        click.echo(f"  {name:22} " + " ".join(f"{cell:>18}" for cell in cells))


def _interval(values: np.ndarray) -> str:
    low, high = metrics.interval_of(values)
    return f"{low:.3f} to {high:.3f}"


def _one_by_the_others(connection: duckdb.DuckDBPyConnection, split: Split) -> str:
    """Return hits if all purchases of the window but one were known, and that one is.

    For customers with at least two purchases in the window: the main category of one
    purchase, drawn by its key, among the three main ones of the history and of the
    other purchases. It shows how much of one purchase such knowledge tells.
    """
    assert split.test is not None
    [[customers, hits]] = connection.execute(
        """
        with window_sales as (
            select * from main_private.int_prediction__category_sales
            where customer_key is not null
                and completed_at >= cast($day as date)
                and completed_at < cast($day as date) + cast($days as int)
        ),
        drawn as (
            select customer_key, min_by(transaction_key, md5(transaction_key)) as one
            from window_sales group by customer_key
            having count(distinct transaction_key) > 1
        ),
        actual as (
            select customer_key, max_by(category_id, (spend, -category_id)) as category
            from window_sales join drawn using (customer_key)
            where transaction_key = one group by customer_key
        ),
        known as (
            select customer_key, category_id, sum(spend) as spend
            from main_private.int_prediction__category_sales
            join drawn using (customer_key)
            where transaction_key <> one
                and completed_at < cast($day as date) + cast($days as int)
            group by customer_key, category_id
        ),
        ranked as (
            select *, row_number() over (
                partition by customer_key order by spend desc, category_id
            ) as place from known
        )
        select
            count(distinct customer_key),
            count(*) filter (where place <= 3 and category_id = category)
        from actual left join ranked using (customer_key)
        """,
        {"day": split.test.first, "days": split.horizon_days},
    ).fetchall()
    share = hits / customers if customers else float("nan")
    return f"{share:.3f} of {customers} customers: one purchase, the others known"


if __name__ == "__main__":
    main()
