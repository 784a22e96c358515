"""Gamma-Gamma: what customers spend at a purchase."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, gammaln, polygamma
from threadpoolctl import threadpool_limits

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.btyd.histories import (
    Numbers,
    check_customers,
    group,
    read,
)
from customer_segmentation.prediction.btyd.maximum import Derivatives, maximise, pulled

__all__ = ["GammaGamma"]

NAME = "Gamma-Gamma"
PARAMETERS = ("p", "q", "v")
# with the mean as unit of value
STARTS = ((2.0, 3.0, 1.0), (10.0, 2.0, 0.1), (1.0, 10.0, 9.0))


@dataclass(frozen=True)
class GammaGamma:
    """The gamma-gamma model of spending of Fader & Hardie (2013).

    The values of a customer's purchases are gamma(p, rate), and the rates are
    gamma(q, v) over the customers, whatever the number of purchases.

    The Gamma-Gamma model of monetary value. brucehardie.com/notes/025.

    Parameters
    ----------
    p, q, v : float
        `v` is in the unit of value.
    log_likelihood : float
        Of the customers fitted to.
    errors : tuple of float, optional
        Standard errors of the three parameters.
    """

    p: float
    q: float
    v: float
    log_likelihood: float = float("nan")
    errors: tuple[float, ...] = ()

    # a sum has other bits when other threads share it
    @classmethod
    @threadpool_limits.wrap(limits=1, user_api="blas")
    def fit(
        cls,
        frequency: ArrayLike,
        mean_value: ArrayLike,
        customers: ArrayLike | None = None,
        *,
        shrinkage: float = 0.0,
    ) -> Self:
        """Fit by maximum likelihood to the customers with a frequency above 0.

        Parameters
        ----------
        frequency : array-like of shape (n,)
            How many purchases the mean is of; by custom the repeat purchases.
        mean_value : array-like of shape (n,)
            Mean value of those purchases; not read where frequency is 0.
        customers : array-like of shape (n,), optional
            How many customers each row stands for, by default one.
        shrinkage : float, default 0
            Above 0 the likelihood is multiplied by a normal prior of the parameters'
            logarithms, around customary values and with the variance 1 / shrinkage.
            With 1 even ten customers have a maximum, and many hardly notice it.

        Raises
        ------
        InputError
            If a number is missing or below 0, a mean value is 0, nobody has a frequency
            above 0, or the likelihood has no maximum.
        """
        [pull] = read(NAME, "shrinkage", [shrinkage])
        x, value = _check(frequency, mean_value)
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
                "probability; leave out who spent nothing"
            )
        x, value, counts = x[is_used], value[is_used], counts[is_used]
        rows, members = group([x, value])
        counts = np.bincount(members, weights=counts)
        x, value = x[rows], value[rows]
        total = float(counts.sum())
        unit = float(counts @ value / total)
        starts = np.array(STARTS)
        prior = partial(pulled, centre=starts[0], shrinkage=float(pull))
        likelihood = partial(_likelihood, x, value / unit, counts)
        found = maximise(
            NAME,
            PARAMETERS,
            lambda parameters: (likelihood(parameters) + prior(parameters)) / total,
            starts,
        )
        value = found.value * total - prior(found.parameters).value
        units = np.array([1.0, 1.0, unit])
        errors = found.parameters * units * found.log_errors / np.sqrt(total)
        return cls(
            *(found.parameters * units).tolist(),
            # a density by value: one factor of the unit for each customer
            log_likelihood=float(value - total * np.log(unit)),
            errors=tuple(errors.tolist()),
        )

    def standard_errors(self) -> dict[str, float]:
        """Return the standard errors by the Hessian; none where it was not fitted."""
        return dict(zip(PARAMETERS, self.errors, strict=False))

    def expected_value(self, frequency: ArrayLike, mean_value: ArrayLike) -> Numbers:
        """Return the value expected of each customer's next purchase, shape (n,).

        It is the customer's mean, drawn towards that of all, the less the more often
        the customer bought; infinite where p x + q is not above 1.

        Parameters
        ----------
        frequency, mean_value : array-like of shape (n,)
            As in a fit; a mean value may be 0.
        """
        x, value = _check(frequency, mean_value)
        above = self.p * x + self.q - 1
        return np.divide(
            self.p * (self.v + x * value),
            above,
            where=above > 0,
            out=np.full_like(above, np.inf),
        )


def _check(frequency: ArrayLike, mean_value: ArrayLike) -> tuple[Numbers, Numbers]:
    """Return both as arrays of one length; the value of no purchases is 0."""
    x = read(NAME, "frequency", frequency)
    values = np.atleast_1d(mean_value)
    if len(x) != len(values):
        raise InputError(
            f"{NAME}: frequency has {len(x)} rows and mean_value {len(values)}; give "
            "one row per customer"
        )
    return x, read(NAME, "mean_value", np.where(x > 0, values, 0.0))


def _likelihood(
    x: Numbers, value: Numbers, customers: Numbers, parameters: Numbers
) -> Derivatives:
    """Sum the log-likelihood over the customers (equation 1a of the note)."""
    p, q, v = parameters
    often, members = np.unique(x, return_inverse=True)
    shape = p * x
    total = v + x * value
    log_share = np.log(x * value / total)
    log_rest = np.log(v / total)

    # per row: how much a function of the gamma family grows from p x, and from q
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
