"""Fit the buy-till-you-die models to CDNOW and to simulated customers.

Run with ``python benchmarks/btyd.py``, or with fewer ``--customers`` and ``--draws``.
CDNOW is read from the shared data. The machine's speed is not ours, so times are also
given as ratios to one evaluation of the log-likelihood of BG/NBD as it is printed in
the paper, for all the customers of that fit, without grouping.
"""

import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
import numpy as np
import pandas as pd
from scipy.special import betaln, gammaln

from customer_segmentation.prediction.btyd import BgNbd, GammaGamma, ParetoNbd
from customer_segmentation.prediction.feature_kinds import Numbers

PROJECT = Path(__file__).parents[1]
# the tests draw customers too
sys.path.append(str(PROJECT / "tests" / "python" / "prediction"))
from simulated_customers import (  # noqa: E402
    Simulated,
    parameters_of,
    simulate_bg_nbd,
    simulate_pareto_nbd,
    simulate_values,
    with_parameters,
)

SHARED = Path(os.environ.get("CUSTOMER_SEGMENTATION_SHARED", PROJECT.parent / "shared"))
WEEKS = 39
# Fader, Hardie & Lee 2005; the tests of CLVTools
PUBLISHED = {
    "BG/NBD": with_parameters(BgNbd, 0.2426, 4.4136, 0.7929, 2.4259),
    "Pareto/NBD": with_parameters(ParetoNbd, 0.5533, 10.578, 0.606, 11.669),
    "Gamma-Gamma": with_parameters(GammaGamma, 6.25, 3.74, 15.44),
}
PUBLISHED_LOG_LIKELIHOODS = {
    "BG/NBD": -9582.429,
    "Pareto/NBD": -9594.976,
    "Gamma-Gamma": -4055.918,
}
MEASURES = ("MAE", "RMSE", "total missed", "normalised Gini")
# of ../shared/evidence.md
HOLDOUT = {
    "BG/NBD": (0.785, 1.608, -0.121, 0.662),
    "Pareto/NBD": (0.755, 1.603, -0.115, 0.673),
    "nobody": (0.798, 2.206, -1.0, float("nan")),
}
# in days
PLANTED = {
    "BG/NBD": with_parameters(BgNbd, 0.5, 20.0, 0.8, 2.5),
    "Pareto/NBD": with_parameters(ParetoNbd, 0.55, 40.0, 0.6, 80.0),
    "Gamma-Gamma": with_parameters(GammaGamma, 6.0, 4.0, 15.0),
}
SIMULATE = {"BG/NBD": simulate_bg_nbd, "Pareto/NBD": simulate_pareto_nbd}
YEARS_KNOWN = 2
CUSTOMERS_OF_A_DRAW = 10_000


@click.command()
@click.option("--customers", default=1_000_000, show_default=True, help="Of the scale.")
@click.option("--draws", default=20, show_default=True, help="Of the recovery.")
def measure(customers: int, draws: int) -> None:
    """Print estimates, times, the hold-out and what was recovered."""
    cdnow = read_cdnow(SHARED / "data/cdnow/CDNOW_sample.txt")
    fitted = show_estimates(cdnow)
    show_holdout(cdnow, fitted)
    show_scale(customers)
    show_recovery(draws)


def read_cdnow(path: Path) -> pd.DataFrame:
    """Return one row per customer: history in weeks, mean value, later purchases."""
    columns = ["master_id", "id", "day", "cds", "value"]
    lines = pd.read_csv(path, sep=r"\s+", names=columns)
    lines["day"] = pd.to_datetime(lines["day"].astype(str))
    days = lines.groupby(["id", "day"], as_index=False)["value"].sum()
    cutoff = pd.Timestamp("1997-09-30")
    end = cutoff + pd.Timedelta(weeks=WEEKS)
    first = days.groupby("id")["day"].transform("min")
    spans = days[days["day"] <= cutoff].groupby("id")["day"].agg(["min", "max"])
    repeats = days[(days["day"] <= cutoff) & (days["day"] > first)].groupby("id")
    later = days[(days["day"] > cutoff) & (days["day"] <= end)].groupby("id")
    return pd.DataFrame(
        {
            "frequency": repeats.size(),
            "recency": (spans["max"] - spans["min"]).dt.days / 7,
            "age": (cutoff - spans["min"]).dt.days / 7,
            "mean_value": repeats["value"].mean(),
            "purchases": later.size(),
        },
        index=spans.index,
    ).fillna({"frequency": 0, "purchases": 0})


def show_estimates(cdnow: pd.DataFrame) -> dict[str, object]:
    """Fit CDNOW, and print ours beside what is published; return the fits."""
    histories = cdnow["frequency"], cdnow["recency"], cdnow["age"]
    reference = printed_seconds(*histories)
    click.echo(f"CDNOW, {len(cdnow):,} customers, {WEEKS} weeks (target: within 0.001)")
    fitted = {}
    for name, published in PUBLISHED.items():
        data = histories
        if name == "Gamma-Gamma":
            data = cdnow["frequency"], cdnow["mean_value"]
        fitted[name], seconds = timed(partial(type(published)().fit, *data))
        known = {"log likelihood": PUBLISHED_LOG_LIKELIHOODS[name]}
        found = {"log likelihood": fitted[name].log_likelihood_}
        found |= parameters_of(fitted[name])
        for parameter, theirs in (parameters_of(published) | known).items():
            ours = found[parameter]
            error = fitted[name].standard_errors_.get(parameter)
            click.echo(
                f"  {name:<12}{parameter:<15}{ours:>12.4f}  published {theirs:>10.8g}"
                + (f"  standard error {error:.4f}" if error else "")
            )
        click.echo(f"  {name:<12}{seconds:.3f} s, {seconds / reference:.0f} references")
    click.echo(f"  (target of BG/NBD: 0.5 s; one reference is {reference:.6f} s)")
    return fitted


def show_holdout(cdnow: pd.DataFrame, fitted: dict[str, object]) -> None:
    """Print how well the purchases of the next weeks were predicted."""
    histories = cdnow["frequency"], cdnow["recency"], cdnow["age"]
    actual = cdnow["purchases"].to_numpy()
    click.echo(f"the next {WEEKS} weeks, {actual.sum():,.0f} purchases")
    for name, known in HOLDOUT.items():
        predicted = np.zeros(len(cdnow))
        if name in fitted:
            predicted = fitted[name].expected_purchases(WEEKS, *histories)
        missed = predicted - actual
        found = (
            np.abs(missed).mean(),
            np.sqrt(np.square(missed).mean()),
            missed.sum() / actual.sum(),
            gini(actual, predicted) / gini(actual, actual),
        )
        for label, ours, theirs in zip(
            ("MAE", "RMSE", "total missed", "normalised Gini"),
            found,
            known,
            strict=True,
        ):
            click.echo(f"  {name:<12}{label:<17}{ours:>8.4f}  evidence {theirs:>8.3f}")
        if name in fitted:
            returns = fitted[name].return_probability(WEEKS, *histories).mean()
            click.echo(
                f"  {name:<12}{'returned':<17}{returns:>8.4f}    actual "
                f"{(actual > 0).mean():>8.3f}"
            )


def show_scale(customers: int) -> None:
    """Fit and score many customers, whose times are whole days."""
    click.echo(f"{customers:,} simulated customers, whole days (target: 10 s)")
    for name, planted in PLANTED.items():
        if name == "Gamma-Gamma":
            continue
        drawn = draw(name, customers, seed=0)
        history = drawn.frequency, np.ceil(drawn.recency), np.ceil(drawn.age)
        reference = printed_seconds(*history)
        fitted, seconds = timed(partial(type(planted)().fit, *history), once=True)
        _, returning = timed(
            partial(fitted.return_probability, 365.0, *history), once=True
        )
        _, counting = timed(
            partial(fitted.expected_purchases, 365.0, *history), once=True
        )
        click.echo(
            f"  {name:<12}fit {seconds:.1f} s, {seconds / reference:.0f} references; "
            f"return probability {returning:.1f} s, purchases {counting:.1f} s"
        )


def show_recovery(draws: int) -> None:
    """Print how far estimates are from what was planted, in standard errors."""
    click.echo(
        f"{draws} draws of {CUSTOMERS_OF_A_DRAW:,} customers: estimate less planted "
        "in standard errors (within 2 for 95 of 100)"
    )
    for name, planted in PLANTED.items():
        apart = np.array([recover(name, seed) for seed in range(draws)])
        for parameter, column in zip(parameters_of(planted), apart.T, strict=True):
            click.echo(
                f"  {name:<12}{parameter:<7}mean {column.mean():>6.2f}  spread "
                f"{column.std():.2f}  within 2: {(np.abs(column) < 2).sum()} of {draws}"
            )


def recover(name: str, seed: int) -> list[float]:
    """Return how far each estimate is from the planted, in standard errors."""
    planted = PLANTED[name]
    if name == "Gamma-Gamma":
        frequency = draw("BG/NBD", CUSTOMERS_OF_A_DRAW, seed).frequency
        rng = np.random.default_rng((seed, 1))
        values = simulate_values(*parameters_of(planted).values(), frequency, rng)
        fitted = GammaGamma().fit(frequency, values)
    else:
        drawn = draw(name, CUSTOMERS_OF_A_DRAW, seed)
        fitted = type(planted)().fit(drawn.frequency, drawn.recency, drawn.age)
    return [
        (parameters_of(fitted)[parameter] - parameters_of(planted)[parameter]) / error
        for parameter, error in fitted.standard_errors_.items()
    ]


def draw(name: str, customers: int, seed: int) -> Simulated:
    """Draw customers who first bought at any time of the years known."""
    rng = np.random.default_rng(seed)
    ages = rng.uniform(0, YEARS_KNOWN * 365, customers)
    return SIMULATE[name](PLANTED[name], ages, 365.0, rng)


def timed(step: Callable[[], object], *, once: bool = False) -> tuple[object, float]:
    """Return what a step returns, and the least of the seconds it took."""
    seconds = []
    for _ in range(1 if once else 5):
        start = time.perf_counter()
        result = step()
        seconds.append(time.perf_counter() - start)
    return result, min(seconds)


def printed_seconds(x: Numbers, t: Numbers, end: Numbers) -> float:
    """Return the seconds of one evaluation of the printed log-likelihood of BG/NBD."""
    x, t, end = (np.asarray(column, dtype=float) for column in (x, t, end))
    r, alpha, a, b = 0.24, 4.4, 0.79, 2.43

    def evaluate() -> float:
        bought = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        stayed = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + end)
        again = np.maximum(x, 1)
        left = betaln(a + 1, b + again - 1) - betaln(a, b)
        left -= (r + x) * np.log(alpha + t)
        either = np.where(x > 0, np.logaddexp(stayed, left), stayed)
        return float((bought + either).sum())

    return timed(evaluate)[1]


def gini(actual: Numbers, by: Numbers) -> float:
    """Return the Gini of the actual in the order of a prediction, ties shared."""
    _, ties = np.unique(by, return_inverse=True)
    shared = (np.bincount(ties, weights=actual) / np.bincount(ties))[ties]
    ordered = shared[np.argsort(by, kind="stable")]
    ranks = np.arange(1, len(ordered) + 1)
    return float(2 * ranks @ ordered / ordered.sum() - len(ordered) - 1) / len(ordered)


if __name__ == "__main__":
    measure()
