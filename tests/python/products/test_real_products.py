"""Categories of Online Retail's products: no price bands, the same for every seed."""

import csv
from collections import Counter, defaultdict
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from dbt_project import REPOSITORY, shared_file
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from customer_segmentation.parallel import single_threaded
from customer_segmentation.products.kinds import Kinds
from customer_segmentation.products.space import TermSpace
from customer_segmentation.products.topics import merge_topics, nearest

KINDS = REPOSITORY / "seeds/product_kinds.csv"
LABELS = Path(__file__).with_name("labelled_products.csv")
# of each code the most frequent description of lines with a price
PRODUCTS = """
    select
        upper(StockCode) as code,
        mode(trim(Description) order by Description) as description,
        median(UnitPrice) as price
    from read_csv('{file}', all_varchar = false, types = {{'StockCode': 'varchar',
        'InvoiceNo': 'varchar', 'CustomerID': 'varchar'}})
    where UnitPrice > 0 and regexp_matches(StockCode, '^[0-9]{{5}}')
    group by code
    order by code
"""
K = 16


@pytest.fixture(scope="module")
def products() -> pd.DataFrame:
    file = shared_file("online-retail/online_retail.csv.gz")
    frame = duckdb.sql(PRODUCTS.format(file=file)).df()
    with KINDS.open(encoding="utf-8", newline="") as rows:
        kinds = Kinds.from_rows(csv.DictReader(rows))
    words = [kinds.describe(one) for one in frame["description"]]
    with single_threaded():
        points = TermSpace.fit(words).transform(words)
        half = TermSpace.fit(words[::2])
        centres = merge_topics(half.transform(words[::2]), [K], 1, starts=15)[K]
        frame["category_of_half"] = nearest(half.transform(words), centres).label
        for seed in (1, 2):
            centres = merge_topics(points, [K], seed, starts=15)[K]
            frame[f"category_{seed}"] = nearest(points, centres).label
    return frame


def test_categories_are_no_price_bands(products: pd.DataFrame) -> None:
    for bands in (5, 10):
        band = np.ceil(products["price"].rank(pct=True) * bands)
        assert normalized_mutual_info_score(products["category_1"], band) <= 0.10


def test_another_seed_gives_the_same_categories(products: pd.DataFrame) -> None:
    pair = products["category_1"], products["category_2"]
    assert adjusted_rand_score(*pair) >= 0.90


def test_half_of_the_products_give_the_same_categories(products: pd.DataFrame) -> None:
    pair = products["category_1"], products["category_of_half"]
    # words alone have 0.52
    assert adjusted_rand_score(*pair) >= 0.90


def test_categories_agree_with_labels(products: pd.DataFrame) -> None:
    with LABELS.open(encoding="utf-8", newline="") as file:
        labels = [(row["product_code"], row["label"]) for row in csv.DictReader(file)]
    assert len(labels) == 300
    # words alone have 0.43, one category of all would have 0.17
    assert purity(products, labels) >= 0.85
    # kinds were corrected by the odd rows; these are blind
    assert purity(products, labels[1::2]) >= 0.80


def purity(products: pd.DataFrame, labels: list[tuple[str, str]]) -> float:
    """Return the share of products in the majority label of their category."""
    found = products.assign(label=products["code"].map(dict(labels))).dropna()
    counted: dict[int, Counter[str]] = defaultdict(Counter)
    for category, label in zip(found["category_1"], found["label"], strict=True):
        counted[category][label] += 1
    return sum(max(one.values()) for one in counted.values()) / len(found)
