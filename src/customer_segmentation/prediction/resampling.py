"""Resamples of customers, and the 95 % intervals of metrics that they give.

A resample is told by how often it has each customer. So what is sorted once need not be
sorted again, and a thousand resamples take as long as a hundred did.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from customer_segmentation.prediction import metrics
from customer_segmentation.prediction.interval_metrics import (
    coverage_above_zero,
    interval_score,
    interval_scores,
    mean_width,
)
from customer_segmentation.prediction.settings import SEED

__all__ = ["RESAMPLES", "Resampled", "by_counts", "counts_of_customers", "resample"]

# with a tenth, the ends move by a tenth of the width from seed to seed
RESAMPLES = 1_000
# leaving out groups of customers tells the skewness of their influence as well as
# leaving out each one
GROUPS = 100
# outside a 95 % interval, on each side
TAIL = 0.025

Numbers = NDArray[np.float64]
# a metric of the customers, each counted so often
Counted = Callable[[Numbers], float]


@dataclass(frozen=True)
class Resampled:
    """A metric of all customers, of resamples, and without one group after another.

    Parameters
    ----------
    value : float
        Of all customers.
    drawn : ndarray of shape (resamples,)
        Of resamples with replacement; empty if there are none.
    without : ndarray of shape (groups,)
        Of all customers but those of a group.
    is_deviation : bool
        Whether it is a mean of absolute deviations, which noise alone moves up.
    """

    value: float
    drawn: Numbers
    without: Numbers
    is_deviation: bool = False

    def __sub__(self, other: "Resampled") -> "Resampled":
        """Return the difference from another model on the same customers."""
        return Resampled(
            self.value - other.value,
            self.drawn - other.drawn,
            self.without - other.without,
            self.is_deviation,
        )

    def interval(self) -> tuple[float, float]:
        """Return the ends of the 95 % interval, which holds the value.

        It is the BCa interval (Efron 1987, "Better bootstrap confidence intervals", J.
        Am. Stat. Assoc. 82). Where the value lies outside 95 % of its resamples, BCa
        has no answer: a resample adds its noise to that of the customers, and
        deviations cannot cancel. There, and for all deviations, the percentiles are
        moved until the median of the resamples is the value. So such an interval says
        what other customers, as many, would give; noise is in it as in the value.

        Returns
        -------
        tuple of float
            ``nan`` if the metric is not defined.
        """
        known = self.drawn[~np.isnan(self.drawn)]
        if len(known) == 0 or np.isnan(self.value):
            return np.nan, np.nan
        below = float(np.mean(known < self.value) + np.mean(known == self.value) / 2)
        if self.is_deviation or not TAIL < below < 1 - TAIL:
            low, middle, high = np.quantile(known, [TAIL, 0.5, 1 - TAIL])
            low, high = self.value + low - middle, self.value + high - middle
        else:
            low, high = np.quantile(known, self._levels(norm.ppf(below)))
        # a rounding error must not exclude the value
        return float(min(low, self.value)), float(max(high, self.value))

    def _levels(self, bias: float) -> Numbers:
        """Return which quantiles of the resamples are the ends of the BCa interval."""
        influence = np.nanmean(self.without) - self.without
        influence = influence[~np.isnan(influence)]
        scale = np.sum(influence**2) ** 1.5
        skewness = float(np.sum(influence**3) / (6 * scale)) if scale > 0 else 0.0
        tails = bias + norm.ppf([TAIL, 1 - TAIL])
        levels: Numbers = norm.cdf(bias + tails / (1 - skewness * tails))
        return levels


def counts_of_customers(
    count: int, resamples: int = RESAMPLES
) -> Iterator[tuple[bool, Numbers]]:
    """Return how often each customer counts, in resamples and without groups.

    They depend only on the number of customers, so two models on the same customers can
    be compared resample by resample.

    Parameters
    ----------
    count : int
        Number of customers.
    resamples : int
        How many resamples; none gives no groups either.

    Yields
    ------
    tuple of bool and ndarray of shape (count,)
        Whether it is a resample, and the counts.
    """
    if not count or not resamples:
        return
    rng = np.random.default_rng(SEED)
    for _ in range(resamples):
        drawn = np.bincount(rng.integers(0, count, count), minlength=count)
        yield True, drawn.astype(float)
    groups = np.arange(count) % min(GROUPS, count)
    for group in range(int(groups.max()) + 1):
        yield False, (groups != group).astype(float)


def resample(
    measured: Mapping[str, Counted], count: int, resamples: int = RESAMPLES
) -> dict[str, tuple[Numbers, Numbers]]:
    """Return metrics of the same resamples, and without the same groups.

    Parameters
    ----------
    measured : mapping of str to callable
        From ``by_counts``.
    count : int
        Number of customers.
    resamples : int
        How many.

    Returns
    -------
    dict
        Of each metric: ``Resampled.drawn`` and ``Resampled.without``; ``nan`` where it
        is not defined.
    """
    found: dict[bool, list[list[float]]] = {True: [], False: []}
    for is_drawn, counts in counts_of_customers(count, resamples):
        found[is_drawn].append([measure(counts) for measure in measured.values()])
    shape = (-1, len(measured))
    drawn, without = (np.array(found[one]).reshape(shape) for one in (True, False))
    return {
        name: (drawn[:, place], without[:, place])
        for place, name in enumerate(measured)
    }


def by_counts(measure: metrics.Measure, *columns: Numbers) -> Counted:
    """Return a metric as a function of how often each customer counts.

    Parameters
    ----------
    measure : callable
        Takes the columns, and returns a number.
    *columns : ndarray of shape (customers,)
        Of all customers.

    Returns
    -------
    callable
        With whole counts it gives what `measure` gives of the repeated rows.

    Examples
    --------
    >>> error = by_counts(metrics.mean_absolute_error, np.array([1.0, 5.0]), np.ones(2))
    >>> error(np.array([1.0, 3.0]))
    3.0
    """
    if measure in _PREPARED:
        return _PREPARED[measure](*columns)

    def repeated(counts: Numbers) -> float:
        often = counts.astype(np.int64)
        return measure(*(np.repeat(column, often) for column in columns))

    return repeated


class _Ranks:
    """Mean ranks of values, of which equal ones share theirs."""

    def __init__(self, values: Numbers) -> None:
        self.order = np.argsort(values, kind="stable")
        ordered = values[self.order]
        begins = np.ones(len(values), dtype=bool)
        begins[1:] = ordered[1:] != ordered[:-1]
        self.first = np.flatnonzero(begins)
        self.place = np.empty(len(values), dtype=np.int64)
        self.place[self.order] = np.cumsum(begins) - 1

    def totals(self, amounts: Numbers) -> Numbers:
        """Return the total of the customers with each value, ascending."""
        found: Numbers = np.add.reduceat(amounts[self.order], self.first)
        return found

    def of(self, counts: Numbers) -> Numbers:
        """Return the mean rank of each distinct value, from 1 on."""
        sizes = self.totals(counts)
        found: Numbers = np.cumsum(sizes) - (sizes - 1) / 2
        return found


def _spearman(predicted: Numbers, actual: Numbers) -> Counted:
    sides = _Ranks(predicted), _Ranks(actual)

    def measure(counts: Numbers) -> float:
        middle = (counts.sum() + 1) / 2
        one, other = (side.of(counts)[side.place] - middle for side in sides)
        scale = np.sqrt((counts @ (one * one)) * (counts @ (other * other)))
        return float(counts @ (one * other) / scale) if scale > 0 else np.nan

    return measure


def _gini(predicted: Numbers, actual: Numbers) -> Counted:
    sides = _Ranks(predicted), _Ranks(actual)

    def measure(counts: Numbers) -> float:
        spent = counts * actual
        total, count = spent.sum(), counts.sum()
        if total <= 0:
            return np.nan
        by_prediction, own = (
            2 * (side.of(counts) @ side.totals(spent)) / (count * total)
            - (count + 1) / count
            for side in sides
        )
        return float(by_prediction / own) if own > 0 else np.nan

    return measure


def _auc(probability: Numbers, happened: Numbers) -> Counted:
    ranks = _Ranks(probability)
    is_one = (happened > 0).astype(float)

    def measure(counts: Numbers) -> float:
        ones = counts @ is_one
        zeros = counts.sum() - ones
        if ones <= 0 or zeros <= 0:
            return np.nan
        total = ranks.of(counts) @ ranks.totals(counts * is_one)
        return float((total - ones * (ones + 1) / 2) / (ones * zeros))

    return measure


def _deciles(
    summary: Callable[[Numbers, Numbers], float],
) -> Callable[[Numbers, Numbers], Counted]:
    def prepare(predicted: Numbers, actual: Numbers) -> Counted:
        order = np.argsort(predicted, kind="stable")
        columns = predicted[order], actual[order]

        def measure(counts: Numbers) -> float:
            ends = np.cumsum(counts[order])
            total = int(ends[-1])
            if total < metrics.DECILES:
                return np.nan
            cuts = -(-np.arange(metrics.DECILES + 1) * total // metrics.DECILES)
            place = np.searchsorted(ends, cuts)
            missing = ends[place] - cuts
            means = []
            for values in columns:
                until = np.cumsum(counts[order] * values)
                means.append(
                    np.diff(until[place] - missing * values[place]) / np.diff(cuts)
                )
            return summary(means[0], means[1])

        return measure

    return prepare


def _mean(
    of_each: Callable[..., Numbers],
) -> Callable[..., Counted]:
    def prepare(*columns: Numbers) -> Counted:
        values = of_each(*columns)
        return lambda counts: float(counts @ values / counts.sum())

    return prepare


def _coverage_above_zero(low: Numbers, high: Numbers, actual: Numbers) -> Counted:
    is_above = (high > 0).astype(float)
    is_inside = is_above * ((low <= actual) & (actual <= high))

    def measure(counts: Numbers) -> float:
        total = counts @ is_above
        return float(counts @ is_inside / total) if total > 0 else np.nan

    return measure


def _total_ratio(predicted: Numbers, actual: Numbers) -> Counted:
    def measure(counts: Numbers) -> float:
        total = counts @ actual
        return float(counts @ predicted / total) if total > 0 else np.nan

    return measure


_PREPARED: Mapping[metrics.Measure, Callable[..., Counted]] = MappingProxyType(
    {
        metrics.mean_absolute_error: _mean(lambda one, other: np.abs(one - other)),
        metrics.coverage: _mean(
            lambda low, high, actual: (low <= actual) & (actual <= high)
        ),
        coverage_above_zero: _coverage_above_zero,
        mean_width: _mean(lambda low, high: high - low),
        interval_score: _mean(interval_scores),
        metrics.total_ratio: _total_ratio,
        metrics.spearman: _spearman,
        metrics.normalised_gini: _gini,
        metrics.auc: _auc,
        metrics.decile_error: _deciles(metrics.error_of_means),
        metrics.decile_mape: _deciles(metrics.mape_of_means),
        metrics.calibration_error: _deciles(metrics.distance_of_means),
    }
)
