"""Print what the product categories of a built database are worth.

After a build of Online Retail, run
``python benchmarks/product_categories.py --database data/real/real.duckdb``. Purity
needs the labels of the tests, which were written before the first fit. Plain TF-IDF
with k-means, as in the notebooks, is printed beside it.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import click
import duckdb
import numpy as np
import pandas as pd
from project import database_option
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.preprocessing import normalize

from customer_segmentation.parallel import single_threaded
from customer_segmentation.products.kinds import Kinds
from customer_segmentation.products.space import TermSpace
from customer_segmentation.products.topics import merge_topics, nearest
from customer_segmentation.products.words import split_words

REPOSITORY = Path(__file__).parent.parent
LABELS = REPOSITORY / "tests/python/products/labelled_products.csv"
KINDS = REPOSITORY / "seeds/product_kinds.csv"
BANDS = (5, 10)
SEEDS = 5
PRODUCTS = """
    with prices as (
        select product_key, median(unit_price) as price
        from transaction_lines
        where unit_price > 0
        group by product_key
    )
    select product_id, product_name, price, category_id, confidence
    from products
    join product_categories using (product_key)
    join prices using (product_key)
    where products.source_system = 'online_retail'
    order by product_id
"""


def purity(found: Sequence[Any], labels: Sequence[Any]) -> float:
    """Return the share of products in the majority label of their category.

    Examples
    --------
    >>> purity([1, 1, 1, 2], ["bag", "bag", "mug", "mug"])
    0.75
    """
    counted: dict[Any, Counter[Any]] = defaultdict(Counter)
    for category, label in zip(found, labels, strict=True):
        counted[category][label] += 1
    return sum(max(one.values()) for one in counted.values()) / len(labels)


def price_agreement(found: Sequence[int], price: pd.Series, bands: int) -> float:
    """Return the normalised mutual information with quantile bands of the price."""
    band = np.ceil(price.rank(pct=True) * bands)
    return float(normalized_mutual_info_score(found, band))


def read_labels() -> dict[str, str]:
    """Return the labels written by hand, by product code."""
    with LABELS.open(encoding="utf-8", newline="") as file:
        return {row["product_code"]: row["label"] for row in csv.DictReader(file)}


@click.command()
@database_option
@single_threaded()
def main(database: Path) -> None:
    """Print all figures of the product categories."""
    with duckdb.connect(database, read_only=True) as connection:
        products = connection.query(PRODUCTS).df()
        click.echo(connection.query("from product_category_choices").df().T.to_string())
    labels = read_labels()
    is_labelled = products["product_id"].isin(labels)
    theirs = products["product_id"][is_labelled].map(labels).to_numpy()
    # kinds were chosen by the odd rows of the labels, and nothing by the even ones
    rows = {code: row for row, code in enumerate(labels, start=1)}
    is_even = products["product_id"][is_labelled].map(rows).to_numpy() % 2 == 0
    with KINDS.open(encoding="utf-8", newline="") as file:
        kinds = Kinds.from_rows(csv.DictReader(file))
    described = [kinds.describe(name) for name in products["product_name"]]
    words = [split_words(name) for name in products["product_name"]]

    def report(name: str, found: np.ndarray) -> None:
        price = [price_agreement(found, products["price"], bands) for bands in BANDS]
        largest = max(Counter(found).values()) / len(found)
        click.echo(
            f"{name:<28} NMI with price bands {price[0]:.3f} (5) {price[1]:.3f} (10),"
            f" purity {purity(found[is_labelled], theirs):.3f} on"
            f" {is_labelled.sum()} labels, even rows"
            f" {purity(found[is_labelled][is_even], theirs[is_even]):.3f},"
            f" largest {largest:.2f}"
        )

    report("published", products["category_id"].to_numpy())
    kind = np.array([kinds.of(name) or "none" for name in products["product_name"]])
    report("kinds alone", kind)
    click.echo(f"{'':<28} {(kind != 'none').mean():.3f} of the products have a kind")
    points = TermSpace.fit(described).transform(described)
    weights = TermSpace.fit(words).weigh(words)
    plain = normalize(TruncatedSVD(50, random_state=0).fit_transform(weights))
    for k in (10, 12, 14, 16, 20, 40):
        seeded = [
            nearest(points, merge_topics(points, [k], seed)[k]).label
            for seed in range(SEEDS)
        ]
        report(f"k={k}", seeded[0])
        pairs = [adjusted_rand_score(*pair) for pair in combinations(seeded, 2)]
        others = [
            KMeans(k, n_init=10, random_state=seed).fit_predict(plain)
            for seed in range(2)
        ]
        report(f"k={k}, plain TF-IDF, k-means", others[0])
        click.echo(
            f"{'':<28} ARI between seeds {np.mean(pairs):.3f} (minimum"
            f" {min(pairs):.3f}); plain {adjusted_rand_score(*others):.3f}"
        )


if __name__ == "__main__":
    main()
