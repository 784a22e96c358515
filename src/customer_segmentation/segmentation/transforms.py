"""Transforms of a numeric feature: fitted once, then the same for every customer.

`scipy.special` computes value by value. numpy's vectorised logarithms may, on some
processors, take another path for one row than for many, and what a customer gets must
not depend on the batch it comes in.
"""

import math
from dataclasses import asdict, dataclass
from typing import ClassVar, Protocol

import numpy as np
from scipy.special import expm1, log1p

from customer_segmentation.segmentation.yeo_johnson import (
    inverse_yeo_johnson,
    likeliest_exponent,
    yeo_johnson,
)

QUANTILES = 1_000
# one over the standard deviation of a uniform variable from 0 to 1
UNIFORM_PRECISION = math.sqrt(12)


class Transform(Protocol):
    """A fitted transform: frozen, elementwise, invertible."""

    kind: ClassVar[str]

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Map own units to the space that is clustered."""

    def invert(self, scores: np.ndarray) -> np.ndarray:
        """Map back to own units."""


@dataclass(frozen=True)
class Constant:
    """All zeros: a feature that does not differ tells no customers apart."""

    value: float | None
    kind: ClassVar[str] = "constant"

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Return zeros."""
        return np.zeros(len(values))

    def invert(self, scores: np.ndarray) -> np.ndarray:
        """Return the value that all customers had, nan if they had none."""
        return np.full(len(scores), np.nan if self.value is None else self.value)


@dataclass(frozen=True)
class Passthrough:
    """As it is."""

    kind: ClassVar[str] = "passthrough"

    @classmethod
    def fit(cls, values: np.ndarray) -> "Passthrough":
        """Need nothing of the values."""
        return cls()

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Return the values."""
        return values

    def invert(self, scores: np.ndarray) -> np.ndarray:
        """Return the values."""
        return scores


@dataclass(frozen=True)
class Standard:
    """Mean 0, standard deviation 1 (of the population, as scikit-learn has it)."""

    mean: float
    spread: float
    kind: ClassVar[str] = "standard"

    @classmethod
    def fit(cls, values: np.ndarray) -> "Standard":
        """Take mean and standard deviation of sorted values."""
        spread = 0.0 if _is_constant(values) else float(np.std(values))
        return cls(float(np.mean(values)), spread)

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Standardise."""
        return (values - self.mean) / self.spread

    def invert(self, scores: np.ndarray) -> np.ndarray:
        """Undo the standardisation."""
        return scores * self.spread + self.mean


@dataclass(frozen=True)
class Log:
    """``log(1 + value)``, standardised; for values from 0."""

    mean: float
    spread: float
    kind: ClassVar[str] = "log"

    @classmethod
    def fit(cls, values: np.ndarray) -> "Log":
        """Take mean and standard deviation of the logarithms."""
        scale = Standard.fit(log1p(values))
        return cls(scale.mean, scale.spread)

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Take logarithms and standardise."""
        return (log1p(values) - self.mean) / self.spread

    def invert(self, scores: np.ndarray) -> np.ndarray:
        """Undo both."""
        return expm1(scores * self.spread + self.mean)


@dataclass(frozen=True)
class Power:
    """The Yeo-Johnson transform of the greatest likelihood, standardised."""

    exponent: float
    mean: float
    spread: float
    least: float
    greatest: float
    kind: ClassVar[str] = "power"

    @classmethod
    def fit(cls, values: np.ndarray) -> "Power":
        """Find the exponent for sorted values that are not all equal."""
        exponent = likeliest_exponent(values)
        scale = Standard.fit(yeo_johnson(values, exponent))
        least, greatest = float(values[0]), float(values[-1])
        return cls(exponent, scale.mean, scale.spread, least, greatest)

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Transform and standardise."""
        return (yeo_johnson(values, self.exponent) - self.mean) / self.spread

    def invert(self, scores: np.ndarray) -> np.ndarray:
        """Undo both, within the range fitted on: outside it there may be no inverse."""
        ends = self.apply(np.array([self.least, self.greatest]))
        powers = np.clip(scores, *ends) * self.spread + self.mean
        values = inverse_yeo_johnson(powers, self.exponent)
        return np.clip(values, self.least, self.greatest)


@dataclass(frozen=True)
class Quantile:
    """The rank of a value, as a share of the customers; ties get the middle.

    Ranks are uniform; they are standardised as if no two were tied. Linear between the
    stored quantiles, and flat outside them. Uniform and not normal scores, because the
    tails of normal scores draw clusters of their own.
    """

    values: tuple[float, ...]
    scores: tuple[float, ...]
    kind: ClassVar[str] = "quantile"

    @classmethod
    def fit(cls, values: np.ndarray) -> "Quantile":
        """Store at most `QUANTILES` quantiles of values that are not all equal."""
        distinct, counts = np.unique(values, return_counts=True)
        ranks = (np.cumsum(counts) - counts / 2) / len(values)
        if len(distinct) > QUANTILES:
            grid = (np.arange(QUANTILES) + 0.5) / QUANTILES
            chosen = np.unique(np.clip(np.searchsorted(ranks, grid), 0, len(ranks) - 1))
            distinct, ranks = distinct[chosen], ranks[chosen]
        scores = (ranks - 0.5) * UNIFORM_PRECISION
        return cls(tuple(distinct.tolist()), tuple(scores.tolist()))

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Return the standardised ranks."""
        return np.interp(values, self.values, self.scores)

    def invert(self, scores: np.ndarray) -> np.ndarray:
        """Return the quantiles."""
        return np.interp(scores, self.scores, self.values)


_KINDS = {one.kind: one for one in (Constant, Passthrough, Standard, Log, Power)}
_KINDS[Quantile.kind] = Quantile


def fit_transform(kind: str, values: np.ndarray) -> Transform:
    """Fit a transform to the values of a feature.

    The order of the values makes no difference, to the last bit.

    Parameters
    ----------
    kind : str
        One of the numeric transforms.
    values : ndarray
        Finite, of any number.

    Returns
    -------
    Transform
        `Constant` if the values do not differ, or not any more once transformed.

    Examples
    --------
    >>> fit_transform("standard", np.array([1.0, 3.0]))
    Standard(mean=2.0, spread=1.0)
    >>> fit_transform("log", np.array([5.0, 5.0]))
    Constant(value=5.0)
    """
    values = np.sort(values)
    if not len(values):
        return Constant(None)
    if _is_constant(values):
        return Constant(float(values[0]))
    fitted = _KINDS[kind].fit(values)
    if kind in ("log", "power") and fitted.spread == 0:
        return Constant(float(values[0]))
    return fitted


def transform_to_dict(transform: Transform) -> dict:
    """Return a transform as what JSON can hold, to the last bit."""
    return {"kind": transform.kind, **asdict(transform)}


def transform_from_dict(stored: dict) -> Transform:
    """Return the transform that `transform_to_dict` stored."""
    entries = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in stored.items()
        if key != "kind"
    }
    return _KINDS[stored["kind"]](**entries)


def _is_constant(values: np.ndarray) -> bool:
    """Tell whether the differences of sorted values are none, or down to rounding."""
    largest = max(abs(values[0]), abs(values[-1]))
    return bool(values[-1] - values[0] <= max(1e-12 * largest, 1e-100))
