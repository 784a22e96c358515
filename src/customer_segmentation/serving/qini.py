"""How much better than at random a ranking of customers finds those who gain.

A Qini curve shows what a campaign adds if only the first tenths of a ranking are
written to. All figures come from counts, so the engine reads the customers, and this
process reads one row per cell.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from customer_segmentation.serving.uplift import FOLDS

__all__ = ["TENTHS", "QiniComparison", "Ranking", "compare_rankings"]

TENTHS = 10
RESAMPLES = 1_000
SEED = 21
# of a two-sided interval of 95 %
TAILS = (2.5, 97.5)

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Ranking:
    """The Qini curve of a ranking, and its coefficient with an interval of 95 %.

    Parameters
    ----------
    curve : tuple of float
        Of each tenth from the first one: what the campaign adds per treated customer of
        all if only customers up to this tenth are written to. The last one is the
        effect of the whole campaign.
    coefficient, low, high : float
        Mean height of the curve over the line of a random order, and the ends of its
        interval. 0 is no better than at random.
    """

    curve: tuple[float, ...]
    coefficient: float
    low: float
    high: float


@dataclass(frozen=True)
class QiniComparison:
    """Two rankings of the same customers.

    Parameters
    ----------
    uplift, value : Ranking
        Customers by the expected effect on them, and by what they spent before.
    difference, low, high : float
        Coefficient of ``uplift`` less that of ``value``, with an interval of 95 %.
    """

    uplift: Ranking
    value: Ranking
    difference: float
    low: float
    high: float


def compare_rankings(
    customers: NDArray[np.int64],
    buyers: NDArray[np.int64],
    *,
    folds: int = FOLDS,
    seed: int = SEED,
) -> QiniComparison:
    """Compare a ranking by uplift with a ranking by value.

    The intervals come from resamples of the customers of each side. Customers of a cell
    who bought are alike, and so are those who did not, so counts are drawn instead of
    customers.

    The ranking by uplift was learned in folds from these same customers, and chance
    that favours one fold is learned in the others. Resamples of customers do not show
    this. So the deviations of its coefficient are stretched by the correction of Nadeau
    and Bengio, which is 1.5 for five folds. ``benchmarks/campaign_uplift.py`` measures
    what the intervals hold.

    Parameters
    ----------
    customers, buyers : numpy.ndarray of shape (2, tenths, tenths)
        Number of customers, and of those who bought: by side (held out, treated), tenth
        by uplift and tenth by value.
    folds : int
        Number of folds that the ranking by uplift was learned in. 0 for a ranking that
        was not learned from these customers.
    seed : int
        Of the resamples.

    Returns
    -------
    QiniComparison
        Both rankings, and their difference.

    References
    ----------
    Radcliffe (2007): Using control groups to target on predicted lift.

    Nadeau, Bengio (2003): Inference for the generalization error.
    """
    generator = np.random.default_rng(seed)
    sides = []
    for all_of_side, bought in zip(customers, buyers, strict=True):
        size = int(all_of_side.sum())
        counts = np.stack([bought, all_of_side - bought])
        drawn = generator.multinomial(size, counts.ravel() / size, RESAMPLES)
        sides.append(
            np.concatenate([counts[np.newaxis], drawn.reshape(-1, *counts.shape)])
        )
    control, treated = sides
    # the first of all is the sample itself
    uplift = _curves(control.sum(axis=3), treated.sum(axis=3))
    value = _curves(control.sum(axis=2), treated.sum(axis=2))
    of_uplift, of_value = _coefficients(uplift), _coefficients(value)
    # a fold is tested on one share of the customers, and learned from the others
    stretch = sqrt(1 + folds / (folds - 1)) if folds else 1.0
    of_uplift = of_uplift[0] + stretch * (of_uplift - of_uplift[0])
    difference = of_uplift - of_value
    return QiniComparison(
        Ranking(tuple(uplift[0].tolist()), *_interval(of_uplift)),
        Ranking(tuple(value[0].tolist()), *_interval(of_value)),
        *_interval(difference),
    )


def _curves(control: Numbers, treated: Numbers) -> Numbers:
    """Return Qini curves, from buyers and others by tenth: (draws, 2, tenths)."""
    control_buyers = control[:, 0].cumsum(axis=1)
    treated_buyers = treated[:, 0].cumsum(axis=1)
    held = control.sum(axis=1).cumsum(axis=1)
    sent = treated.sum(axis=1).cumsum(axis=1)
    # as many buyers are expected without a message as were held out, to scale
    expected = control_buyers * (sent / np.maximum(held, 1))
    curves: Numbers = (treated_buyers - expected) / sent[:, -1:]
    return curves


def _coefficients(curves: Numbers) -> Numbers:
    """Return the mean height of curves over the line to their last point."""
    shares = np.arange(1, curves.shape[1] + 1) / curves.shape[1]
    heights: Numbers = (curves - shares * curves[:, -1:]).mean(axis=1)
    return heights


def _interval(draws: Numbers) -> tuple[float, float, float]:
    low, high = np.percentile(draws[1:], TAILS)
    return float(draws[0]), float(low), float(high)
