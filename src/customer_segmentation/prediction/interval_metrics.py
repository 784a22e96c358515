"""How good intervals of the spend are: coverage, width, and both in one score.

All metrics take ends and outcomes of shape (customers,). They return ``nan`` where they
are not defined: without customers.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from customer_segmentation.prediction.metrics import is_covered

__all__ = [
    "MISSED",
    "coverage_above_zero",
    "covered_above_zero",
    "interval_score",
    "interval_scores",
    "mean_width",
    "tenth_coverage",
]

# share of outcomes that an 80 % interval may miss
MISSED = 0.2
TENTHS = 10

Numbers = NDArray[np.float64]


def coverage_above_zero(low: Numbers, high: Numbers, actual: Numbers) -> float:
    """Return the coverage of the intervals that are more than the number 0.

    Customers who hardly return have the interval from 0 to 0, and nearly all of them
    spend nothing. No interval holds fewer of them, so they say nothing of its width.

    Examples
    --------
    >>> coverage_above_zero(np.zeros(3), np.array([0.0, 5, 5]), np.array([0.0, 4, 6]))
    0.5
    """
    found = covered_above_zero(low, high, actual)
    return float(np.nanmean(found)) if (high > 0).any() else np.nan


def covered_above_zero(low: Numbers, high: Numbers, actual: Numbers) -> Numbers:
    """Return 1 for each outcome inside its interval, else 0; ``nan`` from 0 to 0."""
    return np.where(high > 0, is_covered(low, high, actual), np.nan)


def mean_width(low: Numbers, high: Numbers) -> float:
    """Return the mean width of the intervals, in units of the outcome."""
    return float(np.mean(high - low)) if len(low) else np.nan


def interval_scores(low: Numbers, high: Numbers, actual: Numbers) -> Numbers:
    """Return the interval score of each outcome; lower is better.

    It is the width, and ten times the distance of an outcome outside from the nearest
    end: 2 over the share that may be missed (Winkler 1972; Gneiting and Raftery 2007,
    section 6.2, doi 10.1198/016214506000001437). So neither wide intervals nor missed
    outcomes pay.

    Examples
    --------
    >>> interval_scores(np.zeros(2), np.full(2, 50.0), np.array([20.0, 53.0]))
    array([50., 80.])
    """
    outside = np.maximum(low - actual, 0.0) + np.maximum(actual - high, 0.0)
    scores: Numbers = high - low + 2 / MISSED * outside
    return scores


def interval_score(low: Numbers, high: Numbers, actual: Numbers) -> float:
    """Return the mean interval score (Winkler), in units of the outcome."""
    if len(actual) == 0:
        return np.nan
    return float(np.mean(interval_scores(low, high, actual)))


def tenth_coverage(
    low: Numbers,
    high: Numbers,
    actual: Numbers,
    *predicted: Numbers,
    choose: Callable[[list[float]], float],
) -> float:
    """Return the minimum or the maximum coverage of a tenth of the customers.

    Customers are divided by each prediction into ten groups of equal size. Every
    interval of a customer who probably spends nothing begins at 0, and holds that
    outcome. So where more customers spend nothing than an interval should hold, no
    interval holds fewer: the maximum ignores such tenths.

    Parameters
    ----------
    low, high, actual : ndarray of shape (customers,)
        Ends and outcomes.
    *predicted : ndarray of shape (customers,)
        What the customers are divided by.
    choose : {min, max}
        Which tenth counts.

    Returns
    -------
    float
        ``nan`` with fewer customers than tenths, or if the maximum ignores all tenths.

    Examples
    --------
    >>> spend = np.arange(20.0)
    >>> tenth_coverage(np.zeros(20), np.full(20, 17.5), spend, spend, choose=min)
    0.0
    """
    if len(actual) < TENTHS:
        return np.nan
    is_inside = is_covered(low, high, actual)
    found = []
    for values in predicted:
        order = np.argsort(values, kind="stable")
        for tenth in np.array_split(order, TENTHS):
            if choose is max and np.mean(actual[tenth] <= 0) > 1 - MISSED:
                continue
            found.append(float(np.mean(is_inside[tenth])))
    return choose(found) if found else np.nan
