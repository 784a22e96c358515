"""Intervals hold their value and what they should; noise has a floor."""

import numpy as np
import pytest
from scipy.stats import bootstrap as scipys_bootstrap

from customer_segmentation.prediction import metrics
from customer_segmentation.prediction.counted_metrics import by_counts
from customer_segmentation.prediction.draws import counts_of_customers
from customer_segmentation.prediction.interval_metrics import (
    coverage_above_zero,
    interval_score,
    mean_width,
)
from customer_segmentation.prediction.resampling import Resampled

PAIRS = [
    *(metrics.spearman, metrics.normalised_gini, metrics.auc, metrics.decile_error),
    *(metrics.decile_mape, metrics.calibration_error, metrics.mean_absolute_error),
    *(metrics.total_ratio, metrics.total_error, metrics.binary_log_loss),
]
DEVIATIONS = [metrics.decile_error, metrics.decile_mape]


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
    return Resampled.of(measure, *columns, resamples=draws)


@pytest.mark.parametrize("measure", PAIRS)
@pytest.mark.parametrize("rounding", [0, 1])
def test_counts_give_what_repeated_rows_give(measure, rounding) -> None:
    rng = np.random.default_rng(0)
    predicted = rng.random(200).round(rounding + 1)
    actual = np.where(rng.random(200) < 0.4, 0.0, rng.random(200).round(rounding + 1))
    of_counts = by_counts({"it": measure}, predicted, actual)["it"]
    whole = measure(predicted, actual)
    assert of_counts(np.ones((1, 200))) == pytest.approx([whole])
    # with equal predictions, deciles depend on the order of the rows
    for _, counts in counts_of_customers(200, 20):
        expected = [
            measure(np.repeat(predicted, often), np.repeat(actual, often))
            for often in counts.astype(int)
        ]
        assert of_counts(counts) == pytest.approx(expected, nan_ok=True)


def test_metrics_of_the_same_counts_are_those_of_each_metric_alone() -> None:
    columns = calibrated(0, 200)
    together = by_counts({measure.__name__: measure for measure in PAIRS}, *columns)
    for _, counts in counts_of_customers(200, 20):
        for measure in PAIRS:
            alone = by_counts({"it": measure}, *columns)["it"](counts)
            assert together[measure.__name__](counts).tolist() == alone.tolist()


@pytest.mark.parametrize(
    ("measure", "columns"),
    [
        (metrics.share, [[1, 0, 0]]),
        (metrics.mean_reciprocal_rank, [[1, 2, 5]]),
        (metrics.log_loss, [[0.5, 0, 1]]),
        (metrics.coverage, [[0, 1, 2], [1, 1, 3], [1, 2, 2]]),
    ],
)
def test_means_count_each_customer_as_often_as_it_is_drawn(measure, columns) -> None:
    arrays = [np.array(column, dtype=float) for column in columns]
    repeated = [np.repeat(column, [1, 0, 3]) for column in arrays]
    found = by_counts({"it": measure}, *arrays)["it"](np.array([[1.0, 0.0, 3.0]]))
    assert found == pytest.approx([measure(*repeated)])


@pytest.mark.parametrize(
    "measure", [metrics.coverage, coverage_above_zero, interval_score, mean_width]
)
def test_counts_give_the_metrics_of_repeated_intervals(measure) -> None:
    rng = np.random.default_rng(0)
    ends = np.sort(rng.random((2, 50)), axis=0)
    ends[:, :20] = 0
    columns = [*ends] if measure is mean_width else [*ends, rng.random(50)]
    of_counts = by_counts({"it": measure}, *columns)["it"]
    for _, counts in counts_of_customers(50, 20):
        expected = [
            measure(*(np.repeat(column, often) for column in columns))
            for often in counts.astype(int)
        ]
        assert of_counts(counts) == pytest.approx(expected)


def test_without_intervals_above_zero_they_cover_nothing() -> None:
    nothing = np.zeros((2, 3))
    found = by_counts({"it": coverage_above_zero}, *nothing, np.ones(3))["it"]
    assert np.isnan(found(np.ones((1, 3)))).all()


def test_the_interval_is_bca() -> None:
    values = np.random.default_rng(1).lognormal(size=80)
    found = resampled(metrics.share, values, draws=4_000).interval()
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
        below, above = np.quantile(found.drawn, [0.025, 0.975])
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
    floor = np.mean([metrics.noise_floor(measure, *shop) for shop in shops])
    assert np.mean([measure(*shop) for shop in shops]) == pytest.approx(floor, rel=0.15)


def test_a_probability_has_a_noise_floor_too() -> None:
    rng = np.random.default_rng(0)
    errors, floors = [], []
    for _ in range(100):
        probability = rng.random(500)
        happened = (rng.random(500) < probability).astype(float)
        errors.append(metrics.calibration_error(probability, happened))
        floors.append(
            metrics.noise_floor(metrics.calibration_error, probability, happened)
        )
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


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    covered = 0
    for draw in range(200):
        is_one = (np.random.default_rng(draw).random(60) < 0.5).astype(float)
        low, high = resampled(metrics.share, is_one, draws=200).interval()
        covered += low <= 0.5 <= high
    # of 200, 95 % give 190 with a standard deviation of 3
    assert 180 <= covered <= 198


def test_resamples_are_repeatable() -> None:
    one, other = (resampled(metrics.spearman, *calibrated(0, 100)) for _ in range(2))
    assert (one.drawn == other.drawn).all()
    assert (one.without == other.without).all()


def test_two_models_are_compared_on_the_same_resamples() -> None:
    expected, spend = calibrated(0, 500)
    worse = expected + np.random.default_rng(0).normal(0, 1e-6, 500)
    mae = metrics.mean_absolute_error
    better = resampled(mae, expected, spend)
    differences = (resampled(mae, worse, spend) - better).drawn
    assert np.ptp(differences) < 1e-6 < np.ptp(better.drawn)
