"""Pareto/NBD: customers who may leave at any time."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import ArrayLike
from scipy.special import exprel

from customer_segmentation.prediction.btyd.histories import (
    Histories,
    check_histories,
    check_horizon,
    group,
)
from customer_segmentation.prediction.btyd.history_model import HistoryModel, batches
from customer_segmentation.prediction.btyd.maximum import Derivatives, Numbers
from customer_segmentation.prediction.btyd.mixture import (
    Counts,
    Mixture,
    purchase_terms,
)

__all__ = ["Explanations", "ParetoNbd"]

# of the integral over the time of leaving
NODES, WEIGHTS = leggauss(24)
# where the integrand has fallen to exp(-TAIL) of its maximum, the integral ends
TAIL = 40.0


class ParetoNbd(HistoryModel):
    """The Pareto / negative binomial model of Schmittlein, Morrison & Colombo (1987).

    A customer buys at a constant rate, and leaves for good after an exponential time.
    Rates of buying are gamma(r, alpha) over the customers, rates of leaving
    gamma(s, beta).

    Counting your customers: who are they and what will they do next? Management Science
    33(1), 1-24.

    Parameters
    ----------
    shrinkage : float, default 0
        As in ``HistoryModel``.

    Attributes
    ----------
    r_, alpha_, s_, beta_ : float
        The parameters; ``alpha_`` and ``beta_`` are in the unit of time of the
        histories.
    log_likelihood_, standard_errors_
        As in ``HistoryModel``.
    """

    NAME: ClassVar[str] = "Pareto/NBD"
    PARAMETERS: ClassVar[dict[str, int]] = {"r": 0, "alpha": 1, "s": 0, "beta": 1}

    r_: float
    alpha_: float
    s_: float
    beta_: float

    def return_probability(
        self,
        horizon: float,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
    ) -> Numbers:
        """Return the probability of a purchase within the horizon, shape (n,).

        Customers who have not left are like new customers with the rates
        gamma(r + x, alpha + age) and gamma(s, beta + age). Their probability of no
        purchase is the likelihood of a history without one up to the horizon.
        """
        x, t, end = check_histories(self.NAME, frequency, recency, age)
        ahead = check_horizon(self.NAME, horizon)
        rows, members = group([x, end])
        silent = np.empty(len(rows))
        for batch in batches(len(rows)):
            r, alpha = self.r_ + x[rows[batch]], self.alpha_ + end[rows[batch]]
            beta = self.beta_ + end[rows[batch]]
            start = np.zeros_like(r)
            explained = Explanations.of(r, alpha, self.s_, beta, start, ahead)
            exponent = (
                explained.mixture.log_sum + r * np.log(alpha) + self.s_ * np.log(beta)
            )
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
        x, t, end = check_histories(self.NAME, frequency, recency, age)
        span = np.log1p(check_horizon(self.NAME, horizon) / (self.beta_ + end))
        # the time still spent as a customer; exprel makes s = 1 no exception
        time = (self.beta_ + end) * span * exprel((1 - self.s_) * span)
        bought = self._alive(x, t, end) * (self.r_ + x)
        expected: Numbers = bought / (self.alpha_ + end) * time
        return expected

    def _alive(self, x: Numbers, t: Numbers, end: Numbers) -> Numbers:
        alive = np.empty(len(x))
        for batch in batches(len(x)):
            explained = Explanations.of(
                self.r_ + x[batch],
                self.alpha_,
                self.s_,
                self.beta_,
                t[batch],
                end[batch],
            )
            alive[batch] = explained.mixture.shares[:, 0]
        return alive

    @staticmethod
    def starts(between: float) -> tuple[tuple[float, ...], ...]:
        """As in ``HistoryModel``."""
        return (
            (0.5, 0.5 * between, 0.5, 0.5),
            (2.0, 2.0 * between, 1.0, 2.0),
            (1.0, 1.0 * between, 0.1, 0.02),
        )

    @staticmethod
    def likelihood(histories: Histories, parameters: Numbers) -> Derivatives:
        """Sum the log-likelihood over the customers."""
        r, alpha, s, beta = parameters
        counts = Counts.of(histories.frequency, histories.customers)
        whole = purchase_terms(counts, r, alpha) + _lasting_terms(counts, s, beta)
        for batch in batches(len(histories.age)):
            whole += _batch_terms(histories, batch, parameters)
        return whole


@dataclass(frozen=True)
class Explanations:
    """Explanations of histories: not left, or left at one of k - 1 times.

    Given the rates, the likelihood is lambda^x exp(-(lambda + mu) T) for customers who
    have not left, plus the integral of lambda^x mu exp(-(lambda + mu) u) over the time
    u of leaving, from the last purchase to the end. The means over the rates are powers
    of alpha + u and beta + u. The published form of the integral over u is the
    difference of two hypergeometric functions. Here it is a Gauss-Legendre sum on a
    logarithmic scale, until the integrand has fallen. All terms are positive, so
    nothing cancels out or overflows. It is exact to 1e-10.

    Parameters
    ----------
    times : array of shape (m, k)
        The end, and the times of leaving.
    mixture : Mixture
        Its first share is the probability that the customer has not left.
    """

    times: Numbers
    mixture: Mixture

    @classmethod
    def of(
        cls,
        purchases: Numbers,
        alpha: Numbers | float,
        s: float,
        beta: Numbers | float,
        start: Numbers,
        end: Numbers | float,
    ) -> Self:
        """Return the explanations of m histories.

        Parameters
        ----------
        purchases : array of shape (m,)
            r + x.
        alpha, s, beta : float or array of shape (m,)
            Parameters of the rates.
        start, end : array of shape (m,)
            Times of the last purchase and of the end.
        """
        steepness = purchases / (alpha + start) + (s + 1) / (beta + start)
        scale = np.minimum(1 / steepness, alpha + start)
        longest = np.minimum(
            (alpha + start) * np.expm1(np.minimum(TAIL / purchases, 99.0)),
            (beta + start) * np.expm1(np.minimum(TAIL / (s + 1), 99.0)),
        )
        span = np.log1p(np.minimum(end - start, longest) / scale)
        steps = span[:, np.newaxis] * (1 + NODES) / 2
        times = np.empty((len(start), 1 + len(NODES)))
        times[:, 0] = end
        times[:, 1:] = start[:, np.newaxis] + scale[:, np.newaxis] * np.expm1(steps)
        size = s * scale * span / 2
        size = np.log(size, where=size > 0, out=np.full_like(size, -np.inf))
        lasting = np.full(times.shape[1], s + 1)
        lasting[0] = s
        exponents = -purchases[:, np.newaxis] * np.log(_column(alpha) + times)
        exponents -= lasting * np.log(_column(beta) + times)
        exponents[:, 1:] += size[:, np.newaxis] + steps + np.log(WEIGHTS)
        return cls(times, Mixture.of(exponents))


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
    explained = Explanations.of(
        purchases, alpha, s, beta, histories.recency[batch], histories.age[batch]
    )
    buying, lasting = 1 / (alpha + explained.times), 1 / (beta + explained.times)
    slopes = np.empty((4, *explained.times.shape))
    slopes[0] = np.log(buying)
    slopes[1] = -purchases[:, np.newaxis] * buying
    slopes[2] = np.log(lasting)
    slopes[2, :, 1:] += 1 / s
    slopes[3] = -s * lasting
    slopes[3, :, 1:] -= lasting[:, 1:]
    summed = explained.mixture.summed(customers, slopes)
    shares = explained.mixture.shares * customers[:, np.newaxis]
    hessian = summed.hessian
    hessian[0, 1] -= (shares * buying).sum()
    hessian[1, 0] = hessian[0, 1]
    hessian[1, 1] -= (shares * slopes[1] * buying).sum()
    hessian[2, 2] -= shares[:, 1:].sum() / s**2
    hessian[2, 3] -= (shares * lasting).sum()
    hessian[3, 2] = hessian[2, 3]
    hessian[3, 3] -= (shares * slopes[3] * lasting).sum()
    return summed


def _column(values: Numbers | float) -> Numbers:
    return np.reshape(values, (-1, 1))
