"""Gamma-Gamma: the value of customers' purchases."""

from collections.abc import Callable
from functools import partial
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, gammaln, polygamma
from sklearn.base import BaseEstimator

from customer_segmentation.errors import InputError
from customer_segmentation.parallel import single_threaded
from customer_segmentation.prediction.btyd.histories import (
    check_customers,
    group,
    read_numbers,
)
from customer_segmentation.prediction.btyd.maximum import (
    Derivatives,
    Numbers,
    log_prior,
    maximise,
)

__all__ = ["GammaGamma", "likelihood_of_values"]

NAME = "Gamma-Gamma"
# in units of the mean value
STARTS = ((2.0, 3.0, 1.0), (10.0, 2.0, 0.1), (1.0, 10.0, 9.0))


class GammaGamma(BaseEstimator):
    """The gamma-gamma model of spending of Fader & Hardie (2013).

    The values of a customer's purchases are gamma(p, rate), and the rates are
    gamma(q, v) over the customers. They do not depend on the number of purchases.

    The Gamma-Gamma model of monetary value. brucehardie.com/notes/025.

    Parameters
    ----------
    shrinkage : float, default 0
        Above 0 the likelihood is multiplied by a normal prior of the parameters'
        logarithms, around customary values and with the variance 1 / shrinkage. With a
        shrinkage of 1 even ten customers have a maximum, and many hardly notice it.

    Attributes
    ----------
    p_, q_, v_ : float
        The parameters; ``v_`` is in the unit of value.
    log_likelihood_ : float
        Of the customers learned from.
    standard_errors_ : dict of str to float
        Of the parameters, by the Hessian.
    """

    PARAMETERS: ClassVar[tuple[str, ...]] = ("p", "q", "v")

    def __init__(self, shrinkage: float = 0.0) -> None:
        self.shrinkage = shrinkage

    @single_threaded()
    def fit(
        self,
        frequency: ArrayLike,
        mean_value: ArrayLike,
        customers: ArrayLike | None = None,
    ) -> Self:
        """Fit by maximum likelihood to the customers with a frequency above 0.

        Parameters
        ----------
        frequency : array-like of shape (n,)
            Number of purchases that the mean is of, by custom the repeat purchases.
        mean_value : array-like of shape (n,)
            Mean value of these purchases; ignored if the frequency is 0.
        customers : array-like of shape (n,), optional
            How many customers each row stands for, by default one.

        Raises
        ------
        InputError
            If a number is missing or below 0, a mean value is 0, all frequencies are 0,
            or the likelihood has no maximum.
        """
        read_numbers(NAME, "shrinkage", [self.shrinkage])
        x, value = _checked(frequency, mean_value)
        counts = check_customers(NAME, customers, len(x))
        is_used = (x > 0) & (counts > 0)
        if not is_used.any():
            raise InputError(
                f"{NAME}: no customer has a frequency above 0; give some who bought"
            )
        if (value[is_used] == 0).any():
            row = int(np.flatnonzero(is_used & (value == 0))[0])
            raise InputError(
                f"{NAME}: row {row}: mean_value is 0, which the model gives no "
                "probability; remove customers who spent nothing"
            )
        x, value, counts = x[is_used], value[is_used], counts[is_used]
        rows, members = group([x, value])
        counts = np.bincount(members, weights=counts).astype(float)
        x, value = x[rows], value[rows]
        total = float(counts.sum())
        unit = float(counts @ value / total)
        starts = np.array(STARTS)
        prior = partial(log_prior, centre=starts[0], shrinkage=float(self.shrinkage))
        likelihood = partial(likelihood_of_values, x, value / unit, counts)
        found = maximise(
            NAME,
            self.PARAMETERS,
            lambda parameters: (likelihood(parameters) + prior(parameters)) / total,
            starts,
        )
        units = np.array([1.0, 1.0, unit])
        parameters = found.parameters * units
        errors = parameters * found.log_errors / np.sqrt(total)
        # the density has one factor of the unit of value for each customer
        log_likelihood = (
            found.value * total - prior(found.parameters).value - total * np.log(unit)
        )
        self.p_, self.q_, self.v_ = parameters.tolist()
        self.log_likelihood_ = float(log_likelihood)
        self.standard_errors_ = dict(zip(self.PARAMETERS, errors.tolist(), strict=True))
        return self

    def expected_value(self, frequency: ArrayLike, mean_value: ArrayLike) -> Numbers:
        """Return the expected value of each customer's next purchase, shape (n,).

        It is the customer's mean, drawn towards the mean of all customers. The more
        purchases, the weaker the draw. It is infinite unless p x + q is above 1.

        Parameters
        ----------
        frequency, mean_value : array-like of shape (n,)
            As in a fit; a mean value may be 0.
        """
        x, value = _checked(frequency, mean_value)
        above = self.p_ * x + self.q_ - 1
        expected: Numbers = np.divide(
            self.p_ * (self.v_ + x * value),
            above,
            where=above > 0,
            out=np.full_like(above, np.inf),
        )
        return expected


def _checked(frequency: ArrayLike, mean_value: ArrayLike) -> tuple[Numbers, Numbers]:
    """Return both as arrays of one length; the value of no purchases is 0."""
    x = read_numbers(NAME, "frequency", frequency)
    values = np.atleast_1d(mean_value)
    if len(x) != len(values):
        raise InputError(
            f"{NAME}: frequency has {len(x)} rows and mean_value {len(values)}; give "
            "one row per customer"
        )
    return x, read_numbers(NAME, "mean_value", np.where(x > 0, values, 0.0))


def likelihood_of_values(
    x: Numbers, value: Numbers, customers: Numbers, parameters: Numbers
) -> Derivatives:
    """Sum the log-likelihood over the customers (equation 1a of the note)."""
    p, q, v = parameters
    often, members = np.unique(x, return_inverse=True)
    shape = p * x
    total = v + x * value
    log_share = np.log(x * value / total)
    log_rest = np.log(v / total)

    # the growth of a function of the gamma family from p x, and from q, for each row
    def grown(function: Callable[[Numbers], Numbers]) -> tuple[Numbers, Numbers]:
        both = function(p * often + q)
        return (both - function(p * often))[members], (both - function(q))[members]

    from_shape, _ = grown(gammaln)
    by_shape, by_q = grown(digamma)
    by_shape_twice, by_q_twice = grown(partial(polygamma, 1))
    by_both = polygamma(1, p * often + q)[members]
    log_likelihood = (
        from_shape - gammaln(q) + shape * log_share + q * log_rest - np.log(value)
    )
    gradient = (
        x * (by_shape + log_share),
        by_q + log_rest,
        q / v - (shape + q) / total,
    )
    hessian = (
        (x**2 * by_shape_twice, x * by_both, -x / total),
        (x * by_both, by_q_twice, 1 / v - 1 / total),
        (-x / total, 1 / v - 1 / total, (shape + q) / total**2 - q / v**2),
    )
    return Derivatives(
        float(customers @ log_likelihood),
        np.array([customers @ terms for terms in gradient]),
        np.array([[customers @ terms for terms in row] for row in hessian]),
    )
