"""Maxima of likelihoods: Newton's method in the logarithms of the parameters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from customer_segmentation.errors import InputError

__all__ = ["Derivatives", "Maximum", "ascend", "log_prior", "maximise"]

MAX_STEPS = 200
# steps of the logarithm of a parameter: none changes a parameter more than e-fold
MAX_STEP = 1.0
MIN_STEP = 1e-11
# at a maximum, the next step changes no parameter by more than this share
TOLERANCE = 1e-6
# of the logarithm of a parameter, when times and amounts are scaled to about 1
MAX_LOGARITHM = 20.0
# relative rounding error of a mean log-likelihood
ROUNDING = 1e-13

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Derivatives:
    """A function of d parameters at a point.

    Parameters
    ----------
    value : float
    gradient : array of shape (d,)
    hessian : array of shape (d, d)
    """

    value: float
    gradient: Numbers
    hessian: Numbers

    def __add__(self, other: Self) -> Self:
        """Return the derivatives of a sum."""
        return type(self)(
            self.value + other.value,
            self.gradient + other.gradient,
            self.hessian + other.hessian,
        )

    def __truediv__(self, divisor: float) -> Self:
        """Return the derivatives of a share."""
        return type(self)(
            self.value / divisor, self.gradient / divisor, self.hessian / divisor
        )

    def in_logs(self, parameters: Numbers) -> Self:
        """Return the derivatives with respect to the logarithms of the parameters."""
        gradient = self.gradient * parameters
        hessian = self.hessian * np.outer(parameters, parameters) + np.diag(gradient)
        return type(self)(self.value, gradient, hessian)

    def newton_step(self, max_step: float) -> Numbers:
        """Return the step to the maximum, uphill even if the function is convex.

        No step along a principal direction is longer than ``max_step``.
        """
        curvatures, directions = np.linalg.eigh(-self.hessian)
        curvatures = np.maximum(np.abs(curvatures), np.finfo(float).tiny)
        slopes = directions.T @ self.gradient
        # limit first, because the division may overflow
        limits = max_step * curvatures
        step: Numbers = directions @ (np.clip(slopes, -limits, limits) / curvatures)
        return step

    @property
    def is_maximum(self) -> bool:
        """Whether the function has its maximum here, within ``TOLERANCE``."""
        curvatures = np.linalg.eigvalsh(-self.hessian)
        return bool(
            curvatures[0] > 1e-14 * curvatures[-1]
            and np.abs(self.newton_step(MAX_STEP)).max() <= TOLERANCE
        )


@dataclass(frozen=True)
class Maximum:
    """The maximum of a mean log-likelihood.

    Parameters
    ----------
    parameters : array of shape (d,)
    value : float
        The mean log-likelihood at the maximum.
    log_errors : array of shape (d,)
        Standard errors of the parameters' logarithms for one customer, by the Hessian.
        Divide them by the square root of the number of customers.
    """

    parameters: Numbers
    value: float
    log_errors: Numbers


Likelihood = Callable[[Numbers], Derivatives]


def maximise(
    model: str, names: Sequence[str], likelihood: Likelihood, starts: Numbers
) -> Maximum:
    """Return the highest maximum that can be reached from the starts.

    Parameters
    ----------
    model : str
        Name of the model, for messages.
    names : sequence of str
        Names of the d parameters.
    likelihood : callable
        Returns the mean log-likelihood at positive parameters.
    starts : array of shape (k, d)
        Parameters to start from.

    Raises
    ------
    InputError
        If the likelihood still grows when a parameter leaves its bounds.
    """
    logs, found = ascend(likelihood, starts)
    if not found.is_maximum:
        unbounded = names[int(np.abs(logs).argmax())]
        raise InputError(
            f"{model}: the likelihood of these customers has no maximum ({unbounded} "
            "leaves its bounds): they are too few, or too similar, or none of them "
            "leaves; give more customers, a longer time or a shrinkage of 1, or use "
            "another model"
        )
    variances = np.diag(np.linalg.inv(-found.hessian))
    return Maximum(np.exp(logs), found.value, np.sqrt(variances))


def log_prior(parameters: Numbers, centre: Numbers, shrinkage: float) -> Derivatives:
    """Return the log density of a normal prior of the parameters' logarithms.

    It is -shrinkage / 2 times the squared distance to the logarithms of the centre; the
    constant is omitted. With a prior there is always a maximum.
    """
    distance = np.log(parameters / centre)
    return Derivatives(
        float(-shrinkage / 2 * (distance @ distance)),
        -shrinkage * distance / parameters,
        np.diag(-shrinkage * (1 - distance) / parameters**2),
    )


def ascend(likelihood: Likelihood, starts: Numbers) -> tuple[Numbers, Derivatives]:
    """Return the highest point reached from the starts; it may be no maximum.

    Returns
    -------
    logs : array of shape (d,)
        Logarithms of the parameters.
    derivatives : Derivatives
        Of the mean log-likelihood, with respect to the logarithms.
    """
    reached = [_ascend_from(np.log(start), likelihood) for start in starts]
    highest = max(there.value for _, there in reached)
    tied = [one for one in reached if one[1].value >= highest - ROUNDING * abs(highest)]
    # because of rounding, a run that did not end may be above one that did
    return max(tied, key=lambda one: one[1].is_maximum)


def _ascend_from(logs: Numbers, likelihood: Likelihood) -> tuple[Numbers, Derivatives]:
    """Step uphill until the steps are tiny, or a parameter leaves its bounds."""

    def at(point: Numbers) -> Derivatives:
        parameters = np.exp(point)
        return likelihood(parameters).in_logs(parameters)

    here, max_step = at(logs), MAX_STEP
    for _ in range(MAX_STEPS):
        step = here.newton_step(max_step)
        there = at(logs + step)
        length = float(np.abs(step).max())
        if there.value >= here.value - ROUNDING * abs(here.value):
            logs, here = logs + step, there
            max_step = min(2 * max_step, MAX_STEP)
        else:
            max_step = length / 4
        if length < MIN_STEP or np.abs(logs).max() > MAX_LOGARITHM:
            break
    return logs, here
