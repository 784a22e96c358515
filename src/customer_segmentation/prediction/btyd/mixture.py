"""What the models share: customers who buy at a gamma rate until they are gone."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import digamma, gammaln, polygamma

from customer_segmentation.prediction.btyd.histories import Numbers
from customer_segmentation.prediction.btyd.maximum import Derivatives

__all__ = ["Counts", "Mixture", "purchase_terms"]


@dataclass(frozen=True)
class Counts:
    """How many customers bought how often.

    Parameters
    ----------
    values : array of shape (k,)
        The distinct frequencies, sorted.
    customers : array of shape (k,)
        How many customers have each.
    """

    values: Numbers
    customers: Numbers

    @classmethod
    def of(cls, frequency: Numbers, customers: Numbers) -> Self:
        """Count the customers of each frequency."""
        values, members = np.unique(frequency, return_inverse=True)
        return cls(values, np.bincount(members, weights=customers))

    def log_gamma(self, shift: float) -> tuple[float, float, float]:
        """Sum ln(gamma(shift + x) / gamma(shift)) over the customers.

        Returns
        -------
        tuple of float
            The sum, its first and its second derivative by the shift.
        """
        return tuple(
            float(self.customers @ (function(shift + self.values) - function(shift)))
            for function in (gammaln, digamma, trigamma)
        )


@dataclass(frozen=True)
class Mixture:
    """The logarithm of a sum of exponentials, for each of m histories.

    Each term is one way in which the history may have come about: still buying at its
    end, or gone at some time before. All terms are positive, so nothing cancels.

    Parameters
    ----------
    log_sum : array of shape (m,)
    shares : array of shape (m, k)
        Of each term in the sum: the probability of that way, given the history.
    """

    log_sum: Numbers
    shares: Numbers

    @classmethod
    def of(cls, exponents: Numbers) -> Self:
        """Add up exponentials, given their exponents of shape (m, k)."""
        greatest = exponents.max(axis=1)
        terms = np.exp(exponents - greatest[:, np.newaxis])
        sums = terms.sum(axis=1)
        terms /= sums[:, np.newaxis]
        return cls(greatest + np.log(sums), terms)

    def summed(self, customers: Numbers, slopes: Numbers) -> Derivatives:
        """Sum over the customers, with what the slopes of the exponents contribute.

        The expected second derivatives of the exponents are not in the Hessian.

        Parameters
        ----------
        customers : array of shape (m,)
            How many have each history.
        slopes : array of shape (d, m, k)
            First derivatives of the exponents by the d parameters.
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


def trigamma(values: Numbers) -> Numbers:
    """Return the second derivative of the logarithm of the gamma function."""
    return polygamma(1, values)
