"""BG/NBD: customers who may leave after each purchase."""

from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, log_expit, polygamma

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

__all__ = ["BgNbd"]

# the mean over the probability of leaving: number of points, the fall of the density at
# which its tails end, and the smallest normal number
POINTS = 100
TAIL = 40.0
SMALLEST = 1e-300


class BgNbd(HistoryModel):
    """The beta-geometric / negative binomial model of Fader, Hardie & Lee (2005).

    A customer buys at a constant rate, and after each repeat purchase leaves for good
    with a constant probability. Rates are gamma(r, alpha) over the customers,
    probabilities beta(a, b). Customers without a repeat purchase have not left.

    "Counting your customers" the easy way: an alternative to the Pareto/NBD model.
    Marketing Science 24(2), 275-284.

    Parameters
    ----------
    shrinkage : float, default 0
        As in ``HistoryModel``.

    Attributes
    ----------
    r_, alpha_, a_, b_ : float
        The parameters; ``alpha_`` is in the unit of time of the histories.
    log_likelihood_, standard_errors_
        As in ``HistoryModel``.
    """

    NAME: ClassVar[str] = "BG/NBD"
    PARAMETERS: ClassVar[dict[str, int]] = {"r": 0, "alpha": 1, "a": 0, "b": 0}

    r_: float
    alpha_: float
    a_: float
    b_: float

    def return_probability(
        self,
        horizon: float,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
    ) -> Numbers:
        """Return the probability of a purchase within the horizon, shape (n,).

        Customers who have not left buy at the rate gamma(r + x, alpha + age).
        """
        x, t, end = check_histories(self.NAME, frequency, recency, age)
        span = np.log1p(check_horizon(self.NAME, horizon) / (self.alpha_ + end))
        return self._alive(x, t, end) * -np.expm1(-(self.r_ + x) * span)

    def expected_purchases(
        self,
        horizon: float,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
    ) -> Numbers:
        """Return the expected number of purchases within the horizon, shape (n,)."""
        x, t, end = check_histories(self.NAME, frequency, recency, age)
        ahead = check_horizon(self.NAME, horizon)
        rows, members = group([x, end])
        if_alive = np.empty(len(rows))
        for batch in batches(len(rows)):
            some = rows[batch]
            if_alive[batch] = self._purchases(ahead, x[some], end[some])
        return self._alive(x, t, end) * if_alive[members]

    def _alive(self, x: Numbers, t: Numbers, end: Numbers) -> Numbers:
        log_odds = (
            np.log(self.b_ + np.maximum(x, 1) - 1)
            - np.log(self.a_)
            - (self.r_ + x) * np.log((self.alpha_ + end) / (self.alpha_ + t))
        )
        return np.where(x > 0, expit(log_odds), 1.0)

    def _purchases(self, horizon: float, x: Numbers, end: Numbers) -> Numbers:
        """Return the purchases expected of customers who have not left.

        With the probability p of leaving, which is beta(a, b + x), they are the mean of
        (1 - (1 + p h / (alpha + end))^-(r + x)) / p. The mean is taken over p by the
        trapezoidal rule on a double exponential scale, where it is exact to 1e-10. The
        published form, by the hypergeometric function, is undefined for a = 1, and for
        other parameters a difference of nearly equal or huge numbers.
        """
        p, shares = _leaving(self.a_, self.b_ + x)
        bought = -np.expm1(
            -(self.r_ + x)[:, np.newaxis]
            * np.log1p(p * (horizon / (self.alpha_ + end))[:, np.newaxis])
        )
        mean: Numbers = (shares * bought / p).sum(axis=1)
        return mean

    @staticmethod
    def starts(between: float) -> tuple[tuple[float, ...], ...]:
        """As in ``HistoryModel``."""
        return ((0.5, 0.5 * between, 1.0, 3.0), (2.0, 2.0 * between, 0.2, 0.4))

    @staticmethod
    def likelihood(histories: Histories, parameters: Numbers) -> Derivatives:
        """Sum the log-likelihood over the customers (equation 6 of the paper)."""
        r, alpha, a, b = parameters
        counts = Counts.of(histories.frequency, histories.customers)
        whole = purchase_terms(counts, r, alpha) + _leaving_terms(counts, a, b)
        for batch in batches(len(histories.age)):
            whole += _batch_terms(histories, batch, parameters)
        return whole


def _leaving(a: float, b: Numbers) -> tuple[Numbers, Numbers]:
    """Return points p of beta distributions, and their shares: two of shape (m, k).

    On the scale of the log odds the density falls exponentially to both sides of its
    knee, at the rates a and b; the sine makes that double.
    """
    b = b[:, np.newaxis]
    knee = np.log((a + 1) / (b + 1))
    width = np.minimum(np.sqrt(polygamma(1, a) + polygamma(1, b)), 1.0)
    fallen = TAIL - a * log_expit(knee) - b * log_expit(-knee)
    left = np.arcsinh((knee + _log_expm1(fallen / a)) / width)
    right = np.arcsinh((_log_expm1(fallen / b) - knee) / width)
    steps = np.linspace(0.0, 1.0, POINTS) * (left + right) - left
    odds = knee + width * np.sinh(steps)
    exponents = a * log_expit(odds) + b * log_expit(-odds)
    shares = np.exp(exponents - exponents.max(axis=1, keepdims=True)) * np.cosh(steps)
    shares /= shares.sum(axis=1, keepdims=True)
    return np.maximum(expit(odds), SMALLEST), shares


def _log_expm1(values: Numbers) -> Numbers:
    """Return ln(exp(z) - 1), the log odds of 1 - exp(-z)."""
    return values + np.log(-np.expm1(-values))


def _leaving_terms(counts: Counts, a: float, b: float) -> Derivatives:
    """Sum ln(beta(a, b + x) / beta(a, b)) over the customers."""
    of_b, of_sum = counts.log_gamma(b), counts.log_gamma(a + b)
    gradient, hessian = np.zeros(4), np.zeros((4, 4))
    gradient[2:] = -of_sum[1], of_b[1] - of_sum[1]
    hessian[2:, 2:] = -of_sum[2]
    hessian[3, 3] += of_b[2]
    return Derivatives(of_b[0] - of_sum[0], gradient, hessian)


def _batch_terms(
    histories: Histories, batch: slice, parameters: Numbers
) -> Derivatives:
    """Sum what depends on times: still there at the end, or gone at the last one."""
    r, alpha, a, b = parameters
    x = histories.frequency[batch]
    customers = histories.customers[batch]
    until = alpha + np.stack([histories.age[batch], histories.recency[batch]], axis=1)
    rates = (r + x)[:, np.newaxis] / until
    stayed = b + np.maximum(x, 1) - 1
    exponents = -(r + x)[:, np.newaxis] * np.log(until)
    exponents[:, 1] += np.where(x > 0, np.log(a) - np.log(stayed), -np.inf)
    slopes = np.zeros((4, *until.shape))
    slopes[0] = -np.log(until)
    slopes[1] = -rates
    slopes[2, :, 1] = 1 / a
    slopes[3, :, 1] = -1 / stayed
    mixture = Mixture.of(exponents)
    summed = mixture.summed(customers, slopes)
    shares = mixture.shares * customers[:, np.newaxis]
    hessian = summed.hessian
    hessian[0, 1] -= (shares / until).sum()
    hessian[1, 0] = hessian[0, 1]
    hessian[1, 1] += (shares * rates / until).sum()
    hessian[2, 2] -= shares[:, 1].sum() / a**2
    hessian[3, 3] += (shares[:, 1] / stayed**2).sum()
    return summed
