"""Print how good the 80 % intervals of the spend are, beside the former ones.

Build a database, then ``python benchmarks/spend_intervals.py --database
data/customer_segmentation.duckdb``. Both kinds of intervals are learned from the same
out-of-fold predictions, and measured on the customers of the tests. The former ones
know the expected spend only: they are quantiles of outcome over prediction, by groups
of similar predictions.

``python benchmarks/spend_intervals.py --cdnow-lines invoice_lines.csv`` writes CDNOW as
invoice lines that ``customer-segmentation land online_retail`` reads.
"""

from pathlib import Path
from typing import Self

import click
import duckdb
import numpy as np
import pandas as pd
from joblib import delayed
from numpy.typing import NDArray
from prediction_real import TABLES, describe, tests_of
from project import SHARED, database_option, read_variables
from sklearn.base import clone

from customer_segmentation.errors import InputError
from customer_segmentation.parallel import run_parallel
from customer_segmentation.prediction import PredictionSettings, PurchaseData, metrics
from customer_segmentation.prediction.cohorts import Cohort
from customer_segmentation.prediction.interval_metrics import (
    MISSED,
    coverage_above_zero,
    interval_score,
    interval_scores,
    mean_width,
    tenth_coverage,
)
from customer_segmentation.prediction.purchases import CANDIDATES, candidates_of
from customer_segmentation.prediction.purchases.intervals import (
    COVERAGE,
    SpendQuantiles,
)
from customer_segmentation.prediction.purchases.model import spend_of
from customer_segmentation.prediction.seasons import season_factors
from customer_segmentation.prediction.splits import Split

Numbers = NDArray[np.float64]

CDNOW = SHARED / "data/cdnow/CDNOW_sample.txt"
KINDS = ("former", "now")
COLUMNS = (
    *("least", "coverage", "above 0", "min", "max", "width", "score", "relative"),
    *("low is 0", "mean above"),
)
NAME_WIDTH, WIDTH = 34, 11
LEGEND = """\
least: coverage of intervals that hold 80 %, and of 0 alone where it is more probable
above 0: coverage of the intervals that are more than 0
min, max: coverage over tenths of expected spend and of probability of return; max
    ignores tenths in which more than 80 % spend nothing
score: interval score (Winkler), lower is better; the line below has its change with a
    95 % interval over the customers
relative: the score over the expected spend and a tenth of its mean
mean above: customers whose expected spend is above the interval"""


class FormerInterval:
    """The interval of outcomes among customers with a similar prediction.

    Attributes
    ----------
    offset_ : float
        Added to each prediction, so that 0 has an interval too.
    middles_ : ndarray of shape (groups,)
        Logarithm of the median prediction of each group, with ``offset_``.
    lows_, highs_ : ndarray of shape (groups,)
        Ends of the interval, divided by the prediction with ``offset_``.
    """

    def fit(self, predicted: Numbers, actual: Numbers) -> Self:
        """Learn from out-of-fold predictions of n customers."""
        mean = float(predicted.mean())
        self.offset_ = 0.05 * mean if mean > 0 else 1.0
        level = predicted + self.offset_
        ratio = actual / level
        order = np.lexsort((ratio, level))
        count = int(np.clip(len(order) // 100, 1, 20))
        found: dict[float, tuple[float, float]] = {}
        for group in np.array_split(order, count):
            middle = float(np.log(np.median(level[group])))
            if middle not in found:
                is_equal = level == np.median(level[group])
                is_whole = is_equal.sum() >= len(group)
                found[middle] = _ends(ratio[is_equal] if is_whole else ratio[group])
        self.middles_ = np.array(list(found))
        self.lows_, self.highs_ = np.array(list(found.values())).T
        factors = _needed_factors(*self.predict(predicted), actual)
        factor = float(np.quantile(factors, COVERAGE, method="higher"))
        if 0 < factor < np.inf:
            self.lows_ = self.lows_ / factor
            self.highs_ = self.highs_ * factor
        return self

    def predict(self, predicted: Numbers) -> tuple[Numbers, Numbers]:
        """Return the lower and the upper ends for n predictions, each of shape (n,)."""
        level = predicted + self.offset_
        low, high = (
            level * np.interp(np.log(level), self.middles_, ends)
            for ends in (self.lows_, self.highs_)
        )
        return low, np.maximum(low, high)


def _ends(ratio: Numbers) -> tuple[float, float]:
    outside = (1 - COVERAGE) / 2
    if np.mean(ratio <= 0) >= outside:
        return 0.0, float(np.quantile(ratio, COVERAGE))
    low, high = np.quantile(ratio, [outside, 1 - outside])
    return float(low), float(high)


def _needed_factors(low: Numbers, high: Numbers, actual: Numbers) -> Numbers:
    above = np.divide(actual, high, out=np.full_like(high, np.inf), where=high > 0)
    above[actual <= 0] = 0.0
    below = np.divide(low, actual, out=np.full_like(low, np.inf), where=actual > 0)
    below[low <= 0] = 0.0
    return np.maximum(above, below)


@click.command()
@database_option
@click.option(
    "--algorithm",
    "algorithms",
    multiple=True,
    type=click.Choice(list(CANDIDATES)),
    help="A candidate to show; all by default.",
)
@click.option(
    "--cdnow-lines",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write CDNOW as invoice lines, and measure nothing.",
)
def measure(
    database: Path, algorithms: tuple[str, ...], cdnow_lines: Path | None
) -> None:
    """Print coverage, width and score of both kinds of intervals, by test."""
    if cdnow_lines:
        write_cdnow(cdnow_lines)
        return
    click.echo(LEGEND)
    folds = PredictionSettings.read(read_variables()).folds
    with duckdb.connect(str(database), read_only=True) as connection:
        data = PurchaseData.read(*map(connection.table, TABLES))
    for split in tests_of(data):
        show_test(data, split, folds, algorithms)


def write_cdnow(path: Path) -> None:
    """Write one invoice line per purchase of CDNOW."""
    columns = ["master_id", "customer", "day", "cds", "value"]
    bought = pd.read_csv(CDNOW, sep=r"\s+", names=columns)
    bought = bought[bought["value"] > 0].reset_index(drop=True)
    cds = bought["cds"].clip(lower=1)
    days = pd.to_datetime(bought["day"].astype(str))
    pd.DataFrame(
        {
            "InvoiceNo": 500_000 + bought.index,
            "StockCode": "11111",
            "Description": "CD",
            "Quantity": cds,
            "InvoiceDate": days.dt.strftime("%Y-%m-%d 12:00:00"),
            "UnitPrice": (bought["value"] / cds).round(4),
            "CustomerID": 10_000 + bought["customer"],
            "Country": "United States",
        }
    ).to_csv(path, index=False)


def show_test(
    data: PurchaseData, split: Split, folds: int, algorithms: tuple[str, ...]
) -> None:
    """Print a table with the candidates of a test."""
    pairs = data.pairs(split, folds)
    if not pairs or pairs[0][1].outcomes["spend"].isna().all():
        return
    click.echo(
        f"\n{split.source_system}, {split.population} customers: "
        f"{describe(split, pairs)}"
    )
    show_line("", COLUMNS)
    for candidate in candidates_of(split.population):
        if algorithms and candidate.name not in algorithms:
            continue
        found = run_parallel(
            delayed(predict_both)(candidate.name, *pair, split.horizon_days)
            for pair in pairs
        )
        frames = [one for one in found if isinstance(one, pd.DataFrame)]
        if len(frames) == len(found):
            show_candidate(candidate.name, pd.concat(frames, ignore_index=True))


def predict_both(
    name: str, train: Cohort, test: Cohort, horizon_days: int
) -> pd.DataFrame | InputError:
    """Return outcomes, predictions and both intervals of the customers in ``test``."""
    outcomes = train.outcomes.astype({"purchases": float, "spend": float})
    model = clone(CANDIDATES[name].model)
    try:
        learned = model.fit_out_of_fold(train.features, outcomes, horizon_days)
    except InputError as error:
        return error
    spend = spend_of(outcomes)
    assert learned is not None
    assert spend is not None
    learned = learned.bounded()
    assert learned.spend is not None
    expected = model.predict(test.features).bounded()
    assert expected.spend is not None
    factors = season_factors(test.season, train.season)
    factors = factors if model.learns_level else (1.0, 1.0)
    former = FormerInterval().fit(learned.spend, spend).predict(expected.spend)
    in_season = expected.in_season(*factors)
    now = SpendQuantiles().fit(learned, spend).predict(in_season)
    return pd.DataFrame(
        {
            "spend": spend_of(test.outcomes.astype({"spend": float})),
            "return_probability": in_season.return_probability,
            "expected_spend": in_season.spend,
            "former_low": former[0] * factors[1],
            "former_high": former[1] * factors[1],
            "now_low": now.low,
            "now_high": now.high,
        }
    )


def show_candidate(name: str, rows: pd.DataFrame) -> None:
    """Print a line for each kind of intervals, and one of their difference."""
    actual, expected, returns = (
        rows[column].to_numpy(dtype=float)
        for column in ("spend", "expected_spend", "return_probability")
    )
    unit = expected + expected.mean() / 10
    scores = []
    for kind in KINDS:
        ends = rows[f"{kind}_low"].to_numpy(), rows[f"{kind}_high"].to_numpy()
        tenths = (*ends, actual, expected, returns)
        scores.append(interval_scores(*ends, actual))
        cells = [
            f"{np.maximum(1 - MISSED, 1 - returns).mean():.3f}",
            f"{metrics.coverage(*ends, actual):.3f}",
            f"{coverage_above_zero(*ends, actual):.3f}",
            *(f"{tenth_coverage(*tenths, choose=choose):.3f}" for choose in (min, max)),
            f"{mean_width(*ends):,.1f}",
            f"{interval_score(*ends, actual):,.1f}",
            f"{np.mean(scores[-1] / unit):.2f}",
            f"{np.mean(ends[0] <= 0):.1%}",
            f"{np.mean(expected > ends[1]):.1%}",
        ]
        show_line(f"{name}, {kind}", cells)
    change = scores[1] - scores[0]
    low, high = metrics.interval_of(metrics.bootstrap(np.mean, change, resamples=1_000))
    share = change.mean() / scores[0].mean() if scores[0].any() else 0.0
    click.echo(
        f"{'':<{NAME_WIDTH}}score {share:+.1%}: {change.mean():,.1f} "
        f"({low:,.1f} to {high:,.1f})"
    )


def show_line(name: str, cells: list[str] | tuple[str, ...]) -> None:
    """Print a line of a table."""
    text = f"{name:<{NAME_WIDTH}}" + "".join(f"{cell:>{WIDTH}}" for cell in cells)
    click.echo(text.rstrip())


if __name__ == "__main__":
    measure()
