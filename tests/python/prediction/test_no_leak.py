"""No prediction changes, whatever happens on or after its as-of date."""

from pathlib import Path

import pandas as pd
import pytest
from changed_shops import (
    CATEGORY_HISTORIES,
    CUSTOMER_DAYS,
    FIRST_PURCHASES,
    HORIZON,
    OUTCOMES,
    RFM_SEGMENTS,
    World,
    built_small,
    with_changes_after_cutoff,
    with_changes_after_first_purchase,
)

from customer_segmentation.prediction.cohorts import NEW, Customers
from customer_segmentation.prediction.data import SegmentData
from customer_segmentation.prediction.purchases import (
    CANDIDATES,
    UNKNOWN,
    InSeason,
    candidates_of,
)
from customer_segmentation.prediction.segments import (
    CLASSIFIERS,
    MAJORITY,
    fit_classifiers,
)
from customer_segmentation.prediction.targets import read_segment_targets
from customer_segmentation.segmentation.tables import FITS

CHANGES = ("swapped", "deleted")
PREDICTED = [
    *("return_probability", "expected_purchases", "expected_spend"),
    *("spend_low", "spend_median", "spend_high"),
]
CASES = [
    (population, one.name)
    for population in ("existing", "new")
    for one in candidates_of(population)
]
PAST = f"""
    select customer_key || ':' || as_of_date as row_key, *
    {CUSTOMER_DAYS} where is_training_date
"""
FIRST_FEATURES = f"select * exclude (is_new) {FIRST_PURCHASES}"


@pytest.fixture(scope="module")
def base(workshop: Path) -> World:
    return built_small(workshop)


@pytest.fixture(scope="module")
def worlds(base: World) -> dict[str, World]:
    return {change: with_changes_after_cutoff(base, change) for change in CHANGES}


@pytest.fixture(scope="module")
def first_only(base: World) -> World:
    return with_changes_after_first_purchase(base)


def by_key(world: World, query: str, key: str = "customer_key") -> pd.DataFrame:
    return world.frame(query).set_index(key).sort_index()


def around(
    base: World, world: World, query: str, key: str = "customer_key"
) -> list[pd.DataFrame]:
    """Return the rows up to the cutoff in both worlds, and the later rows of both."""
    found = []
    for is_late in (False, True):
        for one in (base, world):
            rows = by_key(one, query, key)
            cutoffs = rows["source_system"].map(base.cutoffs)
            found.append(rows[(rows["as_of_date"] > cutoffs) == is_late])
    return found


@pytest.mark.parametrize("change", CHANGES)
def test_splits_do_not_depend_on_what_comes_later(base, worlds, change) -> None:
    for task in ("next_purchases", "segment"):
        one, other = (world.tests(task) for world in (base, worlds[change]))
        assert one == other
        assert len(one) == (4 if task == "next_purchases" else 2)


@pytest.mark.parametrize("change", CHANGES)
def test_features_on_past_dates_do_not_change(base, worlds, change) -> None:
    before, same, after, other = around(base, worlds[change], PAST, "row_key")
    assert len(before) > 1_000
    pd.testing.assert_frame_equal(before, same, check_exact=True)
    assert not after["spend_90"].equals(other["spend_90"].reindex(after.index))


@pytest.mark.parametrize("change", CHANGES)
def test_first_purchases_of_the_past_do_not_change(base, worlds, change) -> None:
    # the as-of date of a first purchase on the cutoff is later than the cutoff
    before, same, after, other = around(base, worlds[change], FIRST_FEATURES)
    assert len(before) > 700
    pd.testing.assert_frame_equal(before, same, check_exact=True)
    assert len(after) > 50
    assert not after["basket_value"].equals(other["basket_value"].reindex(after.index))


@pytest.mark.parametrize("change", CHANGES)
def test_category_histories_of_the_past_do_not_change(base, worlds, change) -> None:
    query = f"""
        select
            concat_ws(':', customer_key, population, as_of_date) as row_key,
            * exclude (is_scored)
        {CATEGORY_HISTORIES} where is_training_customer
    """
    before, same, after, other = around(base, worlds[change], query, "row_key")
    assert len(before) > 500
    assert (before["category_history"] != "").mean() > 0.9
    # whole numbers have another type where a later one is null
    pd.testing.assert_frame_equal(before, same, check_exact=True, check_dtype=False)
    later = other["category_history"].reindex(after.index)
    assert not after["category_history"].equals(later)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("source_system", ["marketplace", "online_retail"])
@pytest.mark.parametrize(("population", "algorithm"), CASES)
def test_predictions_do_not_depend_on_what_comes_later(
    base, worlds, population, algorithm, source_system, change
) -> None:
    one, other = (
        world.backtests.loc[(population, algorithm, source_system)]
        for world in (base, worlds[change])
    )
    pd.testing.assert_frame_equal(one[PREDICTED], other[PREDICTED], check_exact=True)
    assert one["return_probability"].notna().all()
    # they could have changed, for what came has
    assert not one["spend"].equals(other["spend"])
    assert one["purchases"].sum() > 0


@pytest.mark.parametrize("change", CHANGES)
def test_every_candidate_is_tested(base, worlds, change) -> None:
    for world in (base, worlds[change]):
        tested = world.backtests.index.droplevel("customer_key").unique()
        assert set(tested) == {
            (*case, source_system) for case in CASES for source_system in base.cutoffs
        }


def test_features_end_with_the_first_purchase(base, first_only) -> None:
    one, other = (by_key(world, FIRST_FEATURES) for world in (base, first_only))
    assert len(one) > 800
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_category_histories_end_with_the_first_purchase(base, first_only) -> None:
    query = (
        f"select * exclude (is_scored) {CATEGORY_HISTORIES} where population = 'new'"
    )
    one, other = (by_key(world, query) for world in (base, first_only))
    assert len(one) > 400
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_what_follows_the_first_purchase_has_changed(base, first_only) -> None:
    query = f"{OUTCOMES} where population = 'new' and horizon_days = {HORIZON}"
    for source_system in base.cutoffs:
        theirs = f"{query} and source_system = '{source_system}'"
        one, other = (by_key(world, theirs) for world in (base, first_only))
        assert one["purchases"].sum() > 1.3 * other["purchases"].sum()
        assert (one["spend"] != other["spend"]).mean() > 0.2


@pytest.fixture(scope="module")
def learned(base: World) -> dict:
    """Return the customers that the back-test learns from, by source system."""
    return {
        split.source_system: base.data.training_cohort(split)
        for split in base.data.splits
        if split.population == "new"
    }


@pytest.mark.parametrize("source_system", ["marketplace", "online_retail"])
@pytest.mark.parametrize("algorithm", [one.name for one in candidates_of("new")])
def test_predictions_end_with_the_first_purchase(
    base, first_only, learned, source_system, algorithm
) -> None:
    cohort = learned[source_system]
    model = InSeason(CANDIDATES[algorithm].estimator(), UNKNOWN)
    model.fit(cohort.features, cohort.outcomes, HORIZON)
    query = f"{FIRST_FEATURES} where source_system = '{source_system}'"
    one, other = (
        model.predict(by_key(world, query)[list(cohort.features)], UNKNOWN)
        for world in (base, first_only)
    )
    assert len(one) > 400
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert len(one.drop_duplicates()) > 1


@pytest.fixture(scope="module", params=["marketplace", "online_retail"])
def segments_expected(base, first_only, request) -> dict:
    """Return the probabilities by classifier, with the later dates and without."""
    source_system = request.param
    splits = base.tests("segment")
    [split] = [one for one in splits if one.source_system == source_system]
    customers, others = (
        Customers.read(world.relation(FIRST_PURCHASES), NEW, source_system)
        for world in (base, first_only)
    )
    targets = read_segment_targets(
        *map(base.relation, (CUSTOMER_DAYS, RFM_SEGMENTS)),
        fits=base.connection.from_arrow(FITS.empty_table()),
        segmentations=["rfm"],
    )
    data = SegmentData((split,), {source_system: customers}, targets)
    cohort = data.training_cohort(split, "rfm")
    index = cohort.keys["customer_key"]
    classifiers = fit_classifiers(
        cohort.features.set_index(index), cohort.outcomes["segment"].set_axis(index)
    )
    return {
        name: [one.predict_proba(two.rows[two.features]) for two in (customers, others)]
        for name, one in classifiers.items()
    }


@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_segments_end_with_the_first_purchase(segments_expected, classifier) -> None:
    one, other = segments_expected[classifier]
    assert len(one) > 400
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert (len(one.drop_duplicates()) > 1) == (classifier != MAJORITY)
