"""The effects of campaigns are found where they are, and not where they are not."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

import duckdb
import numpy as np
import pytest
from dbt_project import REPOSITORY

from customer_segmentation.serving import (
    GroupSums,
    estimate_effect,
    measure_campaigns,
)


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


@pytest.mark.parametrize(
    ("buying", "tail", "control"), [(0.3, 1.0, 100), (0.1, 1.0, 200)]
)
def test_effects_are_unbiased_and_their_intervals_cover(
    buying: float, tail: float, control: int
) -> None:
    shop = benchmark.Shop(buying, tail)
    for lift in (0.0, 0.1):
        truth, effects = benchmark.simulate(shop, 9 * control, control, lift, DRAWS)
        trial = benchmark.trial_of(truth, effects)
        assert abs(trial.bias) < 3 * trial.error
        assert 0.93 <= trial.coverage <= 0.97
        if not lift:
            assert 0.03 <= trial.found <= 0.07


def test_the_effect_is_that_of_a_regression_on_side_and_earlier_spend() -> None:
    rng = np.random.default_rng(1)
    before = rng.lognormal(size=300)
    treated = rng.random(300) < 0.7
    outcome = 2 + 0.5 * before + treated + rng.normal(size=300)
    effect = estimate_effect(
        benchmark.sums_of(outcome[treated], before[treated]),
        benchmark.sums_of(outcome[~treated], before[~treated]),
    )
    columns = np.column_stack([np.ones(300), treated, before])
    expected = np.linalg.lstsq(columns, outcome, rcond=None)[0][1]
    assert effect.estimate == pytest.approx(expected)
    assert effect.low < effect.estimate < effect.high


def test_customers_who_all_do_the_same_have_no_interval() -> None:
    nothing = GroupSums(10, 0, 0, 0, 0, 0)
    effect = estimate_effect(nothing, nothing)
    assert (effect.estimate, effect.low, effect.high) == (0, 0, 0)
    assert effect.variance_saved == 0


COLUMNS = (
    "campaign, source_system, measure, side, customers, outcome, outcome_squares,"
    " before, before_squares, products"
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
    found = measure_campaigns(rows)
    assert found["campaign"].tolist() == ["a"]
    assert found["estimate"].tolist() == [pytest.approx(2)]
    assert measure_campaigns(rows.filter("campaign = 'b'")).empty
    assert measure_campaigns(rows.filter("false")).empty
