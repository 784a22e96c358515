"""With odd customers, all Python models have a defined result."""

from collections.abc import Iterator

import pandas as pd
import pytest
from quick_fits import quick_fits
from small_tables import EXISTING, NEW, SEGMENT, Tables, assert_defined

from customer_segmentation.prediction.purchases import candidates_of
from customer_segmentation.prediction.segments import CLASSIFIERS

ALGORITHMS = {
    ("next_purchases", population): {one.name for one in candidates_of(population)}
    for population in ("existing", "new")
} | {("segment:rfm", "new"): set(CLASSIFIERS)}
NO_AMOUNTS = """
    update existing set monetary = null, spend_365 = null;
    update new set basket_value = null, product_value = null;
    update outcomes set spend = null
"""


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    with quick_fits():
        yield


def built(change: str, count: int = 40) -> Tables:
    """Return the tables of a shop after a change."""
    tables = Tables(count)
    tables.execute(change)
    tables.backtest()
    tables.train()
    return tables


def assert_everything_was_tested(tables: Tables) -> None:
    tested = tables.frame(
        "select task, population, algorithm from evaluations where split = 'selection'"
    ).groupby(["task", "population"])["algorithm"]
    assert {key: set(names) for key, names in tested} == ALGORITHMS
    choices = tables.frame("from choices")
    purposes = choices[["source_system", "task", "population"]]
    assert set(map(tuple, purposes.to_numpy())) == {EXISTING, NEW, SEGMENT}
    assert len(tables.frame("from registry where is_promoted")) == 3


@pytest.mark.parametrize(
    "change",
    [
        "update outcomes set has_returned = false, purchases = 0, spend = 0;"
        " update rfm_segments set rfm_segment = 'Lost';"
        " update existing set purchase_days = 1 where is_segment_target_date",
        "update outcomes set has_returned = true, purchases = 1, spend = 10;"
        " update rfm_segments set rfm_segment = 'Loyal';"
        " update existing set purchase_days = 2 where is_segment_target_date",
        # one with a segment of one's own, one whose first purchase went back whole
        "update rfm_segments set rfm_segment = 'Champions'"
        " where customer_key = (select max(customer_key) from rfm_segments);"
        " update rfm_segments set rfm_segment = 'Promising'"
        " where customer_key = (select min(customer_key) from rfm_segments);"
        " update new set basket_value = 0, product_value = 0, basket_products = 0,"
        " largest_line_share = null where customer_key <= 'shop:10001' or is_new;"
        " update existing set monetary = 0, spend_365 = 0"
        " where customer_key <= 'shop:0001';"
        " update existing set monetary = -80, spend_365 = -80"
        " where customer_key = 'shop:0002'",
    ],
    ids=[
        "no customer returned",
        "all customers returned alike",
        "one of a kind, returned whole",
    ],
)
def test_odd_outcomes_have_defined_predictions(change: str) -> None:
    tables = built(change)
    assert_everything_was_tested(tables)
    predicted = tables.frame("from backtests")
    assert_defined(
        {
            "existing": predicted,
            "new": predicted,
            "segment": pd.DataFrame(
                {
                    "probability": tables.frame("from segment_backtests")[
                        "predicted_probability"
                    ]
                }
            ),
        }
    )
    scores = tables.score()
    assert_defined(scores)
    assert [one["customer_key"].nunique() for one in scores.values()] == [12, 8, 8]
    assert not tables.drift().empty


def test_without_amounts_spend_is_not_known() -> None:
    tables = built(NO_AMOUNTS)
    assert_everything_was_tested(tables)
    metrics = tables.frame(
        "select distinct metric from evaluations where is_selection_metric"
    )
    names = set(metrics["metric"])
    assert {"purchases_spearman", "purchases_mae"} < names
    assert not [name for name in names if name.startswith("spend")]
    scores = tables.score()
    assert_defined(scores, has_amounts=False)
    assert [one["customer_key"].nunique() for one in scores.values()] == [12, 8, 8]
    assert not tables.drift().empty


def test_ten_customers_teach_nothing_and_stop_nothing() -> None:
    tables = built("", count=5)
    for name in ("backtests", "segment_backtests", "evaluations", "registry"):
        assert tables.frame(f"from {name}").empty, name
    assert all(one.empty for one in tables.score().values())
    assert tables.drift().empty


def test_few_customers_keep_the_champion_of_more() -> None:
    tables = Tables()
    tables.judge({"hurdle": (1,), "first_basket": (2,)}, NEW)
    tables.train()
    tables.execute("delete from new where not is_new and customer_key > 'shop:10009'")
    assert tables.train().empty
    assert len(tables.score()["new"]) == 8


def test_segment_that_nobody_had_before_has_no_probability() -> None:
    tables = Tables(40)
    tables.execute(
        "update rfm_segments set rfm_segment = 'Champions' where customer_key in"
        " (select customer_key from new where first_purchase_date >= '2010-12-15')"
    )
    tables.execute("delete from splits where task = 'next_purchases'")
    tables.backtest()
    found = tables.frame("from segment_backtests where segment = 'Champions'")
    assert len(found) > 0
    assert (found["segment_probability"] == 0).all()
    values = tables.frame("from evaluations where metric = 'log_loss'")["value"]
    assert values.notna().all()


def test_no_customers_at_all() -> None:
    tables = Tables()
    for name in ("existing", "new", "outcomes", "rfm_segments", "seasons", "splits"):
        tables.execute(f"delete from {name}")
    tables.backtest()
    assert tables.train().empty
    assert all(one.empty for one in tables.score().values())
    assert tables.drift().empty
