"""A model of transitions: what customers of one category buy next."""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from customer_segmentation.prediction.feature_kinds import Numbers
from customer_segmentation.prediction.interests.histories import CategoryHistories
from customer_segmentation.prediction.interests.model import InterestModel, normalised

__all__ = ["CategoryTransitions"]


class CategoryTransitions(InterestModel):
    """Each category in a history leads to others with some probability.

    Parameters
    ----------
    weight : float
        Customers of average popularity that are added to each category.

    Attributes
    ----------
    transitions_ : ndarray of shape (k, k)
        Probability of each main category (columns), by category of the history.
    """

    is_calibrated = True

    def __init__(self, weight: float = 10.0) -> None:
        self.weight = weight

    def fit(
        self,
        histories: CategoryHistories,
        chosen: NDArray[np.int64],
        popularity: Numbers,
    ) -> Self:
        """Count what customers chose, by the shares of their history."""
        is_chosen = np.eye(len(popularity))[chosen]
        counts = _shares(histories, popularity).T @ is_chosen
        self.transitions_ = normalised(counts + self.weight * popularity)
        return self

    def predict(self, histories: CategoryHistories, popularity: Numbers) -> Numbers:
        """Return the mean transition of each customer's history."""
        return normalised(_shares(histories, popularity) @ self.transitions_)


def _shares(histories: CategoryHistories, popularity: Numbers) -> Numbers:
    """Return the shares of the history; popularity for a customer without one."""
    value = histories.value
    is_empty = value.sum(axis=1, keepdims=True) <= 0
    return normalised(np.where(is_empty, popularity, value))
