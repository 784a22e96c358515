"""How good predictions of purchases are: rank, calibration, error and coverage.

All metrics take predictions and outcomes of shape (customers,). They return ``nan``
where they are not defined: without customers, or if all outcomes are equal.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DEVIATIONS",
    "auc",
    "binary_log_loss",
    "calibration_error",
    "coverage",
    "decile_error",
    "decile_mape",
    "distance_of_means",
    "error_of_means",
    "log_loss",
    "mape_of_means",
    "mean_absolute_error",
    "mean_reciprocal_rank",
    "noise_floor",
    "normalised_gini",
    "share",
    "spearman",
    "total_error",
    "total_ratio",
]

DECILES = 10
# a probability of 0 has an infinite loss
MIN_PROBABILITY = 1e-15
# mean absolute value of a normal variate with a standard deviation of 1
MEAN_DISTANCE = np.sqrt(2 / np.pi)

Numbers = NDArray[np.float64]
Measure = Callable[..., float]


def mean_absolute_error(predicted: Numbers, actual: Numbers) -> float:
    """Return the mean distance of prediction and outcome, in units of the outcome.

    Examples
    --------
    >>> mean_absolute_error(np.array([1.0, 5.0]), np.array([2.0, 2.0]))
    2.0
    """
    return _mean(np.abs(predicted - actual))


def spearman(predicted: Numbers, actual: Numbers) -> float:
    """Return the rank correlation, from -1 to 1; equal values share a rank."""
    if len(actual) < 2:
        return np.nan
    ranks = [_ranks(values) for values in (predicted, actual)]
    centred = [rank - rank.mean() for rank in ranks]
    scale = np.sqrt((centred[0] @ centred[0]) * (centred[1] @ centred[1]))
    return float(centred[0] @ centred[1] / scale) if scale > 0 else np.nan


def normalised_gini(predicted: Numbers, actual: Numbers) -> float:
    """Return the Gini of the outcomes in the order of predictions, over its maximum.

    1 if predictions order the customers as the outcomes do, 0 if they tell nothing.
    Customers with equal predictions share their mean outcome, so their order counts for
    nothing.
    """
    own = _gini(actual, actual)
    return _gini(predicted, actual) / own if own > 0 else np.nan


def decile_mape(predicted: Numbers, actual: Numbers) -> float:
    """Return the mean relative error of the deciles of the predictions.

    Customers are divided by their prediction into ten groups of equal size. The error
    of a group is the distance of its mean prediction and mean outcome, over the latter.
    Not defined if a group has no outcome above zero, or with fewer customers than
    groups.
    """
    means = _decile_means(predicted, actual)
    return np.nan if means is None else mape_of_means(*means)


def mape_of_means(predicted: Numbers, actual: Numbers) -> float:
    """Return the ``decile_mape`` of the means of the deciles."""
    if actual.min() <= 0:
        return np.nan
    return float(np.mean(np.abs(predicted - actual) / actual))


def decile_error(predicted: Numbers, actual: Numbers) -> float:
    """Return the total error of the deciles of the predictions, over all outcomes.

    Like ``decile_mape``, but each group counts by its outcomes. So the error is defined
    if the lowest group has none, and that group does not decide it.
    """
    means = _decile_means(predicted, actual)
    return np.nan if means is None else error_of_means(*means)


def error_of_means(predicted: Numbers, actual: Numbers) -> float:
    """Return the ``decile_error`` of the means of the deciles."""
    if actual.sum() <= 0:
        return np.nan
    return float(np.abs(predicted - actual).sum() / actual.sum())


def total_ratio(predicted: Numbers, actual: Numbers) -> float:
    """Return the predicted total over the actual one."""
    total = actual.sum()
    return float(predicted.sum() / total) if total > 0 else np.nan


def total_error(predicted: Numbers, actual: Numbers) -> float:
    """Return how far the predicted total is from the actual one, as a share of it."""
    return abs(total_ratio(predicted, actual) - 1)


def auc(probability: Numbers, happened: Numbers) -> float:
    """Return the area under the ROC curve, computed from ranks.

    It is the probability that a customer who returns has a higher prediction than one
    who does not. scikit-learn's function gives the same and takes ten times as long,
    which matters in a bootstrap.
    """
    is_one = happened > 0
    ones = int(is_one.sum())
    zeros = len(happened) - ones
    if not ones or not zeros:
        return np.nan
    ranks = _ranks(probability)[is_one].sum()
    return float((ranks - ones * (ones + 1) / 2) / (ones * zeros))


def binary_log_loss(probability: Numbers, happened: Numbers) -> float:
    """Return minus the mean logarithm of the probability of the outcome, in nats."""
    return _mean(binary_log_losses(probability, happened))


def binary_log_losses(probability: Numbers, happened: Numbers) -> Numbers:
    """Return minus the logarithm of the probability of each outcome, in nats."""
    return log_losses(np.where(happened > 0, probability, 1 - probability))


def coverage(low: Numbers, high: Numbers, actual: Numbers) -> float:
    """Return the share of outcomes inside their interval, ends included."""
    return _mean(is_covered(low, high, actual))


def is_covered(low: Numbers, high: Numbers, actual: Numbers) -> Numbers:
    """Return 1 for each outcome inside its interval, else 0."""
    return ((low <= actual) & (actual <= high)).astype(float)


def calibration_error(probability: Numbers, happened: Numbers) -> float:
    """Return the mean distance of probability and share over ten equal groups."""
    means = _decile_means(probability, happened)
    return np.nan if means is None else distance_of_means(*means)


def distance_of_means(probability: Numbers, happened: Numbers) -> float:
    """Return the ``calibration_error`` of the means of the groups."""
    return float(np.mean(np.abs(probability - happened)))


# metrics that are a mean of absolute deviations of deciles, and their form for means
DEVIATIONS: Mapping[Measure, Measure] = MappingProxyType(
    {
        decile_error: error_of_means,
        decile_mape: mape_of_means,
        calibration_error: distance_of_means,
    }
)


def noise_floor(measure: Measure, *columns: Numbers) -> float:
    """Return what a deviation is on average if nothing is wrong, else ``nan``.

    The mean outcome of n customers differs from what is expected of them by its
    standard error, times the absolute value of a normal variate. So a perfectly
    calibrated model has such an error, too: the smaller, the more customers there are.

    Parameters
    ----------
    measure : callable
        One of ``DEVIATIONS``; others have no floor.
    *columns : ndarray of shape (customers,)
        What `measure` takes: of a deviation, predictions and outcomes.
    """
    if measure not in DEVIATIONS:
        return np.nan
    predicted, actual = columns
    means = _decile_means(predicted, actual)
    squares = _decile_means(predicted, (actual - predicted) ** 2)
    if means is None or squares is None:
        return np.nan
    sizes = np.diff(_decile_ends(len(actual)))
    variance = np.maximum(squares[1] - (means[0] - means[1]) ** 2, 0)
    # one degree of freedom is the mean's
    errors = np.sqrt(variance / np.maximum(sizes - 1, 1))
    return DEVIATIONS[measure](means[1] + MEAN_DISTANCE * errors, means[1])


def share(is_one: Numbers) -> float:
    """Return the share of ones among zeros and ones."""
    return _mean(is_one)


def mean_reciprocal_rank(rank: Numbers) -> float:
    """Return the mean of one over the rank of the outcome, from 0 to 1."""
    return _mean(1 / rank)


def log_loss(probability: Numbers) -> float:
    """Return minus the mean logarithm of the probabilities of outcomes, in nats."""
    return _mean(log_losses(probability))


def log_losses(probability: Numbers) -> Numbers:
    """Return minus the logarithm of each probability of an outcome, in nats."""
    found: Numbers = -np.log(np.maximum(probability, MIN_PROBABILITY))
    return found


def _mean(values: Numbers) -> float:
    return float(values.mean()) if len(values) else np.nan


def _ranks(values: Numbers) -> Numbers:
    """Return the ranks from 1 on; equal values share their mean rank.

    SciPy's function gives the same and takes twice as long, which matters in a
    bootstrap.
    """
    order = np.argsort(values)
    ordered = values[order]
    if len(values) and np.isnan(ordered[-1]):
        return np.full(len(values), np.nan)
    begins = np.ones(len(values), dtype=bool)
    begins[1:] = ordered[1:] != ordered[:-1]
    first = np.flatnonzero(begins)
    sizes = np.diff(first, append=len(values))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(first + (sizes + 1) / 2, sizes)
    return ranks


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
    return float(2 * weighted / (count * total) - (count + 1) / count)


def _decile_means(
    predicted: Numbers, actual: Numbers
) -> tuple[Numbers, Numbers] | None:
    """Return mean predictions and outcomes of ten groups by prediction."""
    if len(actual) < DECILES:
        return None
    # the same groups as in int_prediction__backtest_deciles
    order = np.argsort(predicted, kind="stable")
    ends = _decile_ends(len(order))
    predictions, outcomes = (
        np.array(
            [
                # a mean without the checks of NumPy's, which take longer than the sum
                np.add.reduce(ordered[start:end]) / (end - start)
                for start, end in pairwise(ends)
            ]
        )
        for ordered in (predicted[order], actual[order])
    )
    return predictions, outcomes


def _decile_ends(count: int) -> NDArray[np.int64]:
    """Return where ten groups of sorted customers begin, and the last one ends."""
    return -(-np.arange(DECILES + 1) * count // DECILES)
