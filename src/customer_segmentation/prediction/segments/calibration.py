"""Probabilities of segments that hold, even if few customers are in a segment."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import softmax
from sklearn.base import BaseEstimator

__all__ = [
    "FOLDS",
    "MIN_PROBABILITY",
    "Codes",
    "Probabilities",
    "SegmentCalibration",
    "stratified_folds",
]

FOLDS = 3
# smaller probabilities count as this one, so that logarithms are finite
MIN_PROBABILITY = 1e-6
# of the search: logarithm of the temperature, log odds of the caution
START = (0.0, -3.0)
BOUNDS = ((-3.0, 3.0), (-7.0, 7.0))

Probabilities = NDArray[np.float64]
Codes = NDArray[np.int64]


def stratified_folds(codes: Codes) -> Codes:
    """Return a fold for each customer; the customers of a segment take turns.

    Unlike scikit-learn's ``StratifiedKFold`` it takes segments of a single customer.
    That customer is in one fold only, and a fit to the other folds does not know the
    segment.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        The segment of each customer, from 0.

    Returns
    -------
    ndarray of shape (n,)
        From 0 to ``FOLDS`` - 1.

    Examples
    --------
    >>> stratified_folds(np.array([0, 1, 0, 1, 0, 1]))
    array([0, 0, 1, 1, 2, 2])
    """
    order = np.argsort(codes, kind="stable")
    folds = np.empty(len(codes), dtype=np.int64)
    folds[order] = np.arange(len(codes)) % FOLDS
    return folds


class SegmentCalibration(BaseEstimator):
    """Sharpens or flattens probabilities, then mixes them with the segments' shares.

    Two numbers are learned, so that a segment of a single customer does no harm. The
    most likely segment rarely changes.

    Parameters
    ----------
    shares : ndarray of shape (classes,)
        Share of the customers in each segment.

    Attributes
    ----------
    temperature_ : float
        Above 1 it flattens the probabilities, below 1 it sharpens them.
    caution_ : float
        Weight of the shares, from 0 to 1.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks.
    """

    def __init__(self, shares: Probabilities) -> None:
        self.shares = shares

    def fit(self, probabilities: Probabilities, codes: Codes) -> Self:
        """Find the temperature and the caution with the smallest log loss.

        Parameters
        ----------
        probabilities : ndarray of shape (n, classes)
            Out-of-fold, as a classifier gives them; 0 for segments it does not know.
        codes : ndarray of shape (n,)
            The segment of each customer, from 0.
        """
        rows = np.arange(len(codes))

        def loss(point: Probabilities) -> float:
            found = _calibrated(probabilities, self.shares, *_numbers_at(point))
            own = np.maximum(found[rows, codes], MIN_PROBABILITY)
            return -float(np.log(own).mean())

        best = minimize(loss, START, method="Nelder-Mead", bounds=BOUNDS)
        self.temperature_, self.caution_ = _numbers_at(best.x)
        return self

    def transform(self, probabilities: Probabilities) -> Probabilities:
        """Return calibrated probabilities of n customers, shape (n, classes)."""
        return _calibrated(probabilities, self.shares, self.temperature_, self.caution_)


def _calibrated(
    probabilities: Probabilities,
    shares: Probabilities,
    temperature: float,
    caution: float,
) -> Probabilities:
    logs = np.log(np.maximum(probabilities, MIN_PROBABILITY))
    tempered = softmax(logs / temperature, axis=1)
    mixed: Probabilities = (1 - caution) * tempered + caution * shares
    return mixed


def _numbers_at(point: Probabilities) -> tuple[float, float]:
    """Return the temperature and the caution at a point of the search."""
    return float(np.exp(point[0])), float(1 / (1 + np.exp(-point[1])))
