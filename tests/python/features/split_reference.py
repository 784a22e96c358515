"""The splits of a source system, computed with dates and cases instead of SQL.

``int_features__splits`` must give the same rows: two independent programs hardly make
the same mistake.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

__all__ = ["DateRange", "Record", "Rules", "Split", "horizon_of", "splits_of"]

Task = Literal["next_purchases", "segment", "interests"]
Population = Literal["existing", "new"]
Name = Literal["score", "fit", "test", "selection"]


@dataclass(frozen=True)
class Rules:
    """The vars that decide on splits; ``vars.yml`` explains them.

    Parameters
    ----------
    horizon_days, history_days, burn_in_days, test_days : int
        Lengths in days.
    new_customer_days, segment_days : int
        Days after the first purchase.
    backtest_horizon_days : tuple of int
        Shorter horizons, in days.
    interest_days : int
        Horizon of interests.
    """

    horizon_days: int = 365
    history_days: int = 180
    burn_in_days: int = 90
    test_days: int = 90
    new_customer_days: int = 30
    segment_days: int = 90
    backtest_horizon_days: tuple[int, ...] = (90, 180)
    interest_days: int = 70

    def horizons_up_to(self, horizon: int) -> tuple[int, ...]:
        """Return a horizon and the shorter ones of the back-tests, longest first."""
        shorter = [days for days in self.backtest_horizon_days if days < horizon]
        return (horizon, *sorted(shorter, reverse=True))


@dataclass(frozen=True)
class Record:
    """The period that a source system has recorded.

    Parameters
    ----------
    source_system : str
        Its name.
    as_of_date : date
        Events on or after this date are ignored.
    first_purchase_date : date
        Date of the first purchase on record.
    """

    source_system: str
    as_of_date: date
    first_purchase_date: date

    @property
    def days(self) -> int:
        """Days on record."""
        return (self.as_of_date - self.first_purchase_date).days


@dataclass(frozen=True)
class DateRange:
    """From one date to another, both included.

    Parameters
    ----------
    first, last : date
        For existing customers one as-of date; for new customers the first and the last
        date of a first purchase.
    """

    first: date
    last: date


@dataclass(frozen=True)
class Split:
    """The customers that a model learns from and those that it predicts.

    Parameters
    ----------
    source_system, task, population : str
        What is predicted for which customers.
    name : str
        ``score``: today's customers. ``fit``: customers with a known outcome, for the
        model that scores. ``test``: the last of these. ``selection``: earlier ones, on
        which the champion is chosen.
    horizon_days : int
        Length of the outcome.
    is_cross_validated : bool
        Whether folds of the same customers are predicted in turn, since there are no
        earlier customers to learn from.
    train, test : DateRange or None
        The customers to learn from and those to predict.
    as_of_date : date
        Events on or after this date are ignored.
    """

    source_system: str
    task: Task
    population: Population
    name: Name
    horizon_days: int
    is_cross_validated: bool
    train: DateRange | None
    test: DateRange | None
    as_of_date: date

    def row(self) -> dict[str, Any]:
        """Return the split as a row of ``int_features__splits``."""
        return {
            "source_system": self.source_system,
            "task": self.task,
            "population": self.population,
            "split": self.name,
            "horizon_days": self.horizon_days,
            "is_cross_validated": self.is_cross_validated,
            "train_from_date": self.train and self.train.first,
            "train_to_date": self.train and self.train.last,
            "test_from_date": self.test and self.test.first,
            "test_to_date": self.test and self.test.last,
            "as_of_date": self.as_of_date,
        }


def horizon_of(record: Record, rules: Rules) -> int | None:
    """Return the longest horizon that the record allows, None if it allows none.

    A horizon is allowed if there is a past as-of date to learn from, and before it one
    to choose the champion on, for existing customers and for new ones.
    """
    for horizon in rules.horizons_up_to(rules.horizon_days):
        days_ago = horizon + min(rules.horizons_up_to(horizon))
        has_history = record.days - days_ago >= rules.history_days
        has_first_purchases = (
            record.days - rules.burn_in_days - (days_ago + 1) >= rules.test_days
        )
        if has_history and has_first_purchases:
            return horizon
    return None


def splits_of(record: Record, rules: Rules) -> Iterator[Split]:
    """Return the splits of a source system; none if its record is too short.

    No model learns from an outcome that reaches into the dates that it is judged on,
    unless the split is cross-validated: then it learns from other customers. The
    champion is chosen on outcomes that were complete before any test at the published
    horizon began. A cross-validated test of new customers begins with the record, so no
    outcome was complete before it: the champion is chosen on the first of its
    customers, at shorter horizons.
    """
    horizon = horizon_of(record, rules)
    if horizon is None:
        return
    horizons = rules.horizons_up_to(horizon)
    yield from _existing(record, rules, "next_purchases", horizons)
    yield from _new(record, rules, "next_purchases", horizons)
    yield from _segment(record, rules)
    # interests need a date to choose on before the one to learn from
    interests = rules.interest_days, rules.interest_days // 2
    if record.days - 2 * interests[0] >= rules.history_days:
        yield from _existing(record, rules, "interests", interests)
    windows = _Windows(record, rules, "interests")
    if windows.first - (2 * interests[0] + 1) >= rules.test_days:
        yield from _new(record, rules, "interests", interests)


def _existing(
    record: Record, rules: Rules, task: Task, horizons: tuple[int, ...]
) -> Iterator[Split]:
    horizon = horizons[0]

    def has_history(days_ago: int) -> bool:
        return record.days - days_ago >= rules.history_days

    def split(name: Name, days: int, train: int | None, test: int | None) -> Split:
        return _split(
            record,
            *(task, "existing", name, days),
            None if train is None else (train, train),
            None if test is None else (test, test),
        )

    yield split("score", horizon, None, 0)
    yield split("fit", horizon, horizon, None)
    for days in horizons:
        if has_history(2 * days):
            yield split("test", days, 2 * days, days)
        elif days == horizon:
            yield split("test", days, days, days)
        # out of time if the record allows: the folds of one date share its season
        judged = horizon + days
        if has_history(judged + days):
            yield split("selection", days, judged + days, judged)
        elif has_history(judged):
            yield split("selection", days, judged, judged)


def _new(
    record: Record, rules: Rules, task: Task, horizons: tuple[int, ...]
) -> Iterator[Split]:
    horizon = horizons[0]
    windows = _Windows(record, rules, task)
    yield windows.split("score", horizon, None, (rules.new_customer_days, 1))
    yield windows.split("fit", horizon, (windows.first, horizon + 1), None)
    # outcomes of the selection are complete before the first customers of the test buy
    is_out_of_time = windows.last_to_learn_from(horizon) is not None
    before = horizon + (rules.test_days if is_out_of_time else 0)
    for days in horizons:
        if windows.last_to_learn_from(days) is not None:
            yield windows.out_of_time("test", days)
        elif days == horizon:
            both = (windows.first, days + 1)
            yield windows.split("test", days, both, both)
        last = before + days + 1
        if windows.last_to_learn_from(days, before) is not None:
            yield windows.out_of_time("selection", days, before)
        elif windows.first - last >= rules.test_days:
            both = (windows.first, last)
            yield windows.split("selection", days, both, both)


def _segment(record: Record, rules: Rules) -> Iterator[Split]:
    windows = _Windows(record, rules, "segment")
    days = rules.segment_days
    last = windows.last_to_learn_from(days)
    if last is None:
        return
    yield windows.split("score", days, None, (rules.new_customer_days, 1))
    yield windows.split("fit", days, (windows.first, days + 1), None)
    yield windows.out_of_time("test", days)
    # the outcome of the selection is complete when the first of the test buys
    before = days + rules.test_days
    if windows.last_to_learn_from(days, before) is not None:
        yield windows.out_of_time("selection", days, before)
    else:
        both = (windows.first, last)
        yield windows.split("selection", days, both, both)


@dataclass(frozen=True)
class _Windows:
    """Windows of first purchases, in days before the as-of date."""

    record: Record
    rules: Rules
    task: Task

    @property
    def first(self) -> int:
        return self.record.days - self.rules.burn_in_days

    def last_to_learn_from(self, horizon: int, before: int = 0) -> int | None:
        # the outcome of the last customer is complete when the first of the test buys
        last = before + 2 * horizon + self.rules.test_days + 1
        return last if self.first - last >= self.rules.test_days else None

    def out_of_time(self, name: Name, horizon: int, before: int = 0) -> Split:
        last = self.last_to_learn_from(horizon, before)
        assert last is not None
        return self.split(
            name,
            horizon,
            (self.first, last),
            (before + horizon + self.rules.test_days, before + horizon + 1),
        )

    def split(
        self,
        name: Name,
        horizon: int,
        train: tuple[int, int] | None,
        test: tuple[int, int] | None,
    ) -> Split:
        return _split(self.record, self.task, "new", name, horizon, train, test)


def _split(
    record: Record,
    task: Task,
    population: Population,
    name: Name,
    horizon: int,
    train: tuple[int, int] | None,
    test: tuple[int, int] | None,
) -> Split:
    return Split(
        source_system=record.source_system,
        task=task,
        population=population,
        name=name,
        horizon_days=horizon,
        is_cross_validated=train == test,
        train=_dates(record, train),
        test=_dates(record, test),
        as_of_date=record.as_of_date,
    )


def _dates(record: Record, days_ago: tuple[int, int] | None) -> DateRange | None:
    if days_ago is None:
        return None
    return DateRange(*(record.as_of_date - timedelta(days) for days in days_ago))
