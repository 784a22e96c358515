"""What is expected of customers, and the probability of an event."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

__all__ = ["EventProbability", "Expected"]

Numbers = NDArray[np.float64]


class Expected(NamedTuple):
    """What a model expects of n customers.

    Parameters
    ----------
    return_probability, purchases : ndarray of shape (n,)
        Probability of a purchase within the horizon, and number of purchases.
    spend : ndarray of shape (n,) or None
        None if the spend of no customer was known when the model was fitted.
    """

    return_probability: Numbers
    purchases: Numbers
    spend: Numbers | None

    def bounded(self) -> "Expected":
        """Return the nearest expectations that are possible.

        A probability is from 0 to 1, who returns makes a purchase, and no customer
        spends less than nothing.
        """
        returns = np.clip(self.return_probability, 0.0, 1.0)
        spend = None if self.spend is None else np.maximum(self.spend, 0.0)
        return Expected(returns, np.maximum(self.purchases, returns), spend)

    def in_season(self, purchases: float, spend: float) -> "Expected":
        """Return what is expected if purchases and spend change by these factors."""
        # purchases come at a rate, and the rate grows with the factor
        returns = 1 - (1 - self.return_probability) ** purchases
        return Expected(
            returns,
            np.maximum(self.purchases * purchases, returns),
            None if self.spend is None else self.spend * spend,
        )


class EventProbability(BaseEstimator):
    """The probability of an event: a logistic regression.

    Parameters
    ----------
    c : float
        Inverse penalty of the regression.

    Attributes
    ----------
    share_ : float
        Share of customers with the event, shrunk towards a half by one customer.
    regression_ : LogisticRegression or None
        None if all customers or none had the event: then the share is predicted.
    """

    def __init__(self, c: float = 1.0) -> None:
        self.c = c

    def fit(self, columns: Numbers, happened: NDArray[np.bool_]) -> Self:
        """Learn from columns of shape (n, d) and n events."""
        self.share_ = float((happened.sum() + 0.5) / (len(happened) + 1))
        self.regression_: LogisticRegression | None = None
        if 0 < happened.sum() < len(happened):
            self.regression_ = LogisticRegression(C=self.c, max_iter=10_000)
            self.regression_.fit(columns, happened)
        return self

    def predict(self, columns: Numbers) -> Numbers:
        """Return the probabilities, shape (n,)."""
        if self.regression_ is None:
            return np.full(len(columns), self.share_)
        probabilities: Numbers = self.regression_.predict_proba(columns)[:, 1]
        return probabilities
