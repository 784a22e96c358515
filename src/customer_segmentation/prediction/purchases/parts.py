"""What models of purchases are made of: chances, levels, calibration."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge

__all__ = ["LEAST_BUYERS", "Calibration", "Chance", "Level"]

# fewer who bought teach nothing but their mean
LEAST_BUYERS = 20

Numbers = NDArray[np.float64]


class Chance:
    """The probability that something happens: logistic, or the share if it must be.

    Parameters
    ----------
    c : float
        Inverse of the penalty of the logistic regression.

    Attributes
    ----------
    share : float
        Of those to whom it happened, drawn towards a half by one customer.
    model : LogisticRegression or None
        None if it happened to all or none.
    """

    def __init__(self, c: float) -> None:
        self.c = c

    def fit(self, columns: Numbers, happened: NDArray[np.bool_]) -> Self:
        """Learn from columns of shape (n, d) and n outcomes."""
        self.share = float((happened.sum() + 0.5) / (len(happened) + 1))
        self.model = None
        if 0 < happened.sum() < len(happened):
            self.model = LogisticRegression(C=self.c, max_iter=10_000)
            self.model.fit(columns, happened)
        return self

    def predict(self, columns: Numbers) -> Numbers:
        """Return probabilities, shape (n,)."""
        if self.model is None:
            return np.full(len(columns), self.share)
        return self.model.predict_proba(columns)[:, 1]


class Level:
    """How much those buy who buy: a regression of the logarithm.

    Parameters
    ----------
    alpha : float
        Penalty of the ridge regression.

    Attributes
    ----------
    mean : float
        Mean logarithm, what is predicted of fewer than ``LEAST_BUYERS`` buyers.
    variance : float
        Of the logarithm around the prediction.
    """

    def __init__(self, alpha: float) -> None:
        self.alpha = alpha

    def fit(self, columns: Numbers, bought: Numbers) -> Self:
        """Learn from columns of shape (n, d) and what they bought, those above 0."""
        is_buyer = bought > 0
        log = np.log(bought[is_buyer])
        self.mean = float(log.mean()) if len(log) else 0.0
        self.variance = float(log.var()) if len(log) else 0.0
        self.model = None
        if len(log) >= LEAST_BUYERS:
            self.model = Ridge(alpha=self.alpha).fit(columns[is_buyer], log)
            self.variance = float(np.var(log - self.model.predict(columns[is_buyer])))
        # nobody is taken to buy more than ten times what the greatest buyer bought
        self.highest = float(log.max()) + np.log(10) if len(log) else 0.0
        return self

    def predict(self, columns: Numbers) -> Numbers:
        """Return the mean logarithm, shape (n,)."""
        if self.model is None:
            return np.full(len(columns), self.mean)
        return np.minimum(self.model.predict(columns), self.highest)


class Calibration:
    """From a score above 0 to an expected value, rising with it.

    A quadratic with coefficients of at least 0, fitted with weights that fall with the
    expectation, so that the many with little count as well; it keeps the total.

    Attributes
    ----------
    coefficients : ndarray of shape (3,)
        Of 1, u and u squared, u being the score over ``centre``.
    centre, top : float
        Mean and greatest score learned from; higher ones count as the greatest.
    """

    def fit(self, score: Numbers, actual: Numbers) -> Self:
        """Learn from n scores and outcomes, none below 0."""
        total = float(actual.sum())
        self.centre, self.top = float(score.mean()), float(score.max())
        self.coefficients = np.zeros(3)
        if total <= 0 or self.centre <= 0:
            self.coefficients[0] = total / len(actual)
            self.centre = self.centre if self.centre > 0 else 1.0
            return self
        powers = self._powers(score)
        expected = score * total / score.sum()
        for _ in range(8):
            expected = np.maximum(expected, 0.05 * total / len(actual))
            found = LinearRegression(positive=True, fit_intercept=False).fit(
                powers, actual, sample_weight=expected**-1.5
            )
            expected = found.predict(powers)
        scale = total / expected.sum() if expected.sum() > 0 else 1.0
        self.coefficients = found.coef_ * scale
        return self

    def predict(self, score: Numbers) -> Numbers:
        """Return expected values, shape (n,)."""
        return self._powers(score) @ self.coefficients

    def _powers(self, score: Numbers) -> Numbers:
        u = np.minimum(score, self.top) / self.centre
        return np.column_stack([np.ones(len(u)), u, u**2])
