"""Fit the buy-till-you-die models to CDNOW and to simulated customers.

Run ``python benchmarks/btyd.py``, or with fewer ``--customers`` and ``--draws``. CDNOW
is one of the public data sets. Machines differ in speed, so times are also given as
ratios to a reference: one evaluation of the log-likelihood of BG/NBD as its paper
prints it, for all customers of the fit, without grouping.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
import numpy as np
import pandas as pd
from project import PROJECT, SHARED
from scipy.special import betaln, gammaln

from customer_segmentation.prediction import metrics
from customer_segmentation.prediction.btyd import BgNbd, GammaGamma, ParetoNbd
from customer_segmentation.prediction.feature_kinds import Numbers

# the tests also simulate customers of these models
sys.path.append(str(PROJECT / "tests" / "python" / "prediction"))
from simulated_customers import (
    Simulated,
    parameters_of,
    simulate_bg_nbd,
    simulate_pareto_nbd,
    simulate_values,
    with_parameters,
)

WEEKS = 39
# Fader, Hardie & Lee 2005, and the tests of CLVTools
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
HOLDOUT_METRICS = ("MAE", "RMSE", "error of the total", "normalised Gini")
# of an earlier measurement, on the same holdout
HOLDOUT_REFERENCES = {
    "BG/NBD": (0.785, 1.608, -0.121, 0.662),
    "Pareto/NBD": (0.755, 1.603, -0.115, 0.673),
    "no purchase": (0.798, 2.206, -1.0, float("nan")),
}
# parameters of simulated customers, in days
PLANTED = {
    "BG/NBD": with_parameters(BgNbd, 0.5, 20.0, 0.8, 2.5),
    "Pareto/NBD": with_parameters(ParetoNbd, 0.55, 40.0, 0.6, 80.0),
    "Gamma-Gamma": with_parameters(GammaGamma, 6.0, 4.0, 15.0),
}
SIMULATE = {"BG/NBD": simulate_bg_nbd, "Pareto/NBD": simulate_pareto_nbd}
HISTORY_DAYS = 2 * 365
HORIZON_DAYS = 365.0
CUSTOMERS_PER_DRAW = 10_000
# the minimum of so many times counts
REPEATS = 5


@click.command()
@click.option(
    "--customers",
    default=1_000_000,
    show_default=True,
    help="Number of customers to fit and score at scale.",
)
@click.option(
    "--draws",
    default=20,
    show_default=True,
    help="Number of draws of customers whose parameters are estimated.",
)
def measure(customers: int, draws: int) -> None:
    """Print estimates, times, metrics of the holdout, and errors of estimates."""
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
    last_day = pd.Timestamp("1997-09-30")
    end = last_day + pd.Timedelta(weeks=WEEKS)
    first = days.groupby("id")["day"].transform("min")
    is_history = days["day"] <= last_day
    spans = days[is_history].groupby("id")["day"].agg(["min", "max"])
    repeats = days[is_history & (days["day"] > first)].groupby("id")
    later = days[~is_history & (days["day"] <= end)].groupby("id")
    return pd.DataFrame(
        {
            "frequency": repeats.size(),
            "recency": (spans["max"] - spans["min"]).dt.days / 7,
            "age": (last_day - spans["min"]).dt.days / 7,
            "mean_value": repeats["value"].mean(),
            "purchases": later.size(),
        },
        index=spans.index,
    ).fillna({"frequency": 0, "purchases": 0})


def show_estimates(cdnow: pd.DataFrame) -> dict[str, object]:
    """Fit CDNOW, print our estimates beside the published ones; return the fits."""
    histories = cdnow["frequency"], cdnow["recency"], cdnow["age"]
    reference = reference_seconds(*histories)
    click.echo(f"CDNOW, {len(cdnow):,} customers, {WEEKS} weeks (target: within 0.001)")
    fitted = {}
    for name, published in PUBLISHED.items():
        data = histories
        if name == "Gamma-Gamma":
            data = cdnow["frequency"], cdnow["mean_value"]
        fitted[name], seconds = timed(partial(type(published)().fit, *data), REPEATS)
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
    """Print how well the purchases of the next weeks are predicted."""
    histories = cdnow["frequency"], cdnow["recency"], cdnow["age"]
    actual = cdnow["purchases"].to_numpy()
    click.echo(f"holdout: the next {WEEKS} weeks, {actual.sum():,.0f} purchases")
    for name, references in HOLDOUT_REFERENCES.items():
        predicted = np.zeros(len(cdnow))
        if name in fitted:
            predicted = fitted[name].expected_purchases(WEEKS, *histories)
        found = (
            metrics.mean_absolute_error(predicted, actual),
            np.sqrt(np.square(predicted - actual).mean()),
            metrics.total_ratio(predicted, actual) - 1,
            metrics.normalised_gini(predicted, actual),
        )
        for metric, ours, theirs in zip(
            HOLDOUT_METRICS, found, references, strict=True
        ):
            click.echo(
                f"  {name:<12}{metric:<19}{ours:>8.4f}  reference {theirs:>8.3f}"
            )
        if name in fitted:
            returns = fitted[name].return_probability(WEEKS, *histories).mean()
            click.echo(
                f"  {name:<12}{'share that returns':<19}{returns:>8.4f}     actual "
                f"{(actual > 0).mean():>8.3f}"
            )


def show_scale(customers: int) -> None:
    """Fit and score many customers whose times are whole days."""
    click.echo(f"{customers:,} simulated customers, whole days (target: 10 s)")
    for name in SIMULATE:
        drawn = draw(name, customers, seed=0)
        history = drawn.frequency, np.ceil(drawn.recency), np.ceil(drawn.age)
        reference = reference_seconds(*history)
        fitted, seconds = timed(partial(type(PLANTED[name])().fit, *history))
        steps = (fitted.return_probability, fitted.expected_purchases)
        returning, counting = (
            timed(partial(step, HORIZON_DAYS, *history))[1] for step in steps
        )
        click.echo(
            f"  {name:<12}fit {seconds:.1f} s, {seconds / reference:.0f} references; "
            f"return probability {returning:.1f} s, purchases {counting:.1f} s"
        )


def show_recovery(draws: int) -> None:
    """Print how far estimates are from the planted parameters."""
    click.echo(
        f"{draws} draws of {CUSTOMERS_PER_DRAW:,} customers: estimate less planted "
        "parameter, in standard errors (target: 95 of 100 within 2)"
    )
    for name, planted in PLANTED.items():
        errors = np.array([estimate_errors(name, seed) for seed in range(draws)])
        for parameter, column in zip(parameters_of(planted), errors.T, strict=True):
            click.echo(
                f"  {name:<12}{parameter:<7}mean {column.mean():>6.2f}  standard "
                f"deviation {column.std():.2f}  "
                f"within 2: {(np.abs(column) < 2).sum()} of {draws}"
            )


def estimate_errors(name: str, seed: int) -> list[float]:
    """Return the error of each estimate, in standard errors."""
    planted = PLANTED[name]
    if name == "Gamma-Gamma":
        frequency = draw("BG/NBD", CUSTOMERS_PER_DRAW, seed).frequency
        rng = np.random.default_rng((seed, 1))
        values = simulate_values(*parameters_of(planted).values(), frequency, rng)
        fitted = GammaGamma().fit(frequency, values)
    else:
        drawn = draw(name, CUSTOMERS_PER_DRAW, seed)
        fitted = type(planted)().fit(drawn.frequency, drawn.recency, drawn.age)
    return [
        (parameters_of(fitted)[parameter] - parameters_of(planted)[parameter]) / error
        for parameter, error in fitted.standard_errors_.items()
    ]


def draw(name: str, customers: int, seed: int) -> Simulated:
    """Draw customers whose first purchase is at any time of the history."""
    rng = np.random.default_rng(seed)
    ages = rng.uniform(0, HISTORY_DAYS, customers)
    return SIMULATE[name](PLANTED[name], ages, HORIZON_DAYS, rng)


def timed(step: Callable[[], object], repeats: int = 1) -> tuple[object, float]:
    """Return the result of a step, and the minimum of the seconds it takes."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = step()
        seconds.append(time.perf_counter() - start)
    return result, min(seconds)


def reference_seconds(x: Numbers, t: Numbers, end: Numbers) -> float:
    """Return the seconds of one evaluation of the log-likelihood of BG/NBD.

    Parameters
    ----------
    x, t, end : array of shape (n,)
        Frequency, recency and age, as the paper names them.
    """
    x, t, end = (np.asarray(column, dtype=float) for column in (x, t, end))
    r, alpha, a, b = 0.24, 4.4, 0.79, 2.43

    def evaluate() -> float:
        purchases = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        alive = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + end)
        left = betaln(a + 1, b + np.maximum(x, 1) - 1) - betaln(a, b)
        left -= (r + x) * np.log(alpha + t)
        either = np.where(x > 0, np.logaddexp(alive, left), alive)
        return float((purchases + either).sum())

    return timed(evaluate, REPEATS)[1]


if __name__ == "__main__":
    measure()
