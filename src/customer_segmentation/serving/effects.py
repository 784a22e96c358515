"""What a campaign did: treated customers beside those who were held out.

All figures come from sums over each group, so the engine reads the customers, and this
process reads one row per group.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Self

from scipy.optimize import brentq
from scipy.special import stdtrit

__all__ = ["Effect", "GroupSums", "estimate_effect"]

# of a two-sided interval of 95 %
UPPER_TAIL = 0.975
# the variance of spend goes with this power of its mean: 1 if only more customers buy,
# 2 if each of them buys for more. A campaign may win buyers; one that does harm makes
# each of them buy for less
POWER_OF_MORE, POWER_OF_LESS = 1.5, 2.0
# beyond it, an effect on the mean changes the variance no further
MAX_MEAN_RATIO = 4.0


@dataclass(frozen=True)
class GroupSums:
    """Sums over the customers of a group.

    Parameters
    ----------
    customers : int
        Number of customers, with those who spent nothing.
    outcome, outcome_squares : float
        Sum of what they spent in the window of the campaign, and of its squares.
    earlier, earlier_squares : float
        Sum of what they spent before the campaign, and of its squares.
    products : float
        Sum of the products of the two.
    """

    customers: int
    outcome: float
    outcome_squares: float
    earlier: float
    earlier_squares: float
    products: float

    @classmethod
    def of(cls, outcome: list[float], before: list[float]) -> Self:
        """Return the sums over customers.

        Examples
        --------
        >>> GroupSums.of([1, 3], [0, 2]).products
        6
        """
        return cls(
            len(outcome),
            sum(outcome),
            sum(value * value for value in outcome),
            sum(before),
            sum(value * value for value in before),
            sum(y * x for y, x in zip(outcome, before, strict=True)),
        )

    @property
    def mean(self) -> float:
        """Mean spend in the window."""
        return self.outcome / self.customers

    @property
    def mean_before(self) -> float:
        """Mean spend before the campaign."""
        return self.earlier / self.customers

    @property
    def deviations(self) -> float:
        """Sum of the squared deviations of the spend in the window."""
        return max(self.outcome_squares - self.outcome * self.mean, 0.0)

    @property
    def deviations_before(self) -> float:
        """Sum of the squared deviations of the spend before the campaign."""
        return max(self.earlier_squares - self.earlier * self.mean_before, 0.0)

    @property
    def codeviations(self) -> float:
        """Sum of the products of both deviations."""
        return self.products - self.outcome * self.mean_before

    def unexplained(self, slope: float) -> float:
        """Sum of the squared deviations that earlier spend does not explain."""
        explained = 2 * slope * self.codeviations - slope**2 * self.deviations_before
        return max(self.deviations - explained, 0.0)


@dataclass(frozen=True)
class Effect:
    """Incremental spend per treated customer, with an interval of 95 %.

    Parameters
    ----------
    estimate, low, high : float
        The effect, and the ends of its interval.
    unadjusted : float
        The difference in means, without regard to earlier spend.
    variance_saved : float
        Share of the variance of the effect that earlier spend explains, from 0 to 1.
    imbalance : float
        Difference between the sides in spend before the campaign, in standard errors of
        that difference. Above 4, it was not chance that chose the sides.
    """

    estimate: float
    low: float
    high: float
    unadjusted: float
    variance_saved: float
    imbalance: float


def estimate_effect(treated: GroupSums, control: GroupSums) -> Effect:
    """Estimate the effect of a campaign, adjusted by spend before it (CUPED).

    Part of the spend after a message was to be expected of those who spent before.
    Taking this part away leaves the expected difference as it is, and makes it vary
    less.

    A hold-out is small, and spend has a long tail: the hold-out's own variance is too
    low whenever it happens to hold no big spender, and intervals made of it are too
    short. So slope and variance are those of all customers around the mean of their
    group. A campaign that changes spend changes its variance too: it goes with a power
    of the mean. So each effect has a variance of its own, and the interval holds the
    effects that a test does not reject. ``benchmarks/campaign_effects.py`` measures
    the intervals.

    The variance has a term for the slope, which is estimated too. It matters where the
    groups differed before the campaign.

    Parameters
    ----------
    treated, control : GroupSums
        The groups, with at least two customers each.

    Returns
    -------
    Effect
        The effect per treated customer.

    References
    ----------
    Deng, Xu, Kohavi, Walker (2013): Improving the sensitivity of online controlled
    experiments by utilizing pre-experiment data.

    Examples
    --------
    >>> before = [0, 10, 20, 30]
    >>> control = GroupSums.of([0, 5, 10, 15], before)
    >>> treated = GroupSums.of([2, 7, 12, 17], before)
    >>> round(estimate_effect(treated, control).estimate, 6)
    2.0
    """
    groups = treated, control
    freedom = sum(group.customers for group in groups) - len(groups) - 1
    deviations = sum(group.deviations for group in groups)
    deviations_before = sum(group.deviations_before for group in groups)
    codeviations = sum(group.codeviations for group in groups)
    slope = codeviations / deviations_before if deviations_before > 0 else 0.0
    unadjusted = treated.mean - control.mean
    difference_before = treated.mean_before - control.mean_before
    estimate = unadjusted - slope * difference_before
    lever = difference_before / deviations_before if deviations_before > 0 else 0.0
    margin = float(stdtrit(freedom, UPPER_TAIL)) / sqrt(freedom)

    def half(effect: float) -> float:
        ratio = _ratio_of_variances(treated.mean, effect)
        return margin * sqrt(_variance(treated, control, slope, lever, ratio))

    spread = sum(1 / group.customers for group in groups)
    error_before = sqrt(deviations_before / (freedom + 1) * spread)
    return Effect(
        estimate,
        _end(estimate, -1, half),
        _end(estimate, 1, half),
        unadjusted,
        slope * codeviations / deviations if deviations > 0 else 0.0,
        abs(difference_before) / error_before if error_before > 0 else 0.0,
    )


def _variance(
    treated: GroupSums, control: GroupSums, slope: float, lever: float, ratio: float
) -> float:
    """Return the variance of the effect, times the degrees of freedom.

    The ratio is that of the variance of a treated customer to that of others.
    """
    of_one = control.unexplained(slope) + treated.unexplained(slope) / ratio
    return of_one * sum(
        scale * (1 / group.customers + group.deviations_before * lever**2)
        for group, scale in ((treated, ratio), (control, 1.0))
    )


def _end(estimate: float, side: int, half: Callable[[float], float]) -> float:
    """Return the effect that lies its own half interval from the estimate."""
    distance = half(estimate)
    if distance == 0:
        return estimate
    farthest = distance
    while half(estimate + side * farthest) > farthest:
        farthest *= 2
    found = brentq(lambda far: half(estimate + side * far) - far, 0.0, farthest)
    return estimate + side * float(found)


def _ratio_of_variances(mean: float, effect: float) -> float:
    """Return what an effect on the mean of treated customers does to their variance."""
    if mean <= 0:
        return 1.0
    without = max(mean - effect, mean / MAX_MEAN_RATIO)
    ratio = max(mean / without, 1 / MAX_MEAN_RATIO)
    return float(ratio ** (POWER_OF_MORE if ratio > 1 else POWER_OF_LESS))
