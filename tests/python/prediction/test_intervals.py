"""Four of five outcomes lie in the interval, although many outcomes are 0."""

import numpy as np
import pytest

from customer_segmentation.prediction.metrics import coverage
from customer_segmentation.prediction.purchases.intervals import SpendInterval


def customers(seed: int, count: int, nothing: float) -> tuple[np.ndarray, np.ndarray]:
    """Return expected and actual spend; small customers often spend nothing."""
    rng = np.random.default_rng(seed)
    expected = rng.lognormal(5, 1.5, count)
    chance = np.clip(nothing * (150 / expected) ** 0.3, 0, 1)
    spent = expected * rng.lognormal(-0.5, 1, count)
    return expected, np.where(rng.random(count) < chance, 0.0, spent)


@pytest.mark.parametrize("nothing", [0.0, 0.05, 0.4, 0.9])
@pytest.mark.parametrize("count", [400, 4_000])
def test_intervals_cover_their_share_of_others(nothing: float, count: int) -> None:
    found = []
    for seed in range(20):
        expected, actual = customers(seed, 2 * count, nothing)
        interval = SpendInterval().fit(expected[:count], actual[:count])
        low, high = interval.predict(expected[count:])
        found.append(coverage(low, high, actual[count:]))
    # customers who spend nothing are all inside or all outside
    most = max(0.82, nothing + 0.09)
    assert 0.78 <= np.mean(found) <= most


def test_small_and_large_customers_are_covered_alike() -> None:
    expected, actual = customers(0, 20_000, 0.3)
    interval = SpendInterval().fit(expected[:10_000], actual[:10_000])
    low, high = interval.predict(expected[10_000:])
    order = np.argsort(expected[10_000:])
    for part in np.array_split(order, 5):
        held = coverage(low[part], high[part], actual[10_000:][part])
        assert 0.75 <= held <= 0.86


def test_the_interval_of_small_customers_begins_at_zero() -> None:
    expected, actual = customers(1, 2_000, 0.5)
    low, high = SpendInterval().fit(expected, actual).predict(expected)
    assert (low[expected < 100] == 0).all()
    assert (high[expected > 50] > low[expected > 50]).all()


def test_ends_are_ordered_and_not_below_zero() -> None:
    expected, actual = customers(2, 500, 0.2)
    interval = SpendInterval().fit(expected, actual)
    low, high = interval.predict(np.array([0.0, 1e-9, 1.0, 1e9]))
    assert (low >= 0).all()
    assert (high >= low).all()
    assert np.isfinite(high).all()


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (np.zeros(50), np.zeros(50)),
        (np.zeros(50), np.arange(50.0)),
        (np.full(50, 9.0), np.arange(50.0)),
        (np.arange(50.0), np.zeros(50)),
        (np.ones(1), np.ones(1)),
        (np.repeat([0.0, 5.0], 300), np.arange(600.0)),
    ],
)
def test_equal_predictions_or_outcomes_have_intervals_too(
    expected: np.ndarray, actual: np.ndarray
) -> None:
    low, high = SpendInterval().fit(expected, actual).predict(expected)
    assert np.isfinite(low).all()
    assert coverage(low, high, actual) >= 0.78


def test_the_order_of_customers_does_not_matter() -> None:
    expected, actual = customers(3, 1_000, 0.3)
    # with many equal expectations
    expected = np.round(expected, -2)
    order = np.random.default_rng(0).permutation(1_000)
    one = SpendInterval().fit(expected, actual).predict(expected)
    other = SpendInterval().fit(expected[order], actual[order]).predict(expected)
    np.testing.assert_array_equal(one, other)
