"""The rhythm in which customers of one source system buy, and how much of it is left.

Everything follows from one Pareto/NBD model: each customer buys at an own rate until
the customer leaves for good. All purchases of a day count as one, and the unit of time
is the day.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit

from customer_segmentation.prediction.btyd import ParetoNbd

__all__ = ["BuyingHistories", "Rhythm"]

Numbers = NDArray[np.float64]

# even ten customers have a maximum of the likelihood, and many hardly notice it
SHRINKAGE = 1.0
# a level of few customers is a matter of luck: so many more are added at the old level
LEVEL_PRIOR_CUSTOMERS = 50
MAX_SHIFT = 5.0
PARAMETERS = ("r", "alpha", "s", "beta")


@dataclass(frozen=True)
class BuyingHistories:
    """Purchases of n customers up to a date.

    Parameters
    ----------
    repeats : array of shape (n,)
        Days with a purchase, without the first.
    span : array of shape (n,)
        Days from the first to the last purchase.
    age : array of shape (n,)
        Days from the first purchase to the date.
    last_interval : array of shape (n,)
        Days between the last two purchases; anything without a repeat.
    """

    repeats: Numbers
    span: Numbers
    age: Numbers
    last_interval: Numbers

    def at_last_purchase(self) -> Self:
        """Return the histories as they were on the day of the last purchase."""
        return replace(self, age=self.span)

    def before_last_purchase(self) -> Self:
        """Return the histories as they were just before the last purchase.

        Those without a repeat purchase had none; they stay as they are.
        """
        is_repeated = self.repeats > 0
        repeats = np.where(is_repeated, self.repeats - 1, self.repeats)
        before = np.where(repeats > 0, self.span - self.last_interval, 0.0)
        return replace(
            self,
            repeats=repeats,
            span=np.where(is_repeated, before, self.span),
            age=np.where(is_repeated, self.span, self.age),
        )


@dataclass(frozen=True)
class Rhythm:
    """A fitted model of a source system, and its level in a season.

    Parameters
    ----------
    r, alpha, s, beta : float
        Of the Pareto/NBD model.
    shift : float
        What is added to the log odds of a return, because in this season the shop sells
        more or less than in others.

    Examples
    --------
    >>> rhythm = Rhythm(r=1.0, alpha=60.0, s=0.5, beta=200.0)
    >>> weekly = BuyingHistories(*map(np.array, ([20.0], [140.0], [150.0], [7.0])))
    >>> rhythm.usual_interval(weekly).round(1).tolist()
    [9.5]
    """

    r: float
    alpha: float
    s: float
    beta: float
    shift: float = 0.0

    @classmethod
    def fit(cls, histories: BuyingHistories) -> Self:
        """Fit the model; at least one customer must have come back."""
        fitted = ParetoNbd(SHRINKAGE).fit(
            histories.repeats, histories.span, histories.age
        )
        return cls(fitted.r_, fitted.alpha_, fitted.s_, fitted.beta_)

    def usual_interval(self, histories: BuyingHistories) -> Numbers:
        """Return the days between purchases that are usual for each customer.

        It is the reciprocal of the mean rate at the last purchase. Without a repeat
        purchase it is that of the shop, ``alpha / r``; each repeat draws it to the
        customer's own.
        """
        usual: Numbers = (self.alpha + histories.span) / (self.r + histories.repeats)
        return usual

    def alive_probability(self, histories: BuyingHistories) -> Numbers:
        """Return the probability that each customer has not left for good."""
        return self._model.alive_probability(
            histories.repeats, histories.span, histories.age
        )

    def return_probability(
        self, histories: BuyingHistories, horizon_days: int
    ) -> Numbers:
        """Return the probability of a purchase within the horizon, in this season."""
        raw = self._raw_return(histories, horizon_days)
        return shifted(raw, self.shift)

    def momentum(self, histories: BuyingHistories, horizon_days: int) -> Numbers:
        """Return the return probability as a share of that at the last purchase."""
        now = self._raw_return(histories, horizon_days)
        then = self._raw_return(histories.at_last_purchase(), horizon_days)
        share = np.divide(now, then, out=np.zeros_like(now), where=then > 0)
        return np.minimum(share, 1.0)

    def _raw_return(self, histories: BuyingHistories, horizon_days: int) -> Numbers:
        return self._model.return_probability(
            horizon_days, histories.repeats, histories.span, histories.age
        )

    @property
    def _model(self) -> ParetoNbd:
        model = ParetoNbd(SHRINKAGE)
        for name in PARAMETERS:
            setattr(model, f"{name}_", getattr(self, name))
        return model


def level_shift(expected: Numbers, returned: NDArray[np.bool_]) -> float:
    """Return what to add to the log odds so that as many return as did.

    Parameters
    ----------
    expected : array of shape (n,)
        Probabilities.
    returned : array of bool, shape (n,)
        Whether each customer did.

    Returns
    -------
    float
        Between -5 and 5. That of few customers is near 0.

    Examples
    --------
    >>> round(level_shift(np.full(10_000, 0.5), np.arange(10_000) < 7_311), 1)
    1.0
    """
    mean = float(expected.mean())
    prior = LEVEL_PRIOR_CUSTOMERS
    share = (returned.sum() + prior * mean) / (len(returned) + prior)

    def excess(shift: float) -> float:
        return float(shifted(expected, shift).mean() - share)

    if excess(-MAX_SHIFT) >= 0:
        return -MAX_SHIFT
    if excess(MAX_SHIFT) <= 0:
        return MAX_SHIFT
    found: float = brentq(excess, -MAX_SHIFT, MAX_SHIFT)
    return found


def shifted(probability: Numbers, shift: float) -> Numbers:
    """Return probabilities whose log odds are moved; 0 and 1 stay."""
    moved: Numbers = expit(logit(probability) + shift)
    return moved
