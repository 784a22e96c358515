"""Models of purchase histories: what BG/NBD and Pareto/NBD share, and their fit."""

from abc import ABC, abstractmethod
from functools import partial
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from customer_segmentation.parallel import single_threaded
from customer_segmentation.prediction.btyd.histories import (
    Histories,
    check_histories,
    read_numbers,
)
from customer_segmentation.prediction.btyd.maximum import (
    Derivatives,
    Numbers,
    ascend,
    log_prior,
    maximise,
)

__all__ = ["HistoryModel", "batches"]

# so many histories show roughly where the maximum of more histories is
ROUGH_SIZE = 10_000
# rows of a batch, so that what is added up stays in the processor's cache
BATCH_SIZE = 4_096


class HistoryModel(ABC, BaseEstimator):
    """A model of customers who buy at their own rate until they leave.

    Parameters
    ----------
    shrinkage : float, default 0
        Above 0 the likelihood is multiplied by a normal prior of the parameters'
        logarithms, around customary values and with the variance 1 / shrinkage. With a
        shrinkage of 1 even ten customers have a maximum, and many hardly notice it.

    Attributes
    ----------
    log_likelihood_ : float
        Of the customers learned from.
    standard_errors_ : dict of str to float
        Of the parameters, by the Hessian. Subclasses name the parameters.
    """

    # for messages
    NAME: ClassVar[str]
    # the power of time in the unit of each parameter
    PARAMETERS: ClassVar[dict[str, int]]

    log_likelihood_: float
    standard_errors_: dict[str, float]

    def __init__(self, shrinkage: float = 0.0) -> None:
        self.shrinkage = shrinkage

    @single_threaded()
    def fit(
        self,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
        customers: ArrayLike | None = None,
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

        Raises
        ------
        InputError
            If a history is impossible, or the likelihood has no maximum.
        """
        read_numbers(self.NAME, "shrinkage", [self.shrinkage])
        histories = Histories.grouped(self.NAME, frequency, recency, age, customers)
        unit = float(histories.age.max())
        scaled = histories.scaled(unit)
        purchases = scaled.frequency @ scaled.customers
        count = float(scaled.customers.sum())
        between = float(scaled.age @ scaled.customers / purchases)
        starts = np.array(self.starts(between))
        prior = partial(log_prior, centre=starts[0], shrinkage=float(self.shrinkage))

        def mean(some: Histories, parameters: Numbers) -> Derivatives:
            likelihood = self.likelihood(some, parameters)
            return likelihood / float(some.customers.sum()) + prior(parameters) / count

        if len(scaled.age) > 2 * ROUGH_SIZE:
            logs, found = ascend(partial(mean, scaled.thinned(ROUGH_SIZE)), starts)
            if found.is_maximum:
                starts = np.exp(logs)[np.newaxis]
        best = maximise(self.NAME, [*self.PARAMETERS], partial(mean, scaled), starts)
        parameters = best.parameters * unit ** np.array(list(self.PARAMETERS.values()))
        errors = parameters * best.log_errors / np.sqrt(count)
        # the density has one factor of the unit of time for each repeat purchase
        log_likelihood = (
            best.value * count - prior(best.parameters).value - purchases * np.log(unit)
        )
        for name, value in zip(self.PARAMETERS, parameters.tolist(), strict=True):
            setattr(self, f"{name}_", value)
        self.log_likelihood_ = float(log_likelihood)
        self.standard_errors_ = dict(zip(self.PARAMETERS, errors.tolist(), strict=True))
        return self

    def alive_probability(
        self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> Numbers:
        """Return the probability that each customer has not left, shape (n,)."""
        return self._alive(*check_histories(self.NAME, frequency, recency, age))

    @abstractmethod
    def return_probability(
        self, horizon: float, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> Numbers:
        """Return the probability of a purchase within the horizon, shape (n,)."""

    @abstractmethod
    def expected_purchases(
        self, horizon: float, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> Numbers:
        """Return the expected number of purchases within the horizon, shape (n,)."""

    @staticmethod
    @abstractmethod
    def starts(between: float) -> tuple[tuple[float, ...], ...]:
        """Return parameters to start from, for the mean time between purchases.

        The unit is the longest age. The first are the centre of the prior.
        """

    @staticmethod
    @abstractmethod
    def likelihood(histories: Histories, parameters: Numbers) -> Derivatives:
        """Sum the log-likelihood over the customers."""

    @abstractmethod
    def _alive(self, x: Numbers, t: Numbers, end: Numbers) -> Numbers:
        """Return the probability that each customer has not left."""


def batches(rows: int) -> list[slice]:
    """Return slices of at most ``BATCH_SIZE`` rows that cover all rows."""
    return [slice(start, start + BATCH_SIZE) for start in range(0, rows, BATCH_SIZE)]
