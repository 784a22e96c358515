"""The power transform of Yeo and Johnson.

Yeo and Johnson (2000), "A new family of power transformations to improve normality or
symmetry", Biometrika 87.
"""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import boxcox1p, inv_boxcox1p, log1p

EXPONENTS = (-5.0, 5.0)
# the likelihood looks at no more values than these, evenly spaced by rank
EXPONENT_VALUES = 100_000


def yeo_johnson(values: np.ndarray, exponent: float) -> np.ndarray:
    """Transform values by value.

    Examples
    --------
    >>> yeo_johnson(np.array([-1.0, 0.0, 3.0]), 0.5).round(3).tolist()
    [-1.219, 0.0, 2.0]
    """
    return np.where(
        values >= 0,
        boxcox1p(np.maximum(values, 0), exponent),
        -boxcox1p(np.maximum(-values, 0), 2 - exponent),
    )


def inverse_yeo_johnson(powers: np.ndarray, exponent: float) -> np.ndarray:
    """Undo `yeo_johnson`, for what it can return."""
    return np.where(
        powers >= 0,
        inv_boxcox1p(np.maximum(powers, 0), exponent),
        -inv_boxcox1p(np.maximum(-powers, 0), 2 - exponent),
    )


def likeliest_exponent(values: np.ndarray) -> float:
    """Find the exponent that makes values most like a normal.

    It keeps within `EXPONENTS`, and within what floats hold: past that the likelihood
    of large or nearly equal values runs off, and the transform overflows or makes them
    all equal.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Sorted, not all equal.

    Returns
    -------
    float
        Of the greatest likelihood.
    """
    ranks = np.linspace(0, len(values) - 1, min(len(values), EXPONENT_VALUES))
    values = values[np.round(ranks).astype(int)]
    logarithms = np.sign(values) * log1p(np.abs(values))
    total = np.sum(logarithms)

    def unlikelihood(exponent: float) -> float:
        spread = np.std(yeo_johnson(values, exponent))
        log_variance = 2 * np.log(max(spread, np.finfo(float).tiny))
        return len(values) / 2 * log_variance - (exponent - 1) * total

    low, high = _bounds(logarithms[0], logarithms[-1])
    found = minimize_scalar(
        unlikelihood, bounds=(low, high), method="bounded", options={"xatol": 1e-8}
    )
    return float(found.x)


def _bounds(least: float, greatest: float) -> tuple[float, float]:
    """Bound the exponent for values whose signed logarithms lie in this range."""
    low, high = EXPONENTS
    # powers, and their squares, stay below the largest float
    if greatest > 0:
        high = min(high, 300 / greatest)
    if least < 0:
        low = max(low, 2 + 300 / least)
    # powers of values far from 0 keep ten of their sixteen digits
    if least > 0:
        low = max(low, -14 / least)
    if greatest < 0:
        high = min(high, 2 - 14 / greatest)
    return low, high
