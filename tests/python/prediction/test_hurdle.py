"""Hurdle models are calibrated on customers that they did not learn from."""

import numpy as np
import pytest

from customer_segmentation.prediction.feature_kinds import Numbers
from customer_segmentation.prediction.purchases.hurdle import (
    AmountCalibration,
    HurdleAmount,
)

CUSTOMERS, COLUMNS, FITS = 400, 60, 20


def customers(rng: np.random.Generator, count: int) -> tuple[Numbers, Numbers]:
    """Return many columns, of which two tell something, and amounts."""
    columns = rng.normal(size=(count, COLUMNS))
    is_buyer = rng.random(count) < 1 / (1 + np.exp(-0.8 * columns[:, 0]))
    means = 3 + 0.8 * columns[:, 0] + 0.3 * columns[:, 1]
    return columns, is_buyer * rng.lognormal(means, 1.0)


def slope(expected: Numbers, actual: Numbers) -> float:
    """Return by how much outcomes rise with what is expected: by 1 if calibrated."""
    found: float = np.cov(expected, actual)[0, 1] / np.var(expected)
    return found


def test_outcomes_of_other_customers_rise_with_what_is_expected() -> None:
    rng = np.random.default_rng(0)
    unknown, outcomes = customers(rng, 50_000)
    slopes, slopes_in_sample, totals = [], [], []
    for _ in range(FITS):
        columns, amounts = customers(rng, CUSTOMERS)
        model = HurdleAmount(0.02, 100.0).fit(columns, amounts)
        expected = model.predict(unknown)
        slopes.append(slope(expected, outcomes))
        totals.append(expected.mean() / outcomes.mean())
        model.calibration_ = AmountCalibration().fit(model._scores(columns), amounts)
        slopes_in_sample.append(slope(model.predict(unknown), outcomes))
    assert np.median(slopes_in_sample) < 0.7
    assert np.median(slopes) == pytest.approx(1, abs=0.15)
    assert np.median(totals) == pytest.approx(1, abs=0.1)
