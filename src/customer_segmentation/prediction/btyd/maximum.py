"""Maxima of likelihoods: Newton's method in the logarithms of the parameters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.btyd.histories import Numbers

__all__ = ["Derivatives", "Maximum", "climb", "maximise", "pulled"]

STEPS = 200
# of the logarithm of a parameter: no step changes one more than e-fold
LONGEST_STEP = 1.0
SMALLEST_STEP = 1e-11
# a maximum is where the step to it changes no parameter by more than this share
TOLERANCE = 1e-6
# of the logarithm of a parameter, times and amounts being scaled to about 1
FARTHEST = 20.0
# of a mean log-likelihood, which is rounded
ROUNDING = 1e-13


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
        """Return the derivatives by the logarithms of the parameters."""
        gradient = self.gradient * parameters
        hessian = self.hessian * np.outer(parameters, parameters) + np.diag(gradient)
        return type(self)(self.value, gradient, hessian)

    def newton_step(self, longest: float) -> Numbers:
        """Return the step to the maximum; uphill also where the function is convex.

        It goes no farther than `longest` along any of the principal directions.
        """
        curvatures, directions = np.linalg.eigh(-self.hessian)
        curvatures = np.maximum(np.abs(curvatures), np.finfo(float).tiny)
        slopes = directions.T @ self.gradient
        # limited before the division, which may overflow
        limits = longest * curvatures
        return directions @ (np.clip(slopes, -limits, limits) / curvatures)

    @property
    def is_maximum(self) -> bool:
        """Whether the function has a maximum here, to within ``TOLERANCE``."""
        curvatures = np.linalg.eigvalsh(-self.hessian)
        return bool(
            curvatures[0] > 1e-14 * curvatures[-1]
            and np.abs(self.newton_step(LONGEST_STEP)).max() <= TOLERANCE
        )


@dataclass(frozen=True)
class Maximum:
    """Where a mean log-likelihood is greatest.

    Parameters
    ----------
    parameters : array of shape (d,)
    value : float
        The mean log-likelihood there.
    log_errors : array of shape (d,)
        Standard errors of the parameters' logarithms for one customer, by the Hessian:
        to be divided by the square root of the number of customers.
    """

    parameters: Numbers
    value: float
    log_errors: Numbers


Likelihood = Callable[[Numbers], Derivatives]


def maximise(
    model: str, names: Sequence[str], likelihood: Likelihood, starts: Numbers
) -> Maximum:
    """Return the greatest maximum that is reached from the starts.

    Parameters
    ----------
    model : str
        Whose likelihood, for messages.
    names : sequence of str
        Of the d parameters.
    likelihood : callable
        Gives the mean log-likelihood at positive parameters.
    starts : array of shape (k, d)
        Parameters to start from.

    Raises
    ------
    InputError
        If the likelihood still grows where a parameter is out of bounds.
    """
    logs, found = climb(likelihood, starts)
    if not found.is_maximum:
        far = names[int(np.abs(logs).argmax())]
        raise InputError(
            f"{model}: the likelihood of these customers has no maximum ({far} leaves "
            "all bounds): they are too few, or too much alike, or nobody leaves; give "
            "more customers or a longer time, a shrinkage of 1, or another model"
        )
    variances = np.diag(np.linalg.inv(-found.hessian))
    return Maximum(np.exp(logs), found.value, np.sqrt(variances))


def pulled(parameters: Numbers, centre: Numbers, shrinkage: float) -> Derivatives:
    """Return the log-density of a normal prior of the parameters' logarithms.

    Without its constant: -shrinkage / 2 times the squared distance to the centre's
    logarithms. With a prior there always is a maximum.
    """
    away = np.log(parameters / centre)
    return Derivatives(
        float(-shrinkage / 2 * (away @ away)),
        -shrinkage * away / parameters,
        np.diag(-shrinkage * (1 - away) / parameters**2),
    )


def climb(likelihood: Likelihood, starts: Numbers) -> tuple[Numbers, Derivatives]:
    """Return the highest place reached from the starts, which may be no maximum.

    Returns
    -------
    logs : array of shape (d,)
        Logarithms of the parameters.
    derivatives : Derivatives
        Of the mean log-likelihood, by the logarithms.
    """
    reached = [_climb_from(np.log(start), likelihood) for start in starts]
    highest = max(there.value for _, there in reached)
    level = [
        one for one in reached if one[1].value >= highest - ROUNDING * abs(highest)
    ]
    # rounding may put a run that did not end above one that did
    return max(level, key=lambda one: one[1].is_maximum)


def _climb_from(logs: Numbers, likelihood: Likelihood) -> tuple[Numbers, Derivatives]:
    """Step uphill until no step is left, or a parameter is out of bounds."""

    def at(place: Numbers) -> Derivatives:
        parameters = np.exp(place)
        return likelihood(parameters).in_logs(parameters)

    here, longest = at(logs), LONGEST_STEP
    for _ in range(STEPS):
        step = here.newton_step(longest)
        there = at(logs + step)
        length = float(np.abs(step).max())
        if there.value >= here.value - ROUNDING * abs(here.value):
            logs, here = logs + step, there
            longest = min(2 * longest, LONGEST_STEP)
        else:
            longest = length / 4
        if length < SMALLEST_STEP or np.abs(logs).max() > FARTHEST:
            break
    return logs, here
