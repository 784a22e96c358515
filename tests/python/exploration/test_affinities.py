"""Planted pairs are found; chance, large baskets and habits are no affinities."""

import duckdb
import numpy as np
import pytest
from random_baskets import Shop, compare, draw_shop, load_shuffles, with_pair
from scipy.stats import poisson

from customer_segmentation.exploration import compare_with_chance
from customer_segmentation.exploration.affinities import AFFINITIES
from customer_segmentation.exploration.chance import (
    MonthOfBaskets,
    expected_together,
    poisson_tail,
)

shuffles = load_shuffles()
Q_VALUE = 0.05


def pairs_of(found):
    """Return the significant pairs."""
    chosen = found[found["q_value"] <= Q_VALUE]
    columns = chosen[["entity_number", "other_entity_number"]] - 1
    return set(columns.itertuples(index=False, name=None))


@pytest.mark.parametrize("seed", range(3))
def test_a_planted_pair_is_the_first(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shop = with_pair(draw_shop(rng), 30, 50, rng.choice(1_500, 80, replace=False))
    found = compare(shop)
    assert tuple(found.loc[0, ["entity_number", "other_entity_number"]]) == (31, 51)
    assert found.loc[0, "q_value"] < 1e-4
    assert found.loc[0, "baskets_together"] > 2 * found.loc[0, "expected_baskets"]


def test_baskets_without_affinities_have_none() -> None:
    # BH allows a false discovery in one of twenty shops at most
    found = [
        len(pairs_of(compare(draw_shop(np.random.default_rng(seed)))))
        for seed in range(12)
    ]
    assert sum(count > 0 for count in found) <= 2, found


def test_large_baskets_alone_would_make_much_an_affinity() -> None:
    shop = draw_shop(np.random.default_rng(5))
    found = compare(shop)
    counts = np.bincount([one for basket in shop.baskets for one in basket])
    of_pairs = found[["entity_number", "other_entity_number"]].to_numpy() - 1
    naive = counts[of_pairs].prod(axis=1) / len(shop.baskets)
    plain = poisson.sf(found["baskets_together"] - 1, naive)
    assert (plain < 1e-4).mean() > 0.3
    assert (found["p_value"] < 1e-4).mean() < 0.005


def test_a_habit_of_few_buyers_is_no_affinity() -> None:
    # each buyer has sixty baskets, all with the same two favourites of thirty
    rng = np.random.default_rng(2)
    shop = draw_shop(rng, baskets_of_buyer=60)
    favourites = rng.integers(20, 50, (1_500 // 60, 2))
    baskets = [
        basket | set(favourites[buyer].tolist())
        for basket, buyer in zip(shop.baskets, shop.buyers, strict=True)
    ]
    habits = Shop(baskets, shop.buyers, shop.months)
    strangers = Shop(baskets, range(len(baskets)), shop.months)
    assert len(pairs_of(compare(habits))) <= 1
    # were the baskets independent, the habits would look like affinities
    assert len(pairs_of(compare(strangers))) > 5


def test_products_of_one_season_are_no_affinity() -> None:
    # products 0 and 1 are sold in the first month only
    shop = draw_shop(np.random.default_rng(3), products=40)
    baskets = [
        basket if month == 0 else (basket - {0, 1}) | {20, 21}
        for basket, month in zip(shop.baskets, shop.months, strict=True)
    ]
    seasonal = Shop(baskets, shop.buyers, shop.months)
    all_year = Shop(baskets, shop.buyers, [0] * len(baskets))
    assert (0, 1) not in pairs_of(compare(seasonal))
    assert (0, 1) in pairs_of(compare(all_year))


def margins_of(baskets: list[set[int]]) -> MonthOfBaskets:
    counts = np.bincount([one for basket in baskets for one in basket])
    sizes, of_size = np.unique([len(basket) for basket in baskets], return_counts=True)
    return MonthOfBaskets(np.arange(len(counts)), counts, sizes, of_size)


def test_expectations_are_those_of_shuffled_baskets() -> None:
    rng = np.random.default_rng(0)
    baskets = list(draw_shop(rng, baskets=400, products=20).baskets)
    first, second = np.triu_indices(20, k=1)
    expected = expected_together([margins_of(baskets)], first, second)
    draws = np.array(
        [
            shuffles.pair_counts(shuffles.shuffled(baskets, rng), 20)[first, second]
            for _ in range(30)
        ]
    )
    assert draws.sum(axis=1).tolist() == pytest.approx([expected.sum()] * 30)
    errors = draws.mean(axis=0) - expected
    noise = draws.std(axis=0) / np.sqrt(len(draws))
    assert (np.abs(errors) < 4 * noise + 0.03 * expected).all()
    # no p-value is too low
    p_values = poisson_tail(np.maximum(draws, 1), expected)
    assert (p_values <= 0.05).mean() <= 0.05
    assert (p_values <= 0.01).mean() <= 0.01


def test_shuffles_keep_sizes_and_products() -> None:
    rng = np.random.default_rng(1)
    baskets = list(draw_shop(rng, baskets=200, products=20).baskets)
    mixed = shuffles.shuffled(baskets, rng)
    assert [len(one) for one in mixed] == [len(one) for one in baskets]
    before, after = (
        shuffles.pair_counts(one, 20).diagonal() for one in (baskets, mixed)
    )
    assert before.tolist() == after.tolist()
    assert mixed != baskets


@pytest.mark.parametrize(
    "baskets",
    [
        [{0, 1}] * 9,
        [{0, 1}] * 5 + [{0, 1, 2}] * 5,
        [set(range(20))] * 3 + [{0, 1}] * 30,
        [{0, place} for place in range(1, 20)] * 3,
    ],
    ids=["two products", "in every basket", "the whole shop", "one with all"],
)
def test_margins_that_leave_no_choice_are_no_affinity(baskets: list[set[int]]) -> None:
    products = max(map(max, baskets)) + 1
    first, second = np.triu_indices(products, k=1)
    expected = expected_together([margins_of(baskets)], first, second)
    assert np.isfinite(expected).all()
    assert expected.sum() == pytest.approx(
        sum(len(one) * (len(one) - 1) / 2 for one in baskets), rel=1e-3
    )
    shop = Shop(baskets, range(len(baskets)), [0] * len(baskets))
    assert pairs_of(compare(shop)) == set()


def test_a_shop_of_20_products_has_its_pair() -> None:
    rng = np.random.default_rng(4)
    shop = draw_shop(rng, baskets=500, products=20)
    found = pairs_of(compare(with_pair(shop, 8, 15, rng.choice(500, 60, False))))
    assert (8, 15) in found
    assert len(found) <= 2


def test_the_tail_is_that_of_poisson() -> None:
    together = np.array([1, 3, 40, 900])
    expected = np.array([1e-3, 5.0, 12.5, 100.0])
    assert poisson_tail(together, expected) == pytest.approx(
        poisson.sf(together - 1, expected), rel=1e-9
    )


def test_without_pairs_there_are_no_rows() -> None:
    types = {
        "pairs": AFFINITIES.names[:5],
        "products": ["scope_number", "month_date", "entity_number", "baskets"],
        "baskets": ["scope_number", "month_date", "basket_entities", "baskets"],
    }
    relations = [
        duckdb.sql(f"select {', '.join(f'0::bigint as {one}' for one in names)}").limit(
            0
        )
        for names in types.values()
    ]
    found = compare_with_chance(*relations)
    assert found.schema == AFFINITIES
    assert found.num_rows == 0
