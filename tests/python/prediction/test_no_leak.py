"""Whatever happens after the day of a prediction, not one prediction changes."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from changed_shops import (
    HORIZON,
    OUTCOMES,
    World,
    built_small,
    with_changes_after_cutoff,
    with_changes_after_first_purchase,
)
from threadpoolctl import threadpool_limits

from customer_segmentation.prediction.purchase_backtests import read_purchase_samples
from customer_segmentation.prediction.purchases import (
    CANDIDATES,
    UNKNOWN,
    InSeason,
    candidates_of,
)
from customer_segmentation.prediction.samples import NEW, Sample
from customer_segmentation.prediction.segment_backtests import seen_with_segment
from customer_segmentation.prediction.segments import (
    CLASSIFIERS,
    MAJORITY,
    fit_classifiers,
)

CHANGES = ("swapped", "deleted")
PREDICTED = [
    *("return_probability", "expected_purchases", "expected_spend"),
    *("spend_low", "spend_high"),
]
CASES = [
    (population, one.name)
    for population in ("existing", "new")
    for one in candidates_of(population)
]
TARGETS = """
    select customer_key, later.source_system, rfm_segment as segment,
        later.frequency > 1 as has_returned
    from main_intermediate.int_prediction__later_features as later
    join main_intermediate.int_rfm__segments using (customer_key, as_of_date)
"""
FIRST_FEATURES = "select * exclude (is_new) from first_purchase_features"


@pytest.fixture(scope="module")
def base(workshop: Path) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        # handing so little to other processes takes longer than doing it
        patch.setenv("LOKY_MAX_CPU_COUNT", "1")
        yield built_small(workshop)


@pytest.fixture(scope="module")
def worlds(base: World) -> dict[str, World]:
    return {change: with_changes_after_cutoff(base, change) for change in CHANGES}


@pytest.fixture(scope="module")
def first_only(base: World) -> World:
    return with_changes_after_first_purchase(base)


def by_key(world: World, query: str, key: str = "customer_key") -> pd.DataFrame:
    return world.frame(query).set_index(key).sort_index()


def around(base: World, world: World, query: str, day: str) -> list[pd.DataFrame]:
    """Return rows up to the cutoff here and there, and later ones here and there."""
    found = []
    key = "snapshot_key" if "snapshots" in query else "customer_key"
    for is_late in (False, True):
        for one in (base, world):
            rows = by_key(one, query, key)
            cutoffs = rows["source_system"].map(base.cutoffs)
            found.append(rows[(rows[day] > cutoffs) == is_late])
    return found


@pytest.mark.parametrize("change", CHANGES)
def test_splits_do_not_depend_on_what_comes_later(base, worlds, change) -> None:
    for task in ("next_purchases", "segment"):
        one, other = (
            world.splits(task, "test", HORIZON) for world in (base, worlds[change])
        )
        assert one == other
        assert len(one) == (4 if task == "next_purchases" else 2)


@pytest.mark.parametrize("change", CHANGES)
def test_snapshots_of_the_past_do_not_change(base, worlds, change) -> None:
    query = "from customer_snapshots"
    before, same, after, other = around(base, worlds[change], query, "as_of_date")
    assert len(before) > 1_000
    pd.testing.assert_frame_equal(before, same, check_exact=True)
    assert not after["spend_90"].equals(other["spend_90"].reindex(after.index))


@pytest.mark.parametrize("change", CHANGES)
def test_first_purchases_of_the_past_do_not_change(base, worlds, change) -> None:
    day = "first_purchase_date"
    # who buys first on the day of the cutoff does it after the cutoff
    query = f"select * exclude (is_new) replace ({day} + 1 as {day})"
    query = f"{query} from first_purchase_features"
    before, same, after, other = around(base, worlds[change], query, day)
    assert len(before) > 700
    pd.testing.assert_frame_equal(before, same, check_exact=True)
    assert len(after) > 50
    assert not after["basket_value"].equals(other["basket_value"].reindex(after.index))


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
    splits = base.splits("next_purchases", "test", HORIZON)
    queries = ("from customer_snapshots", "from first_purchase_features", OUTCOMES)
    samples = read_purchase_samples(*map(base.relation, queries), splits)
    return {
        split.source_system: samples[split.source_system, "new"].seen(
            split.train, split.horizon_days
        )
        for split in splits
        if split.population == "new"
    }


@pytest.mark.parametrize("source_system", ["marketplace", "online_retail"])
@pytest.mark.parametrize("algorithm", [one.name for one in candidates_of("new")])
def test_predictions_end_with_the_first_purchase(
    base, first_only, learned, source_system, algorithm, one_thread
) -> None:
    seen = learned[source_system]
    model = InSeason(CANDIDATES[algorithm].estimator(), UNKNOWN)
    model.fit(seen.features, seen.outcomes, HORIZON)
    query = f"{FIRST_FEATURES} where source_system = '{source_system}'"
    one, other = (
        model.predict(by_key(world, query)[list(seen.features)], UNKNOWN)
        for world in (base, first_only)
    )
    assert len(one) > 400
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert len(one.drop_duplicates()) > 1


@pytest.fixture(scope="module", params=["marketplace", "online_retail"])
def segments_expected(base, first_only, request) -> dict:
    """Return what each classifier says of everyone, with the later days and without."""
    source_system = request.param
    [split] = [
        one
        for one in base.splits("segment", "test", HORIZON)
        if one.source_system == source_system
    ]
    known = base.frame(f"{TARGETS} where later.source_system = '{source_system}'")
    columns = ["customer_key", "segment", "has_returned"]
    samples = (
        Sample.read(
            world.relation("from first_purchase_features"),
            *(NEW, source_system, known[columns]),
        )
        for world in (base, first_only)
    )
    sample, other = samples
    seen = seen_with_segment(sample)(split.train)
    index = seen.keys["customer_key"]
    with threadpool_limits(limits=1):
        classifiers = fit_classifiers(
            seen.features.set_index(index), seen.outcomes["segment"].set_axis(index)
        )
        return {
            name: [one.predict_proba(two.rows[two.names]) for two in (sample, other)]
            for name, one in classifiers.items()
        }


@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_segments_end_with_the_first_purchase(segments_expected, classifier) -> None:
    one, other = segments_expected[classifier]
    assert len(one) > 400
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert (len(one.drop_duplicates()) > 1) == (classifier != MAJORITY)
