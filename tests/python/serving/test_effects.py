"""The effects of campaigns are found where they are, and not where they are not."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

import duckdb
import numpy as np
import pytest
from dbt_project import REPOSITORY
from scipy import stats

from customer_segmentation.serving.campaigns import measure_campaigns
from customer_segmentation.serving.effects import GroupSums, estimate_effect


def load_benchmark() -> ModuleType:
    """Return the module of the benchmark, which stands in no package."""
    path = REPOSITORY / "benchmarks" / "campaign_effects.py"
    spec = spec_from_file_location("campaign_effects", path)
    module = module_from_spec(spec)
    # dataclasses look for their module by name
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


benchmark = load_benchmark()
DRAWS = 1_000
# of 1,000 draws, 2.9 standard errors of a share of 5 %
MARGIN = 0.02


@pytest.mark.parametrize(("buying", "tail"), [(0.5, 0.7), (0.2, 1.0)])
def test_effects_are_unbiased_and_their_intervals_cover(
    buying: float, tail: float
) -> None:
    shop = benchmark.Shop(buying, tail)
    _, usual = shop.draw(np.random.default_rng(1), 1_000_000)
    for campaign in (
        benchmark.Campaign(900, 100),
        benchmark.Campaign(900, 100, converted=0.05),
        benchmark.Campaign(900, 100, lift=0.2),
    ):
        truth = campaign.truth(usual)
        effects = benchmark.simulate(shop.draw, campaign, DRAWS)
        trial = benchmark.trial_of(truth, effects)
        assert abs(trial.bias) < 3 * trial.error
        assert abs(trial.coverage - 0.95) < MARGIN
        assert trial.saved > 0
        if not truth:
            assert abs(trial.found - 0.05) < MARGIN


def test_a_large_effect_is_found() -> None:
    campaign = benchmark.Campaign(1_800, 200, lift=0.8)
    effects = benchmark.simulate(benchmark.Shop(0.5, 0.7).draw, campaign, 50)
    assert all(one.low > 0 for one in effects)


def test_the_effect_is_that_of_a_regression_on_side_and_earlier_spend() -> None:
    rng = np.random.default_rng(4)
    treated = rng.random(300) < 0.7
    # sides that differed before, so that the slope's own error shows
    before = rng.lognormal(size=300) + treated
    # no effect but what is within chance, so both sides are taken to vary alike
    outcome = 2 + 0.5 * before + rng.normal(size=300)
    effect = estimate_effect(
        benchmark.sums_of(outcome[treated], before[treated]),
        benchmark.sums_of(outcome[~treated], before[~treated]),
    )
    columns = np.column_stack([np.ones(300), treated, before])
    coefficients, [residuals], *_ = np.linalg.lstsq(columns, outcome, rcond=None)
    variances = residuals / 297 * np.linalg.inv(columns.T @ columns)
    half = stats.t.ppf(0.975, 297) * np.sqrt(variances[1, 1])
    assert effect.estimate == pytest.approx(coefficients[1])
    assert effect.low == pytest.approx(coefficients[1] - half)
    assert effect.high == pytest.approx(coefficients[1] + half)


@pytest.mark.parametrize(("treated", "control"), [(4_000, 400), (400, 4_000)])
@pytest.mark.parametrize("ratio", [0.7, 1.3])
def test_a_clear_effect_on_the_mean_changes_the_variance(
    treated: int, control: int, ratio: float
) -> None:
    spend = np.arange(40.0)
    sides = np.tile(ratio * spend, treated // 40), np.tile(spend, control // 40)
    effect = estimate_effect(
        *(benchmark.sums_of(side, np.zeros(len(side))) for side in sides)
    )
    freedom = treated + control - 3
    of_treated, of_control = (len(side) * side.var() for side in sides)

    def half_of(power: float) -> float:
        scale = ratio**power
        variance = (of_treated / scale + of_control) / freedom
        error = np.sqrt(variance * (scale / treated + 1 / control))
        return float(stats.t.ppf(0.975, freedom) * error)

    low, high = sorted((half_of(1), half_of(2)))
    assert low < effect.high - effect.estimate < high


def test_an_effect_within_chance_leaves_one_variance() -> None:
    spend = np.arange(40.0)
    control = benchmark.sums_of(spend, np.zeros(40))
    # the standard error of the difference is 2.6
    treated = benchmark.sums_of(np.concatenate([spend, spend + 2]), np.zeros(80))
    effect = estimate_effect(treated, control)
    variance = (treated.deviations + control.deviations) / 117
    half = stats.t.ppf(0.975, 117) * np.sqrt(variance * (1 / 80 + 1 / 40))
    assert effect.high - effect.estimate == pytest.approx(half)


def test_customers_who_all_do_the_same_have_no_interval() -> None:
    nothing = GroupSums(10, 0, 0, 0, 0, 0)
    effect = estimate_effect(nothing, nothing)
    assert (effect.estimate, effect.low, effect.high) == (0, 0, 0)
    assert effect.variance_saved == 0


COLUMNS = (
    "campaign, source_system, measure, side, customers, outcome, outcome_squares,"
    " earlier, earlier_squares, products"
)


def test_campaigns_without_two_sides_have_no_effect() -> None:
    rows = duckdb.sql(f"""
        select * from (values
            ('a', 'shop', 'spend', 'treated', 4, 38.0, 486.0, 60.0, 1400.0, 820.0),
            ('a', 'shop', 'spend', 'control', 4, 30.0, 350.0, 60.0, 1400.0, 700.0),
            ('b', 'shop', 'spend', 'treated', 4, 38.0, 486.0, 60.0, 1400.0, 820.0),
            ('c', 'shop', 'spend', 'treated', 4, 38.0, 486.0, 60.0, 1400.0, 820.0),
            ('c', 'shop', 'spend', 'control', 1, 30.0, 900.0, 60.0, 3600.0, 1800.0)
        ) as sums ({COLUMNS})""")
    found = measure_campaigns(rows).to_pydict()
    assert found["campaign"] == ["a"]
    assert found["estimate"] == [pytest.approx(2)]
    assert measure_campaigns(rows.filter("campaign = 'b'")).num_rows == 0
    assert measure_campaigns(rows.filter("false")).num_rows == 0
