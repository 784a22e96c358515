"""Random baskets: some large ones, popular products, customers with favourites."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

import duckdb
import numpy as np
import pandas as pd
from dbt_project import REPOSITORY

from customer_segmentation.exploration import compare_with_chance

PRODUCTS, BASKETS = 150, 1_500
LARGE_BASKETS = 0.05
MIN_BUYERS, MIN_BASKETS = 5, 20


def load_shuffles() -> ModuleType:
    """Return the module of the benchmark that shuffles baskets."""
    path = REPOSITORY / "benchmarks" / "shuffled_baskets.py"
    spec = spec_from_file_location("shuffled_baskets", path)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Shop:
    """Baskets with their buyers and months.

    Parameters
    ----------
    baskets : sequence of set of int
        The products of each basket, from 0.
    buyers, months : sequence of int
        Those of each basket.
    """

    baskets: Sequence[set[int]]
    buyers: Sequence[int]
    months: Sequence[int]


def draw_shop(
    rng: np.random.Generator,
    *,
    baskets: int = BASKETS,
    products: int = PRODUCTS,
    baskets_of_buyer: int = 1,
) -> Shop:
    """Draw baskets without any affinity, a few of them with a third of all products."""
    popularity = 1 / np.arange(3, products + 3)
    sizes = 2 + rng.geometric(0.35, baskets)
    sizes[rng.random(baskets) < LARGE_BASKETS] = products // 3
    sizes = np.minimum(sizes, products)
    # exponential races draw without replacement, the popular first
    races = rng.exponential(size=(baskets, products)) / popularity
    order = races.argsort(axis=1)
    return Shop(
        [set(order[one, :size].tolist()) for one, size in enumerate(sizes)],
        np.arange(baskets) // baskets_of_buyer,
        np.arange(baskets) % 3,
    )


def with_pair(shop: Shop, one: int, other: int, baskets: Sequence[int]) -> Shop:
    """Return a shop that has two products in each of some baskets."""
    changed = [set(basket) for basket in shop.baskets]
    for place in baskets:
        changed[place] |= {one, other}
    return Shop(changed, shop.buyers, shop.months)


def compare(shop: Shop) -> pd.DataFrame:
    """Return the pairs of the shop with p-values and q-values."""
    lines = pd.DataFrame(
        [
            (place, buyer, month, product + 1, len(basket))
            for place, (basket, buyer, month) in enumerate(
                zip(shop.baskets, shop.buyers, shop.months, strict=True)
            )
            for product in sorted(basket)
        ],
        columns=["basket", "buyer", "month", "product", "size"],
    )
    with duckdb.connect() as connection:
        connection.register("line_rows", lines)
        connection.execute("create table lines as from line_rows")
        pairs = connection.sql(f"""
            select 1::bigint as scope_number, l.product::int as entity_number,
                r.product::int as other_entity_number,
                count(distinct l.buyer) as buyers_together,
                count(*) as baskets_together
            from lines l join lines r on l.basket = r.basket and l.product < r.product
            group by all having count(distinct l.buyer) >= {MIN_BUYERS}
        """)
        products = connection.sql("""
            select 1::bigint as scope_number, month as month_date,
                product::int as entity_number, count(*) as baskets
            from lines group by all
        """)
        baskets = connection.sql("""
            select 1::bigint as scope_number, month as month_date,
                size as basket_entities, count(distinct basket) as baskets
            from lines group by all
        """)
        found = compare_with_chance(pairs, products, baskets).to_pandas()
    sold = lines.groupby("product").size()
    tested = sold[sold >= MIN_BASKETS].index
    found = found[
        found["entity_number"].isin(tested) & found["other_entity_number"].isin(tested)
    ].sort_values("p_value", ignore_index=True)
    tests = len(tested) * (len(tested) - 1) / 2
    raw = found["p_value"] * tests / (found.index + 1)
    found["q_value"] = raw[::-1].cummin()[::-1].clip(upper=1)
    return found
