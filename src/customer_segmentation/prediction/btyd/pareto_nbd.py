"""Pareto/NBD: customers who may leave at any time."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import exprel

from customer_segmentation.prediction.btyd.fitting import fit_histories, slices
from customer_segmentation.prediction.btyd.histories import (
    Histories,
    Numbers,
    check_histories,
    check_horizon,
    group,
    read,
)
from customer_segmentation.prediction.btyd.maximum import Derivatives
from customer_segmentation.prediction.btyd.mixture import (
    Counts,
    purchase_terms,
)
from customer_segmentation.prediction.btyd.ways import Ways

__all__ = ["ParetoNbd"]

NAME = "Pareto/NBD"
# parameter: power of time in its unit
PARAMETERS = {"r": 0, "alpha": 1, "s": 0, "beta": 1}


@dataclass(frozen=True)
class ParetoNbd:
    """The Pareto / negative binomial model of Schmittlein, Morrison & Colombo (1987).

    A customer buys at a constant rate, and leaves for good after an exponential time.
    Rates of buying are gamma(r, alpha) over the customers, rates of leaving
    gamma(s, beta).

    Counting your customers: who are they and what will they do next? Management Science
    33(1), 1-24.

    Parameters
    ----------
    r, alpha, s, beta : float
        `alpha` and `beta` are in the unit of time of the histories.
    log_likelihood : float
        Of the customers fitted to.
    errors : tuple of float, optional
        Standard errors of the four parameters.
    """

    r: float
    alpha: float
    s: float
    beta: float
    log_likelihood: float = float("nan")
    errors: tuple[float, ...] = ()

    @classmethod
    def fit(
        cls,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
        customers: ArrayLike | None = None,
        *,
        shrinkage: float = 0.0,
    ) -> Self:
        """Fit by maximum likelihood.

        Parameters
        ----------
        frequency : array-like of shape (n,)
            Repeat purchases.
        recency : array-like of shape (n,)
            Time from the first purchase to the last, 0 without a repeat purchase.
        age : array-like of shape (n,)
            Time from the first purchase to the end, in the same unit.
        customers : array-like of shape (n,), optional
            How many customers each row stands for, by default one.
        shrinkage : float, default 0
            Above 0 the likelihood is multiplied by a normal prior of the parameters'
            logarithms, around customary values and with the variance 1 / shrinkage.
            With 1 even ten customers have a maximum, and many hardly notice it.

        Raises
        ------
        InputError
            If a history is impossible, or the likelihood has no maximum.
        """
        [pull] = read(NAME, "shrinkage", [shrinkage])
        histories = Histories.grouped(NAME, frequency, recency, age, customers)
        found = fit_histories(NAME, _likelihood, _starts, PARAMETERS, histories, pull)
        return cls(*found.parameters, found.log_likelihood, found.errors)

    def standard_errors(self) -> dict[str, float]:
        """Return the standard errors by the Hessian; none where it was not fitted."""
        return dict(zip(PARAMETERS, self.errors, strict=False))

    def alive_probability(
        self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> Numbers:
        """Return the probability that each customer has not left, shape (n,)."""
        return self._alive(*check_histories(NAME, frequency, recency, age))

    def return_probability(
        self,
        horizon: float,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
    ) -> Numbers:
        """Return the probability of a purchase within the horizon, shape (n,).

        Who has not left is a new customer with the rates gamma(r + x, alpha + age) and
        gamma(s, beta + age): their probability of no purchase is the likelihood of
        nothing happening up to the horizon.
        """
        x, t, end = check_histories(NAME, frequency, recency, age)
        ahead = check_horizon(NAME, horizon)
        rows, members = group([x, end])
        silent = np.empty(len(rows))
        for batch in slices(len(rows)):
            r, alpha = self.r + x[rows[batch]], self.alpha + end[rows[batch]]
            beta = self.beta + end[rows[batch]]
            ways = Ways.of(r, alpha, self.s, beta, np.zeros_like(r), ahead)
            exponent = ways.mixture.log_sum + r * np.log(alpha) + self.s * np.log(beta)
            silent[batch] = np.exp(np.minimum(exponent, 0.0))
        return self._alive(x, t, end) * (1 - silent)[members]

    def expected_purchases(
        self,
        horizon: float,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
    ) -> Numbers:
        """Return the expected number of purchases within the horizon, shape (n,)."""
        x, t, end = check_histories(NAME, frequency, recency, age)
        span = np.log1p(check_horizon(NAME, horizon) / (self.beta + end))
        # the time still spent as a customer; exprel makes s = 1 no exception
        time = (self.beta + end) * span * exprel((1 - self.s) * span)
        return self._alive(x, t, end) * (self.r + x) / (self.alpha + end) * time

    def _alive(self, x: Numbers, t: Numbers, end: Numbers) -> Numbers:
        alive = np.empty(len(x))
        for batch in slices(len(x)):
            ways = Ways.of(
                self.r + x[batch],
                self.alpha,
                self.s,
                self.beta,
                t[batch],
                end[batch],
            )
            alive[batch] = ways.mixture.shares[:, 0]
        return alive


def _starts(between: float) -> tuple[tuple[float, ...], ...]:
    """Return parameters to start from, for the mean time between purchases."""
    return (
        (0.5, 0.5 * between, 0.5, 0.5),
        (2.0, 2.0 * between, 1.0, 2.0),
        (1.0, 1.0 * between, 0.1, 0.02),
    )


def _likelihood(histories: Histories, parameters: Numbers) -> Derivatives:
    """Sum the log-likelihood over the customers."""
    r, alpha, s, beta = parameters
    counts = Counts.of(histories.frequency, histories.customers)
    whole = purchase_terms(counts, r, alpha) + _lasting_terms(counts, s, beta)
    for batch in slices(len(histories.age)):
        whole += _batch_terms(histories, batch, parameters)
    return whole


def _lasting_terms(counts: Counts, s: float, beta: float) -> Derivatives:
    """Sum ln(beta^s) over the customers."""
    total = counts.customers.sum()
    gradient, hessian = np.zeros(4), np.zeros((4, 4))
    gradient[2:] = total * np.log(beta), total * s / beta
    hessian[2:, 2:] = [[0.0, total / beta], [total / beta, -total * s / beta**2]]
    return Derivatives(float(total * s * np.log(beta)), gradient, hessian)


def _batch_terms(
    histories: Histories, batch: slice, parameters: Numbers
) -> Derivatives:
    """Sum what depends on times: not left at the end, or left some time before."""
    r, alpha, s, beta = parameters
    purchases = r + histories.frequency[batch]
    customers = histories.customers[batch]
    ways = Ways.of(
        purchases, alpha, s, beta, histories.recency[batch], histories.age[batch]
    )
    buying, lasting = 1 / (alpha + ways.times), 1 / (beta + ways.times)
    slopes = np.empty((4, *ways.times.shape))
    slopes[0] = np.log(buying)
    slopes[1] = -purchases[:, np.newaxis] * buying
    slopes[2] = np.log(lasting)
    slopes[2, :, 1:] += 1 / s
    slopes[3] = -s * lasting
    slopes[3, :, 1:] -= lasting[:, 1:]
    summed = ways.mixture.summed(customers, slopes)
    shares = ways.mixture.shares * customers[:, np.newaxis]
    hessian = summed.hessian
    hessian[0, 1] -= (shares * buying).sum()
    hessian[1, 0] = hessian[0, 1]
    hessian[1, 1] -= (shares * slopes[1] * buying).sum()
    hessian[2, 2] -= shares[:, 1:].sum() / s**2
    hessian[2, 3] -= (shares * lasting).sum()
    hessian[3, 2] = hessian[2, 3]
    hessian[3, 3] -= (shares * slopes[3] * lasting).sum()
    return summed
