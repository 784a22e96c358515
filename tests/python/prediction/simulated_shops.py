"""Shops whose customers buy by a known season, while the shop grows or shrinks."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
from jinja2 import Template

from customer_segmentation.prediction.feature_kinds import Numbers
from customer_segmentation.prediction.seasons import Season, Seasons

__all__ = [
    *("DAYS", "SHOPS", "STRONG_GIFTS"),
    *("Shop", "seasons_of", "simulate_sales", "true_factor"),
]

FIRST_DAY = date(2021, 1, 1)
DAYS = 1_095
# all customers of one cohort come in these first days
COHORT_DAYS = 90
# weights of the months: no season, a shop of gifts, and one that lives by Christmas
FLAT = (1.0,) * 12
GIFTS = (0.8, 0.8, 0.9, 0.9, 1, 1, 0.9, 0.9, 1.2, 1.4, 1.7, 1.1)
STRONG_GIFTS = (0.6, 0.5, 0.6, 0.8, 0.9, 1, 0.8, 0.7, 1.1, 1.3, 2.2, 1.9)
# shapes and scales of the rate and of the lifetime of a customer, in days: Pareto/NBD
# near that of CDNOW, with three times as many purchases
RATE_SHAPE, RATE_SCALE = 0.8, 1 / 37
LIFETIME_SHAPE, LIFETIME_SCALE = 0.6, 164.0
PROJECT = Path(__file__).resolve().parents[3]
SEASONS = PROJECT / "models/prediction/intermediate/int_prediction__seasons.sql"
THRESHOLDS = PROJECT / "seeds/thresholds.csv"


@dataclass(frozen=True)
class Shop:
    """A shop to simulate.

    Parameters
    ----------
    season : tuple of float
        Weights of the months in the first year.
    later_season : tuple of float or None
        Weights in the last year, towards which those of the first year change; None
        for the same.
    growth : float
        New customers of a year, over those of the year before.
    rate_growth : float
        Purchases per customer of a year, over those of the year before.
    new_customers : float
        Mean number a day in the second year.
    is_one_cohort : bool
        Whether all customers come in the first 90 days.
    new_customer_season : tuple of float or None
        Weights of the months for new customers; None for those of the season.
    """

    season: tuple[float, ...] = FLAT
    later_season: tuple[float, ...] | None = None
    growth: float = 1.0
    rate_growth: float = 1.0
    new_customers: float = 8.0
    is_one_cohort: bool = False
    new_customer_season: tuple[float, ...] | None = None

    @property
    def season_of_days(self) -> Numbers:
        """The season of each day, with a mean of 1 over a year; shape (DAYS,)."""
        weights = _weights_of_days(self.season)
        if self.later_season is None:
            return weights
        change = np.clip((np.arange(DAYS) - 365) / 365, 0, 1)
        later = _weights_of_days(self.later_season)
        changed: Numbers = (1 - change) * weights + change * later
        return changed


SHOPS = {
    "flat": Shop(),
    "flat, customers grow by half": Shop(growth=1.5),
    "flat, customers fall by 40 %": Shop(growth=0.6),
    "flat, purchases grow by half": Shop(rate_growth=1.5),
    "flat, purchases fall by 40 %": Shop(rate_growth=0.6),
    "flat, one cohort": Shop(is_one_cohort=True),
    "flat, new customers in season": Shop(new_customer_season=STRONG_GIFTS),
    "season": Shop(GIFTS),
    "season, customers grow by half": Shop(GIFTS, growth=1.5),
    "season, customers fall by 40 %": Shop(GIFTS, growth=0.6),
    "season, one cohort": Shop(GIFTS, is_one_cohort=True),
    "strong season": Shop(STRONG_GIFTS),
    "changing season": Shop(GIFTS, STRONG_GIFTS),
}


def simulate_sales(shop: Shop, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the purchases of a shop in ``DAYS`` days.

    Returns
    -------
    pandas.DataFrame
        ``customer`` and ``day``, both numbers from 0; one row per purchase.
    """
    days = np.arange(DAYS)
    new_weights = shop.new_customer_season or shop.season
    new = _weights_of_days(new_weights) * shop.growth ** (days / 365 - 1.5)
    if shop.is_one_cohort:
        new = np.where(days < COHORT_DAYS, 2 * 365 / COHORT_DAYS, 0.0)
    first = np.repeat(days, rng.poisson(shop.new_customers * new))
    count = len(first)
    rate = rng.gamma(RATE_SHAPE, RATE_SCALE, count)
    lifetime = LIFETIME_SCALE * rng.exponential(size=count)
    lifetime /= np.maximum(rng.gamma(LIFETIME_SHAPE, size=count), 1e-9)
    last = np.minimum(DAYS, first + 1 + np.minimum(lifetime, DAYS).astype(int))
    level = shop.season_of_days * shop.rate_growth ** (days / 365 - 1)
    total = np.concatenate([[0.0], np.cumsum(level)])
    begin = total[np.minimum(first + 1, DAYS)]
    purchases = rng.poisson(rate * np.maximum(total[last] - begin, 0))
    customer = np.repeat(np.arange(count), purchases)
    passed = rng.random(len(customer)) * (total[last] - begin)[customer]
    day = np.searchsorted(total, begin[customer] + passed, side="right") - 1
    return pd.DataFrame(
        {
            "customer": np.concatenate([np.arange(count), customer]),
            "day": np.concatenate([first, np.minimum(day, DAYS - 1)]),
        }
    )


def true_factor(shop: Shop, train_day: int, day: int, horizon_days: int) -> float:
    """Return the season of a horizon over that of the horizon learned from."""
    season = shop.season_of_days
    predicted, learned = (
        season[first : first + horizon_days].mean() for first in (day, train_day)
    )
    return float(predicted / learned)


def seasons_of(
    sales: pd.DataFrame, days: Sequence[int], horizon_days: int
) -> list[Season]:
    """Return the seasons after some days, by the SQL model of the warehouse.

    Parameters
    ----------
    sales : pandas.DataFrame
        As of ``simulate_sales``.
    days : sequence of int
        As-of dates, as days since the first one.
    horizon_days : int
        Length of the season.
    """
    with THRESHOLDS.open(encoding="utf-8", newline="") as file:
        thresholds = {row["threshold"]: row["value"] for row in csv.DictReader(file)}
    model = Template(SEASONS.read_text(encoding="utf-8"))
    query = model.render(
        config=lambda **_: "",
        ref=str,
        dbt=SimpleNamespace(datediff=lambda first, last, _: f"({last} - {first})"),
        threshold=thresholds.get,
        days_before=lambda count, day: f"cast({day} - ({count}) as date)",
        days_after=lambda count, day: f"cast({day} + ({count}) as date)",
        happened_at=lambda prefix: f"{prefix}completed_at",
        total=lambda expression, decimals=2: (
            f"cast(sum({expression}) as decimal(38, {decimals}))"
        ),
    )
    with duckdb.connect() as connection:
        connection.register("sales", sales)
        connection.register("days", pd.DataFrame({"day": list(days)}))
        first = f"date '{FIRST_DAY}'"
        connection.execute(
            f"""
            create table transactions as
            select
                'shop' as source_system, customer::text as customer_key,
                {first} + day::int as completed_at, 1::decimal(18, 2) as amount
            from sales;
            create table int_features__first_transactions as
            select source_system, customer_key, min(completed_at) as completed_at
            from transactions group by all;
            create table source_systems as
            select source_system, min(completed_at) as first_purchase_date
            from transactions group by all;
            create table int_features__splits as
            select
                'shop' as source_system, 'next_purchases' as task,
                'existing' as population, {int(horizon_days)} as horizon_days,
                {first} + day::int as train_from_date, null::date as test_from_date
            from days;
            """
        )
        seasons = Seasons.read(connection.query(query))
    return [
        seasons.on("shop", FIRST_DAY + timedelta(int(day)), horizon_days)
        for day in days
    ]


def _weights_of_days(weights: tuple[float, ...]) -> Numbers:
    """Return the weight of each day by its month, with a mean of 1."""
    months = (np.datetime64(FIRST_DAY) + np.arange(DAYS)).astype("datetime64[M]")
    of_days: Numbers = np.array(weights)[months.astype(int) % 12]
    return of_days / of_days[:365].mean()
