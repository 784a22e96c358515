"""Four of five outcomes lie in the interval of each kind of customer."""

import numpy as np
import pytest

from customer_segmentation.prediction.metrics import coverage
from customer_segmentation.prediction.purchases.expected import (
    Expected,
)
from customer_segmentation.prediction.purchases.intervals import (
    Interval,
    SpendQuantiles,
)


def customers(seed: int, count: int, nothing: float) -> tuple[Expected, np.ndarray]:
    """Return expected and actual spend; small customers often spend nothing.

    The spend of those who hardly return is spread more widely.
    """
    rng = np.random.default_rng(seed)
    spend = rng.lognormal(5, 1.5, count)
    chance = np.clip(
        nothing * (150 / spend) ** 0.3 * rng.lognormal(0, 0.5, count), 0, 1
    )
    scale = 0.4 + 0.6 * chance
    spent = spend * rng.lognormal(-(scale**2) / 2, scale, count)
    actual = np.where(rng.random(count) < chance, 0.0, spent)
    return Expected(1 - chance, 3 * (1 - chance), spend * (1 - chance)), actual


def take(expected: Expected, rows: slice | np.ndarray) -> Expected:
    assert expected.spend is not None
    return Expected(
        expected.return_probability[rows],
        expected.purchases[rows],
        expected.spend[rows],
    )


def fitted(
    expected: Expected, actual: np.ndarray, count: int
) -> tuple[Interval, Expected, np.ndarray]:
    """Return what the first customers tell of the others."""
    model = SpendQuantiles().fit(take(expected, slice(count)), actual[:count])
    others = take(expected, slice(count, None))
    return model.predict(others), others, actual[count:]


def quantiles_of(expected: Expected, actual: np.ndarray) -> Interval:
    return SpendQuantiles().fit(expected, actual).predict(expected)


def the_same(count: int, spend: np.ndarray) -> Expected:
    """Return expectations that tell customers apart by their spend only."""
    return Expected(np.full(count, 0.7), np.full(count, 2.0), spend)


@pytest.mark.parametrize("nothing", [0.0, 0.05, 0.4, 0.9])
@pytest.mark.parametrize("count", [400, 4_000])
def test_intervals_cover_their_share_of_others(nothing: float, count: int) -> None:
    found, least = [], []
    for seed in range(20):
        interval, others, actual = fitted(*customers(seed, 2 * count, nothing), count)
        found.append(coverage(interval.low, interval.high, actual))
        # who spends nothing is inside, however many they are
        least.append(np.maximum(0.8, 1 - others.return_probability).mean())
    assert 0.78 <= np.mean(found) <= np.mean(least) + 0.02


@pytest.mark.parametrize("nothing", [0.1, 0.3, 0.6])
def test_customers_of_every_spend_and_probability_are_covered_alike(
    nothing: float,
) -> None:
    interval, others, actual = fitted(*customers(0, 40_000, nothing), 20_000)
    for by in (others.spend, others.return_probability):
        assert by is not None
        for tenth in np.array_split(np.argsort(by, kind="stable"), 10):
            held = coverage(*(one[tenth] for one in interval[::2]), actual[tenth])
            least = np.maximum(0.8, 1 - others.return_probability[tenth]).mean()
            assert 0.75 <= held <= least + 0.05


def test_customers_of_one_spend_have_the_interval_of_their_probability() -> None:
    rng = np.random.default_rng(1)
    chance = np.repeat([0.05, 0.5, 0.98], 2_000)
    spent = np.where(rng.random(6_000) < chance, rng.lognormal(4, 0.7, 6_000), 0.0)
    # all of them are expected to spend the same, if a model knew no better
    expected = Expected(chance, 2 * chance, np.full(6_000, 30.0))
    found = quantiles_of(expected, spent)
    rare, half, certain = (
        Interval(*(float(np.median(one[chance == value])) for one in found))
        for value in (0.05, 0.5, 0.98)
    )
    assert rare == (0, 0, 0)
    middle = np.exp(4)
    # 80 % of all are 60 % of those who spend
    assert half.low == 0
    assert half.high == pytest.approx(middle * np.exp(0.7 * 0.2533), rel=0.1)
    assert certain.low == pytest.approx(middle * np.exp(0.7 * -1.395), rel=0.15)
    assert certain.median == pytest.approx(middle, rel=0.1)
    assert certain.high == pytest.approx(middle * np.exp(0.7 * 1.27), rel=0.15)


def test_the_median_halves_the_outcomes() -> None:
    interval, others, actual = fitted(*customers(2, 20_000, 0.2), 10_000)
    for fifth in np.array_split(np.argsort(others.return_probability), 5):
        above = np.mean(actual[fifth] > interval.median[fifth])
        # half of the customers, or all who spend if they are fewer
        expected = np.minimum(0.5, others.return_probability[fifth]).mean()
        assert above == pytest.approx(expected, abs=0.04)


def test_the_interval_begins_at_zero_if_a_tenth_may_spend_nothing() -> None:
    expected, actual = customers(3, 8_000, 0.2)
    found = quantiles_of(expected, actual)
    assert (found.low[expected.return_probability < 0.85] == 0).all()
    assert (found.low[expected.return_probability > 0.95] > 0).all()


@pytest.mark.parametrize("nothing", [0.0, 0.2, 0.8])
def test_ends_are_ordered_and_not_below_zero(nothing: float) -> None:
    model = SpendQuantiles().fit(*customers(4, 500, nothing))
    every = np.array([0.0, 1e-9, 0.1, 0.9, 1.0])
    returns, spend = (
        one.ravel() for one in np.meshgrid(every, [0.0, 1e-9, 1.0, 1e9, 1e12])
    )
    found = model.predict(Expected(returns, returns, spend))
    assert (found.low >= 0).all()
    assert (found.median >= found.low).all()
    assert (found.high >= found.median).all()
    assert np.isfinite(found.high).all()


def test_beyond_what_was_learned_the_interval_grows_with_the_spend() -> None:
    expected, actual = customers(5, 1_000, 0.0)
    assert expected.spend is not None
    most = float(expected.spend.max())
    beyond = Expected(np.ones(2), np.full(2, 3.0), np.array([2 * most, 20 * most]))
    found = SpendQuantiles().fit(expected, actual).predict(beyond)
    for ends in found:
        assert ends[1] / ends[0] == pytest.approx(10, rel=0.01)


@pytest.mark.parametrize(
    ("spend", "actual"),
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
    spend: np.ndarray, actual: np.ndarray
) -> None:
    found = quantiles_of(the_same(len(spend), spend), actual)
    assert np.isfinite(found).all()
    assert coverage(found.low, found.high, actual) >= 0.78


def test_nobody_who_spends_gives_no_spend() -> None:
    expected, _ = customers(6, 100, 0.5)
    assert not np.any(quantiles_of(expected, np.zeros(100)))


def test_the_order_of_customers_does_not_matter() -> None:
    expected, actual = customers(7, 1_000, 0.3)
    assert expected.spend is not None
    # with many equal expectations
    expected = the_same(1_000, np.round(expected.spend, -2))
    order = np.random.default_rng(0).permutation(1_000)
    one = SpendQuantiles().fit(expected, actual).predict(expected)
    other = SpendQuantiles().fit(take(expected, order), actual[order]).predict(expected)
    np.testing.assert_array_equal(one, other)
