"""A model of choice: each category competes with the others for a customer.

The conditional logit of McFadden (1974), "Conditional logit analysis of qualitative
choice behavior": the utility of a category for a customer is a weighted sum of what the
customer did with it, with the same weights for all categories, plus a constant of the
category. So rare categories borrow from frequent ones.
"""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from customer_segmentation.prediction.feature_kinds import Numbers
from customer_segmentation.prediction.interests.histories import CategoryHistories
from customer_segmentation.prediction.interests.model import InterestModel

__all__ = ["CategoryChoice"]

# weights of popularity in a history, in multiples of its median value and in purchases
VALUE_WEIGHT = 0.5
PURCHASE_WEIGHT = 5.0
# bought lately and some time ago, in days
MEMORIES = (30.0, 120.0)
MIN_SHARE = 1e-4
# later steps change the third decimal of no probability
MAX_STEPS = 60


class CategoryChoice(InterestModel):
    """Conditional logit of the main category.

    Parameters
    ----------
    penalty : float
        Of squared weights, which are those of standardised columns.

    Attributes
    ----------
    typical_value_ : float
        Median value of a history.
    mean_, scale_ : ndarray of shape (d,)
        Of the columns.
    weights_ : ndarray of shape (d,)
        Of the columns, the same for all categories.
    constants_ : ndarray of shape (k,)
        Of the categories.
    """

    is_calibrated = True

    def __init__(self, penalty: float = 3.0) -> None:
        self.penalty = penalty

    def fit(
        self,
        histories: CategoryHistories,
        chosen: NDArray[np.int64],
        popularity: Numbers,
    ) -> Self:
        """Learn the weights that make what was chosen most probable."""
        self.typical_value_ = max(float(np.median(histories.value.sum(axis=1))), 1.0)
        columns = self._columns(histories, popularity)
        count, categories, width = columns.shape
        self.mean_ = columns.mean(axis=(0, 1))
        deviation = columns.std(axis=(0, 1))
        self.scale_ = np.where(deviation > 0, deviation, 1.0)
        columns = (columns - self.mean_) / self.scale_
        flat = columns.reshape(-1, width)
        is_chosen = np.zeros((count, categories))
        is_chosen[np.arange(count), chosen] = 1

        def loss(parameters: Numbers) -> tuple[float, Numbers]:
            weights, constants = parameters[:width], parameters[width:]
            logs = _log_softmax((flat @ weights).reshape(count, -1) + constants)
            error = np.exp(logs) - is_chosen
            gradient = np.concatenate([flat.T @ error.ravel(), error.sum(axis=0)])
            value = self.penalty * float(parameters @ parameters) / 2
            value -= float(logs[np.arange(count), chosen].sum())
            return value, gradient + self.penalty * parameters

        found = minimize(
            loss,
            np.zeros(width + categories),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": MAX_STEPS},
        )
        self.weights_, self.constants_ = found.x[:width], found.x[width:]
        return self

    def predict(self, histories: CategoryHistories, popularity: Numbers) -> Numbers:
        """Return the probability of each category."""
        columns = (self._columns(histories, popularity) - self.mean_) / self.scale_
        count, _, width = columns.shape
        utility = (columns.reshape(-1, width) @ self.weights_).reshape(count, -1)
        probabilities: Numbers = np.exp(_log_softmax(utility + self.constants_))
        return probabilities

    def _columns(self, histories: CategoryHistories, popularity: Numbers) -> Numbers:
        """Return what is known of each customer and category, shape (n, k, d)."""
        value, purchases = histories.value, histories.purchases
        total = value.sum(axis=1, keepdims=True)
        bought = purchases.sum(axis=1, keepdims=True)
        weight = VALUE_WEIGHT * self.typical_value_
        latest = histories.days.min(axis=1, keepdims=True)
        shares = value / np.maximum(total, MIN_SHARE)
        season = popularity if histories.season is None else histories.season
        columns = [
            np.log((value + weight * popularity) / (total + weight) + MIN_SHARE),
            np.log(
                (purchases + PURCHASE_WEIGHT * popularity) / (bought + PURCHASE_WEIGHT)
                + MIN_SHARE
            ),
            shares,
            purchases / np.maximum(purchases.max(axis=1, keepdims=True), 1),
            (purchases > 0).astype(float),
            *(np.exp(-histories.days / memory) for memory in MEMORIES),
            shares * (np.isfinite(latest) & (histories.days <= latest)),
            np.log(season + MIN_SHARE)
            - np.log(popularity + MIN_SHARE)
            + np.zeros(value.shape),
        ]
        return np.stack(columns, axis=2)


def _log_softmax(utility: Numbers) -> Numbers:
    shifted = utility - utility.max(axis=1, keepdims=True)
    logs: Numbers = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return logs
