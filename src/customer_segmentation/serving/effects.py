"""What a campaign did: treated customers beside those who were held out.

All figures come from sums over each group, so the engine reads the customers, and this
process reads one row per group.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Self

from scipy.special import stdtrit

__all__ = ["Effect", "GroupSums", "estimate_effect"]

# of a two-sided interval of 95 %
UPPER_TAIL = 0.975


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

    Slope and variance are those of all customers around the mean of their group. A
    hold-out is small, and spend has a long tail: the hold-out's own variance is too low
    whenever it happens to hold no big spender, and intervals made of it are too short.
    A campaign that raises spend raises its variance too, and the larger group decides
    the variance of all. Then the interval is somewhat too long if the hold-out is the
    smaller group: it holds the true effect in up to 98 of 100 campaigns that raise
    spend by a fifth. If the treated customers are the smaller group, it is somewhat too
    short. ``benchmarks/campaign_effects.py`` measures the first, and found intervals of
    each group's own variance short in small groups.

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
    unexplained = max(deviations - slope * codeviations, 0.0)
    unadjusted = treated.mean - control.mean
    spread = sum(1 / group.customers for group in groups)
    difference_before = treated.mean_before - control.mean_before
    of_slope = difference_before**2 / deviations_before if deviations_before > 0 else 0
    variance = unexplained / freedom * (spread + of_slope)
    half = float(stdtrit(freedom, UPPER_TAIL)) * sqrt(variance)
    error_before = sqrt(deviations_before / (freedom + 1) * spread)
    estimate = unadjusted - slope * difference_before
    return Effect(
        estimate,
        estimate - half,
        estimate + half,
        unadjusted,
        1 - unexplained / deviations if deviations > 0 else 0.0,
        abs(difference_before) / error_before if error_before > 0 else 0.0,
    )
