"""Print what limits the prediction of interests: categories, season and noise.

After a build of Online Retail, run
``python benchmarks/interest_limits.py --database data/real/real.duckdb``. The protocol
is that of ``interests.py``: existing customers who buy in ten weeks from October 2011,
and a hit if the category of the most spend is among the three most probable. The
candidates are the shipped ones. What is new beside ``interests.py``:

- plain categories: TF-IDF of words and pairs, 50 dimensions, k-means with 20 clusters,
  over several seeds. Some come near the measurement that ``interests.py`` names.
- ``category_choice`` that learns from 35 later days instead of 70 earlier ones.
- ``category_choice`` that learns from other customers of the very window, in five
  folds: nobody can know so much of the season.
- halves: the lines, or the invoices, of each customer are divided at random. How often
  is the main category of one half among the three main ones of the other?
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import duckdb
import numpy as np
import pandas as pd
from project import database_option
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import KFold
from sklearn.preprocessing import normalize

from customer_segmentation.parallel import single_threaded
from customer_segmentation.prediction import metrics
from customer_segmentation.prediction.interests import HISTORY, INTEREST_CANDIDATES
from customer_segmentation.prediction.seasons import UNKNOWN_SALES

TEST, TEST_DAYS = "2011-10-01", 70
SHIPPED, SHIPPED_DAYS = "2011-07-23", 70
LATE, LATE_DAYS = "2011-08-27", 35
# the same dates for a test that is over before October
EARLIER = (("2011-07-23", "2011-05-14", "2011-06-18"),)
BASELINES = ("popularity", "own_history", "shrunk_history")
MODEL = "category_choice"
PLAIN_CATEGORIES, DIMENSIONS = 20, 50
DRAWS, RESAMPLES = 10, 1_000
LINES = """
    select
        customer_key as customer, transactions.transaction_key as invoice,
        completed_at as bought_at, product_key as product, product_name as name,
        category_id as category, cast(transaction_lines.amount as double) as spend
    from transactions
    join transaction_lines using (transaction_key)
    join product_categories using (product_key)
    join products using (product_key)
    where transactions.is_completed and transaction_lines.quantity > 0
        and customer_key is not null and transactions.source_system = 'online_retail'
    order by all
"""


@dataclass(frozen=True)
class Known:
    """Customers on a date, with their history and the main category afterwards."""

    features: pd.DataFrame
    outcomes: pd.DataFrame

    def take(self, rows: np.ndarray) -> "Known":
        """Return some of the customers, by position."""
        return Known(self.features.iloc[rows], self.outcomes.iloc[rows])


@click.command()
@database_option
@click.option("--seeds", default=6, show_default=True, help="Of plain categories.")
@single_threaded()
def main(database: Path, seeds: int) -> None:
    """Compare categories, dates to learn from, and limits."""
    with duckdb.connect(database, read_only=True) as connection:
        lines = connection.query(LINES).df()
    for name, categorised in _categorised(lines, seeds):
        shares = categorised.drop_duplicates("product")["category"].value_counts()
        largest = shares.iloc[0] / shares.sum()
        click.echo(f"\n{name}: {len(shares)} categories, the largest {largest:.2f}")
        for test, shipped, late in (*EARLIER, (TEST, SHIPPED, LATE)):
            _print_date(categorised, test, shipped, late)
        for unit in (None, "invoice"):
            _print_halves(categorised, unit)


def _categorised(lines: pd.DataFrame, seeds: int) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the lines with the published categories, then with plain ones."""
    yield "published", lines
    names = lines.groupby("product")["name"].first()
    words = TfidfVectorizer(
        ngram_range=(1, 2), min_df=2, stop_words="english", token_pattern="[a-z]{2,}"
    ).fit_transform(names)
    for seed in range(seeds):
        svd = TruncatedSVD(DIMENSIONS, random_state=seed)
        points = normalize(svd.fit_transform(words))
        kmeans = KMeans(PLAIN_CATEGORIES, n_init=10, random_state=seed)
        labels = pd.Series(kmeans.fit_predict(points), names.index)
        yield (
            f"plain, seed {seed}",
            lines.assign(category=lines["product"].map(labels)),
        )


def _print_date(lines: pd.DataFrame, test: str, shipped: str, late: str) -> None:
    tested = _known(lines, test, TEST_DAYS)
    learned = _known(lines, shipped, SHIPPED_DAYS)
    found = {name: _hits(name, learned, tested) for name in (*BASELINES, MODEL)}
    found[f"{MODEL}, late"] = _hits(MODEL, _known(lines, late, LATE_DAYS), tested)
    count = len(tested.features)
    if test == TEST:
        hits, losses = np.zeros(count, bool), np.zeros(count)
        for train, rows in KFold(5, shuffle=True, random_state=0).split(hits):
            one = _hits(MODEL, tested.take(train), tested.take(rows))
            hits[rows], losses[rows] = one
        found[f"{MODEL}, season known"] = hits, losses
    draws = np.random.default_rng(0).integers(0, count, (RESAMPLES, count))
    click.echo(f"  {count} customers from {test}: hit@3, less {MODEL}; log loss, less")
    for name, pair in found.items():
        cells = []
        for values, base in zip(pair, found[MODEL], strict=True):
            low, high = metrics.interval_of(
                (values.astype(float) - base)[draws].mean(axis=1)
            )
            cells.append(f"{values.mean():.3f} ({low:+.3f} to {high:+.3f})")
        click.echo(f"    {name:30} " + "   ".join(cells))


def _known(lines: pd.DataFrame, date: str, days: int) -> Known:
    """Return customers who bought before the date, and in the days from it on."""
    first = pd.Timestamp(date)
    before = lines[lines["bought_at"] < first]
    is_after = lines["bought_at"].between(
        first, first + pd.Timedelta(days=days), inclusive="left"
    )
    after = lines[is_after & lines["customer"].isin(before["customer"])]
    main = _spend(after).idxmax(axis=1)
    before = before[before["customer"].isin(main.index)]
    entries = (
        before.groupby(["customer", "category"])
        .agg({"invoice": "nunique", "spend": "sum", "bought_at": "max"})
        .reset_index()
    )
    recency = (first - entries["bought_at"].dt.normalize()).dt.days
    text = (
        entries["category"].astype(str)
        + ":"
        + entries["invoice"].astype(str)
        + ":"
        + entries["spend"].round(2).astype(str)
        + ":"
        + recency.astype(str)
    )
    histories = text.groupby(entries["customer"]).agg(" ".join)
    return Known(
        pd.DataFrame({HISTORY: histories.reindex(main.index)}),
        pd.DataFrame({"category_id": main}),
    )


def _spend(lines: pd.DataFrame) -> pd.DataFrame:
    """Return the spend of each customer (rows) by category (columns)."""
    return lines.pivot_table("spend", "customer", "category", "sum", fill_value=0.0)


def _hits(name: str, learned: Known, tested: Known) -> tuple[np.ndarray, np.ndarray]:
    """Return whether each customer is hit, and the log loss of each."""
    model = INTEREST_CANDIDATES[name].estimator()
    model.fit(learned.features, learned.outcomes, UNKNOWN_SALES)
    actual = tested.outcomes["category_id"]
    found = model.predict(tested.features, UNKNOWN_SALES)
    # a category that nobody bought before is never predicted
    found = found.reindex(columns=np.union1d(found.columns, actual), fill_value=1e-4)
    values = found.to_numpy()
    of_actual = values[np.arange(len(values)), found.columns.get_indexer(actual)]
    rank = 1 + (values > of_actual[:, None]).sum(axis=1)
    return rank <= 3, -np.log(of_actual)


def _print_halves(lines: pd.DataFrame, unit: str | None) -> None:
    """Print how well half of what a customer bought tells the other half."""
    first = pd.Timestamp(TEST)
    before = set(lines.loc[lines["bought_at"] < first, "customer"])
    window = lines[(lines["bought_at"] >= first) & lines["customer"].isin(before)]
    shares, counts = [], []
    for seed in range(DRAWS):
        rng = np.random.default_rng(seed)
        if unit is None:
            is_first = rng.random(len(window)) < 0.5
        else:
            codes, units = pd.factorize(window[unit])
            is_first = (rng.random(len(units)) < 0.5)[codes]
        one, other = _spend(window[is_first]), _spend(window[~is_first])
        both = one.index.intersection(other.index)
        columns = one.columns.union(other.columns)
        given = one.loc[both].reindex(columns=columns, fill_value=0.0)
        # categories that were not bought are ranked by the popularity
        given = given + 1e-12 * window.groupby("category")["spend"].sum()
        rank = given.rank(axis=1, ascending=False, method="first").to_numpy()
        actual = columns.get_indexer(other.loc[both].idxmax(axis=1))
        shares.append((rank[np.arange(len(both)), actual] <= 3).mean())
        counts.append(len(both))
    click.echo(
        f"  halves by {unit or 'line'}: {np.mean(shares):.3f}"
        f" of {np.mean(counts):.0f} customers"
    )


if __name__ == "__main__":
    main()
