"""Intervals that hold four of five outcomes, many of which are nothing at all."""

from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["COVERAGE", "SpendInterval"]

COVERAGE = 0.8
# customers to a group, and groups
GROUP_SIZE = 100
MOST_GROUPS = 20
# of the mean prediction, so that a prediction of nothing has an interval too
LEAST_SHARE = 0.05

Numbers = NDArray[np.float64]


class SpendInterval:
    """What outcomes were, of those who were predicted about as much.

    Customers are grouped by what was predicted. Where at least a tenth of a group spent
    nothing, the interval begins at nothing and ends where four fifths of the group are
    below; else it leaves out a tenth on either side. Ends are kept in units of the
    prediction, go over smoothly from group to group, and are widened or narrowed by one
    factor for all, so that ``COVERAGE`` of the outcomes lie inside: after the
    normalised scores of conformal prediction (Lei et al. 2018, doi
    10.1080/01621459.2017.1307116), but without its guarantee, since ends and factor
    come from the same customers. Back-tests measure what they cover of others.

    Attributes
    ----------
    least : float
        Added to each prediction.
    middles : ndarray of shape (groups,)
        Logarithm of the median prediction of each group, with ``least``.
    lows, highs : ndarray of shape (groups,)
        Ends of the interval, over the prediction with ``least``.

    Examples
    --------
    >>> spent = np.arange(100.0)
    >>> interval = SpendInterval().fit(np.full(100, 50.0), spent)
    >>> low, high = interval.predict(np.array([50.0]))
    >>> bool(9 <= low[0] <= 11), bool(88 <= high[0] <= 90)
    (True, True)
    """

    def fit(self, predicted: Numbers, actual: Numbers) -> Self:
        """Learn from n customers whom the model did not learn from.

        Parameters
        ----------
        predicted, actual : ndarray of shape (n,)
            At least one customer; nothing below 0.
        """
        mean = float(predicted.mean())
        self.least = LEAST_SHARE * mean if mean > 0 else 1.0
        level = predicted + self.least
        ratio = actual / level
        # of customers predicted the same, the order is that of what they spent
        order = np.lexsort((ratio, level))
        count = int(np.clip(len(order) // GROUP_SIZE, 1, MOST_GROUPS))
        found: dict[float, tuple[float, float]] = {}
        for group in np.array_split(order, count):
            middle = float(np.log(np.median(level[group])))
            # equal predictions may fill several groups, which are one
            if middle not in found:
                is_like = level == np.median(level[group])
                like = group if is_like.sum() < len(group) else np.flatnonzero(is_like)
                found[middle] = _ends(ratio[like])
        self.middles = np.array(list(found))
        self.lows, self.highs = np.array(list(found.values())).T
        low, high = self.predict(predicted)
        factor = float(
            np.quantile(_needed(low, high, actual), COVERAGE, method="higher")
        )
        if 0 < factor < np.inf:
            self.lows = self.lows / factor
            self.highs = self.highs * factor
        return self

    def predict(self, predicted: Numbers) -> tuple[Numbers, Numbers]:
        """Return the lower and upper ends for m customers, each of shape (m,)."""
        level = predicted + self.least
        where = np.log(level)
        low, high = (
            level * np.interp(where, self.middles, ends)
            for ends in (self.lows, self.highs)
        )
        return low, np.maximum(low, high)


def _ends(ratio: Numbers) -> tuple[float, float]:
    outside = (1 - COVERAGE) / 2
    if np.mean(ratio <= 0) >= outside:
        return 0.0, float(np.quantile(ratio, COVERAGE))
    low, high = np.quantile(ratio, [outside, 1 - outside])
    return float(low), float(high)


def _needed(low: Numbers, high: Numbers, actual: Numbers) -> Numbers:
    """Return by which factor each interval must grow to hold its outcome."""
    above = np.divide(actual, high, out=np.full_like(high, np.inf), where=high > 0)
    above[actual <= 0] = 0.0
    below = np.divide(low, actual, out=np.full_like(low, np.inf), where=actual > 0)
    below[low <= 0] = 0.0
    return np.maximum(above, below)
