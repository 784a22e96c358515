"""Probabilities of segments that can be believed, however few customers are in one."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

__all__ = [
    "FOLDS",
    "LEAST",
    "Codes",
    "Probabilities",
    "calibrated",
    "dealt_out",
    "softmax",
    "tempered",
]

# of the customers, to calibrate on those that a fit has not seen
FOLDS = 3
# less than this is no probability, so that its logarithm is finite
LEAST = 1e-6

Probabilities = NDArray[np.float64]
Codes = NDArray[np.int64]


def dealt_out(codes: Codes) -> Codes:
    """Return a fold for each customer; those of a segment are dealt out in turn.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        The segment of each customer, from 0 on.

    Returns
    -------
    ndarray of shape (n,)
        From 0 to ``FOLDS`` - 1. A segment of one customer is in one fold only, and a
        fit to the others does not know it.
    """
    order = np.argsort(codes, kind="stable")
    folds = np.empty(len(codes), dtype=np.int64)
    folds[order] = np.arange(len(codes)) % FOLDS
    return folds


def softmax(scores: Probabilities) -> Probabilities:
    """Return probabilities of scores of shape (n, classes), row by row."""
    exponential = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponential / exponential.sum(axis=1, keepdims=True)


def tempered(
    raw: Probabilities, shares: Probabilities, temperature: float, caution: float
) -> Probabilities:
    """Sharpen or flatten probabilities, then mix them with the segments' shares.

    Parameters
    ----------
    raw : ndarray of shape (n, classes)
        As a classifier gives them, 0 for a segment it does not know.
    shares : ndarray of shape (classes,)
        How many of the customers are in each segment.
    temperature : float
        Above 1 flattens, below 1 sharpens.
    caution : float
        Weight of the shares, from 0 to 1.
    """
    sharpened = softmax(np.log(np.maximum(raw, LEAST)) / temperature)
    return (1 - caution) * sharpened + caution * shares


def calibrated(
    unseen: Probabilities, codes: Codes, shares: Probabilities
) -> tuple[float, float]:
    """Return the temperature and the caution of least log-loss.

    Parameters
    ----------
    unseen : ndarray of shape (n, classes)
        What fits to other customers say of each.
    codes : ndarray of shape (n,)
        The segment of each.
    shares : ndarray of shape (classes,)
        How many of the customers are in each segment.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks.
    """
    rows = np.arange(len(codes))

    def of(point: Probabilities) -> tuple[float, float]:
        return float(np.exp(point[0])), float(1 / (1 + np.exp(-point[1])))

    def loss(point: Probabilities) -> float:
        found = tempered(unseen, shares, *of(point))[rows, codes]
        return -float(np.log(np.maximum(found, LEAST)).mean())

    bounds = [(-3.0, 3.0), (-7.0, 7.0)]
    return of(minimize(loss, [0.0, -3.0], method="Nelder-Mead", bounds=bounds).x)
