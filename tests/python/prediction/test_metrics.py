"""Measures of predictions: known values, published ones, and what is not defined."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import log_loss, roc_auc_score

from customer_segmentation.prediction.interval_metrics import (
    coverage_above_zero,
    interval_score,
    mean_width,
    tenth_coverage,
)
from customer_segmentation.prediction.metrics import (
    auc,
    binary_log_loss,
    coverage,
    decile_error,
    decile_mape,
    mean_absolute_error,
    normalised_gini,
    spearman,
    total_ratio,
)

RNG = np.random.default_rng(0)
ACTUAL = np.where(RNG.random(500) < 0.4, 0, RNG.lognormal(5, 1.2, 500))
PREDICTED = ACTUAL * RNG.lognormal(0, 1, 500) + 10


def test_error_is_the_mean_distance():
    assert mean_absolute_error(np.array([1.0, 5.0]), np.array([2.0, 2.0])) == 2


def test_rank_correlation_is_scipys():
    expected = spearmanr(PREDICTED, ACTUAL)[0]
    assert spearman(PREDICTED, ACTUAL) == pytest.approx(expected, abs=1e-12)


def test_gini_is_that_of_the_lorenz_curve():
    def of_curve(order_by: np.ndarray) -> float:
        shares = np.cumsum(ACTUAL[np.argsort(-order_by, kind="stable")]) / ACTUAL.sum()
        return shares.mean() - (len(ACTUAL) + 1) / (2 * len(ACTUAL))

    # equal outcomes make no difference to their own curve
    expected = of_curve(PREDICTED) / of_curve(ACTUAL)
    assert normalised_gini(PREDICTED, ACTUAL) == pytest.approx(expected, abs=1e-12)


def test_gini_is_one_for_the_right_order_and_zero_for_none():
    assert normalised_gini(ACTUAL**2, ACTUAL) == pytest.approx(1)
    assert normalised_gini(-ACTUAL, ACTUAL) == pytest.approx(-1)
    assert normalised_gini(np.ones(500), ACTUAL) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("measure", [normalised_gini, spearman])
def test_equal_predictions_count_the_same_in_any_order(measure):
    rounded = np.round(PREDICTED, -2)
    order = RNG.permutation(500)
    assert measure(rounded[order], ACTUAL[order]) == pytest.approx(
        measure(rounded, ACTUAL), abs=1e-12
    )


def test_calibration_compares_deciles():
    predicted = np.repeat(np.arange(1.0, 11), 4)
    actual = predicted.copy()
    assert decile_mape(predicted, actual) == 0
    # one decile of ten is twice its prediction
    actual[:4] *= 2
    assert decile_mape(predicted, actual) == pytest.approx(0.05)
    assert decile_error(predicted, actual) == pytest.approx(1 / 56)


def test_a_decile_without_outcomes_has_no_relative_error():
    actual = np.repeat(np.arange(10.0), 4)
    assert np.isnan(decile_mape(actual, actual))
    assert decile_error(actual, actual) == 0


def test_totals_are_compared_as_a_ratio():
    assert total_ratio(np.array([1.0, 2.0]), np.array([0.0, 6.0])) == 0.5


def test_customers_who_return_have_higher_probabilities():
    returned = np.array([0, 0, 1, 1])
    assert auc(np.array([0.1, 0.4, 0.35, 0.8]), returned) == 0.75
    assert binary_log_loss(np.full(4, 0.5), returned) == pytest.approx(np.log(2))


def test_area_and_loss_are_scikit_learns():
    probability = np.round(RNG.random(500), 2)
    returned = (RNG.random(500) < probability).astype(int)
    assert auc(probability, returned) == pytest.approx(
        roc_auc_score(returned, probability), abs=1e-12
    )
    probability = np.clip(probability, 0.01, 0.99)
    assert binary_log_loss(probability, returned) == pytest.approx(
        log_loss(returned, probability), abs=1e-12
    )


def test_coverage_includes_the_ends():
    actual = np.array([0.0, 1.0, 2.0, 3.0])
    assert coverage(np.zeros(4), np.array([0.0, 1.0, 1.0, 4.0]), actual) == 0.75


def test_coverage_above_zero_ignores_customers_who_are_expected_to_stay_away():
    high = np.array([0.0, 0.0, 3.0, 3.0, 3.0])
    actual = np.array([0.0, 9.0, 0.0, 1.0, 5.0])
    assert coverage_above_zero(np.zeros(5), high, actual) == pytest.approx(2 / 3)
    assert np.isnan(coverage_above_zero(np.zeros(2), high[:2], actual[:2]))


def test_the_score_is_the_width_and_ten_times_what_is_missed():
    actual = np.array([0.0, 5.0, 12.0])
    low, high = np.array([0.0, 6.0, 2.0]), np.array([4.0, 8.0, 10.0])
    assert mean_width(low, high) == pytest.approx((4 + 2 + 8) / 3)
    expected = (4 + (2 + 10) + (8 + 20)) / 3
    assert interval_score(low, high, actual) == pytest.approx(expected)


def test_no_interval_scores_better_than_that_of_the_quantiles():
    spend = np.random.default_rng(3).lognormal(4, 1, 20_000)
    best = np.quantile(spend, [0.1, 0.9])
    scores = [
        interval_score(np.full(20_000, low), np.full(20_000, high), spend)
        for low in (0, best[0], 2 * best[0])
        for high in (0.8 * best[1], best[1], 1.2 * best[1])
    ]
    assert np.argmin(scores) == 4


def test_the_extremes_of_coverage_are_those_of_a_tenth_of_any_prediction():
    number = np.arange(100.0)
    actual = 1 + number
    # the first tenth is outside; so is every other customer of the last tenth
    high = np.where((number < 10) | ((number >= 90) & (number % 2 == 1)), 0.5, 200)
    ends = np.zeros(100), high, actual
    assert tenth_coverage(*ends, number, choose=min) == 0
    assert tenth_coverage(*ends, number % 10, choose=min) == pytest.approx(0.8)
    assert tenth_coverage(*ends, number % 10, number, choose=min) == 0
    assert tenth_coverage(*ends, number, choose=max) == 1


def test_tenths_of_customers_who_spend_nothing_are_no_maximum():
    number = np.arange(100.0)
    # intervals hold nothing but 0
    ends = np.zeros(100), np.zeros(100), np.where(number < 50, 0.0, 1.0)
    assert tenth_coverage(*ends, number, choose=max) == 0
    assert tenth_coverage(*ends, -number, choose=max) == 0
    nobody = np.zeros(100)
    assert np.isnan(tenth_coverage(nobody, nobody, nobody, number, choose=max))
    assert tenth_coverage(nobody, nobody, nobody, number, choose=min) == 1
    few = number[:9]
    assert np.isnan(tenth_coverage(few, few, few, few, choose=min))


@pytest.mark.parametrize(
    "measure",
    [auc, binary_log_loss, decile_error, decile_mape, mean_absolute_error,
     normalised_gini, spearman, total_ratio],
)  # fmt: skip
def test_no_metric_is_defined_without_customers(measure):
    assert np.isnan(measure(np.array([]), np.array([])))
    assert np.isnan(interval_score(*np.zeros((3, 0))))
    assert np.isnan(mean_width(*np.zeros((2, 0))))


@pytest.mark.parametrize("measure", [normalised_gini, total_ratio, decile_error])
def test_without_spend_nothing_relative_is_defined(measure):
    assert np.isnan(measure(np.arange(20.0), np.zeros(20)))


def test_one_outcome_has_no_rank_and_no_classes():
    assert np.isnan(spearman(np.arange(5.0), np.ones(5)))
    assert np.isnan(auc(np.arange(5.0), np.ones(5)))
