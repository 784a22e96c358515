"""Which customers a model learns from, and which it predicts."""

from dataclasses import replace
from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

from customer_segmentation.prediction.cohort_pairs import CohortPair
from customer_segmentation.prediction.cohorts import (
    EXISTING,
    MIN_CUSTOMERS,
    NEW,
    Cohort,
    Customers,
    KnownCustomers,
    Population,
)
from customer_segmentation.prediction.data import PurchaseData
from customer_segmentation.prediction.seasons import UNKNOWN, Season, Seasons
from customer_segmentation.prediction.splits import DateRange, Split, read_splits

EARLIER = date(2011, 6, 1)
LATER = date(2011, 9, 1)
OUTCOMES = ["has_returned", "purchases", "spend"]


def customer_days(
    count: int = 30, days: tuple[date, ...] = (EARLIER, LATER)
) -> pd.DataFrame:
    """Return customers on each date; the feature tells whose it is and when."""
    return pd.DataFrame(
        [
            {
                "customer_key": f"shop:{number:04d}",
                "source_system": "shop",
                "as_of_date": day,
                "is_today": False,
                "is_training_date": True,
                "is_segment_target_date": False,
                "has_purchased": True,
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
                "as_of_date": pd.to_datetime(rows["as_of_date"]),
                "horizon_days": horizon,
                "backtest_split": None,
                "has_returned": True,
                "purchases": horizon,
                "spend": rows["recency_days"] + horizon,
            }
        )
        for horizon in horizons
    )


def read(rows: pd.DataFrame, population: Population = EXISTING) -> Customers:
    with duckdb.connect() as connection:
        return Customers.read(connection.from_df(rows), population, "shop")


def data_of(
    rows: pd.DataFrame, known: pd.DataFrame, population: Population = EXISTING
) -> PurchaseData:
    key = ("shop", population.name)
    customers = KnownCustomers({key: read(rows, population)}, {key: known})
    return PurchaseData((), customers, Seasons({}))


def split_of(
    train: date = EARLIER, test: date = LATER, horizon_days: int = 90
) -> Split:
    return Split(
        *("shop", "next_purchases", "existing", "test", horizon_days),
        is_cross_validated=train == test,
        train=DateRange(train, train),
        test=DateRange(test, test),
        as_of_date=date(2011, 12, 1),
    )


def pairs_of(
    rows: pd.DataFrame, known: pd.DataFrame, split: Split, folds: int = 5
) -> list[CohortPair]:
    return data_of(rows, known).pairs(split, folds)


def keys(cohort: Cohort) -> list[str]:
    return cohort.keys["customer_key"].tolist()


@pytest.mark.parametrize("folds", [2, 5, 100])
def test_every_customer_is_predicted_once_by_others(folds: int) -> None:
    rows = customer_days(33)
    pairs = pairs_of(rows, outcomes(rows), split_of(test=EARLIER), folds)
    assert len(pairs) == min(folds, 33)
    everyone = sorted(set(rows["customer_key"]))
    assert sorted(key for _, test in pairs for key in keys(test)) == everyone
    for train, test in pairs:
        assert sorted(keys(train) + keys(test)) == everyone


def test_folds_do_not_depend_on_the_order_of_the_rows() -> None:
    rows = customer_days()
    known = outcomes(rows)
    shuffled = [one.sample(frac=1, random_state=3) for one in (rows, known)]
    one, other = (
        pairs_of(*two, split_of(test=EARLIER)) for two in ((rows, known), shuffled)
    )
    assert [tuple(map(keys, pair)) for pair in one] == [
        tuple(map(keys, pair)) for pair in other
    ]


def test_later_customers_are_predicted_from_earlier_dates() -> None:
    rows = customer_days()
    [(train, test)] = pairs_of(rows, outcomes(rows), split_of())
    assert set(train.keys["as_of_date"]) == {pd.Timestamp(EARLIER)}
    assert set(test.keys["as_of_date"]) == {pd.Timestamp(LATER)}
    assert train.features["recency_days"].max() < 1_000
    assert test.features["recency_days"].min() >= 1_000


def test_no_customer_is_learned_from_and_predicted_on_the_same_date() -> None:
    rows = customer_days()
    for split in (split_of(), split_of(test=EARLIER)):
        for train, test in pairs_of(rows, outcomes(rows), split):
            assert train.keys.merge(test.keys).empty


def test_selection_and_test_predict_different_customers() -> None:
    rows = customer_days(90)
    number = rows["recency_days"].to_numpy() % 1_000
    halves = np.array(["selection", "test", None], dtype=object)
    known = outcomes(rows).assign(backtest_split=halves[number.astype(int) % 3])
    selection = replace(split_of(test=EARLIER), name="selection")
    chosen, tested = (
        pairs_of(rows, known, split) for split in (selection, split_of(test=EARLIER))
    )
    predicted = [
        {key for _, fold in pairs for key in keys(fold)} for pairs in (chosen, tested)
    ]
    assert [len(one) for one in predicted] == [60, 60]
    of_test = set(known.loc[known["backtest_split"] == "test", "customer_key"])
    of_selection = set(
        known.loc[known["backtest_split"] == "selection", "customer_key"]
    )
    assert predicted[0].isdisjoint(of_test)
    assert predicted[1].isdisjoint(of_selection)
    # the choice learns nothing of the test, which may learn from all others
    assert of_test.isdisjoint(key for train, _ in chosen for key in keys(train))
    assert of_selection == of_selection & {
        key for train, _ in tested for key in keys(train)
    }
    for train, fold in tested:
        assert set(keys(train)).isdisjoint(keys(fold))
    everyone = data_of(rows, known).training_cohort(
        replace(split_of(train=EARLIER), name="fit")
    )
    assert everyone.count == 90
    assert list(everyone.keys) == ["customer_key", "as_of_date"]


def test_too_few_customers_teach_nothing() -> None:
    rows = customer_days(MIN_CUSTOMERS)
    known = outcomes(rows)
    few = known[known["customer_key"] > "shop:0000"]
    for split in (split_of(), split_of(test=EARLIER)):
        assert pairs_of(rows, known, split)
        assert pairs_of(rows, few, split) == []


def test_a_split_without_customers_to_predict_has_no_cohorts() -> None:
    rows = customer_days(days=(EARLIER,))
    assert pairs_of(rows, outcomes(rows), split_of()) == []
    assert pairs_of(rows, outcomes(rows), split_of(test=EARLIER))


@pytest.mark.parametrize("horizon", [90, 365])
def test_outcomes_are_those_of_the_customer_the_date_and_the_horizon(
    horizon: int,
) -> None:
    rows = customer_days().sample(frac=1, random_state=0)
    known = outcomes(rows, (90, 365)).sample(frac=1, random_state=1)
    cohort = data_of(rows, known).training_cohort(
        split_of(train=LATER, horizon_days=horizon)
    )
    assert keys(cohort) == sorted(set(rows["customer_key"]))
    assert cohort.count == 30
    assert list(cohort.features) == ["recency_days"]
    assert list(cohort.outcomes) == OUTCOMES
    assert set(cohort.outcomes["purchases"]) == {horizon}
    pd.testing.assert_series_equal(
        cohort.outcomes["spend"] - horizon,
        cohort.features["recency_days"],
        check_names=False,
    )


def test_customers_without_an_outcome_are_excluded() -> None:
    rows = customer_days()
    known = outcomes(rows).iloc[::3]
    data = data_of(rows, known)
    both = replace(split_of(), train=DateRange(EARLIER, LATER))
    assert data.training_cohort(both).count == len(known)
    assert data.training_cohort(replace(both, horizon_days=180)).count == 0


def test_dates_of_first_purchases_include_both_ends() -> None:
    days = [EARLIER + timedelta(number) for number in range(5)]
    rows = pd.DataFrame(
        {
            "customer_key": [f"shop:{number}" for number in range(5)],
            "source_system": "shop",
            "transaction_key": "shop:1",
            "first_purchase_date": days,
            "as_of_date": [day + timedelta(1) for day in days],
            "is_new": False,
            "is_training_customer": True,
            "basket_value": np.arange(5.0),
        }
    )
    known = outcomes(rows.assign(recency_days=0))
    split = replace(split_of(), population="new", train=DateRange(days[1], days[3]))
    cohort = data_of(rows, known, NEW).training_cohort(split)
    assert keys(cohort) == ["shop:1", "shop:2", "shop:3"]
    # the outcome begins on the day after
    assert cohort.keys["as_of_date"].dt.date.tolist() == days[2:]
    assert list(cohort.features) == ["basket_value"]
    # the outcome of another date is not theirs
    known["as_of_date"] -= pd.Timedelta(days=1)
    assert data_of(rows, known, NEW).training_cohort(split).count == 0


def test_sample_does_not_depend_on_the_order_or_on_other_customers() -> None:
    rows = customer_days(40)
    known = outcomes(rows).drop(columns="horizon_days")

    def sampled(rows: pd.DataFrame, known: pd.DataFrame) -> list[str]:
        dates = DateRange(EARLIER, EARLIER)
        return keys(read(rows).cohort(dates, known, max_customers=10))

    one = sampled(rows, known)
    assert len(one) == 10
    assert one == sorted(one)
    assert sampled(rows.sample(frac=1, random_state=1), known[::-1]) == one
    fewer = rows[rows["customer_key"] < "shop:0035"]
    assert set(sampled(fewer, known)) >= {key for key in one if key < "shop:0035"}


def test_only_training_customers_of_the_source_system_are_read() -> None:
    rows = customer_days()
    mall = rows.assign(
        source_system="mall", customer_key="mall:" + rows["customer_key"]
    )
    today = customer_days(days=(date(2011, 12, 1),)).assign(
        is_today=True, is_training_date=False
    )
    customers = read(pd.concat([rows, mall, today]))
    assert len(customers.rows) == len(rows)
    assert set(customers.rows["as_of_date"].dt.date) == {EARLIER, LATER}


def test_a_new_feature_is_read_and_keys_and_flags_are_not() -> None:
    rows = customer_days().assign(colour="red", favourite_merchant="mine")
    assert read(rows).features == ["recency_days", "colour"]


SEASONS = Seasons(
    {
        ("shop", EARLIER, 90): Season(0.5, 0.4),
        ("shop", LATER, 90): Season(1.5, 1.6),
        ("shop", LATER, 180): Season(-1.0, -1.0),
    }
)


def test_existing_customers_are_learned_from_and_predicted_in_their_seasons() -> None:
    rows = customer_days()
    data = replace(data_of(rows, outcomes(rows)), seasons=SEASONS)
    [(train, test)] = data.pairs(split_of(), folds=5)
    assert train.season == Season(0.5, 0.4)
    assert test.season == Season(1.5, 1.6)
    assert data.training_cohort(split_of()).season == train.season
    # the folds of one date share its season
    for pair in data.pairs(split_of(test=EARLIER), folds=2):
        assert [cohort.season for cohort in pair] == [UNKNOWN, UNKNOWN]


def test_splits_are_read_in_a_fixed_order() -> None:
    with duckdb.connect() as connection:
        relation = connection.query(
            """
            select
                *,
                date '2011-01-01' + horizon_days as test_from_date,
                date '2011-01-09' + horizon_days as test_to_date,
                date '2011-12-01' as as_of_date
            from (values
                ('shop', 'segment', 'new', 'fit', 90, false, null, null),
                ('shop', 'next_purchases', 'new', 'test', 90, false,
                    date '2011-02-01', date '2011-03-01'),
                ('mall', 'next_purchases', 'new', 'test', 365, true, null, null),
                ('shop', 'next_purchases', 'existing', 'test', 365, true, null, null),
                ('shop', 'next_purchases', 'existing', 'test', 90, true, null, null)
            ) as rows(
                source_system, task, population, split, horizon_days,
                is_cross_validated, train_from_date, train_to_date
            )
            """
        )
        splits = read_splits(relation, "next_purchases")
        [segment] = read_splits(relation, "segment")
    assert [
        (split.source_system, split.population, split.horizon_days) for split in splits
    ] == [("mall", "new", 365)] + [
        ("shop", population, horizon)
        for population, horizon in (("existing", 90), ("existing", 365), ("new", 90))
    ]
    *_, last = splits
    assert last == Split(
        *("shop", "next_purchases", "new", "test", 90),
        is_cross_validated=False,
        train=DateRange(date(2011, 2, 1), date(2011, 3, 1)),
        test=DateRange(date(2011, 4, 1), date(2011, 4, 9)),
        as_of_date=date(2011, 12, 1),
    )
    assert segment.train is None
    assert [split.is_backtest for split in (last, segment)] == [True, False]


def test_no_share_of_a_category_is_a_feature_however_many_there_are() -> None:
    columns = ["category_1_share", "recency_days", "category_21_share", "top_share"]
    assert EXISTING.features(columns) == ["recency_days", "top_share"]
