"""Print how well the lifecycle knows who comes back, beside one number of days for all.

Run ``dbt build``, then ``python benchmarks/lifecycle.py --database
data/customer_segmentation.duckdb``; it needs ``transactions`` only, and prints the
stages too where ``lifecycle_backtests`` is built. At several past dates each customer
is measured by what was known then: by the own rhythm (Pareto/NBD, with the level of the
season a year before where that is on record), and by the days since the last purchase.
A rule of one number calls customers active up to so many days, and inactive after. Its
probabilities are the shares of both groups who came back after a date one horizon
earlier.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from project import database_option
from sklearn.isotonic import IsotonicRegression

from customer_segmentation.movement.rhythm import BuyingHistories, Rhythm, level_shift
from customer_segmentation.parallel import single_threaded
from customer_segmentation.prediction import metrics

Numbers = NDArray[np.float64]

CUSTOMARY_DAYS = 90
HORIZONS = (90, 180)
# on record before a date, and before that on which the rules learn
HISTORY_DAYS, RULE_HISTORY_DAYS = 180, 60
STEP_DAYS, DATES = 60, 3
YEAR = pd.Timedelta(days=365)
PURCHASE_DAYS = """
    select distinct source_system, customer_key, cast(completed_at as date) as day
    from transactions
    where is_completed and customer_key is not null
"""
BACKTESTS = """
    select
        source_system as shop, as_of_date, horizon_days as horizon, group_name,
        customers,
        round(100 * expected_return_share, 1) as "expected %",
        round(100 * return_share, 1) as "came back %"
    from lifecycle_backtests
    where grouping_name = 'stage'
    order by all
"""


@dataclass(frozen=True)
class Shop:
    """The purchases of a source system.

    Parameters
    ----------
    name : str
        The source system.
    days : pandas.DataFrame
        ``customer_key`` and ``day``: one row per customer and day with a purchase.
    today : Timestamp
        The day after the last purchase.
    """

    name: str
    days: pd.DataFrame
    today: pd.Timestamp

    @property
    def first_day(self) -> pd.Timestamp:
        """The first day with a purchase."""
        return self.days["day"].min()

    def dates(self, horizon: int) -> list[pd.Timestamp]:
        """Return past dates whose horizon has ended and that have a history."""
        last = self.today - pd.Timedelta(days=horizon)
        steps = (last - pd.Timedelta(days=STEP_DAYS * n) for n in range(DATES))
        needed = max(HISTORY_DAYS, RULE_HISTORY_DAYS + horizon)
        known = self.first_day + pd.Timedelta(days=needed)
        return sorted(date for date in steps if date >= known)

    def cohort(self, date: pd.Timestamp, horizon: int) -> "Cohort":
        """Return the customers as they were known on a date, and who came back."""
        end = date + pd.Timedelta(days=horizon)
        past = self.days[self.days["day"] < date].sort_values(["customer_key", "day"])
        by_customer = past.groupby("customer_key")["day"]
        last = by_customer.max()
        first = by_customer.min()
        later = self.days[(self.days["day"] >= date) & (self.days["day"] < end)]
        histories = BuyingHistories(
            by_customer.count().to_numpy(float) - 1,
            (last - first).dt.days.to_numpy(float),
            (date - first).dt.days.to_numpy(float),
            np.zeros(len(last)),
        )
        recency = (date - last).dt.days.to_numpy(float)
        returned = last.index.isin(later["customer_key"].unique())
        return Cohort(histories, recency, returned)


@dataclass(frozen=True)
class Cohort:
    """Customers of a date.

    Parameters
    ----------
    histories : BuyingHistories
        As known then.
    recency : array of shape (n,)
        Days since the last purchase.
    returned : array of bool, shape (n,)
        Whether they bought within the horizon.
    """

    histories: BuyingHistories
    recency: Numbers
    returned: NDArray[np.bool_]


@dataclass(frozen=True)
class Answer:
    """What a method says of a cohort.

    Parameters
    ----------
    name : str
        The method.
    probability : array of shape (n,)
        Of a return.
    is_active : array of bool, shape (n,)
        Whether it expects a return.
    order : array of shape (n,)
        Greater for customers who are more likely to return.
    """

    name: str
    probability: Numbers
    is_active: NDArray[np.bool_]
    order: Numbers

    @classmethod
    def of(cls, name: str, probability: Numbers) -> "Answer":
        """Return the answer of probabilities."""
        return cls(name, probability, probability > 0.5, probability)


@click.command()
@database_option
@click.option("--draws", default=500, show_default=True, help="Of customers.")
@single_threaded()
def measure(database: Path, draws: int) -> None:
    """Print AUC, accuracy, Brier score and calibration, with 95 % intervals."""
    with duckdb.connect(str(database), read_only=True) as connection:
        days = connection.sql(PURCHASE_DAYS).df()
        tables = {
            name for (name,) in connection.sql("select name from (show)").fetchall()
        }
        stages = (
            connection.sql(BACKTESTS).df() if "lifecycle_backtests" in tables else None
        )
    days["day"] = pd.to_datetime(days["day"])
    for name, own in days.groupby("source_system"):
        shop = Shop(str(name), own, own["day"].max() + pd.Timedelta(days=1))
        for horizon in HORIZONS:
            for date in shop.dates(horizon):
                show(shop, date, horizon, draws)
    if stages is not None:
        click.echo("\nlifecycle_backtests, by stage")
        click.echo(stages.to_string(index=False))


def show(shop: Shop, date: pd.Timestamp, horizon: int, draws: int) -> None:
    """Print the comparison on one date."""
    cohort = shop.cohort(date, horizon)
    returned = cohort.returned
    click.echo(
        f"\n{shop.name}, {date.date()}, next {horizon} days: {len(returned):,} "
        f"customers, {returned.mean():.1%} came back"
    )
    answers = list(answers_of(shop, cohort, date, horizon))
    header = ("AUC", "accuracy", "Brier", "expected")
    click.echo(" " * 46 + "".join(f"{one:>10}" for one in header))
    for answer in answers:
        values = [measured(answer, returned) for measured in MEASURES.values()]
        values.append(float(answer.probability.mean()))
        click.echo(f"  {answer.name:<44}" + "".join(f"{one:>10.3f}" for one in values))
    own, *others = answers
    for other in others:
        texts = []
        for name, measured in MEASURES.items():
            drawn = metrics.bootstrap(
                partial(difference, measured, own, other),
                np.arange(len(returned)),
                returned,
                resamples=draws,
            )
            low, high = metrics.interval_of(drawn)
            texts.append(f"{name} {low:+.3f} to {high:+.3f}")
        click.echo(f"  own rhythm minus {other.name}: " + "; ".join(texts))
    show_deciles(own, returned)


def answers_of(
    shop: Shop, cohort: Cohort, date: pd.Timestamp, horizon: int
) -> Iterator[Answer]:
    """Yield what each method says, the own rhythm first."""
    rhythm = Rhythm.fit(cohort.histories)
    shift = 0.0
    if date - YEAR >= shop.first_day + pd.Timedelta(days=90):
        earlier = shop.cohort(date - YEAR, horizon)
        expected = Rhythm.fit(earlier.histories).return_probability(
            earlier.histories, horizon
        )
        shift = level_shift(expected, earlier.returned)
    seasonal = Rhythm(rhythm.r, rhythm.alpha, rhythm.s, rhythm.beta, shift)
    yield Answer.of(
        "own rhythm", seasonal.return_probability(cohort.histories, horizon)
    )
    if shift:
        yield Answer.of(
            "own rhythm without season",
            rhythm.return_probability(cohort.histories, horizon),
        )
    before = shop.cohort(date - pd.Timedelta(days=horizon), horizon)
    yield rule("one number, 90 days", CUSTOMARY_DAYS, cohort, before)
    chosen = best_number(before)
    yield rule(f"one number, chosen before: {chosen} days", chosen, cohort, before)
    hindsight = best_number(cohort)
    yield rule(
        f"one number, with hindsight: {hindsight} days", hindsight, cohort, before
    )
    curve = IsotonicRegression(increasing=False, out_of_bounds="clip")
    curve.fit(before.recency, before.returned)
    probability = curve.predict(cohort.recency)
    yield Answer(
        "any curve of the days since the last purchase",
        probability,
        probability > 0.5,
        -cohort.recency,
    )


def rule(name: str, days: int, cohort: Cohort, before: Cohort) -> Answer:
    """Return the answer of a number of days, with the shares learned before."""
    was_active, is_active = before.recency <= days, cohort.recency <= days
    shares = [
        before.returned[group].mean() if group.any() else before.returned.mean()
        for group in (was_active, ~was_active)
    ]
    probability = np.where(is_active, *shares)
    return Answer(name, probability, is_active, is_active.astype(float))


def best_number(cohort: Cohort) -> int:
    """Return the number of days that calls most customers of a cohort rightly."""
    days = np.arange(1, int(cohort.recency.max()) + 2)
    right = [((cohort.recency <= one) == cohort.returned).mean() for one in days]
    return int(days[int(np.argmax(right))])


def auc(answer: Answer, returned: NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve."""
    return metrics.auc(answer.order, returned.astype(float))


def accuracy(answer: Answer, returned: NDArray[np.bool_]) -> float:
    """Return the share of customers called rightly."""
    return float((answer.is_active == returned).mean())


def brier(answer: Answer, returned: NDArray[np.bool_]) -> float:
    """Return the mean squared error of the probabilities."""
    return float(np.mean((answer.probability - returned) ** 2))


Measured = Callable[[Answer, NDArray[np.bool_]], float]
MEASURES: dict[str, Measured] = {"AUC": auc, "accuracy": accuracy, "Brier": brier}


def difference(
    measured: Measured, one: Answer, other: Answer, rows: Numbers, returned: Numbers
) -> float:
    """Return by how much one answer differs from another on some customers."""
    values = [
        measured(
            Answer(
                answer.name,
                answer.probability[rows],
                answer.is_active[rows],
                answer.order[rows],
            ),
            returned,
        )
        for answer in (one, other)
    ]
    return values[0] - values[1]


def show_deciles(answer: Answer, returned: NDArray[np.bool_]) -> None:
    """Print expected and actual shares by decile of the probability."""
    order = np.argsort(answer.probability, kind="stable")
    groups = np.array_split(order, 10)
    for name, values in (("expected", answer.probability), ("came back", returned)):
        shares = "".join(f"{values[group].mean():>7.2f}" for group in groups)
        click.echo(f"  deciles, {name:<10}{shares}")


if __name__ == "__main__":
    measure()
