"""Buy-till-you-die candidates count purchases, as their outcomes do, and not days."""

import numpy as np
import pandas as pd
import pytest
from simulated_customers import simulate_bg_nbd, with_parameters

from customer_segmentation.prediction.btyd import BgNbd, GammaGamma
from customer_segmentation.prediction.purchases.lifetime import (
    Lifetime,
    PurchasesPerDay,
)

CUSTOMERS = 20_000
RATE, SPREAD = 0.3, 0.5


def test_rates_of_customers_are_found_and_shrunk() -> None:
    rng = np.random.default_rng(0)
    days = 1.0 + rng.poisson(4, CUSTOMERS)
    rates = rng.gamma(RATE / SPREAD, SPREAD, CUSTOMERS)
    further = rng.poisson(rates * days).astype(float)
    model = PurchasesPerDay().fit(days + further, days)
    assert model.rate_ == pytest.approx(RATE, rel=0.03)
    # the variance of the rates over their mean
    assert model.weight_ == pytest.approx(SPREAD, rel=0.05)
    found = model.predict(days + further, days)
    errors = {
        name: np.mean((guess - 1 - rates) ** 2)
        for name, guess in (
            ("shrunk", found),
            ("own", 1 + further / days),
            ("of all", np.full(CUSTOMERS, 1 + RATE)),
        )
    }
    assert errors["shrunk"] < 0.8 * min(errors["own"], errors["of all"])
    # the same share of purchases, and another number of days
    few, many = model.predict(np.array([2.0, 40.0]), np.array([1.0, 20.0]))
    assert 1 + RATE < few < many < 2


@pytest.mark.parametrize(
    ("purchases", "days", "expected"),
    [
        ([1.0, 3.0], [1.0, 3.0], [1.0, 1.0]),
        ([0.0, 0.0], [0.0, 0.0], [1.0, 1.0]),
        ([6.0], [3.0], [2.0]),
        # customers do not differ more than chance makes them
        ([4.0, 6.0], [2.0, 3.0], [2.0, 2.0]),
    ],
)
def test_rates_of_few_customers_are_those_of_all(
    purchases: list[float], days: list[float], expected: list[float]
) -> None:
    numbers = np.array(purchases), np.array(days)
    found = PurchasesPerDay().fit(*numbers).predict(*numbers)
    assert found.tolist() == expected


def test_customers_who_buy_twice_a_day_are_expected_to() -> None:
    """The total is that of the outcomes, and return and spend count days as before."""
    rng = np.random.default_rng(1)
    truth = with_parameters(BgNbd, 0.8, 60.0, 0.8, 6.0)
    drawn = simulate_bg_nbd(truth, np.full(CUSTOMERS, 365.0), 180.0, rng)
    # days are whole, and a day has one purchase at most
    repeats = np.minimum(drawn.frequency, np.floor(drawn.recency))
    is_repeat = repeats > 0
    twice = rng.random(CUSTOMERS) < 0.5
    value = 20.0 * rng.gamma(8.0, 1 / 8, CUSTOMERS)
    features = pd.DataFrame(
        {
            "purchase_days": repeats + 1,
            "interpurchase_days": np.where(
                is_repeat, drawn.recency / np.maximum(repeats, 1), np.nan
            ),
            "recency_days": drawn.age - np.where(is_repeat, drawn.recency, 0),
            "frequency": (repeats + 1) * np.where(twice, 2, 1),
            "monetary": value * (repeats + 1),
        }
    )
    purchases = drawn.purchases * np.where(twice, 2, 1)
    outcomes = pd.DataFrame(
        {
            "has_returned": purchases > 0,
            "purchases": purchases,
            "spend": value * drawn.purchases,
        }
    )
    model = Lifetime(BgNbd(1.0), GammaGamma(1.0)).fit(features, outcomes, 180)
    found = model.predict(features)
    assert found.purchases.sum() == pytest.approx(purchases.sum(), rel=0.05)
    assert found.spend is not None
    assert found.spend.sum() == pytest.approx(outcomes["spend"].sum(), rel=0.05)
    assert found.return_probability.mean() == pytest.approx(
        outcomes["has_returned"].mean(), rel=0.05
    )
    # what was counted before: purchase days
    without = features.assign(frequency=features["purchase_days"])
    days = Lifetime(BgNbd(1.0), GammaGamma(1.0)).fit(without, outcomes, 180)
    assert days.predict(without).purchases.sum() < 0.75 * purchases.sum()
    np.testing.assert_array_equal(days.predict(without).spend, found.spend)
