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
from customer_segmentation.serving.effects import Effect, GroupSums, estimate_effect


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
        benchmark.Campaign(900, 100, lift=-0.3),
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


def test_an_effect_is_found_where_a_regression_finds_it() -> None:
    rng = np.random.default_rng(4)
    treated = rng.random(300) < 0.7
    # sides that differed before, so that the slope's own error shows
    before = rng.lognormal(size=300) + treated
    outcome = 5 + 0.5 * before + rng.normal(size=300)
    columns = np.column_stack([np.ones(300), treated, before])
    coefficients, [residuals], *_ = np.linalg.lstsq(columns, outcome, rcond=None)
    variances = residuals / 297 * np.linalg.inv(columns.T @ columns)
    half = stats.t.ppf(0.975, 297) * np.sqrt(variances[1, 1])

    def effect_of(shift: float) -> Effect:
        moved = outcome + shift * treated
        return estimate_effect(
            benchmark.sums_of(moved[treated], before[treated]),
            benchmark.sums_of(moved[~treated], before[~treated]),
        )

    assert effect_of(0).estimate == pytest.approx(coefficients[1])
    # without an effect, both sides vary alike
    found = effect_of(half - coefficients[1])
    assert (found.estimate, found.low) == pytest.approx((half, 0))
    found = effect_of(-half - coefficients[1])
    assert (found.estimate, found.high) == pytest.approx((-half, 0))


@pytest.mark.parametrize(("treated", "control"), [(4_000, 400), (400, 4_000)])
@pytest.mark.parametrize("ratio", [0.7, 1.0, 1.3])
def test_an_end_is_an_effect_that_the_estimate_just_does_not_reject(
    treated: int, control: int, ratio: float
) -> None:
    spend = np.arange(40.0)
    sides = np.tile(ratio * spend, treated // 40), np.tile(spend, control // 40)
    effect = estimate_effect(
        *(benchmark.sums_of(side, np.zeros(len(side))) for side in sides)
    )
    freedom = treated + control - 3
    of_treated, of_control = (len(side) * side.var() for side in sides)
    mean = sides[0].mean()
    for end in (effect.low, effect.high):
        # spend would have had this mean if the end were the effect
        scale = (mean / (mean - end)) ** (1.5 if end > 0 else 2)
        variance = (of_treated / scale + of_control) / freedom
        error = np.sqrt(variance * (scale / treated + 1 / control))
        half = stats.t.ppf(0.975, freedom) * error
        assert abs(end - effect.estimate) == pytest.approx(half)


def test_a_few_customers_with_long_tails_have_an_interval() -> None:
    spend = np.array([0, 0, 0, 0, 1_000.0])
    side = benchmark.sums_of(spend, np.zeros(5))
    effect = estimate_effect(side, side)
    assert np.isfinite([effect.low, effect.high]).all()
    assert effect.low < 0 < effect.high


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
