"""Print how well the next purchases of real customers are predicted.

Land Online Retail with the year before it (``customer-segmentation land online_retail
online_retail.csv.gz online_retail_II_2009-2010.parquet``), run ``dbt build``, then
``python benchmarks/prediction_real.py --database data/customer_segmentation.duckdb``.
Every candidate is fitted to the splits of the database: the next year by folds of the
customers, 90 and 180 days out of time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import duckdb
import numpy as np
import pandas as pd
from joblib import delayed
from numpy.typing import NDArray
from project import database_option, read_variables

from customer_segmentation.errors import InputError
from customer_segmentation.parallel import run_parallel
from customer_segmentation.prediction import (
    PredictionSettings,
    PurchaseData,
    metrics,
)
from customer_segmentation.prediction.backtests import predict_purchases
from customer_segmentation.prediction.cohort_pairs import CohortPair
from customer_segmentation.prediction.purchases import candidates_of
from customer_segmentation.prediction.resampling import Resampled
from customer_segmentation.prediction.splits import Split

TABLES = (
    "main_training.int_features__customer_days",
    "main_training.int_features__first_purchases",
    "main_training.int_prediction__outcomes",
    "main_training.int_prediction__seasons",
    "main_private.int_features__splits",
)
# mean absolute value of a normal variate with a standard deviation of 1
MEAN_DISTANCE = np.sqrt(2 / np.pi)
NAME_WIDTH, WIDTH = 24, 17


@dataclass(frozen=True)
class Figure:
    """A column of the printed tables.

    Parameters
    ----------
    name : str
        The heading.
    measure : callable
        Takes the columns, and returns the metric.
    columns : tuple of str
        Of the predictions and outcomes.
    form : str
        Format of the values.
    """

    name: str
    measure: Callable[..., float]
    columns: tuple[str, ...]
    form: str = ".3f"

    def value(self, rows: pd.DataFrame) -> float:
        """Return the metric of the customers in the rows."""
        return self.measure(*self._arrays(rows))

    def text(self, values: list[float]) -> str:
        """Return the mean of some values as text."""
        return f"{np.mean(values):{self.form}}"

    def interval(self, rows: pd.DataFrame, draws: int) -> str:
        """Return the 95 % bootstrap interval over the customers as text."""
        resampled = Resampled.of(self.measure, *self._arrays(rows), resamples=draws)
        low, high = resampled.interval()
        return f"{low:{self.form}} to {high:{self.form}}"

    def _arrays(self, rows: pd.DataFrame) -> list[NDArray[np.float64]]:
        return [rows[column].to_numpy(dtype=float) for column in self.columns]


def figures_of(amount: str) -> list[Figure]:
    """Return the columns for ``spend`` or ``purchases``."""
    pair = (f"expected_{amount}", amount)
    form = ",.0f" if amount == "spend" else ".3f"
    figures = [
        Figure("MAE", metrics.mean_absolute_error, pair, form),
        Figure("Spearman", metrics.spearman, pair),
        Figure("norm. Gini", metrics.normalised_gini, pair),
        Figure("decile MAPE", metrics.decile_mape, pair),
        Figure("AUC", metrics.auc, ("return_probability", "has_returned")),
    ]
    if amount == "spend":
        interval = ("spend_low", "spend_high", "spend")
        figures.append(Figure("coverage", metrics.coverage, interval))
    return figures


# the next year of Online Retail I and II; the references are an earlier measurement
PROTOCOL = ("online_retail", 365)
TARGETS = {
    "existing": ["<= 950", ">= 0.66", ">= 0.885", "<= 0.10", "", "0.78-0.82"],
    "new": ["", ">= 0.36", ">= 0.58", "<= 0.15", ">= 0.65", ""],
}
REFERENCES = {
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


@click.command()
@database_option
@click.option(
    "--draws", default=500, show_default=True, help="Of customers, for the intervals."
)
@click.option(
    "--shuffles",
    default=3,
    show_default=True,
    help="Further shuffles of the folds of a cross-validation.",
)
def measure(database: Path, draws: int, shuffles: int) -> None:
    """Print the metrics of every candidate in every test, with intervals."""
    folds = PredictionSettings.read(read_variables()).folds
    click.echo(
        "AUC: any purchase within the horizon. The second line of a candidate has 95 % "
        "bootstrap\nintervals over the customers. The third line has means over other "
        "shuffles of the folds, if the\ntest is cross-validated. (b) marks a naive "
        "baseline. Targets and references (r), which were\nmeasured earlier, are for "
        "the public data set."
    )
    with duckdb.connect(str(database), read_only=True) as connection:
        data = PurchaseData.read(*map(connection.table, TABLES))
    for split in tests_of(data):
        show_test(data, split, folds, draws, shuffles)


def tests_of(data: PurchaseData) -> list[Split]:
    """Return the splits that are tests, the longest horizon first."""
    tests = [split for split in data.splits if split.name == "test"]
    return sorted(
        tests, key=lambda one: (one.source_system, one.population, -one.horizon_days)
    )


def show_test(
    data: PurchaseData, split: Split, folds: int, draws: int, shuffles: int
) -> None:
    """Print a table with the candidates of a test."""
    pairs = data.pairs(split, folds)
    click.echo(
        f"\n{split.source_system}, {split.population} customers: "
        f"{describe(split, pairs)}"
    )
    if not pairs:
        return
    amount = "purchases" if pairs[0][1].outcomes["spend"].isna().all() else "spend"
    figures = figures_of(amount)
    show_line(f"({amount})", [figure.name for figure in figures])
    if (split.source_system, split.horizon_days) == PROTOCOL:
        show_line("target", TARGETS[split.population])
        for name, row in REFERENCES[split.population].items():
            show_line(f"{name} (r)", row)
    floors = []
    for candidate in candidates_of(split.population):
        rows = predictions(split, pairs, candidate.name)
        floors.append(chance_decile_mape(rows, amount))
        name = f"{candidate.name} (b)" if candidate.is_baseline else candidate.name
        show_line(name, [figure.text([figure.value(rows)]) for figure in figures])
        show_line("", [figure.interval(rows, draws) for figure in figures])
        if split.is_cross_validated and shuffles:
            shuffled = [
                predictions(split, data.pairs(split, folds, seed), candidate.name)
                for seed in range(1, shuffles + 1)
            ]
            show_line(
                "",
                [
                    figure.text([figure.value(rows) for rows in shuffled])
                    for figure in figures
                ],
            )
    if np.isfinite(floors).any():
        click.echo(
            f"A decile MAPE of {np.nanmin(floors):.2f} is chance alone: a prediction "
            "that is right on average in every decile has it."
        )


def describe(split: Split, pairs: list[CohortPair]) -> str:
    """Return the customers to predict and those to learn from as text."""
    if not pairs or split.test is None:
        return f"too few at {split.horizon_days} days"
    count = sum(test.count for _, test in pairs)
    until = "" if split.test.first == split.test.last else f" to {split.test.last}"
    test = f"{count:,} of {split.test.first}{until}, next {split.horizon_days} days"
    if split.is_cross_validated:
        return f"{test}, {len(pairs)} folds"
    return f"{test}, learned from {pairs[0][0].count:,} earlier ones"


def predictions(split: Split, pairs: list[CohortPair], name: str) -> pd.DataFrame:
    """Return what a candidate predicts for customers it did not learn from."""
    found = run_parallel(
        delayed(predict_purchases)(name, *pair, split.horizon_days) for pair in pairs
    )
    for one in found:
        if isinstance(one, InputError):
            raise one
    rows = pd.concat(found, ignore_index=True)
    return rows.sort_values("customer_key", kind="stable", ignore_index=True)


def chance_decile_mape(rows: pd.DataFrame, amount: str) -> float:
    """Return the decile MAPE to expect if the true mean of each decile is predicted.

    The mean of n customers differs from the true mean by its standard error, times the
    absolute value of a normal variate.
    """
    order = np.argsort(rows[f"expected_{amount}"].to_numpy(), kind="stable")
    actual = rows[amount].to_numpy(dtype=float)
    deciles = [actual[one] for one in np.array_split(order, metrics.DECILES)]
    if min(decile.mean() for decile in deciles) <= 0:
        return np.nan
    errors = [
        decile.std(ddof=1) / np.sqrt(len(decile)) / decile.mean() for decile in deciles
    ]
    return float(MEAN_DISTANCE * np.mean(errors))


def show_line(name: str, cells: list[str]) -> None:
    """Print a line of a table."""
    text = f"{name:<{NAME_WIDTH}}" + "".join(f"{cell:>{WIDTH}}" for cell in cells)
    click.echo(text.rstrip())


if __name__ == "__main__":
    measure()
