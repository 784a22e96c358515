"""Who is learned from, and who is predicted."""

from dataclasses import replace
from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

from customer_segmentation.prediction.backtests import (
    LEAST_CUSTOMERS,
    run_jobs,
    seen_by,
)
from customer_segmentation.prediction.purchase_backtests import PROBLEM, complete
from customer_segmentation.prediction.samples import EXISTING, NEW, Sample, Seen
from customer_segmentation.prediction.splits import Days, Split

CUTOFF = date(2011, 6, 1)
LATER = date(2011, 9, 1)
OUTCOMES = ["has_returned", "purchases", "spend"]


def snapshots(
    count: int = 30, days: tuple[date, ...] = (CUTOFF, LATER)
) -> pd.DataFrame:
    """Return customers at each cutoff; the feature tells whose it is and when."""
    return pd.DataFrame(
        [
            {
                "snapshot_key": f"shop:{number:04d}:{day}",
                "customer_key": f"shop:{number:04d}",
                "source_system": "shop",
                "as_of_date": day,
                "is_present": False,
                "recency_days": 1_000.0 * (day == LATER) + number,
            }
            for number in range(count)
            for day in days
        ]
    )


def outcomes(rows: pd.DataFrame, horizons: tuple[int, ...] = (90,)) -> pd.DataFrame:
    """Return outcomes that tell the feature of the same customer, and the horizon."""
    return pd.concat(
        pd.DataFrame(
            {
                "customer_key": rows["customer_key"],
                "origin_date": pd.to_datetime(rows["as_of_date"]),
                "horizon_days": horizon,
                "has_returned": True,
                "purchases": horizon,
                "spend": rows["recency_days"] + horizon,
            }
        )
        for horizon in horizons
    )


def sample_of(rows: pd.DataFrame, known: pd.DataFrame) -> Sample:
    with duckdb.connect() as connection:
        relation = connection.from_df(rows)
        return Sample.read(relation, EXISTING, "shop", known)


def split_of(train: date = CUTOFF, test: date = LATER) -> Split:
    return Split(
        *("shop", "next_purchases", "existing", "test", 90),
        is_cross_validated=train == test,
        train=Days(train, train),
        test=Days(test, test),
        as_of_date=date(2011, 12, 1),
    )


def jobs_of(sample: Sample, split: Split, folds: int = 5) -> list[tuple[Seen, Seen]]:
    return seen_by(split, lambda days: sample.seen(days, split.horizon_days), folds)


def keys(seen: Seen) -> list[str]:
    return seen.keys["customer_key"].tolist()


@pytest.mark.parametrize("folds", [2, 5, 100])
def test_every_customer_is_predicted_once_by_others(folds: int) -> None:
    rows = snapshots(33)
    jobs = jobs_of(sample_of(rows, outcomes(rows)), split_of(test=CUTOFF), folds)
    assert len(jobs) == min(folds, 33)
    everyone = sorted(set(rows["customer_key"]))
    assert sorted(key for _, predicted in jobs for key in keys(predicted)) == everyone
    for learned, predicted in jobs:
        assert sorted(keys(learned) + keys(predicted)) == everyone


def test_folds_do_not_depend_on_the_order_of_the_rows() -> None:
    rows = snapshots()
    known = outcomes(rows)
    shuffled = [one.sample(frac=1, random_state=3) for one in (rows, known)]
    one, other = (
        jobs_of(sample_of(*two), split_of(test=CUTOFF))
        for two in ((rows, known), shuffled)
    )
    assert [tuple(map(keys, job)) for job in one] == [
        tuple(map(keys, job)) for job in other
    ]


def test_later_customers_are_predicted_from_earlier_days() -> None:
    rows = snapshots()
    [(learned, predicted)] = jobs_of(sample_of(rows, outcomes(rows)), split_of())
    assert set(learned.keys["origin_date"]) == {pd.Timestamp(CUTOFF)}
    assert set(predicted.keys["origin_date"]) == {pd.Timestamp(LATER)}
    assert learned.features["recency_days"].max() < 1_000
    assert predicted.features["recency_days"].min() >= 1_000


def test_nobody_is_learned_from_and_predicted_on_the_same_day() -> None:
    rows = snapshots()
    sample = sample_of(rows, outcomes(rows))
    for split in (split_of(), split_of(test=CUTOFF)):
        for learned, predicted in jobs_of(sample, split):
            both = learned.keys.merge(predicted.keys)
            assert both.empty


def test_too_few_customers_teach_nothing() -> None:
    rows = snapshots(LEAST_CUSTOMERS)
    known = outcomes(rows)
    few = known[known["customer_key"] > "shop:0000"]
    for split in (split_of(), split_of(test=CUTOFF)):
        assert jobs_of(sample_of(rows, known), split)
        assert jobs_of(sample_of(rows, few), split) == []


def test_nobody_to_predict_is_no_job() -> None:
    rows = snapshots(days=(CUTOFF,))
    sample = sample_of(rows, outcomes(rows))
    assert jobs_of(sample, split_of()) == []
    assert jobs_of(sample, split_of(test=CUTOFF))


def test_what_is_done_comes_in_the_order_of_the_jobs() -> None:
    rows = snapshots()
    jobs = jobs_of(sample_of(rows, outcomes(rows)), split_of(test=CUTOFF))
    numbered = list(enumerate(jobs))
    found = list(run_jobs(numbered, lambda key, _, predicted: (key, keys(predicted))))
    assert found == [(n, (n, keys(predicted))) for n, (_, predicted) in numbered]


def test_who_cannot_learn_in_one_fold_is_left_out_of_the_split() -> None:
    split, other = split_of(), split_of(test=CUTOFF)
    found, nothing = pd.DataFrame({"customer_key": ["shop:1"]}), pd.DataFrame()
    nothing.attrs[PROBLEM] = "nobody came back"
    predicted = [
        ((split, "blend"), found),
        ((split, "bg_nbd"), found),
        ((split, "bg_nbd"), nothing),
        ((other, "bg_nbd"), found),
    ]
    with pytest.warns(UserWarning, match="shop, existing, .*bg_nbd .*nobody came"):
        kept = complete(predicted)
    assert [key for key, _ in kept] == [(split, "blend"), (other, "bg_nbd")]


@pytest.mark.parametrize("horizon", [90, 365])
def test_outcomes_are_those_of_the_customer_the_day_and_the_horizon(
    horizon: int,
) -> None:
    rows = snapshots().sample(frac=1, random_state=0)
    known = outcomes(rows, (90, 365)).sample(frac=1, random_state=1)
    seen = sample_of(rows, known).seen(Days(LATER, LATER), horizon)
    assert keys(seen) == sorted(set(rows["customer_key"]))
    assert seen.count == 30
    assert list(seen.features) == ["recency_days"]
    assert list(seen.outcomes) == OUTCOMES
    assert set(seen.outcomes["purchases"]) == {horizon}
    pd.testing.assert_series_equal(
        seen.outcomes["spend"] - horizon,
        seen.features["recency_days"],
        check_names=False,
    )


def test_customers_without_an_outcome_are_not_seen() -> None:
    rows = snapshots()
    known = outcomes(rows).iloc[::3]
    seen = sample_of(rows, known).seen(Days(CUTOFF, LATER), 90)
    assert seen.count == len(known)
    assert sample_of(rows, known).seen(Days(CUTOFF, LATER), 180).count == 0


def test_days_are_bounded_at_both_ends_and_new_customers_begin_the_day_after() -> None:
    days = [CUTOFF + timedelta(number) for number in range(5)]
    rows = pd.DataFrame(
        {
            "customer_key": [f"shop:{number}" for number in range(5)],
            "source_system": "shop",
            "transaction_key": "shop:1",
            "first_purchase_date": days,
            "is_new": False,
            "basket_value": np.arange(5.0),
        }
    )
    known = outcomes(rows.assign(as_of_date=days, recency_days=0))
    known["origin_date"] += pd.Timedelta(days=1)
    with duckdb.connect() as connection:
        sample = Sample.read(connection.from_df(rows), NEW, "shop", known)
    seen = sample.seen(Days(days[1], days[3]), 90)
    assert keys(seen) == ["shop:1", "shop:2", "shop:3"]
    assert seen.keys["origin_date"].dt.date.tolist() == days[2:]
    assert list(seen.features) == ["basket_value"]
    # the outcome of another day is not theirs
    known["origin_date"] -= pd.Timedelta(days=1)
    assert replace(sample, outcomes=known).seen(Days(days[0], days[4]), 90).count == 0


def test_sample_of_many_is_the_same_whatever_the_order_and_who_else_comes() -> None:
    rows = snapshots(40)
    known = outcomes(rows).drop(columns="horizon_days")

    def seen(rows: pd.DataFrame, known: pd.DataFrame) -> list[str]:
        return keys(sample_of(rows, known).joined(Days(CUTOFF, CUTOFF), known, most=10))

    one = seen(rows, known)
    assert len(one) == 10
    assert one == sorted(one)
    assert seen(rows.sample(frac=1, random_state=1), known[::-1]) == one
    fewer = rows[rows["customer_key"] < "shop:0035"]
    assert set(seen(fewer, known)) >= {key for key in one if key < "shop:0035"}


def test_other_source_systems_are_not_read() -> None:
    rows = snapshots()
    other = rows.assign(
        source_system="mall", snapshot_key="mall:" + rows["snapshot_key"]
    )
    sample = sample_of(pd.concat([rows, other]), outcomes(rows))
    assert len(sample.rows) == len(rows)
