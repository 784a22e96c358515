"""Cohorts: customers on an as-of date, with their features and what they did next."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_segmentation import engine
from customer_segmentation.prediction.seasons import UNKNOWN, Season
from customer_segmentation.prediction.splits import DateRange, Split

__all__ = [
    "EXISTING",
    "INTEREST_POPULATIONS",
    "MIN_CUSTOMERS",
    "NEW",
    "POPULATIONS",
    "Cohort",
    "Customers",
    "KnownCustomers",
    "Population",
    "is_predicted",
    "source_systems_of",
]

# the split that predicts a customer, null if all may
ONLY_SPLIT = "backtest_split"
# fewer customers teach nothing that holds for others
MIN_CUSTOMERS = 20
# categories are learned from all products, those of the future among them
CATEGORY_SHARE = re.compile(r"category_\d+_share")


@dataclass(frozen=True)
class Population:
    """Which rows and columns of a table of features belong to a population.

    Parameters
    ----------
    name : str
        ``existing`` or ``new``.
    date : str
        The column that the dates of a split refer to.
    learned_where, scored_where : mapping of str to str or bool
        Values of the customers to learn from, and of those to score today.
    other_columns : frozenset of str
        Columns that the models do not read.
    """

    name: str
    date: str
    learned_where: Mapping[str, str | bool]
    scored_where: Mapping[str, str | bool]
    other_columns: frozenset[str]

    def features(self, columns: Sequence[str]) -> list[str]:
        """Return the columns that the models read, in their order.

        They read no share of a product category, however many there are.
        """
        return [
            name
            for name in columns
            if name not in self.other_columns and not CATEGORY_SHARE.fullmatch(name)
        ]


# models of purchases read each new feature of int_features__customer_days, unless it is
# listed here; the listed features serve segmentations only
EXISTING = Population(
    name="existing",
    date="as_of_date",
    learned_where={"is_training_date": True},
    scored_where={"is_today": True, "has_purchased": True},
    other_columns=frozenset(
        {
            *("customer_key", "source_system", "as_of_date", "is_today"),
            *("is_training_date", "is_segment_target_date", "has_purchased"),
            *("first_purchase_date", "is_training_customer"),
            *("annual_income", "spending_score", "activity_recency_days"),
            *("lifetime_transactions", "morning_share", "evening_share"),
            *("mean_basket_items", "mean_basket_products", "distinct_products"),
            *("repeat_product_share", "favourite_merchant"),
        }
    ),
)
NEW = Population(
    name="new",
    date="first_purchase_date",
    learned_where={"is_training_customer": True},
    scored_where={"is_new": True},
    other_columns=frozenset(
        {
            *("customer_key", "source_system", "transaction_key", "as_of_date"),
            *("first_purchase_date", "is_new", "is_training_customer"),
        }
    ),
)
POPULATIONS = {population.name: population for population in (EXISTING, NEW)}
# interests are learned from a table of their own, which has both populations
INTEREST_POPULATIONS = {
    name: Population(
        name=name,
        date=date,
        learned_where={"population": name, "is_training_customer": True},
        scored_where={"population": name, "is_scored": True},
        other_columns=frozenset(
            {
                *("customer_key", "source_system", "population", "as_of_date"),
                *("first_purchase_date", "is_training_customer", "is_scored"),
            }
        ),
    )
    for name, date in (("existing", "as_of_date"), ("new", "first_purchase_date"))
}


@dataclass(frozen=True)
class Cohort:
    """Customers to learn from or to predict; all frames have the same rows.

    Parameters
    ----------
    keys : pandas.DataFrame
        ``customer_key`` and ``as_of_date``; for a test also ``backtest_split``.
    features : pandas.DataFrame
        What is known of them on that date, sorted by customer.
    outcomes : pandas.DataFrame
        What they did next.
    season : Season
        The season that they are learned in, or predicted for.
    """

    keys: pd.DataFrame
    features: pd.DataFrame
    outcomes: pd.DataFrame
    season: Season = UNKNOWN

    @property
    def count(self) -> int:
        """Number of customers."""
        return len(self.keys)

    def take(self, rows: NDArray[np.int64]) -> Self:
        """Return some of the rows, by position."""
        keys, features, outcomes = (
            frame.iloc[rows].reset_index(drop=True)
            for frame in (self.keys, self.features, self.outcomes)
        )
        return replace(self, keys=keys, features=features, outcomes=outcomes)


@dataclass(frozen=True)
class Customers:
    """The training customers of a source system and a population, in memory.

    Parameters
    ----------
    population : Population
        Which.
    rows : pandas.DataFrame
        A row per customer and as-of date, with the column of the population's date.
    features : list of str
        The columns that models read.
    """

    population: Population
    rows: pd.DataFrame
    features: list[str]

    @classmethod
    def read(
        cls, relation: engine.Relation, population: Population, source_system: str
    ) -> Self:
        """Read the training customers of a source system.

        Parameters
        ----------
        relation : engine.Relation
            ``int_features__customer_days`` for existing customers,
            ``int_features__first_purchases`` for new ones.
        population : Population
            Which.
        source_system : str
            Its name.
        """
        features = population.features(relation.columns)
        keys = dict.fromkeys(["customer_key", "as_of_date", population.date])
        rows = engine.read(
            relation,
            [*keys, *features],
            order_by=["customer_key", "as_of_date"],
            where={"source_system": source_system, **population.learned_where},
        )
        dates = [name for name in keys if name != "customer_key"]
        for name in dates:
            # without rows a column has no type of its own
            rows[name] = pd.to_datetime(rows[name])
        return cls(population, rows, features)

    def cohort(
        self, dates: DateRange, outcomes: pd.DataFrame, max_customers: int
    ) -> Cohort:
        """Return the customers on some dates whose outcome is known.

        Parameters
        ----------
        dates : DateRange
            Of a split.
        outcomes : pandas.DataFrame
            One row per ``customer_key``, or per ``customer_key`` and ``as_of_date``.
        max_customers : int
            Larger cohorts are sampled by the hash of the key. The sample keeps its
            customers when others come.
        """
        first, last = pd.Timestamp(dates.first), pd.Timestamp(dates.last)
        rows = self.rows[self.rows[self.population.date].between(first, last)]
        keys = [name for name in ("customer_key", "as_of_date") if name in outcomes]
        known = rows.merge(outcomes, on=keys, how="inner")
        known = known.sort_values("customer_key", kind="stable")
        if len(known) > max_customers:
            hashes = pd.util.hash_array(known["customer_key"].to_numpy(dtype=object))
            lowest = np.argsort(hashes, kind="stable")[:max_customers]
            known = known.iloc[np.sort(lowest)]
        known = known.reset_index(drop=True)
        facts = ["customer_key", "as_of_date", ONLY_SPLIT]
        return Cohort(
            keys=known[[name for name in facts if name in known]],
            features=known[self.features],
            outcomes=known[[name for name in outcomes.columns if name not in facts]],
        )


@dataclass(frozen=True)
class KnownCustomers:
    """The training customers of a task, with the outcomes that are known.

    Parameters
    ----------
    customers : mapping
        Customers by source system and population.
    outcomes : mapping
        Outcomes by source system and population: ``customer_key``, ``as_of_date``,
        ``horizon_days``, ``backtest_split``, and what the customers did next.
    """

    customers: Mapping[tuple[str, str], Customers]
    outcomes: Mapping[tuple[str, str], pd.DataFrame]

    @classmethod
    def read(
        cls,
        splits: Sequence[Split],
        relations: Sequence[tuple[engine.Relation, Population]],
        outcomes: engine.Relation,
        columns: Sequence[str],
    ) -> Self:
        """Read customers and outcomes of the source systems of some splits.

        Parameters
        ----------
        splits : sequence of Split
            Of the task.
        relations : sequence of tuple of engine.Relation and Population
            The table of each population.
        outcomes : engine.Relation
            The outcomes of all populations.
        columns : sequence of str
            What the customers did next.
        """
        keys = ["customer_key", "population", "as_of_date", "horizon_days"]
        read = [*keys, ONLY_SPLIT, *columns]
        customers, known = {}, {}
        for source_system in source_systems_of(splits):
            rows = engine.read(
                outcomes,
                read,
                order_by=keys,
                where={"source_system": source_system},
            )
            rows["as_of_date"] = pd.to_datetime(rows["as_of_date"])
            for relation, population in relations:
                key = source_system, population.name
                customers[key] = Customers.read(relation, population, source_system)
                of_population = rows[rows["population"] == population.name]
                known[key] = of_population.drop(columns="population")
        return cls(customers, known)

    def cohort(self, split: Split, dates: DateRange, max_customers: int) -> Cohort:
        """Return the customers of a split on some dates, as ``Customers.cohort``.

        A selection neither predicts nor learns from the customers of the test. Others
        learn from all customers.
        """
        key = split.source_system, split.population
        outcomes = self.outcomes[key]
        known = outcomes[outcomes["horizon_days"] == split.horizon_days]
        known = known.drop(columns="horizon_days")
        if split.name == "selection":
            known = known[is_predicted(known, split)]
        if split.name != "test":
            known = known.drop(columns=ONLY_SPLIT)
        return self.customers[key].cohort(dates, known, max_customers)


def source_systems_of(splits: Sequence[Split]) -> list[str]:
    """Return the source systems of some splits, sorted."""
    return sorted({split.source_system for split in splits})


def is_predicted(rows: pd.DataFrame, split: Split) -> NDArray[np.bool_]:
    """Return whether a split predicts each customer, if it has the customer at all."""
    if ONLY_SPLIT not in rows:
        return np.ones(len(rows), dtype=bool)
    only = rows[ONLY_SPLIT]
    found: NDArray[np.bool_] = (only.isna() | (only == split.name)).to_numpy(bool)
    return found
