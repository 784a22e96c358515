"""Resamples of customers, and the 95 % intervals of metrics that they give.

A resample is told by how often it has each customer. So what is sorted once need not be
sorted again, and a thousand resamples take as long as a hundred did.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from customer_segmentation.prediction import metrics
from customer_segmentation.prediction.counted_metrics import Counted, by_counts
from customer_segmentation.prediction.draws import RESAMPLES, counts_of_customers

__all__ = ["Resampled", "resample"]

# outside a 95 % interval, on each side
TAIL = 0.025

Numbers = NDArray[np.float64]


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
