"""Intervals hold their value and what they should; noise has a floor."""

from functools import partial

import numpy as np
import pytest
from scipy.stats import bootstrap as scipys_bootstrap

from customer_segmentation.prediction import metrics
from customer_segmentation.prediction.interval_metrics import (
    coverage_above_zero,
    interval_score,
    mean_width,
)
from customer_segmentation.prediction.metrics import coverage
from customer_segmentation.prediction.resampling import (
    Resampled,
    by_counts,
    counts_of_customers,
    resample,
)

PAIRS = [
    *(metrics.spearman, metrics.normalised_gini, metrics.auc, metrics.decile_error),
    *(metrics.decile_mape, metrics.calibration_error, metrics.mean_absolute_error),
    *(metrics.total_ratio, metrics.binary_log_loss),
]
DEVIATIONS = {
    metrics.decile_error: metrics.error_of_means,
    metrics.decile_mape: metrics.mape_of_means,
}


def calibrated(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return expected and actual spend; nothing is wrong with what is expected."""
    rng = np.random.default_rng(seed)
    expected = rng.lognormal(4, 1, count)
    has_returned = rng.random(count) < 0.4
    spend = expected / 0.4 * rng.lognormal(-0.125, 0.5, count)
    return expected, np.where(has_returned, spend, 0.0)


def resampled(
    measure: metrics.Measure, *columns: np.ndarray, draws: int = 300
) -> Resampled:
    found = resample({"it": by_counts(measure, *columns)}, len(columns[0]), draws)
    return Resampled(measure(*columns), *found["it"], measure in DEVIATIONS)


@pytest.mark.parametrize("measure", PAIRS)
@pytest.mark.parametrize("rounding", [0, 1])
def test_counts_give_what_repeated_rows_give(measure, rounding) -> None:
    rng = np.random.default_rng(0)
    predicted = rng.random(200).round(rounding + 1)
    actual = np.where(rng.random(200) < 0.4, 0.0, rng.random(200).round(rounding + 1))
    of_counts = by_counts(measure, predicted, actual)
    assert of_counts(np.ones(200)) == pytest.approx(measure(predicted, actual))
    # with equal predictions, deciles depend on the order of the rows
    for _, counts in counts_of_customers(200, 20):
        often = counts.astype(int)
        expected = measure(np.repeat(predicted, often), np.repeat(actual, often))
        assert of_counts(counts) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    "measure", [coverage, coverage_above_zero, interval_score, mean_width]
)
def test_counts_give_the_metrics_of_repeated_intervals(measure) -> None:
    rng = np.random.default_rng(0)
    ends = np.sort(rng.random((2, 50)), axis=0)
    ends[:, :20] = 0
    columns = ends if measure is mean_width else [*ends, rng.random(50)]
    of_counts = by_counts(measure, *columns)
    for _, counts in counts_of_customers(50, 20):
        repeated = (np.repeat(column, counts.astype(int)) for column in columns)
        assert of_counts(counts) == pytest.approx(measure(*repeated))
    nothing = np.zeros((2, 3))
    of_nothing = by_counts(coverage_above_zero, *nothing, np.ones(3))
    assert np.isnan(of_nothing(np.ones(3)))


def test_other_metrics_are_of_repeated_rows() -> None:
    ranks = np.array([1.0, 2.0, 5.0])
    hits = by_counts(partial(metrics.hit_share, top=3), ranks)
    assert hits(np.array([1.0, 0.0, 3.0])) == 0.25


def test_the_interval_is_bca() -> None:
    values = np.random.default_rng(1).lognormal(size=80)
    found = resampled(lambda one: float(one.mean()), values, draws=4_000).interval()
    scipys = scipys_bootstrap(
        (values,), np.mean, n_resamples=4_000, method="BCa", rng=0
    ).confidence_interval
    width = scipys.high - scipys.low
    assert found == pytest.approx(tuple(scipys), abs=0.05 * width)


@pytest.mark.parametrize("measure", [*DEVIATIONS, metrics.spearman])
def test_an_interval_holds_its_value(measure) -> None:
    outside = 0
    for seed in range(30):
        found = resampled(measure, *calibrated(seed, 200), draws=100)
        low, high = found.interval()
        assert low <= found.value <= high
        below, above = metrics.interval_of(found.drawn)
        outside += not below <= found.value <= above
    # the percentiles of a deviation are above it too often
    assert outside > 0 or measure is metrics.spearman


@pytest.mark.parametrize("measure", DEVIATIONS)
def test_intervals_hold_what_other_customers_give(measure) -> None:
    expected = np.mean([measure(*calibrated(10_000 + n, 300)) for n in range(500)])
    held = 0
    for seed in range(100):
        low, high = resampled(measure, *calibrated(seed, 300), draws=100).interval()
        held += low <= expected <= high
    assert held >= 90


@pytest.mark.parametrize("measure", DEVIATIONS)
@pytest.mark.parametrize("count", [300, 3_000])
def test_a_calibrated_model_is_at_the_noise_floor(measure, count) -> None:
    shops = [calibrated(seed, count) for seed in range(100)]
    floor = np.mean([metrics.noise_floor(DEVIATIONS[measure], *shop) for shop in shops])
    assert np.mean([measure(*shop) for shop in shops]) == pytest.approx(floor, rel=0.15)


def test_a_probability_has_a_noise_floor_too() -> None:
    rng = np.random.default_rng(0)
    of = metrics.distance_of_means
    errors, floors = [], []
    for _ in range(100):
        probability = rng.random(500)
        happened = (rng.random(500) < probability).astype(float)
        errors.append(metrics.calibration_error(probability, happened))
        floors.append(metrics.noise_floor(of, probability, happened))
    assert np.mean(errors) == pytest.approx(np.mean(floors), rel=0.1)


def test_a_model_differs_from_itself_by_nothing() -> None:
    found = resampled(metrics.decile_error, *calibrated(0, 100), draws=50)
    assert (found - found).interval() == (0, 0)


def test_without_customers_or_resamples_there_is_no_interval() -> None:
    nobody = np.array([])
    for found in (
        resampled(metrics.mean_absolute_error, nobody, nobody),
        resampled(metrics.mean_absolute_error, *calibrated(0, 50), draws=0),
    ):
        assert np.isnan(found.interval()).all()
