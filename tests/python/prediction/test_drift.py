"""Drift compares predictions for unknown customers with predictions for unknown ones.

So the same kind of customers does not drift, whichever candidate predicts them, and
broken predictions do.
"""

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from quick_fits import quick_fits
from small_tables import (
    AS_OF,
    EXISTING,
    NEW,
    SEGMENT,
    Tables,
    customer_days,
    first_purchases,
)

from customer_segmentation.prediction import tasks
from customer_segmentation.prediction.interests import INTEREST_CANDIDATES
from customer_segmentation.prediction.purchases import candidates_of
from customer_segmentation.prediction.segments import CLASSIFIERS

COUNT = 400
INTERESTS = ("shop", "interests", "existing")
CANDIDATES = [
    *((EXISTING, one.name) for one in candidates_of("existing")),
    *((NEW, one.name) for one in candidates_of("new")),
    *((SEGMENT, name) for name in CLASSIFIERS),
    *((INTERESTS, name) for name in INTEREST_CANDIDATES),
]
AWAY = "../../tests/prediction/assert_predictions_have_not_drifted_away.sql"


@pytest.fixture(autouse=True)
def quickly(request: pytest.FixtureRequest) -> Iterator[None]:
    # two trees have so few levels that each is a bin
    if "blend" in request.node.name:
        yield
        return
    with quick_fits():
        yield


@pytest.fixture(scope="module")
def shop() -> Tables:
    """Return a shop whose customers of today are like those of the training.

    They are others, as they are in a build, but for interests. A third of the segments
    are noise, which a classifier may know by heart.
    """
    tables = Tables(COUNT)
    tables.add_interests()
    tables.execute("delete from existing where is_today")
    tables.execute("delete from new where is_new")
    spread = np.linspace(1_110, 91, 2 * COUNT).astype(int).tolist()
    days = [AS_OF - timedelta(days_ago) for days_ago in spread]
    new = first_purchases(days, seed=5, is_new=True, is_training_customer=False)
    # another number draws other customers
    today = customer_days(AS_OF, COUNT + 50, is_today=True, is_training_date=False)
    for name, rows in (("new", new), ("existing", today)):
        tables.write("added", rows)
        tables.execute(f"insert into {name} by name from added")
    tables.execute(
        "update rfm_segments set rfm_segment = case md5_number_lower(customer_key) % 2"
        " when 0 then 'Loyal' else 'Lost' end"
        " where md5_number_lower('noise' || customer_key) % 3 = 0"
    )
    tables.execute("delete from category_histories where is_scored")
    tables.execute(
        "insert into category_histories select * replace ("
        f"date '{AS_OF}' as as_of_date, true as is_scored,"
        " false as is_training_customer) from category_histories"
        f" where as_of_date = date '{AS_OF}' - 70 and population = 'existing'"
    )
    return tables


def in_use(shop: Tables, purpose: tuple[str, ...], algorithm: str) -> Tables:
    tables = shop.copy()
    tables.judge({algorithm: (1.0,)}, purpose)
    [is_promoted] = tables.train()["is_promoted"]
    assert is_promoted
    return tables


def predictions(tables: Tables) -> pd.DataFrame:
    """Return the drift of predictions, and let the test of the build read it."""
    drift = tables.drift()
    tables.write("drift", drift)
    tables.build("failures", AWAY)
    return drift[drift["is_prediction"]].set_index("feature")


@pytest.mark.parametrize(("purpose", "algorithm"), CANDIDATES)
def test_the_same_kind_of_customers_does_not_drift(
    shop: Tables, purpose: tuple[str, ...], algorithm: str
) -> None:
    tables = in_use(shop, purpose, algorithm)
    found = predictions(tables)
    assert len(found)
    assert not (found["change"] == "significant").any(), found["psi"].to_dict()
    assert found["mean_ratio"].dropna().between(0.75, 1.33).all()
    assert tables.frame("from failures").empty


@pytest.mark.parametrize("algorithm", ["blend", "full_hurdle", "pareto_nbd"])
def test_three_times_the_predictions_fail(
    shop: Tables, algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = in_use(shop, EXISTING, algorithm)
    summarise = tasks._Purchases.summarise
    monkeypatch.setattr(
        tasks._Purchases,
        "summarise",
        lambda *given: summarise(*given).mul([1.0, 3.0, 3.0]),
    )
    found = predictions(tables)
    failed = set(tables.frame("from failures")["feature"])
    assert failed == {"expected_purchases", "expected_spend"}
    # the index alone would let some pass
    assert found.loc[sorted(failed), "mean_ratio"].gt(2).all()


def test_too_few_customers_are_named(shop: Tables) -> None:
    tables = in_use(shop, EXISTING, "tweedie")
    tables.execute("delete from existing where is_today and customer_key > 'shop:0012'")
    found = predictions(tables)
    assert set(found["change"]) == {"too_few"}
    assert (found["psi_by_chance"] > 0.25).all()
    assert tables.frame("from failures").empty


def test_what_has_a_season(shop: Tables) -> None:
    for purpose, algorithm, has_season in (
        (EXISTING, "last_year_spend", False),
        (NEW, "first_basket", True),
        (INTERESTS, "popularity", True),
    ):
        found = predictions(in_use(shop, purpose, algorithm))
        assert set(found["has_season"]) == {has_season}
