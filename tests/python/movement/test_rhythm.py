"""The rhythm of a shop: usual intervals, momentum, and the level of a season."""

import numpy as np
import pytest

from customer_segmentation.movement.rhythm import (
    MAX_SHIFT,
    BuyingHistories,
    Rhythm,
    level_shift,
    shifted,
)

RHYTHM = Rhythm(r=0.8, alpha=60.0, s=0.5, beta=200.0)
HORIZON = 90


def histories(*rows: tuple[float, float, float, float]) -> BuyingHistories:
    """Return histories of repeats, span, age and last interval."""
    return BuyingHistories(
        *(np.array(column, dtype=float) for column in zip(*rows, strict=True))
    )


def drawn(customers: int, seed: int) -> tuple[BuyingHistories, np.ndarray]:
    """Draw customers of the rhythm, and whether they come back within the horizon.

    A customer buys at a constant rate until an exponential time of leaving.
    """
    rng = np.random.default_rng(seed)
    rows, returned = [], []
    for age in rng.integers(30, 700, customers):
        rate = rng.gamma(RHYTHM.r, 1 / RHYTHM.alpha)
        leaves_at = rng.exponential(1 / rng.gamma(RHYTHM.s, 1 / RHYTHM.beta))
        end = min(leaves_at, age + HORIZON)
        times = np.cumsum(rng.exponential(1 / rate, rng.poisson(rate * end) + 60))
        days = np.unique(np.ceil(times[times < end]))
        past = np.concatenate([[0.0], days[days < age]])
        last = past[-1] - past[-2] if len(past) > 1 else 0.0
        rows.append((len(past) - 1.0, past[-1], float(age), last))
        returned.append(bool((days >= age).any()))
    return histories(*rows), np.array(returned)


def test_few_purchases_draw_the_usual_interval_to_that_of_the_shop() -> None:
    every_ten_days = histories(
        (0, 0, 30, 0), (1, 10, 30, 10), (5, 50, 60, 10), (200, 2_000, 2_010, 10)
    )
    usual = RHYTHM.usual_interval(every_ten_days)
    assert usual[0] == RHYTHM.alpha / RHYTHM.r
    assert (np.diff(usual) < 0).all()
    assert usual[-1] == pytest.approx(10, rel=0.03)


def test_momentum_falls_with_silence_and_faster_for_frequent_customers() -> None:
    silence = (0.0, 30.0, 60.0, 120.0, 365.0)
    rare = histories(*((2, 200, 200 + days, 100) for days in silence))
    frequent = histories(*((40, 200, 200 + days, 5) for days in silence))
    slow, fast = (RHYTHM.momentum(one, HORIZON) for one in (rare, frequent))
    for momentum in (slow, fast):
        assert momentum[0] == 1
        assert (np.diff(momentum) < 0).all()
    assert (fast[2:] < slow[2:]).all()


def test_before_the_last_purchase_a_customer_had_one_less() -> None:
    now = histories((3, 90, 100, 60), (1, 50, 55, 50), (0, 0, 9, 0))
    before = now.before_last_purchase()
    assert before.repeats.tolist() == [2, 0, 0]
    assert before.span.tolist() == [30, 0, 0]
    assert before.age.tolist() == [90, 50, 9]


def test_a_long_gap_had_cost_the_momentum_that_a_return_gives_back() -> None:
    won_back = histories((11, 700, 705, 600))
    assert RHYTHM.momentum(won_back.before_last_purchase(), HORIZON)[0] < 0.1
    assert RHYTHM.momentum(won_back, HORIZON)[0] > 0.8


def test_fit_finds_the_rhythm_and_its_probabilities_come_true() -> None:
    cohort, returned = drawn(3_000, seed=1)
    fitted = Rhythm.fit(cohort)
    assert fitted.alpha / fitted.r == pytest.approx(RHYTHM.alpha / RHYTHM.r, rel=0.15)
    expected = fitted.return_probability(cohort, HORIZON)
    for group in np.array_split(np.argsort(expected, kind="stable"), 5):
        error = np.sqrt(0.25 / len(group))
        assert abs(expected[group].mean() - returned[group].mean()) < 3 * error


def test_level_moves_the_mean_to_the_share_that_returned() -> None:
    expected = np.linspace(0.01, 0.99, 5_000)
    returned = np.arange(5_000) % 10 < 7
    shift = level_shift(expected, returned)
    assert shifted(expected, shift).mean() == pytest.approx(0.7, abs=0.005)


def test_level_of_few_customers_is_hardly_moved() -> None:
    assert 0 < level_shift(np.array([0.5, 0.5]), np.array([True, True])) < 0.1


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_level_is_finite_if_all_or_none_returned(share: float) -> None:
    returned = np.full(100_000, bool(share))
    for probability in (1e-9, 0.5, 1 - 1e-9):
        shift = level_shift(np.full(100_000, probability), returned)
        assert abs(shift) <= MAX_SHIFT
