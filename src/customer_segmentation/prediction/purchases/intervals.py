"""Intervals that hold four of five outcomes, although many outcomes are 0."""

from typing import Self

import numpy as np
from sklearn.base import BaseEstimator

from customer_segmentation.prediction.feature_kinds import Numbers

__all__ = ["COVERAGE", "SpendInterval"]

COVERAGE = 0.8
GROUP_SIZE = 100
MAX_GROUPS = 20
# share of the mean prediction that is added to each, so that 0 has an interval too
OFFSET = 0.05


class SpendInterval(BaseEstimator):
    """The interval of outcomes among customers with a similar prediction.

    Customers are grouped by their prediction. If at least a tenth of a group spent
    nothing, the interval runs from 0 to the quantile ``COVERAGE``. Otherwise it leaves
    out a tenth on either side. Its ends are multiples of the prediction, interpolated
    between groups. One factor widens or narrows all intervals until they hold
    ``COVERAGE`` of the outcomes.

    The factor follows the normalised scores of conformal prediction (Lei et al. 2018,
    doi 10.1080/01621459.2017.1307116), but without its guarantee, because the same
    customers decide the ends and the factor. Back-tests measure the coverage of others.

    Attributes
    ----------
    offset_ : float
        Added to each prediction.
    middles_ : ndarray of shape (groups,)
        Logarithm of the median prediction of each group, with ``offset_``.
    lows_, highs_ : ndarray of shape (groups,)
        Ends of the interval, divided by the prediction with ``offset_``.

    Examples
    --------
    >>> spent = np.arange(100.0)
    >>> interval = SpendInterval().fit(np.full(100, 50.0), spent)
    >>> low, high = interval.predict(np.array([50.0]))
    >>> bool(9 <= low[0] <= 11), bool(88 <= high[0] <= 90)
    (True, True)
    """

    def fit(self, predicted: Numbers, actual: Numbers) -> Self:
        """Learn from out-of-fold predictions of n customers.

        Parameters
        ----------
        predicted, actual : ndarray of shape (n,)
            At least one customer; no number below 0.
        """
        mean = float(predicted.mean())
        self.offset_ = OFFSET * mean if mean > 0 else 1.0
        level = predicted + self.offset_
        ratio = actual / level
        # ties of the prediction go by the outcome, so that row order does not matter
        order = np.lexsort((ratio, level))
        count = int(np.clip(len(order) // GROUP_SIZE, 1, MAX_GROUPS))
        found: dict[float, tuple[float, float]] = {}
        for group in np.array_split(order, count):
            middle = float(np.log(np.median(level[group])))
            # several groups of equal predictions are one group
            if middle not in found:
                is_equal = level == np.median(level[group])
                is_whole = is_equal.sum() >= len(group)
                found[middle] = _ends(ratio[is_equal] if is_whole else ratio[group])
        self.middles_ = np.array(list(found))
        self.lows_, self.highs_ = np.array(list(found.values())).T
        low, high = self.predict(predicted)
        factor = float(
            np.quantile(_needed_factors(low, high, actual), COVERAGE, method="higher")
        )
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
    """Return the factor by which each interval must grow to hold its outcome."""
    above = np.divide(actual, high, out=np.full_like(high, np.inf), where=high > 0)
    above[actual <= 0] = 0.0
    below = np.divide(low, actual, out=np.full_like(low, np.inf), where=actual > 0)
    below[low <= 0] = 0.0
    return np.maximum(above, below)
