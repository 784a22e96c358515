"""The dip test: whether numbers come from a distribution with one mode.

The dip is the largest distance between the distribution of the numbers and the nearest
distribution with one mode (Hartigan & Hartigan 1985). Uniform numbers have the largest
dip of all that have one mode, so they give the p-values. The libraries that have this
test may not be used under the licence of this project.
"""

import math

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

# the dip of uniform numbers, times the root of their count: the quantiles that a share
# of 300,000 draws exceeds; benchmarks/dip_quantiles.py draws them again
SHARES = (0.99, 0.9, 0.7, 0.5, 0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5)
QUANTILES = {
    10: (
        0.192,
        0.247,
        0.286,
        0.309,
        0.347,
        0.413,
        0.461,
        0.504,
        0.542,
        0.569,
        0.594,
        0.615,
        0.644,
    ),
    20: (
        0.212,
        0.254,
        0.295,
        0.328,
        0.369,
        0.435,
        0.494,
        0.539,
        0.583,
        0.619,
        0.658,
        0.692,
        0.715,
    ),
    50: (
        0.222,
        0.267,
        0.310,
        0.346,
        0.387,
        0.458,
        0.522,
        0.573,
        0.622,
        0.661,
        0.703,
        0.736,
        0.771,
    ),
    100: (
        0.228,
        0.274,
        0.318,
        0.355,
        0.398,
        0.472,
        0.538,
        0.591,
        0.645,
        0.688,
        0.736,
        0.772,
        0.796,
    ),
    200: (
        0.233,
        0.280,
        0.324,
        0.362,
        0.406,
        0.481,
        0.549,
        0.603,
        0.657,
        0.701,
        0.747,
        0.788,
        0.829,
    ),
}
SMALLEST_P_VALUE = SHARES[-1]


def dip(ordered: Numbers) -> float:
    """Return the dip of sorted numbers, at least 1 / 2n.

    Parameters
    ----------
    ordered : ndarray of shape (n,)
        Sorted numbers.

    Examples
    --------
    >>> round(dip(np.array([0.0, 1, 2, 3, 4, 5])), 3)
    0.083
    >>> round(dip(np.array([0.0, 0.1, 0.2, 4.8, 4.9, 5])), 3)
    0.24
    """
    first, last = 0, len(ordered) - 1
    ranks = np.arange(1.0, len(ordered) + 1)
    # in customers, and twice the dip; one is a step of the distribution
    found = 1.0
    # the mode is somewhere between the first and the last: narrowed down
    while ordered[first] < ordered[last]:
        values, steps = ordered[first : last + 1], ranks[first : last + 1]
        low = _convex_knots(values, steps)
        high = len(values) - 1 - _convex_knots(-values[::-1], -steps[::-1])[::-1]
        below = np.interp(values, values[low], steps[low])
        above = np.interp(values, values[high], steps[high])
        apart = above - below + 1
        at_low, at_high = low[apart[low].argmax()], high[apart[high].argmax()]
        if apart[at_low] > apart[at_high]:
            start, end = at_low, high[np.searchsorted(high, at_low)]
        else:
            start, end = low[np.searchsorted(low, at_high, "right") - 1], at_high
        if max(apart[at_low], apart[at_high]) <= found:
            break
        left = (steps - below)[: start + 1].max() + 1
        right = (above - steps)[end:].max() + 1
        found = max(found, left, right)
        if (start, end) == (0, len(values) - 1):
            break
        first, last = first + int(start), first + int(end)
    return float(found / (2 * len(ordered)))


def dip_p_value(ordered: Numbers) -> float:
    """Return how often uniform numbers have so large a dip; at least 3e-5.

    Parameters
    ----------
    ordered : ndarray of shape (n,)
        Sorted numbers, 10 to 200.

    Examples
    --------
    >>> dip_p_value(np.arange(100.0))
    1.0
    >>> dip_p_value(np.append(np.arange(50.0), np.arange(90.0, 140))) < 0.001
    True
    """
    # the quantiles grow with the count, so those of more numbers are on the safe side
    quantiles = QUANTILES[min(count for count in QUANTILES if count >= len(ordered))]
    statistic = dip(ordered) * math.sqrt(len(ordered))
    return math.exp(np.interp(statistic, quantiles, np.log(SHARES), left=0))


def _convex_knots(values: Numbers, steps: Numbers) -> NDArray[np.intp]:
    """Return where the greatest convex function below the points touches them."""
    knots: list[int] = []
    x, y = values.tolist(), steps.tolist()
    for point in range(len(x)):
        while len(knots) > 1:
            before, middle = knots[-2], knots[-1]
            rise = (y[middle] - y[before]) * (x[point] - x[before])
            if rise < (y[point] - y[before]) * (x[middle] - x[before]):
                break
            knots.pop()
        knots.append(point)
    return np.array(knots)
