"""How good predictions of purchases are: rank, calibration, error, coverage.

All take what was predicted and what came, each of shape (customers,), and return
``nan`` where a measure is not defined, as of no customers or equal outcomes.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

__all__ = [
    "auc",
    "binary_log_loss",
    "bootstrap_draws",
    "coverage",
    "decile_error",
    "decile_mape",
    "interval_of",
    "mean_absolute_error",
    "normalised_gini",
    "spearman",
    "total_ratio",
]

GROUPS = 10
DRAWS = 200
# a probability of nothing has an infinite loss
LEAST = 1e-15
# of the bootstrap interval, at each side
TAIL = 0.025
SEED = 0

Numbers = NDArray[np.float64]
Measure = Callable[..., float]


def mean_absolute_error(predicted: Numbers, actual: Numbers) -> float:
    """Return the mean distance of prediction and outcome, in the outcome's units."""
    return float(np.mean(np.abs(predicted - actual))) if len(actual) else np.nan


def spearman(predicted: Numbers, actual: Numbers) -> float:
    """Return the rank correlation, from -1 to 1; equal values share a rank."""
    if len(actual) < 2:
        return np.nan
    ranks = [rankdata(values) for values in (predicted, actual)]
    away = [rank - rank.mean() for rank in ranks]
    spread = np.sqrt((away[0] @ away[0]) * (away[1] @ away[1]))
    return float(away[0] @ away[1] / spread) if spread > 0 else np.nan


def normalised_gini(predicted: Numbers, actual: Numbers) -> float:
    """Return the Gini of the outcome in order of the prediction over its own.

    1 if the prediction has the order of the outcome, 0 if it has none. Customers of
    equal predictions share the mean of their outcomes, so that their order, which no
    model gave, counts for nothing.
    """
    own = _gini(actual, actual)
    return _gini(predicted, actual) / own if own > 0 else np.nan


def decile_mape(predicted: Numbers, actual: Numbers) -> float:
    """Return how far predictions are from outcomes, by tenths of the predictions.

    The mean over ten equally large groups of customers by prediction of the distance of
    the mean prediction and the mean outcome, over the latter. Not defined where a group
    has no outcome above zero, or with fewer customers than groups.
    """
    means = _decile_means(predicted, actual)
    if means is None or means[1].min() <= 0:
        return np.nan
    return float(np.mean(np.abs(means[0] - means[1]) / means[1]))


def decile_error(predicted: Numbers, actual: Numbers) -> float:
    """Return how far tenths of the predictions are from outcomes, over all outcomes.

    As ``decile_mape``, but groups count by their outcomes: it is defined where the
    lowest group has none, and is not decided by it.
    """
    means = _decile_means(predicted, actual)
    if means is None or means[1].sum() <= 0:
        return np.nan
    return float(np.abs(means[0] - means[1]).sum() / means[1].sum())


def total_ratio(predicted: Numbers, actual: Numbers) -> float:
    """Return the predicted total over the actual one."""
    total = actual.sum()
    return float(predicted.sum() / total) if total > 0 else np.nan


def auc(probability: Numbers, happened: Numbers) -> float:
    """Return how often of two customers the one who returns has the higher one.

    The area under the ROC curve, from ranks: scikit-learn's is the same, and takes ten
    times as long, which counts where customers are drawn again hundreds of times.
    """
    is_one = happened > 0
    ones = int(is_one.sum())
    zeros = len(happened) - ones
    if not ones or not zeros:
        return np.nan
    ranks = rankdata(probability)[is_one].sum()
    return float((ranks - ones * (ones + 1) / 2) / (ones * zeros))


def binary_log_loss(probability: Numbers, happened: Numbers) -> float:
    """Return minus the mean logarithm of the probability of what happened, in nats."""
    if len(happened) == 0:
        return np.nan
    of_outcome = np.where(happened > 0, probability, 1 - probability)
    return float(-np.mean(np.log(np.maximum(of_outcome, LEAST))))


def coverage(low: Numbers, high: Numbers, actual: Numbers) -> float:
    """Return the share of outcomes in their interval, its ends included."""
    if len(actual) == 0:
        return np.nan
    return float(np.mean((low <= actual) & (actual <= high)))


def bootstrap_draws(measure: Measure, *columns: Numbers, draws: int = DRAWS) -> Numbers:
    """Return a measure of samples of the customers, of as many, drawn with replacement.

    As many customers are drawn alike whatever is measured of them, so that the draws of
    two models can be compared one by one.

    Parameters
    ----------
    measure : callable
        Takes the columns.
    *columns : ndarray of shape (customers,)
        Drawn together.
    draws : int
        Number of samples.

    Returns
    -------
    ndarray of shape (draws,)
        nan where the measure is not defined.
    """
    count = len(columns[0])
    found = np.full(draws, np.nan)
    if count == 0:
        return found
    rng = np.random.default_rng(SEED)
    for draw in range(draws):
        rows = rng.integers(0, count, count)
        found[draw] = measure(*(column[rows] for column in columns))
    return found


def interval_of(draws: Numbers) -> tuple[float, float]:
    """Return the 2.5th and the 97.5th percentile of draws, those that are not nan."""
    known = draws[~np.isnan(draws)]
    if len(known) == 0:
        return np.nan, np.nan
    low, high = np.quantile(known, [TAIL, 1 - TAIL])
    return float(low), float(high)


def _gini(order_by: Numbers, actual: Numbers) -> float:
    total = actual.sum()
    if len(actual) == 0 or total <= 0:
        return np.nan
    _, groups = np.unique(order_by, return_inverse=True)
    sizes = np.bincount(groups)
    shared = np.bincount(groups, weights=actual) / sizes
    ranks = np.cumsum(sizes) - (sizes - 1) / 2
    count = len(actual)
    weighted = float(np.sum(ranks * sizes * shared))
    return 2 * weighted / (count * total) - (count + 1) / count


def _decile_means(
    predicted: Numbers, actual: Numbers
) -> tuple[Numbers, Numbers] | None:
    """Return the mean prediction and outcome of ten groups by prediction."""
    if len(actual) < GROUPS:
        return None
    # as int_prediction__backtest_deciles cuts them
    order = np.argsort(predicted, kind="stable")
    numbers = np.arange(len(order)) * GROUPS // len(order)
    groups = [order[numbers == number] for number in range(GROUPS)]
    return tuple(
        np.array([values[group].mean() for group in groups])
        for values in (predicted, actual)
    )
