"""Print how well the next purchases of real customers are predicted.

Land Online Retail with the year before it (``customer-segmentation land online_retail
online_retail.csv.gz online_retail_II_2009-2010.parquet``), and ``marketplace`` and
``mall``; ``dbt build``, then ``python benchmarks/prediction_real.py --database
data/customer_segmentation.duckdb``. Every candidate is fitted anew, by the splits that
were built: the next year by folds of the customers, 90 and 180 days out of time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import duckdb
import numpy as np
import pandas as pd
import yaml
from joblib import delayed
from numpy.typing import NDArray

from customer_segmentation.errors import InputError
from customer_segmentation.parallel import run_parallel
from customer_segmentation.prediction import (
    PredictionSettings,
    PurchaseData,
    metrics,
)
from customer_segmentation.prediction.backtests import predict_purchases
from customer_segmentation.prediction.cohorts import CohortPair
from customer_segmentation.prediction.purchases import candidates_of
from customer_segmentation.prediction.splits import Split

TABLES = (
    "main_training.int_features__customer_days",
    "main_training.int_features__first_purchases",
    "main_training.int_prediction__outcomes",
    "main_training.int_prediction__seasons",
    "main_private.int_features__splits",
)
PROJECT = Path(__file__).resolve().parent.parent
GROUPS = 10
# of the absolute value of a normal variate with a standard deviation of 1
MEAN_DISTANCE = np.sqrt(2 / np.pi)
NAME_WIDTH, WIDTH = 24, 17


@dataclass(frozen=True)
class Figure:
    """A column of what is printed.

    Parameters
    ----------
    name : str
        Its heading.
    measure : callable
        Takes the columns.
    columns : tuple of str
        Of the predictions beside the outcomes.
    form : str
        How a value is written.
    """

    name: str
    measure: Callable[..., float]
    columns: tuple[str, ...]
    form: str = ".3f"

    def of(self, rows: pd.DataFrame) -> float:
        """Return the value for the customers of the rows."""
        return self.measure(*self._arrays(rows))

    def interval(self, rows: pd.DataFrame, draws: int) -> str:
        """Return the 95 % bootstrap interval over the customers, as text."""
        drawn = metrics.bootstrap(self.measure, *self._arrays(rows), resamples=draws)
        low, high = metrics.interval_of(drawn)
        return f"{low:{self.form}} to {high:{self.form}}"

    def _arrays(self, rows: pd.DataFrame) -> list[NDArray[np.float64]]:
        return [rows[column].to_numpy(dtype=float) for column in self.columns]


def figures_of(amount: str) -> list[Figure]:
    """Return the columns for ``spend`` or ``purchases``."""
    pair = (f"expected_{amount}", amount)
    figures = [
        Figure("MAE", metrics.mean_absolute_error, pair, ",.0f"),
        Figure("Spearman", metrics.spearman, pair),
        Figure("norm. Gini", metrics.normalised_gini, pair),
        Figure("decile MAPE", metrics.decile_mape, pair),
        Figure("AUC", metrics.auc, ("return_probability", "has_returned")),
    ]
    if amount == "purchases":
        return [Figure("MAE", metrics.mean_absolute_error, pair), *figures[1:]]
    interval = ("spend_low", "spend_high", "spend")
    return [*figures, Figure("coverage", metrics.coverage, interval)]


# of ../shared/evidence.md, for the next year of Online Retail I and II
TARGETS = {
    "existing": ["<= 950", ">= 0.66", ">= 0.885", "<= 0.10", "", "0.78-0.82"],
    "new": ["", ">= 0.36", ">= 0.58", "<= 0.15", ">= 0.65", ""],
}
EVIDENCE = {
    "existing": {
        "last year's spend": ["1,102", "0.619", "0.865", "0.34"],
        "BG/NBD, Gamma-Gamma": ["1,283", "0.583", "0.850", "1.07"],
        "LightGBM, Tweedie": ["1,004", "0.639", "0.873", "0.20"],
        "hurdle": ["1,141", "0.645", "0.868", "0.11", "0.782"],
    },
    "new": {
        "first basket": ["808", "0.314", "0.547", "0.56"],
        "hurdle": ["888", "0.323", "0.543", "0.21", "0.604"],
    },
}
PROTOCOL = ("online_retail", 365)


@click.command()
@click.option(
    "--database",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=PROJECT / "data/customer_segmentation.duckdb",
    help="Of the warehouse; data/customer_segmentation.duckdb by default.",
)
@click.option("--draws", default=500, show_default=True, help="Of customers.")
@click.option(
    "--shuffles", default=3, show_default=True, help="Of the folds, besides the first."
)
def measure(database: Path, draws: int, shuffles: int) -> None:
    """Print every candidate's figures on every test, with intervals."""
    variables = yaml.safe_load((PROJECT / "vars.yml").read_text())["vars"]
    folds = PredictionSettings.read(variables).folds
    click.echo(
        "AUC is of any purchase within the horizon. In the second line of a candidate "
        "stand\n95 % bootstrap intervals over the customers, in the third, where the "
        "customers take\nturns, means over other shuffles of the folds. (b) is a "
        "baseline, (e) stands in\n../shared/evidence.md."
    )
    with duckdb.connect(str(database), read_only=True) as connection:
        data = PurchaseData.read(
            *(connection.query(f"from {table}") for table in TABLES)
        )
    for split in tests_of(data):
        show_test(data, split, folds, draws, shuffles)


def tests_of(data: PurchaseData) -> list[Split]:
    """Return the splits that are tests, the longest horizon first."""
    tests = [split for split in data.splits if split.name == "test"]
    return sorted(
        tests, key=lambda one: (one.source_system, one.population, -one.horizon_days)
    )


def show_test(
    data: PurchaseData,
    split: Split,
    folds: int,
    draws: int,
    shuffles: int,
) -> None:
    """Print a table with a candidate a line."""
    pairs = data.pairs(split, folds)
    described_as = described(split, pairs)
    click.echo(f"\n{split.source_system}, {split.population}: {described_as}")
    if not pairs:
        return
    amount = "purchases" if pairs[0][1].outcomes["spend"].isna().all() else "spend"
    figures = figures_of(amount)
    line(f"({amount})", [figure.name for figure in figures])
    if (split.source_system, split.horizon_days) == PROTOCOL:
        line("target", TARGETS[split.population])
        for name, row in EVIDENCE[split.population].items():
            line(f"{name} (e)", row)
    floors = []
    for candidate in candidates_of(split.population):
        rows = predictions(split, pairs, candidate.name)
        floors.append(least_decile_mape(rows, amount))
        name = f"{candidate.name} (b)" if candidate.is_baseline else candidate.name
        line(name, [f"{figure.of(rows):{figure.form}}" for figure in figures])
        line("", [figure.interval(rows, draws) for figure in figures])
        if split.is_cross_validated and shuffles:
            again = [
                predictions(split, data.pairs(split, folds, seed), candidate.name)
                for seed in range(1, shuffles + 1)
            ]
            line("", [means(figure, again) for figure in figures])
    if np.isfinite(floors).any():
        click.echo(
            f"A decile MAPE of {np.nanmin(floors):.2f} is chance alone: that of a "
            "prediction that is right on\naverage in every tenth."
        )


def described(split: Split, pairs: list[CohortPair]) -> str:
    """Return who is predicted and who is learned from, as text."""
    if not pairs or split.test is None:
        return f"too few customers at {split.horizon_days} days"
    count = sum(test.count for _, test in pairs)
    until = "" if split.test.first == split.test.last else f" to {split.test.last}"
    who = f"{count:,} customers of {split.test.first}{until}, next "
    if split.is_cross_validated:
        return f"{who}{split.horizon_days} days, {len(pairs)} folds"
    learned = pairs[0][0].count
    return f"{who}{split.horizon_days} days, learned from {learned:,} earlier"


def predictions(split: Split, pairs: list[CohortPair], name: str) -> pd.DataFrame:
    """Return what a candidate predicts for customers that it did not learn from."""
    found = run_parallel(
        delayed(predict_purchases)(name, *pair, split.horizon_days) for pair in pairs
    )
    for one in found:
        if isinstance(one, InputError):
            raise one
    rows = pd.concat(found, ignore_index=True)
    return rows.sort_values("customer_key", kind="stable", ignore_index=True)


def means(figure: Figure, shuffled: list[pd.DataFrame]) -> str:
    """Return the mean of a figure over shuffles of the folds, as text."""
    return f"{np.mean([figure.of(rows) for rows in shuffled]):{figure.form}}"


def least_decile_mape(rows: pd.DataFrame, amount: str) -> float:
    """Return the decile MAPE to expect if each group's mean were predicted.

    A mean of n customers is off by its standard error, the mean absolute value of which
    is ``MEAN_DISTANCE`` of it.
    """
    order = np.argsort(rows[f"expected_{amount}"].to_numpy(), kind="stable")
    actual = rows[amount].to_numpy(dtype=float)
    groups = [actual[group] for group in np.array_split(order, GROUPS)]
    if min(group.mean() for group in groups) <= 0:
        return np.nan
    errors = [
        group.std(ddof=1) / np.sqrt(len(group)) / group.mean() for group in groups
    ]
    return float(MEAN_DISTANCE * np.mean(errors))


def line(name: str, cells: list[str]) -> None:
    """Print a line of a table."""
    text = f"{name:<{NAME_WIDTH}}" + "".join(f"{cell:>{WIDTH}}" for cell in cells)
    click.echo(text.rstrip())


if __name__ == "__main__":
    measure()
