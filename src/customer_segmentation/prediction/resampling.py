"""Resamples of customers, and the 95 % intervals of metrics that they give.

A resample is told by how often it has each customer. So what is sorted once need not be
sorted again, and a thousand resamples take as long as a hundred did.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from types import MappingProxyType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from customer_segmentation.prediction import metrics
from customer_segmentation.prediction.settings import SEED

__all__ = [
    "RESAMPLES",
    "Counted",
    "Resampled",
    "by_counts",
    "counts_of_customers",
    "resample",
]

# with a tenth, the ends move by a tenth of the width from seed to seed
RESAMPLES = 1_000
# leaving out groups of customers tells the skewness of their influence as well as
# leaving out each one
GROUPS = 100
# resamples that are measured at a time, which must fit into the cache
BATCH = 32
# outside a 95 % interval, on each side
TAIL = 0.025

Numbers = NDArray[np.float64]
# metrics of the customers, each counted so often: a value per row of counts
Counted = Callable[[Numbers], Numbers]
# whether customers are drawn, or groups left out; and the counts
Drawn = tuple[bool, Numbers]


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

    @classmethod
    def of(
        cls, measure: metrics.Measure, *columns: Numbers, resamples: int = RESAMPLES
    ) -> Self:
        """Return a metric of columns of shape (customers,), and of their resamples."""
        counted = by_counts({"it": measure}, *columns)
        drawn, without = resample(counted, len(columns[0]), resamples)["it"]
        is_deviation = measure in metrics.DEVIATIONS
        return cls(measure(*columns), drawn, without, is_deviation)

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


def counts_of_customers(count: int, resamples: int = RESAMPLES) -> Iterator[Drawn]:
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
    tuple of bool and ndarray of shape (rows, count)
        Whether they are resamples, and the counts of some at a time.
    """
    if not count or not resamples:
        return
    drawn = _draw(count, resamples)
    for start in range(0, resamples, BATCH):
        yield True, drawn[start : start + BATCH].astype(float)
    groups = np.arange(count) % min(GROUPS, count)
    names = np.arange(groups.max() + 1)
    for start in range(0, len(names), BATCH):
        is_left_out = names[start : start + BATCH, np.newaxis] == groups
        yield False, (~is_left_out).astype(float)


# candidates of a split are measured one after another on the same draws
@lru_cache(maxsize=1)
def _draw(count: int, resamples: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(SEED)
    # nobody is drawn 256 times: the mean is 1
    drawn = np.empty((resamples, count), dtype=np.uint8)
    for row in drawn:
        row[:] = np.bincount(rng.integers(0, count, count), minlength=count)
    return drawn


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
    nothing = np.array([])
    found: dict[str, dict[bool, list[Numbers]]] = {
        name: {True: [nothing], False: [nothing]} for name in measured
    }
    # what is not defined is nan
    with np.errstate(divide="ignore", invalid="ignore"):
        for is_drawn, counts in counts_of_customers(count, resamples):
            for name, measure in measured.items():
                found[name][is_drawn].append(measure(counts))
    return {
        name: (np.concatenate(values[True]), np.concatenate(values[False]))
        for name, values in found.items()
    }


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
            found[name] = partial(_mean, _MEANS[measure](*columns))
    return found


def _mean(values: Numbers, counts: Numbers) -> Numbers:
    found: Numbers = counts @ values / counts.sum(axis=1)
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


def _of_deciles(summary: metrics.Measure, of: _CountedPair) -> Numbers:
    return np.array([summary(*means) for means in zip(*of.decile_means, strict=True)])


# metrics that rank or sum a prediction and what happened
_OF_PAIRS: Mapping[metrics.Measure, Callable[[_CountedPair], Numbers]]
_OF_PAIRS = MappingProxyType(
    {
        metrics.total_ratio: _total_ratio,
        metrics.spearman: _spearman,
        metrics.normalised_gini: _gini,
        metrics.auc: _auc,
        metrics.decile_error: partial(_of_deciles, metrics.error_of_means),
        metrics.decile_mape: partial(_of_deciles, metrics.mape_of_means),
        metrics.calibration_error: partial(_of_deciles, metrics.distance_of_means),
    }
)
# metrics that are the mean of something of each customer
_MEANS: Mapping[metrics.Measure, Callable[..., Numbers]] = MappingProxyType(
    {
        metrics.mean_absolute_error: lambda one, other: np.abs(one - other),
        metrics.coverage: metrics.is_covered,
        metrics.binary_log_loss: metrics.binary_log_losses,
        metrics.log_loss: metrics.log_losses,
        metrics.share: lambda is_one: is_one,
        metrics.mean_reciprocal_rank: lambda rank: 1 / rank,
    }
)
