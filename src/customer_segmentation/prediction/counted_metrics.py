"""Metrics as functions of how often each customer counts.

What is sorted once need not be sorted again, and many resamples are measured at a time.
"""

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from customer_segmentation.prediction import metrics
from customer_segmentation.prediction.interval_metrics import (
    coverage_above_zero,
    covered_above_zero,
    interval_score,
    interval_scores,
    mean_width,
)

__all__ = ["Counted", "by_counts"]

Numbers = NDArray[np.float64]
# metrics of the customers, each counted so often: a value per row of counts
Counted = Callable[[Numbers], Numbers]


def by_counts(
    measures: Mapping[str, metrics.Measure], *columns: Numbers
) -> dict[str, Counted]:
    """Return metrics as functions of how often each customer counts.

    Parameters
    ----------
    measures : mapping of str to callable
        Each takes the columns, and returns a number.
    *columns : ndarray of shape (customers,)
        Of all customers.

    Returns
    -------
    dict of str to callable
        They take counts of shape (rows, customers), and return values of shape (rows,):
        what `measures` give of the repeated customers. The same counts must be the same
        array, for metrics share what they compute of it.

    Examples
    --------
    >>> columns = np.array([1.0, 5.0]), np.ones(2)
    >>> found = by_counts({"mae": metrics.mean_absolute_error}, *columns)
    >>> found["mae"](np.array([[1.0, 3.0], [1.0, 0.0]])).tolist()
    [3.0, 0.0]
    """
    found: dict[str, Counted] = {}
    pair: _Pair | None = None
    for name, measure in measures.items():
        if measure in _OF_PAIRS:
            pair = pair or _Pair(*columns)
            found[name] = partial(_of_pair, _OF_PAIRS[measure], pair)
        else:
            values = _MEANS[measure](*columns)
            is_known = (~np.isnan(values)).astype(float)
            found[name] = partial(_mean, np.nan_to_num(values), is_known)
    return found


def _mean(values: Numbers, is_known: Numbers, counts: Numbers) -> Numbers:
    customers = counts @ is_known
    found: Numbers = counts @ values / np.where(customers > 0, customers, np.nan)
    return found


class _Pair:
    """Predictions and what happened of customers, ascending by their prediction."""

    def __init__(self, predicted: Numbers, actual: Numbers) -> None:
        self.order = np.argsort(predicted, kind="stable")
        self.predicted, self.actual = predicted[self.order], actual[self.order]
        self.by_actual = np.argsort(self.actual, kind="stable")
        self.last: _CountedPair | None = None

    def counted(self, counts: Numbers) -> "_CountedPair":
        """Return the pair with counts, the same object for the same counts."""
        if self.last is None or self.last.given is not counts:
            self.last = _CountedPair(self, counts)
        return self.last


class _CountedPair:
    """A pair in which each customer counts so often; metrics share what they need.

    Parameters
    ----------
    pair : _Pair
        Of the customers.
    given : ndarray of shape (rows, customers)
        The counts.
    """

    def __init__(self, pair: _Pair, given: Numbers) -> None:
        self.pair, self.given = pair, given
        self.counts = given[:, pair.order]
        self.total: Numbers = self.counts.sum(axis=1)

    @cached_property
    def spent(self) -> Numbers:
        """What happened, as often as each customer counts."""
        found: Numbers = self.counts * self.pair.actual
        return found

    @cached_property
    def total_spent(self) -> Numbers:
        """The total of what happened, ``nan`` if it is not above zero."""
        spent = self.spent.sum(axis=1)
        return np.where(spent > 0, spent, np.nan)

    @cached_property
    def until(self) -> Numbers:
        """How many customers there are up to each one."""
        found: Numbers = np.cumsum(self.counts, axis=1)
        return found

    @cached_property
    def predicted_ranks(self) -> Numbers:
        """The rank of each prediction, from 1 on; equal ones share theirs."""
        return _shared_ranks(self.pair.predicted, self.until)

    @cached_property
    def actual_ranks(self) -> Numbers:
        """The rank of what happened to each customer."""
        by_actual = self.pair.by_actual
        until = np.cumsum(self.counts[:, by_actual], axis=1)
        found = np.empty_like(self.counts)
        found[:, by_actual] = _shared_ranks(self.pair.actual[by_actual], until)
        return found

    @cached_property
    def decile_means(self) -> tuple[Numbers, Numbers]:
        """Means of predictions and of what happened, by tenth of the predictions.

        Of shape (rows, deciles), ``nan`` with fewer customers than deciles.
        """
        cuts = self.total[:, np.newaxis] * np.arange(metrics.DECILES + 1)
        cuts = np.ceil(cuts / metrics.DECILES)
        # the customer in whom a decile ends
        place = np.stack(
            [
                np.searchsorted(ends, ends_of_deciles)
                for ends, ends_of_deciles in zip(self.until, cuts, strict=True)
            ]
        )
        beyond = np.take_along_axis(self.until, place, axis=1) - cuts
        sizes = np.diff(cuts, axis=1)
        sizes[self.total < metrics.DECILES] = np.nan
        means = []
        for values, amounts in (
            (self.pair.predicted, self.counts * self.pair.predicted),
            (self.pair.actual, self.spent),
        ):
            sums = np.take_along_axis(np.cumsum(amounts, axis=1), place, axis=1)
            means.append(np.diff(sums - beyond * values[place], axis=1) / sizes)
        return means[0], means[1]


def _shared_ranks(ascending: Numbers, until: Numbers) -> Numbers:
    """Return mean ranks of ascending values, with counts up to each one."""
    is_last = np.append(ascending[1:] != ascending[:-1], True)
    ends = until[:, is_last]
    sizes = np.diff(ends, axis=1, prepend=0)
    ranks: Numbers = ends - (sizes - 1) / 2
    if is_last.all():
        return ranks
    place = np.cumsum(is_last) - is_last
    return ranks[:, place]


def _dot(one: Numbers, other: Numbers) -> Numbers:
    found: Numbers = np.einsum("ij,ij->i", one, other)
    return found


def _of_pair(
    measure: Callable[[_CountedPair], Numbers], pair: _Pair, counts: Numbers
) -> Numbers:
    return measure(pair.counted(counts))


def _spearman(of: _CountedPair) -> Numbers:
    middle = (of.total[:, np.newaxis] + 1) / 2
    one, other = of.predicted_ranks - middle, of.actual_ranks - middle
    weighted = of.counts * one
    squares = _dot(weighted, one) * _dot(of.counts * other, other)
    return _dot(weighted, other) / np.where(squares > 0, np.sqrt(squares), np.nan)


def _gini(of: _CountedPair) -> Numbers:
    by_prediction, own = (
        2 * _dot(ranks, of.spent) / (of.total * of.total_spent)
        - (of.total + 1) / of.total
        for ranks in (of.predicted_ranks, of.actual_ranks)
    )
    found: Numbers = by_prediction / np.where(own > 0, own, np.nan)
    return found


def _auc(of: _CountedPair) -> Numbers:
    happened = of.counts * (of.pair.actual > 0)
    ones = happened.sum(axis=1)
    pairs = ones * (of.total - ones)
    above = _dot(of.predicted_ranks, happened) - ones * (ones + 1) / 2
    found: Numbers = above / np.where(pairs > 0, pairs, np.nan)
    return found


def _total_ratio(of: _CountedPair) -> Numbers:
    found: Numbers = of.counts @ of.pair.predicted / of.total_spent
    return found


def _total_error(of: _CountedPair) -> Numbers:
    return np.abs(_total_ratio(of) - 1)


def _of_deciles(summary: metrics.Measure, of: _CountedPair) -> Numbers:
    return np.array([summary(*means) for means in zip(*of.decile_means, strict=True)])


# metrics that rank or sum a prediction and what happened
_OF_PAIRS: Mapping[metrics.Measure, Callable[[_CountedPair], Numbers]]
_OF_PAIRS = MappingProxyType(
    {
        metrics.total_ratio: _total_ratio,
        metrics.total_error: _total_error,
        metrics.spearman: _spearman,
        metrics.normalised_gini: _gini,
        metrics.auc: _auc,
        metrics.decile_error: partial(_of_deciles, metrics.error_of_means),
        metrics.decile_mape: partial(_of_deciles, metrics.mape_of_means),
        metrics.calibration_error: partial(_of_deciles, metrics.distance_of_means),
    }
)
# metrics that are the mean of something of each customer, but of those without it
_MEANS: Mapping[metrics.Measure, Callable[..., Numbers]] = MappingProxyType(
    {
        metrics.mean_absolute_error: lambda one, other: np.abs(one - other),
        metrics.coverage: metrics.is_covered,
        metrics.binary_log_loss: metrics.binary_log_losses,
        metrics.log_loss: metrics.log_losses,
        metrics.share: lambda is_one: is_one,
        coverage_above_zero: covered_above_zero,
        mean_width: lambda low, high: high - low,
        interval_score: interval_scores,
        metrics.mean_reciprocal_rank: lambda rank: 1 / rank,
    }
)
