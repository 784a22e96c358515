"""Customers who gain from a message are found, and nothing is where nobody does.

The customers are those of ``heterogeneous_effects``, whose gains are known.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from dbt_project import REPOSITORY
from heterogeneous_effects import draw

from customer_segmentation.serving.qini import TENTHS, compare_rankings
from customer_segmentation.serving.targeting import (
    QINI,
    UPLIFT_SCORES,
    compare_targeting,
    score_uplift,
)
from customer_segmentation.serving.uplift import expected_uplift, tenths_of

pytestmark = pytest.mark.usefixtures("one_thread")


def load_benchmark() -> ModuleType:
    """Return the module of the benchmark, which stands in no package."""
    path = REPOSITORY / "benchmarks" / "campaign_uplift.py"
    spec = spec_from_file_location("campaign_uplift", path)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


benchmark = load_benchmark()


def test_those_who_gain_are_found_where_value_does_not_show_them() -> None:
    better = 0
    for seed in range(8):
        drawn = draw("lapsed", 4_000, seed)
        uplift, found = benchmark.comparison_of(drawn)
        assert np.corrcoef(uplift, drawn.uplift)[0, 1] > 0.5
        assert found.uplift.coefficient > max(found.value.coefficient, 0)
        better += found.low > 0
    assert better >= 4


def test_value_is_as_good_where_the_valuable_gain_most() -> None:
    for seed in range(4):
        _, found = benchmark.comparison_of(draw("valuable", 4_000, seed))
        assert found.value.coefficient > 0
        assert found.low <= 0


@pytest.mark.parametrize("kind", ["same", "none"])
def test_no_ranking_is_better_where_all_gain_the_same(kind: str) -> None:
    found = [benchmark.comparison_of(draw(kind, 1_000, s))[1] for s in range(12)]
    # of intervals that hold 0 in 95 of 100 draws, 3 of 12 miss it in 1 of 50 runs
    assert sum(one.low > 0 or one.high < 0 for one in found) < 3


def covered_by(found: list, truth: float) -> float:
    """Return the share of the intervals that hold the truth."""
    return np.mean([one.low <= truth <= one.high for one in found])


def test_the_interval_of_a_fixed_ranking_holds_the_true_coefficient() -> None:
    def cells(customers: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        drawn = draw("valuable", customers, seed)
        by_value = benchmark.tenths_by(drawn.features[:, 0])
        by_age = benchmark.tenths_by(drawn.features[:, 3])
        return benchmark.cells_of(drawn, by_value, by_age)

    truth = compare_rankings(*cells(500_000, 0), folds=0)
    found = [compare_rankings(*cells(2_000, seed), folds=0) for seed in range(1, 121)]
    true = truth.uplift.coefficient
    rankings = [one.uplift for one in found]
    assert true > 0.01
    # 2.5 standard errors of 120 draws
    assert abs(covered_by(rankings, true) - 0.95) < 0.05
    assert abs(covered_by(found, truth.difference) - 0.95) < 0.05


def test_no_outcome_is_used_for_the_same_customer() -> None:
    drawn = draw("lapsed", 1_000, 1)
    before, fold = expected_uplift(drawn.features, drawn.is_treated, drawn.bought)
    flipped = np.where(fold == 0, 1 - drawn.bought, drawn.bought)
    after, same_fold = expected_uplift(drawn.features, drawn.is_treated, flipped)
    assert (same_fold == fold).all()
    assert (after[fold == 0] == before[fold == 0]).all()
    assert (after[fold == 1] != before[fold == 1]).all()


def test_a_qini_curve_is_the_gain_of_the_first_tenths() -> None:
    # in each tenth 10 customers a side; only in tenth 1 of uplift do 5 more buy
    customers = np.zeros((2, TENTHS, TENTHS), np.int64)
    np.einsum("sii->si", customers)[:] = 10
    buyers = customers // 5
    buyers[1, 0, 0] += 5
    found = compare_rankings(customers, buyers)
    assert found.uplift.curve == pytest.approx([0.05] * TENTHS)
    assert found.uplift.coefficient == pytest.approx(0.05 * 0.45)
    assert found.difference == 0


def test_tenths_are_equal_within_each_fold_and_ties_are_random() -> None:
    fold = np.repeat([0, 1], [100, 50])
    tenths = tenths_of(np.zeros(150), fold)
    assert np.bincount(tenths[:100])[1:].tolist() == [10] * TENTHS
    assert np.bincount(tenths[100:])[1:].tolist() == [5] * TENTHS
    assert tenths[:100].tolist() != sorted(tenths[:100])


def relation_of(seed: int, customers: int) -> duckdb.DuckDBPyRelation:
    """Return a campaign as the table that models learn from."""
    drawn = draw("lapsed", customers, seed)
    spend, purchases, recency, age = drawn.features.T
    connection = duckdb.connect()
    rows = {
        "campaign": np.full(customers, "spring"),
        "source_system": np.full(customers, "shop"),
        "customer_key": np.array([f"shop:{n:05}" for n in range(customers)]),
        "is_treated": drawn.is_treated,
        "buyers": drawn.bought,
        **{"spend_before": spend, "purchases_before": purchases},
        **{"recency_days": recency, "age_days": age},
    }
    return connection.from_arrow(pa.table(rows))


def test_campaigns_that_are_too_small_have_no_scores() -> None:
    customers = relation_of(1, 200)
    sides = duckdb.sql("""
        select * from (values ('spring', 'shop'), ('small', 'shop')) as t(
            campaign, source_system)
        cross join (values ('spend', 'treated'), ('spend', 'control')) as u(
            measure, side)""")
    scores = score_uplift(customers, sides)
    assert scores.schema == UPLIFT_SCORES
    assert scores.num_rows == 200
    assert set(scores["campaign"].to_pylist()) == {"spring"}
    nothing = score_uplift(customers.filter("false"), sides)
    assert nothing.num_rows == 0


def test_curves_are_drawn_from_cells() -> None:
    cells = duckdb.sql("""
        select 'spring' as campaign, 'shop' as source_system, side,
            uplift_tenth, 11 - uplift_tenth as value_tenth, 10 as customers,
            2 + 4 * (side = 'treated' and uplift_tenth = 1)::int as buyers
        from (values ('treated'), ('control')) as s(side),
            range(1, 11) as t(uplift_tenth)""")
    found = compare_targeting(cells)
    assert found.schema == QINI
    rows = found.to_pylist()
    assert [row["tenth"] for row in rows] == list(range(1, 11))
    assert rows[0]["uplift_gain"] == pytest.approx(0.04)
    assert rows[0]["value_gain"] == pytest.approx(0)
    assert rows[-1]["value_gain"] == pytest.approx(rows[-1]["random_gain"])
    assert compare_targeting(cells.filter("false")).num_rows == 0
