"""Transforms of a numeric feature: fitted once, and then the same for every customer.

`scipy.special` computes value by value. On some processors the vectorised logarithms of
numpy compute one value differently from many, and what a customer gets must not depend
on the batch.
"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import boxcox1p, expm1, inv_boxcox1p, log1p
from sklearn.base import BaseEstimator, TransformerMixin

QUANTILES = 1_000
# one over the standard deviation of a uniform variable from 0 to 1
UNIFORM_PRECISION = math.sqrt(12)
EXPONENTS = (-5.0, 5.0)
# the likelihood of an exponent uses this many values, evenly spaced by rank
EXPONENT_VALUES = 100_000

Values = NDArray[np.float64]


class NumericTransform(TransformerMixin, BaseEstimator):
    """A transform that maps value by value, and back.

    ``fit`` takes sorted, finite values of shape (n,) that are not all equal.
    ``transform`` takes a feature in its own units, ``inverse_transform`` returns to
    them.
    """

    kind: ClassVar[str]

    def fit(self, values: Values, y: None = None) -> Self:
        """Learn nothing."""
        return self

    def transform(self, values: Values) -> Values:
        """Return the values as they are."""
        return values

    def inverse_transform(self, scores: Values) -> Values:
        """Return the values as they are."""
        return scores


class Passthrough(NumericTransform):
    """The value as it is."""

    kind = "passthrough"


class Constant(NumericTransform):
    """Zeros, for a feature that does not differ between customers.

    Attributes
    ----------
    value_ : float or None
        The value of all customers; None if no customer had one.
    """

    kind = "constant"

    def fit(self, values: Values, y: None = None) -> Self:
        """Remember the value; there may be none."""
        self.value_ = float(values[0]) if len(values) else None
        return self

    def transform(self, values: Values) -> Values:
        """Return zeros."""
        return np.zeros(len(values))

    def inverse_transform(self, scores: Values) -> Values:
        """Return the value, nan if there was none."""
        return np.full(len(scores), np.nan if self.value_ is None else self.value_)


class Standard(NumericTransform):
    """Mean 0 and standard deviation 1 (of the population, as in scikit-learn).

    Attributes
    ----------
    mean_, scale_ : float
        Mean and standard deviation of the values fitted on.
    """

    kind = "standard"

    def fit(self, values: Values, y: None = None) -> Self:
        """Take mean and standard deviation, 0 if values differ by rounding only."""
        straight = self._straighten(values)
        self.mean_ = float(np.mean(straight))
        self.scale_ = 0.0 if _is_constant(straight) else float(np.std(straight))
        return self

    def transform(self, values: Values) -> Values:
        """Standardise."""
        return (self._straighten(values) - self.mean_) / self.scale_

    def inverse_transform(self, scores: Values) -> Values:
        """Undo the transform."""
        return self._bend(scores * self.scale_ + self.mean_)

    def _straighten(self, values: Values) -> Values:
        """Map values before they are standardised."""
        return values

    def _bend(self, values: Values) -> Values:
        """Undo ``_straighten``."""
        return values


class Log(Standard):
    """``log(1 + value)``, standardised; for values from 0."""

    kind = "log"

    def _straighten(self, values: Values) -> Values:
        return np.asarray(log1p(values))

    def _bend(self, values: Values) -> Values:
        return np.asarray(expm1(values))


class Power(Standard):
    """The Yeo-Johnson transform of maximum likelihood, standardised.

    Attributes
    ----------
    exponent_ : float
        The exponent of maximum likelihood.
    min_, max_ : float
        Range of the values fitted on. The inverse stays within it, as outside there may
        be none.
    """

    kind = "power"

    def fit(self, values: Values, y: None = None) -> Self:
        """Find the exponent, then standardise."""
        self.exponent_ = likeliest_exponent(values)
        self.min_, self.max_ = float(values[0]), float(values[-1])
        return super().fit(values)

    def inverse_transform(self, scores: Values) -> Values:
        """Undo the transform, within the range fitted on."""
        low, high = self.transform(np.array([self.min_, self.max_]))
        values = super().inverse_transform(np.clip(scores, low, high))
        return np.clip(values, self.min_, self.max_)

    def _straighten(self, values: Values) -> Values:
        return yeo_johnson(values, self.exponent_)

    def _bend(self, values: Values) -> Values:
        return inverse_yeo_johnson(values, self.exponent_)


class Quantile(NumericTransform):
    """The rank of a value as a share of the customers, standardised; ties share a rank.

    Linear between the stored quantiles and flat outside them. Ranks are uniform, and
    not normal scores, whose tails would form clusters of their own.

    Attributes
    ----------
    values_, scores_ : ndarray of shape (q,)
        At most ``QUANTILES`` quantiles, and their ranks; standardised as ranks without
        ties are.
    """

    kind = "quantile"

    def fit(self, values: Values, y: None = None) -> Self:
        """Store quantiles and their ranks."""
        distinct, counts = np.unique(values, return_counts=True)
        ranks = (np.cumsum(counts) - counts / 2) / len(values)
        if len(distinct) > QUANTILES:
            grid = (np.arange(QUANTILES) + 0.5) / QUANTILES
            chosen = np.unique(np.clip(np.searchsorted(ranks, grid), 0, len(ranks) - 1))
            distinct, ranks = distinct[chosen], ranks[chosen]
        self.values_ = distinct
        self.scores_ = (ranks - 0.5) * UNIFORM_PRECISION
        return self

    def transform(self, values: Values) -> Values:
        """Return standardised ranks."""
        return np.interp(values, self.values_, self.scores_)

    def inverse_transform(self, scores: Values) -> Values:
        """Return quantiles."""
        return np.interp(scores, self.scores_, self.values_)


_KINDS: dict[str, type[NumericTransform]] = {
    one.kind: one for one in (Constant, Passthrough, Standard, Log, Power, Quantile)
}


def fitted_transform(kind: str, values: Values) -> NumericTransform:
    """Fit a transform to the values of a feature, to the last bit in any order.

    Parameters
    ----------
    kind : str
        One of the numeric transforms of ``declare.TRANSFORMS``.
    values : ndarray of shape (n,)
        Finite, of any number.

    Returns
    -------
    NumericTransform
        `Constant` if the values do not differ, or do not differ once transformed.

    Examples
    --------
    >>> fitted_transform("standard", np.array([1.0, 3.0])).transform(np.array([4.0]))
    array([2.])
    >>> fitted_transform("log", np.array([5.0, 5.0]))
    Constant()
    """
    values = np.sort(values)
    if len(values) and not _is_constant(values):
        fitted = _KINDS[kind]().fit(values)
        if not isinstance(fitted, Log | Power) or fitted.scale_ > 0:
            return fitted
    return Constant().fit(values)


def store_transform(transform: NumericTransform) -> dict[str, Any]:
    """Return a transform as JSON can hold it, to the last bit."""
    fitted = {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in vars(transform).items()
    }
    return {"kind": transform.kind, **fitted}


def restore_transform(stored: Mapping[str, Any]) -> NumericTransform:
    """Return the transform that ``store_transform`` stored."""
    transform = _KINDS[stored["kind"]]()
    for name, value in stored.items():
        if name != "kind":
            setattr(
                transform, name, np.array(value) if isinstance(value, list) else value
            )
    return transform


def yeo_johnson(values: Values, exponent: float) -> Values:
    """Transform values as Yeo and Johnson (2000, Biometrika 87) do.

    Examples
    --------
    >>> yeo_johnson(np.array([-1.0, 0.0, 3.0]), 0.5).round(3).tolist()
    [-1.219, 0.0, 2.0]
    """
    transformed: Values = np.where(
        values >= 0,
        boxcox1p(np.maximum(values, 0), exponent),
        -boxcox1p(np.maximum(-values, 0), 2 - exponent),
    )
    return transformed


def inverse_yeo_johnson(powers: Values, exponent: float) -> Values:
    """Undo ``yeo_johnson``, for what it can return."""
    values: Values = np.where(
        powers >= 0,
        inv_boxcox1p(np.maximum(powers, 0), exponent),
        -inv_boxcox1p(np.maximum(-powers, 0), 2 - exponent),
    )
    return values


def likeliest_exponent(values: Values) -> float:
    """Find the exponent that makes values as normal as possible.

    It stays within ``EXPONENTS`` and within the range of floats. Beyond it, the
    likelihood of large or nearly equal values grows without limit, and the transform
    overflows or makes them all equal.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Sorted, not all equal.

    Returns
    -------
    float
        The exponent of maximum likelihood.
    """
    ranks = np.linspace(0, len(values) - 1, min(len(values), EXPONENT_VALUES))
    values = values[np.round(ranks).astype(int)]
    logarithms = np.sign(values) * log1p(np.abs(values))
    total = np.sum(logarithms)

    def negative_log_likelihood(exponent: float) -> float:
        deviation = np.std(yeo_johnson(values, exponent))
        log_variance = 2 * np.log(max(deviation, np.finfo(float).tiny))
        return float(len(values) / 2 * log_variance - (exponent - 1) * total)

    bounds = _exponent_bounds(logarithms[0], logarithms[-1])
    found = minimize_scalar(
        negative_log_likelihood,
        bounds=bounds,
        method="bounded",
        options={"xatol": 1e-8},
    )
    return float(found.x)


def _exponent_bounds(minimum: float, maximum: float) -> tuple[float, float]:
    """Bound the exponent of values whose signed logarithms are in this range."""
    low, high = EXPONENTS
    # powers and their squares stay below the largest float
    if maximum > 0:
        high = min(high, 300 / maximum)
    if minimum < 0:
        low = max(low, 2 + 300 / minimum)
    # powers of values far from 0 keep ten of their sixteen digits
    if minimum > 0:
        low = max(low, -14 / minimum)
    if maximum < 0:
        high = min(high, 2 - 14 / maximum)
    return low, high


def _is_constant(values: Values) -> bool:
    """Return whether sorted values are equal but for rounding."""
    largest = max(abs(values[0]), abs(values[-1]))
    return bool(values[-1] - values[0] <= max(1e-12 * largest, 1e-100))
