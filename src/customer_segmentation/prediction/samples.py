"""Customers on the days they are seen, and what they did next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import pandas as pd

from customer_segmentation import engine
from customer_segmentation.prediction.purchases import UNKNOWN, Season
from customer_segmentation.prediction.splits import Days

__all__ = ["EXISTING", "NEW", "Population", "Sample", "Seen"]

# more rows than these are learned from by a sample of as many
READ_ROWS = 400_000
SPLIT_ROWS = 20_000
OUTCOMES = ["has_returned", "purchases", "spend"]


@dataclass(frozen=True)
class Population:
    """Where the customers of a population stand.

    Parameters
    ----------
    name : str
        ``existing`` or ``new``.
    key : str
        The column that tells its rows apart.
    day : str
        The column with the day that a split compares.
    days_to_origin : int
        From that day to the first of the outcome.
    not_features : tuple of str
        Columns that are no features.
    """

    name: str
    key: str
    day: str
    days_to_origin: int
    not_features: tuple[str, ...]

    def features(self, columns: Sequence[str]) -> list[str]:
        """Return those columns that are features, in their order."""
        left_out = {self.key, self.day, "customer_key", *self.not_features}
        return [name for name in columns if name not in left_out]


EXISTING = Population(
    name="existing",
    key="snapshot_key",
    day="as_of_date",
    days_to_origin=0,
    not_features=("source_system", "is_present"),
)
NEW = Population(
    name="new",
    key="customer_key",
    day="first_purchase_date",
    days_to_origin=1,
    not_features=("source_system", "transaction_key", "is_new"),
)


@dataclass(frozen=True)
class Seen:
    """Customers of a split; all frames have the same rows.

    Parameters
    ----------
    keys : pandas.DataFrame
        ``customer_key`` and ``origin_date``.
    features : pandas.DataFrame
        What is known of them, sorted by customer.
    outcomes : pandas.DataFrame
        What they did next.
    season : Season
        Of the days to come: those learned from, or, of customers to be predicted, the
        same ones a year before.
    """

    keys: pd.DataFrame
    features: pd.DataFrame
    outcomes: pd.DataFrame
    season: Season = UNKNOWN

    @property
    def count(self) -> int:
        """Number of customers."""
        return len(self.keys)

    def take(self, rows: Sequence[int]) -> Self:
        """Return some of the rows, by position."""
        return type(self)(
            *(
                frame.iloc[rows].reset_index(drop=True)
                for frame in (self.keys, self.features, self.outcomes)
            ),
            season=self.season,
        )


@dataclass(frozen=True)
class Sample:
    """The customers of a population of a source system, and their outcomes.

    Parameters
    ----------
    population : Population
        Which.
    rows : pandas.DataFrame
        A row for each day on which a customer is seen, with ``origin_date``.
    names : list of str
        The features.
    outcomes : pandas.DataFrame
        With ``customer_key``, and ``origin_date`` and ``horizon_days`` or what else
        tells them apart.
    """

    population: Population
    rows: pd.DataFrame
    names: list[str]
    outcomes: pd.DataFrame

    @classmethod
    def read(
        cls,
        relation: engine.Relation,
        population: Population,
        source_system: str,
        outcomes: pd.DataFrame,
    ) -> Self:
        """Read the customers of a source system, past a number a sample of them."""
        names = population.features(relation.columns)
        rows = engine.read(
            relation,
            list(dict.fromkeys(["customer_key", population.day, *names])),
            order_by=population.key,
            where={"source_system": source_system},
            limit=READ_ROWS,
            sample_by="customer_key",
        )
        day = pd.to_datetime(rows[population.day])
        rows = rows.assign(
            **{
                population.day: day,
                "origin_date": day + pd.Timedelta(days=population.days_to_origin),
            }
        )
        return cls(population, rows, names, outcomes)

    def seen(self, days: Days, horizon_days: int) -> Seen:
        """Return those seen on the days whose outcome at the horizon is known."""
        known = self.outcomes[self.outcomes["horizon_days"] == horizon_days]
        return self.joined(days, known.drop(columns="horizon_days"))

    def joined(self, days: Days, known: pd.DataFrame, most: int = SPLIT_ROWS) -> Seen:
        """Return those seen on the days who have a known outcome, at most so many."""
        day = self.rows[self.population.day]
        is_in_days = day.between(pd.Timestamp(days.first), pd.Timestamp(days.last))
        rows = self.rows[is_in_days]
        on = [name for name in ("customer_key", "origin_date") if name in known]
        joined = rows.merge(known, on=on, how="inner")
        joined = joined.sort_values("customer_key", kind="stable")
        if len(joined) > most:
            hashes = pd.util.hash_array(joined["customer_key"].to_numpy(dtype=object))
            order = pd.Series(hashes).argsort(kind="stable")
            joined = joined.iloc[sorted(order[:most])]
        joined = joined.reset_index(drop=True)
        outcomes = [name for name in known.columns if name not in on]
        return Seen(
            joined[["customer_key", "origin_date"]],
            joined[self.names],
            joined[outcomes],
        )
