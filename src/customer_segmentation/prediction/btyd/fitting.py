"""Fitting a model of purchase histories, however many there are."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from customer_segmentation.prediction.btyd.histories import Histories, Numbers
from customer_segmentation.prediction.btyd.maximum import (
    Derivatives,
    climb,
    maximise,
    pulled,
)

__all__ = ["Fit", "fit_histories", "slices"]

# of many histories as many as this show where the maximum is, roughly
ROUGHLY = 10_000
# rows at a time, so that what is added up stays in the processor's cache
ROWS_AT_A_TIME = 4_096


@dataclass(frozen=True)
class Fit:
    """Estimates by maximum likelihood, in the unit of time of the histories.

    Parameters
    ----------
    parameters : tuple of float
    log_likelihood : float
        Of all customers.
    errors : tuple of float
        Standard errors of the parameters.
    """

    parameters: tuple[float, ...]
    log_likelihood: float
    errors: tuple[float, ...]


# a sum has other bits when other threads share it
@threadpool_limits.wrap(limits=1, user_api="blas")
def fit_histories(
    model: str,
    likelihood: Callable[[Histories, Numbers], Derivatives],
    starts: Callable[[float], ArrayLike],
    times: dict[str, int],
    histories: Histories,
    shrinkage: float,
) -> Fit:
    """Return where the likelihood of the histories is greatest.

    Parameters
    ----------
    model : str
        Whose likelihood, for messages.
    likelihood : callable
        Sums the log-likelihood, given histories and parameters, over the customers.
    starts : callable
        Gives parameters to start from, of shape (k, d), for the mean time between
        purchases; the unit is the longest time that a customer is known. The first of
        them are the centre of the prior.
    times : dict of str to int
        The names of the parameters, and the power of time that each has as its unit.
    histories : Histories
    shrinkage : float
        Of ``pulled``.

    Raises
    ------
    InputError
        If there is no maximum.
    """
    unit = float(histories.age.max())
    scaled = histories.scaled(unit)
    purchases = scaled.frequency @ scaled.customers
    customers = scaled.customers.sum()
    places = np.array(starts(float(scaled.age @ scaled.customers / purchases)))
    centre = places[0]

    def mean(some: Histories, parameters: Numbers) -> Derivatives:
        prior = pulled(parameters, centre, shrinkage) / customers
        return likelihood(some, parameters) / some.customers.sum() + prior

    if len(scaled.age) > 2 * ROUGHLY:
        logs, found = climb(partial(mean, scaled.thinned(ROUGHLY)), places)
        if found.is_maximum:
            places = np.exp(logs)[np.newaxis]
    found = maximise(model, [*times], partial(mean, scaled), places)
    parameters = found.parameters * unit ** np.array(list(times.values()))
    errors = parameters * found.log_errors / np.sqrt(customers)
    # a density by time: one factor of the unit for each repeat purchase
    value = (
        found.value * customers
        - pulled(found.parameters, centre, shrinkage).value
        - purchases * np.log(unit)
    )
    return Fit(tuple(parameters.tolist()), float(value), tuple(errors.tolist()))


def slices(rows: int) -> list[slice]:
    """Return slices that cover the rows, a batch each."""
    return [
        slice(start, start + ROWS_AT_A_TIME) for start in range(0, rows, ROWS_AT_A_TIME)
    ]
