"""Print how near the season of predictions is to the truth, for several estimators.

``python benchmarks/seasons.py`` simulates shops whose season is known, and reads the
customers of CDNOW as a shop. ``python benchmarks/seasons.py --database
data/customer_segmentation.duckdb`` measures the tests out of time of a warehouse: there
the truth is what customers bought, over what ``blend`` expected without a season.
"""

import sys
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import click
import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from prediction_real import TABLES
from project import PROJECT, SHARED

from customer_segmentation.prediction import PurchaseData
from customer_segmentation.prediction.purchases import CANDIDATES, UNKNOWN, InSeason
from customer_segmentation.prediction.seasons import season_factors

sys.path.append(str(PROJECT / "tests" / "python" / "prediction"))
from simulated_shops import DAYS, SHOPS, seasons_of, simulate_sales, true_factor

YEAR = 365
# as-of dates to predict from, in days since the first one, by horizon
WINDOWS = {90: (640, 745, 1_005), 180: (745, 915)}
# days on record before the year before the days learned from
HISTORIES = (14, 45, 90, 180)
CDNOW = SHARED / "data/cdnow/CDNOW_sample.txt"
ESTIMATORS = {
    "before": "all sales a year before, over all sales of the days learned from",
    "year": "all sales a year before, over those of the days before these",
    "trend": "the same, without the growth of a year",
    "share": "share of the year before, of all sales",
    "now": "share of the year before, of who were customers before it; shrunk",
}
NAME_WIDTH, WIDTH = 32, 9


@click.command()
@click.option(
    "--database",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A built database, instead of the simulated shops.",
)
@click.option("--seeds", default=3, show_default=True, help="Draws of each shop.")
def measure(database: Path | None, seeds: int) -> None:
    """Print truth and estimates by shop and horizon, with mean absolute log errors."""
    if database:
        show_tests(database)
        return
    for name, text in ESTIMATORS.items():
        click.echo(f"{name:<8}{text}")
    errors = []
    show("\nfactor of purchases", ["days", "learned", "truth", *ESTIMATORS])
    for name, shop in SHOPS.items():
        for seed in range(seeds):
            sales = simulate_sales(shop, np.random.default_rng(seed))
            for horizon_days, days in WINDOWS.items():
                for day in days:
                    found = estimates(sales, day, horizon_days)
                    truth = true_factor(shop, day - horizon_days, day, horizon_days)
                    errors.append({"shop": name} | log_errors(found, truth))
                    if seed == 0:
                        cells = [horizon_days, day - horizon_days]
                        show(name, [*cells, truth, *found.values()])
    show_means(pd.DataFrame(errors))
    show_histories(seeds)
    show_cdnow()


def estimates(sales: pd.DataFrame, day: int, horizon_days: int) -> dict[str, float]:
    """Return the factor by each estimator, learned in the days before a day."""
    bought = sales["day"].value_counts().reindex(range(max(DAYS, day + YEAR)))
    totals = np.concatenate([[0], np.cumsum(bought.fillna(0).to_numpy())])
    learned = day - horizon_days
    before = sold(totals, day - YEAR, horizon_days)
    before_learned = sold(totals, learned - YEAR, horizon_days)
    in_training = sold(totals, learned, horizon_days)
    shares = [
        sold(totals, one - YEAR, horizon_days) / sold(totals, one - YEAR, YEAR)
        for one in (day, learned)
    ]
    year = before / before_learned
    training_season, season = seasons_of(sales, [learned, day], horizon_days)
    return {
        "before": before / in_training,
        "year": year,
        "trend": year * (before_learned / in_training) ** (horizon_days / YEAR),
        "share": shares[0] / shares[1],
        "now": season_factors(season, training_season)[0],
    }


def sold(totals: NDArray[np.float64], first: int, days: int) -> float:
    """Return the sales of some days; none before the first day, as ``nan``."""
    return float(totals[first + days] - totals[first]) if first >= 0 else np.nan


def log_errors(found: Mapping[str, float], truth: float) -> dict[str, float]:
    """Return the absolute log error of each estimator, and without a factor."""
    every = {"none": 1.0, **found}
    return {name: abs(float(np.log(value / truth))) for name, value in every.items()}


def show_means(errors: pd.DataFrame) -> None:
    """Print the mean absolute log error by shop, and that of all shops."""
    columns = ["none", *ESTIMATORS]
    show("\nmean absolute log error", columns)
    for name, rows in errors.groupby("shop", sort=False):
        show(str(name), rows[columns].mean().tolist())
    show("all shops", errors[columns].mean().tolist())


def show_histories(seeds: int) -> None:
    """Print the errors by the days on record before the year that shows the season."""
    errors = []
    for name, shop in SHOPS.items():
        for seed in range(seeds):
            sales = simulate_sales(shop, np.random.default_rng(seed))
            for horizon_days in WINDOWS:
                for history in HISTORIES:
                    day = YEAR + history + horizon_days
                    found = estimates(sales, day, horizon_days)
                    truth = true_factor(shop, day - horizon_days, day, horizon_days)
                    kind = "flat" if name.startswith("flat") else "season"
                    facts = {"kind": kind, "history": history}
                    errors.append(facts | log_errors(found, truth))
    columns = ["none", *ESTIMATORS]
    show("\nmean absolute log error", ["history", *columns])
    for (kind, history), rows in pd.DataFrame(errors).groupby(["kind", "history"]):
        show(f"shops: {kind}", [history, *rows[columns].mean()])


def show_cdnow() -> None:
    """Print the factors of CDNOW, whose customers all come in three months."""
    columns = ["master_id", "customer", "day", "cds", "value"]
    lines = pd.read_csv(CDNOW, sep=r"\s+", names=columns)
    dates = pd.to_datetime(lines["day"].astype(str))
    sales = pd.DataFrame(
        {"customer": lines["customer"], "day": (dates - dates.min()).dt.days}
    ).drop_duplicates()
    end = int(sales["day"].max()) + 1
    show("\nCDNOW, factor of purchases", ["days", "learned", *ESTIMATORS])
    for horizon_days in WINDOWS:
        for name, day in (("test", end - horizon_days), ("score", end)):
            found = estimates(sales, day, horizon_days)
            cells = [horizon_days, day - horizon_days, *found.values()]
            show(name, cells)


def show_tests(database: Path) -> None:
    """Print factors of the tests out of time, beside what ``blend`` needs."""
    columns = ["days", "truth", "before", "now"]
    show("", ["purchases", "", "", "", "", "spend"])
    show("source system, split", [*columns, *columns[1:]])
    errors = []
    with duckdb.connect(str(database), read_only=True) as connection:
        data = PurchaseData.read(*map(connection.table, TABLES))
        for split in data.splits:
            is_tested = split.is_backtest and not split.is_cross_validated
            if split.population != "existing" or not is_tested:
                continue
            assert split.train is not None
            assert split.test is not None
            [(train, test)] = data.pairs(split, folds=2)
            model = InSeason(CANDIDATES["blend"].estimator(), train.season)
            model.fit(train.features, train.outcomes, split.horizon_days)
            expected = model.predict(test.features, UNKNOWN)
            now = season_factors(test.season, train.season)
            cells: list[float] = [split.horizon_days]
            for place, measure in enumerate(("purchases", "spend")):
                actual = test.outcomes[measure].astype(float).sum()
                truth = actual / expected[f"expected_{measure}"].sum()
                days = split.source_system, split.horizon_days, measure
                a_year = split.test.last - timedelta(YEAR)
                earlier = sales_of(connection, *days, a_year)
                learned = sales_of(connection, *days, split.train.last)
                # there was no factor where the year before was not on record
                before = float(np.nan_to_num(earlier / learned, nan=1.0))
                found = {"before": before, "now": now[place]}
                errors.append({"measure": measure} | log_errors(found, truth))
                cells += [truth, *found.values()]
            show(f"{split.source_system}, {split.name}", cells)
    show("\nmean absolute log error", ["none", "before", "now"])
    for name, rows in pd.DataFrame(errors).groupby("measure"):
        show(str(name), rows[["none", "before", "now"]].mean().tolist())


def sales_of(
    connection: duckdb.DuckDBPyConnection,
    source_system: str,
    horizon_days: int,
    measure: str,
    day: date,
) -> float:
    """Return what all customers bought from a date on; ``nan`` if unknown."""
    sums = {"purchases": "count(completed_at)", "spend": "sum(amount)"}
    [(value,)] = connection.execute(
        f"""
        select case when min(first_purchase_date) <= $day then {sums[measure]} end
        from main.transactions join main.source_systems using (source_system)
        where source_system = $source_system
            and coalesce(completed_at, transacted_at) >= $day
            and coalesce(completed_at, transacted_at) < $day + $days::int
        """,
        {"source_system": source_system, "day": day, "days": horizon_days},
    ).fetchall()
    return np.nan if value is None else float(value)


def show(name: str, cells: list[float] | list[str]) -> None:
    """Print a line of a table; unknown values are blank."""
    texts = []
    for cell in cells:
        if isinstance(cell, float):
            texts.append("" if np.isnan(cell) else f"{cell:.2f}")
        else:
            texts.append(str(cell))
    line = f"{name:<{NAME_WIDTH}}" if not name.startswith("\n") else name
    width = NAME_WIDTH + name.count("\n")
    click.echo(
        (f"{line:<{width}}" + "".join(f"{one:>{WIDTH}}" for one in texts)).rstrip()
    )


if __name__ == "__main__":
    measure()
