"""No model learns from what it is judged on; each split has the dates that it needs."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from split_reference import DateRange, Record, Rules, Split, horizon_of, splits_of

RULES = Rules()
TWO_YEARS = Record("shop", date(2011, 12, 10), date(2009, 12, 1))
RECORDS = [
    replace(TWO_YEARS, first_purchase_date=TWO_YEARS.as_of_date - timedelta(days))
    for days in (361, 374, 460, 546, 636, 739, 1_180, 2_000)
]


def end_of_outcome(split: Split, last: date) -> date:
    """Return the day after the last of the outcome."""
    first_day = last if split.population == "existing" else last + timedelta(1)
    return first_day + timedelta(split.horizon_days)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: f"{record.days} days")
def test_no_outcome_that_is_learned_from_reaches_into_the_test(record):
    for split in splits_of(record, RULES):
        if split.train and split.test and not split.is_cross_validated:
            assert end_of_outcome(split, split.train.last) <= split.test.first


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: f"{record.days} days")
def test_every_outcome_is_complete_as_of_today(record):
    for split in splits_of(record, RULES):
        for days in (split.train, split.test):
            if days and split.name != "score":
                assert end_of_outcome(split, days.last) <= record.as_of_date
                assert days.first <= days.last


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: f"{record.days} days")
def test_the_champion_is_chosen_before_the_test_of_what_is_published(record):
    splits = list(splits_of(record, RULES))
    for split in splits:
        if split.name != "selection":
            continue
        alike = [
            other
            for other in splits
            if (other.task, other.population) == (split.task, split.population)
        ]
        published = max(other.horizon_days for other in alike)
        [test] = [
            other
            for other in alike
            if other.name == "test" and other.horizon_days == published
        ]
        # all customers of the record take turns: there is no day before them
        if not (test.is_cross_validated and split.population == "new"):
            assert end_of_outcome(split, split.test.last) <= test.test.first


def test_what_can_be_learned_can_be_chosen_and_tested_whatever_the_record():
    for days in range(1, 1_300):
        first = TWO_YEARS.as_of_date - timedelta(days)
        record = replace(TWO_YEARS, first_purchase_date=first)
        names = {}
        for split in splits_of(record, RULES):
            names.setdefault((split.task, split.population), set()).add(split.name)
        whole = {"score", "fit", "test", "selection"}
        assert all(found == whole for found in names.values()), days
        # a longer record takes nothing away
        assert len(names) == (0 if days < 361 else 4 if days < 451 else 5), days


def test_a_purpose_has_one_split_of_a_name_and_horizon():
    for record in RECORDS:
        keys = [
            (split.task, split.population, split.name, split.horizon_days)
            for split in splits_of(record, RULES)
        ]
        assert len(keys) == len(set(keys))


def test_two_years_are_split_as_in_the_published_protocol():
    splits = list(splits_of(TWO_YEARS, RULES))
    assert (
        Split(
            *("shop", "next_purchases", "existing", "test", 365),
            is_cross_validated=True,
            train=DateRange(date(2010, 12, 10), date(2010, 12, 10)),
            test=DateRange(date(2010, 12, 10), date(2010, 12, 10)),
            as_of_date=TWO_YEARS.as_of_date,
        )
        in splits
    )
    assert (
        Split(
            *("shop", "next_purchases", "new", "test", 365),
            is_cross_validated=True,
            train=DateRange(date(2010, 3, 1), date(2010, 12, 9)),
            test=DateRange(date(2010, 3, 1), date(2010, 12, 9)),
            as_of_date=TWO_YEARS.as_of_date,
        )
        in splits
    )
    assert (
        Split(
            *("shop", "next_purchases", "existing", "test", 90),
            is_cross_validated=False,
            train=DateRange(date(2011, 6, 13), date(2011, 6, 13)),
            test=DateRange(date(2011, 9, 11), date(2011, 9, 11)),
            as_of_date=TWO_YEARS.as_of_date,
        )
        in splits
    )


@pytest.mark.parametrize(
    ("days", "horizon"), [(2_000, 365), (636, 365), (635, 180), (451, 180), (450, 90),
                          (361, 90), (360, None)],
)  # fmt: skip
def test_a_short_record_has_a_shorter_horizon(days, horizon):
    first = TWO_YEARS.as_of_date - timedelta(days)
    record = replace(TWO_YEARS, first_purchase_date=first)
    assert horizon_of(record, RULES) == horizon
    assert bool(list(splits_of(record, RULES))) is (horizon is not None)
