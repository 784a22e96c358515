"""Naive baselines of interests: popularity, the season's, own history, and shrunk."""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from customer_segmentation.prediction.feature_kinds import Numbers
from customer_segmentation.prediction.interests.histories import CategoryHistories
from customer_segmentation.prediction.interests.model import (
    SPREAD,
    InterestModel,
    log_loss_of,
    normalised,
)

__all__ = ["OwnHistory", "Popularity", "SeasonPopularity", "ShrunkHistory"]

# the weights of popularity that are tried, in multiples of the median history
WEIGHTS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
# breaks the ties of categories that a customer never bought
TIE = 1e-6


class Popularity(InterestModel):
    """All customers are interested in what was bought most lately."""

    def fit(
        self,
        histories: CategoryHistories,
        chosen: NDArray[np.int64],
        popularity: Numbers,
    ) -> Self:
        """Learn nothing: the popularity is known."""
        return self

    def predict(self, histories: CategoryHistories, popularity: Numbers) -> Numbers:
        """Return the same probabilities for all customers."""
        return np.tile(popularity, (len(histories.spend), 1))


class SeasonPopularity(Popularity):
    """All customers are interested in what sold in the same days one year before.

    Where these days are not on record, it is the popularity.
    """

    def predict(self, histories: CategoryHistories, popularity: Numbers) -> Numbers:
        """Return the same probabilities for all customers."""
        if histories.season is None:
            return super().predict(histories, popularity)
        shares = (1 - SPREAD) * histories.season + SPREAD * popularity
        return super().predict(histories, shares)


class OwnHistory(Popularity):
    """Customers buy on as they have bought: the shares of their spend."""

    def predict(self, histories: CategoryHistories, popularity: Numbers) -> Numbers:
        """Return the shares of each customer, of popularity where there is nothing."""
        value = histories.value
        total = value.sum(axis=1, keepdims=True)
        shares = value / np.maximum(total, TIE)
        own: Numbers = normalised(shares + TIE * popularity)
        return own


class ShrunkHistory(InterestModel):
    """Customers' own shares, shrunk towards popularity.

    Attributes
    ----------
    weight_ : float
        The value of the popularity in a history: the one of ``WEIGHTS`` under which the
        outcomes are most probable, times the median value.
    """

    is_calibrated = True

    def fit(
        self,
        histories: CategoryHistories,
        chosen: NDArray[np.int64],
        popularity: Numbers,
    ) -> Self:
        """Choose the weight of popularity."""
        typical = max(float(np.median(histories.value.sum(axis=1))), 1.0)
        losses = [
            log_loss_of(_shrunk(histories, popularity, typical * weight), chosen)
            for weight in WEIGHTS
        ]
        self.weight_ = typical * WEIGHTS[int(np.argmin(losses))]
        return self

    def predict(self, histories: CategoryHistories, popularity: Numbers) -> Numbers:
        """Return the shrunk shares of each customer."""
        return _shrunk(histories, popularity, self.weight_)


def _shrunk(
    histories: CategoryHistories, popularity: Numbers, weight: float
) -> Numbers:
    return normalised(histories.value + weight * popularity)
