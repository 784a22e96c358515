"""Predictions are those of the published formulas, and come true in simulations."""

import math

import numpy as np
import pytest
from scipy.special import hyp2f1
from simulated_customers import (
    simulate_bg_nbd,
    simulate_pareto_nbd,
    simulate_values,
    with_parameters,
)

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.btyd import BgNbd, GammaGamma, ParetoNbd
from customer_segmentation.prediction.feature_kinds import Numbers

MODELS = {
    "bg_nbd": with_parameters(BgNbd, 0.5, 20.0, 0.8, 2.5),
    "pareto_nbd": with_parameters(ParetoNbd, 0.55, 40.0, 0.6, 80.0),
}
SIMULATE = {BgNbd: simulate_bg_nbd, ParetoNbd: simulate_pareto_nbd}
EXTREME = (1e-3, 1e-2, 0.5, 1.0, 2.0, 40.0, 1e3)


def histories() -> tuple[Numbers, Numbers, Numbers]:
    """Return 300 histories of all sorts, in days."""
    rng = np.random.default_rng(0)
    x = np.floor(rng.lognormal(0, 1.5, 300))
    end = rng.uniform(1, 700, 300)
    return x, np.where(x > 0, end * rng.uniform(0.01, 1, 300), 0), end


@pytest.mark.parametrize("a", [0.8, 1.3, 4.0])
def test_purchases_of_bg_nbd_are_those_of_the_paper(a: float) -> None:
    r, alpha, b = 0.5, 20.0, 2.5
    x, t, end = histories()
    # equation 10 of the paper
    z = 90 / (alpha + end + 90)
    grown = hyp2f1(r + x, b + x, a + b + x - 1, z)
    left = 1 - ((alpha + end) / (alpha + end + 90)) ** (r + x) * grown
    odds = a / (b + np.maximum(x, 1) - 1) * ((alpha + end) / (alpha + t)) ** (r + x)
    expected = (a + b + x - 1) / (a - 1) * left / (1 + np.where(x > 0, odds, 0))
    found = with_parameters(BgNbd, r, alpha, a, b).expected_purchases(90, x, t, end)
    assert found == pytest.approx(expected, rel=1e-6)


def test_purchases_of_bg_nbd_have_no_gap_at_one() -> None:
    x, t, end = histories()
    around = [
        with_parameters(BgNbd, 0.5, 20.0, a, 2.5).expected_purchases(90, x, t, end)
        for a in (1 - 1e-9, 1.0, 1 + 1e-9)
    ]
    assert around[0] == pytest.approx(around[1], rel=1e-8)
    assert around[2] == pytest.approx(around[1], rel=1e-8)


@pytest.mark.parametrize("swapped", [False, True])
def test_alive_probability_of_pareto_nbd_is_that_of_the_paper(swapped: bool) -> None:
    r, alpha, s, beta = 0.55, 40.0, 0.6, 80.0
    if swapped:
        alpha, beta = beta, alpha
    x, t, end = histories()
    few = x < 30
    x, t, end = x[few], t[few], end[few]
    # the form of Fader & Hardie (2005), whose powers overflow for many purchases
    larger, shift = max(alpha, beta), abs(alpha - beta)
    first = s + 1 if alpha >= beta else r + x

    def grown(time: Numbers) -> Numbers:
        power = (larger + time) ** (r + s + x)
        return hyp2f1(r + s + x, first, r + s + x + 1, shift / (larger + time)) / power

    gone = s / (r + s + x) * (grown(t) - grown(end))
    alive = 1 / (1 + gone * (alpha + end) ** (r + x) * (beta + end) ** s)
    found = with_parameters(ParetoNbd, r, alpha, s, beta).alive_probability(x, t, end)
    assert found == pytest.approx(alive, rel=1e-6)


def test_purchases_of_pareto_nbd_have_no_gap_at_one() -> None:
    x, t, end = histories()
    around = [
        with_parameters(ParetoNbd, 0.5, 20.0, s, 40.0).expected_purchases(90, x, t, end)
        for s in (1 - 1e-9, 1.0, 1 + 1e-9)
    ]
    assert around[0] == pytest.approx(around[1], rel=1e-8)
    assert around[2] == pytest.approx(around[1], rel=1e-8)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("horizon", [30.0, 365.0])
def test_predictions_come_true(name: str, horizon: float) -> None:
    model = MODELS[name]
    rng = np.random.default_rng(0)
    ages = rng.integers(0, 730, 100_000).astype(float)
    drawn = SIMULATE[type(model)](model, ages, horizon, rng)
    history = drawn.frequency, drawn.recency, drawn.age
    expected = model.expected_purchases(horizon, *history)
    probability = model.return_probability(horizon, *history)
    for ranked in (expected, drawn.frequency, drawn.age):
        for some in np.array_split(np.argsort(ranked, kind="stable"), 10):
            for actual, predicted in (
                (drawn.purchases, expected),
                (drawn.purchases > 0, probability),
            ):
                missed = actual[some] - predicted[some]
                error = missed.std() / math.sqrt(len(some))
                # 120 comparisons
                assert abs(missed.mean()) < 4 * error


def test_expected_values_come_true() -> None:
    rng = np.random.default_rng(0)
    frequency = rng.geometric(0.4, 100_000) - 1.0
    values = simulate_values(6.0, 4.0, 15.0, frequency, rng)
    expected = with_parameters(GammaGamma, 6.0, 4.0, 15.0).expected_value(
        frequency, values
    )
    # given x and the mean, the rate is gamma(p x + q, v + x mean)
    rate = rng.gamma(6 * frequency + 4, 1 / (15 + frequency * values))
    following = rng.gamma(6.0, 1 / rate)
    for times in (0, 1, 3):
        some = frequency == times
        missed = following[some] - expected[some]
        assert abs(missed.mean()) < 3 * missed.std() / math.sqrt(some.sum())
    assert expected[frequency == 0] == pytest.approx(6 * 15 / 3)


@pytest.mark.parametrize("second", EXTREME)
@pytest.mark.parametrize("first", EXTREME)
def test_extreme_parameters_predict_something_sensible(
    first: float, second: float
) -> None:
    history = histories()
    for model in (
        with_parameters(BgNbd, 0.5, 20.0, first, second),
        with_parameters(BgNbd, first, second, 1.0, 2.0),
        with_parameters(ParetoNbd, first, second, 1.0, 2.0),
        with_parameters(ParetoNbd, 0.5, 20.0, first, second),
    ):
        alive = model.alive_probability(*history)
        returns = model.return_probability(365, *history)
        purchases = model.expected_purchases(365, *history)
        assert ((alive >= 0) & (alive <= 1)).all()
        assert ((returns >= 0) & (returns <= alive)).all()
        assert (purchases >= returns * (1 - 1e-7) - 1e-12).all()
        assert np.isfinite(purchases).all()


@pytest.mark.parametrize("name", MODELS)
def test_a_customer_is_predicted_the_same_in_any_company(name: str) -> None:
    model = MODELS[name]
    history = histories()
    together = model.expected_purchases(365, *history)
    likely = model.return_probability(365, *history)
    for row in range(0, 300, 30):
        alone = [column[[row]] for column in history]
        assert model.expected_purchases(365, *alone)[0] == together[row]
        assert model.return_probability(365, *alone)[0] == likely[row]


@pytest.mark.parametrize("name", MODELS)
def test_nothing_happens_in_no_time(name: str) -> None:
    history = histories()
    assert (MODELS[name].expected_purchases(0, *history) == 0).all()
    nothing = np.zeros(300)
    likely = MODELS[name].return_probability(0, *history)
    assert likely == pytest.approx(nothing, abs=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_who_just_came_is_alive(name: str) -> None:
    assert MODELS[name].alive_probability([0], [0], [0])[0] == pytest.approx(1)
    assert len(MODELS[name].expected_purchases(30, [], [], [])) == 0


@pytest.mark.parametrize("name", MODELS)
def test_an_impossible_horizon_is_refused(name: str) -> None:
    for horizon in (-1, math.nan, math.inf):
        with pytest.raises(InputError, match="horizon"):
            MODELS[name].expected_purchases(horizon, [0], [0], [3])
        with pytest.raises(InputError, match="horizon"):
            MODELS[name].return_probability(horizon, [0], [0], [3])


def test_means_that_do_not_exist_are_infinite() -> None:
    heavy = with_parameters(GammaGamma, 0.4, 0.5, 15.0)
    found = heavy.expected_value([0, 1, 5], [math.nan, 5, 0])
    assert found[:2].tolist() == [math.inf, math.inf]
    assert found[2] == pytest.approx(0.4 * 15 / 1.5)
