"""Which days models learn from, and which days they are judged on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from customer_segmentation.prediction.rules import PredictionRules

__all__ = ["Days", "Record", "Split", "horizon_of", "splits_of"]

Task = Literal["next_purchases", "segment"]
Population = Literal["existing", "new"]
Part = Literal["score", "fit", "test", "selection"]


@dataclass(frozen=True)
class Record:
    """What a source system has recorded.

    Parameters
    ----------
    source_system : str
        Which.
    as_of_date : date
        Nothing from this day on exists.
    first_purchase_date : date
        Day of the first purchase on record.
    """

    source_system: str
    as_of_date: date
    first_purchase_date: date

    @property
    def days(self) -> int:
        """Days on record."""
        return (self.as_of_date - self.first_purchase_date).days


@dataclass(frozen=True)
class Days:
    """From one day to another, both included.

    Parameters
    ----------
    first, last : date
        Of existing customers the cutoff, which is one day; of new customers the first
        and last day on which they may have bought first.
    """

    first: date
    last: date


@dataclass(frozen=True)
class Split:
    """Customers to learn from and customers to predict.

    Parameters
    ----------
    source_system, task, population : str
        Of whom what is predicted.
    part : str
        ``score``: today's customers. ``fit``: those of whom the outcome is known, for
        the model that scores. ``test``: the last of them. ``selection``: earlier ones,
        on which the champion is chosen.
    horizon_days : int
        Length of the outcome.
    is_cross_validated : bool
        Whether folds of the customers take turns, as no earlier customers exist to
        learn from.
    train, test : Days or None
        Whom to learn from, and whom to predict.
    as_of_date : date
        Nothing from this day on exists.
    """

    source_system: str
    task: Task
    population: Population
    part: Part
    horizon_days: int
    is_cross_validated: bool
    train: Days | None
    test: Days | None
    as_of_date: date


def horizon_of(record: Record, rules: PredictionRules) -> int | None:
    """Return the longest allowed horizon that the record can teach and judge.

    That of the rules if it fits, else the longest shorter one of the back-tests; None
    where none fits. It fits if there is a past day to learn from, and before it one to
    choose the champion on, for existing customers and for new ones.
    """
    shorter = [h for h in rules.backtest_horizon_days if h < rules.horizon_days]
    for horizon in (rules.horizon_days, *sorted(shorter, reverse=True)):
        days_ago = horizon + min(_horizons(rules, horizon))
        has_history = record.days - days_ago >= rules.history_days
        has_firsts = _first(record, rules) - (days_ago + 1) >= rules.test_days
        if has_history and has_firsts:
            return horizon
    return None


def splits_of(record: Record, rules: PredictionRules) -> Iterator[Split]:
    """Return the splits of a source system; none where its record is too short.

    No model learns from an outcome that reaches into the days it is judged on, unless
    the split is cross-validated: then it learns from other customers. The champion is
    chosen on outcomes that were complete before any test at the published horizon
    began. Where the test of new customers is cross-validated there is no such day: it
    begins with the record, and the choice is made on the first of its customers, at
    shorter horizons.
    """
    horizon = horizon_of(record, rules)
    if horizon is None:
        return
    yield from (
        *_existing(record, rules, horizon),
        *_new(record, rules, horizon),
        *_segment(record, rules),
    )


def _existing(record: Record, rules: PredictionRules, horizon: int) -> Iterator[Split]:
    def cutoff(days_ago: int) -> Days:
        day = record.as_of_date - timedelta(days_ago)
        return Days(day, day)

    def has_history(days_ago: int) -> bool:
        return record.days - days_ago >= rules.history_days

    def split(part: Part, days: int, train: int | None, test: int | None) -> Split:
        return Split(
            record.source_system,
            *("next_purchases", "existing", part, days),
            is_cross_validated=train == test,
            train=None if train is None else cutoff(train),
            test=None if test is None else cutoff(test),
            as_of_date=record.as_of_date,
        )

    yield split("score", horizon, None, 0)
    yield split("fit", horizon, horizon, None)
    for days in _horizons(rules, horizon):
        if has_history(2 * days):
            yield split("test", days, 2 * days, days)
        elif days == horizon:
            yield split("test", days, days, days)
        # out of time if the record allows: the folds of one day share its season
        judged = horizon + days
        if has_history(judged + days):
            yield split("selection", days, judged + days, judged)
        elif has_history(judged):
            yield split("selection", days, judged, judged)


def _new(record: Record, rules: PredictionRules, horizon: int) -> Iterator[Split]:
    ranges = _Firsts(record, rules, "next_purchases")
    yield ranges.split("score", horizon, None, (rules.new_within_days, 1))
    yield ranges.split("fit", horizon, (ranges.first, horizon + 1), None)
    # what is chosen on is over when the first customers of the test buy
    is_out_of_time = ranges.last_to_learn_from(horizon) is not None
    before = horizon + (rules.test_days if is_out_of_time else 0)
    for days in _horizons(rules, horizon):
        if ranges.last_to_learn_from(days) is not None:
            yield ranges.out_of_time("test", days)
        elif days == horizon:
            both = (ranges.first, days + 1)
            yield ranges.split("test", days, both, both)
        last = before + days + 1
        if ranges.last_to_learn_from(days, before) is not None:
            yield ranges.out_of_time("selection", days, before)
        elif ranges.first - last >= rules.test_days:
            both = (ranges.first, last)
            yield ranges.split("selection", days, both, both)


def _segment(record: Record, rules: PredictionRules) -> Iterator[Split]:
    ranges = _Firsts(record, rules, "segment")
    days = rules.segment_after_days
    last = ranges.last_to_learn_from(days)
    if last is None:
        return
    yield ranges.split("score", days, None, (rules.new_within_days, 1))
    yield ranges.split("fit", days, (ranges.first, days + 1), None)
    yield ranges.out_of_time("test", days)
    # the outcome of the selection is complete when the first of the test buys
    before = days + rules.test_days
    if ranges.last_to_learn_from(days, before) is not None:
        yield ranges.out_of_time("selection", days, before)
    else:
        both = (ranges.first, last)
        yield ranges.split("selection", days, both, both)


@dataclass(frozen=True)
class _Firsts:
    """Ranges of days of first purchases, in days before the as-of date."""

    record: Record
    rules: PredictionRules
    task: Task

    @property
    def first(self) -> int:
        return _first(self.record, self.rules)

    def last_to_learn_from(self, horizon: int, before: int = 0) -> int | None:
        # the outcome of the last is complete when the first of the test buys
        last = before + 2 * horizon + self.rules.test_days + 1
        return last if self.first - last >= self.rules.test_days else None

    def out_of_time(self, part: Part, horizon: int, before: int = 0) -> Split:
        return self.split(
            part,
            horizon,
            (self.first, self.last_to_learn_from(horizon, before)),
            (before + horizon + self.rules.test_days, before + horizon + 1),
        )

    def split(
        self,
        part: Part,
        horizon: int,
        train: tuple[int, int] | None,
        test: tuple[int, int] | None,
    ) -> Split:
        return Split(
            self.record.source_system,
            *(self.task, "new", part, horizon),
            is_cross_validated=train == test,
            train=self._days(train),
            test=self._days(test),
            as_of_date=self.record.as_of_date,
        )

    def _days(self, days_ago: tuple[int, int] | None) -> Days | None:
        if days_ago is None:
            return None
        return Days(*(self.record.as_of_date - timedelta(days) for days in days_ago))


def _horizons(rules: PredictionRules, horizon: int) -> tuple[int, ...]:
    shorter = [days for days in rules.backtest_horizon_days if days < horizon]
    return (horizon, *sorted(shorter, reverse=True))


def _first(record: Record, rules: PredictionRules) -> int:
    return record.days - rules.burn_in_days
