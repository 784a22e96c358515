"""Parts of the likelihoods: gamma rates of buying, and mixtures of explanations."""

from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
from scipy.special import digamma, gammaln, polygamma

from customer_segmentation.prediction.btyd.maximum import Derivatives, Numbers

__all__ = ["Counts", "Mixture", "purchase_terms"]


@dataclass(frozen=True)
class Counts:
    """The number of customers of each frequency.

    Parameters
    ----------
    values : array of shape (k,)
        The distinct frequencies, sorted.
    customers : array of shape (k,)
        Number of customers of each frequency.
    """

    values: Numbers
    customers: Numbers

    @classmethod
    def of(cls, frequency: Numbers, customers: Numbers) -> Self:
        """Count the customers of each frequency."""
        values, members = np.unique(frequency, return_inverse=True)
        return cls(values, np.bincount(members, weights=customers).astype(float))

    def log_gamma(self, shift: float) -> tuple[float, float, float]:
        """Sum ln(gamma(shift + x) / gamma(shift)) over the customers.

        Returns
        -------
        tuple of float
            The sum, and its first and second derivative with respect to the shift.
        """
        value, first, second = (
            float(self.customers @ (function(shift + self.values) - function(shift)))
            for function in (gammaln, digamma, partial(polygamma, 1))
        )
        return value, first, second


@dataclass(frozen=True)
class Mixture:
    """The logarithm of a sum of exponentials, for each of m histories.

    Each term is one explanation of the history: the customer still buys at its end, or
    left at some time before. All terms are positive, so nothing cancels out.

    Parameters
    ----------
    log_sum : array of shape (m,)
    shares : array of shape (m, k)
        Share of each term in the sum: the probability of that explanation, given the
        history.
    """

    log_sum: Numbers
    shares: Numbers

    @classmethod
    def of(cls, exponents: Numbers) -> Self:
        """Add up exponentials, given their exponents of shape (m, k)."""
        maximum = exponents.max(axis=1)
        terms = np.exp(exponents - maximum[:, np.newaxis])
        sums = terms.sum(axis=1)
        terms /= sums[:, np.newaxis]
        return cls(maximum + np.log(sums), terms)

    def summed(self, customers: Numbers, slopes: Numbers) -> Derivatives:
        """Sum over the customers, with the contribution of the exponents' slopes.

        The Hessian lacks the expected second derivatives of the exponents.

        Parameters
        ----------
        customers : array of shape (m,)
            Number of customers with each history.
        slopes : array of shape (d, m, k)
            First derivatives of the exponents with respect to the d parameters.
        """
        weighted = slopes * self.shares
        means = weighted.sum(axis=2)
        weighted *= customers[:, np.newaxis]
        d = len(slopes)
        products = weighted.reshape(d, -1) @ slopes.reshape(d, -1).T
        return Derivatives(
            float(customers @ self.log_sum),
            means @ customers,
            products - (means * customers) @ means.T,
        )


def purchase_terms(counts: Counts, r: float, alpha: float) -> Derivatives:
    """Sum ln(gamma(r + x) alpha^r / gamma(r)) over the customers.

    The first two of four parameters are r and alpha.
    """
    total = counts.customers.sum()
    value, by_r, by_r_twice = counts.log_gamma(r)
    gradient, hessian = np.zeros(4), np.zeros((4, 4))
    gradient[:2] = by_r + total * np.log(alpha), total * r / alpha
    hessian[:2, :2] = [
        [by_r_twice, total / alpha],
        [total / alpha, -total * r / alpha**2],
    ]
    return Derivatives(value + total * r * float(np.log(alpha)), gradient, hessian)
