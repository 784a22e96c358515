"""For whom a campaign does most: customers ranked by what a message adds.

The effect of a message on one customer is never seen: nobody is both written to and
held out. A model learns it from customers who were drawn at random to be either, and
predicts it for customers that it did not learn from.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

__all__ = ["FOLDS", "expected_uplift", "tenths_of"]

FOLDS = 5
TENTHS = 10
SEED = 20
# of the penalty: with the highest one, all customers are expected to gain the same
PENALTIES = np.logspace(0, 6, 7)
# digits of an effect that do not depend on the number of threads
DIGITS = 9

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]


def expected_uplift(
    features: Numbers, is_treated: Flags, outcome: Numbers, *, seed: int = SEED
) -> tuple[Numbers, Indices]:
    """Predict what a message adds to the outcome of each customer (R-learner).

    First a model predicts the outcome from the features, without regard to the side.
    What it does not explain, divided by how far the customer's side is from the share
    of treated customers, is a noisy measure of the effect. A second model learns this
    transformed outcome. Both are ridge regressions on ranks of the features, their
    squares and products: smooth, quick, and shrunk to one effect for all where there
    is nothing to learn.

    No customer's outcome is used for the prediction of the same customer
    (cross-fitting).

    Parameters
    ----------
    features : numpy.ndarray of shape (customers, features)
        What was known before the first message, without nulls.
    is_treated : numpy.ndarray of shape (customers,)
        Whether the customer was written to, at random.
    outcome : numpy.ndarray of shape (customers,)
        What the customer did after the first message: 1 for a purchase, otherwise 0.
    seed : int
        Of the folds.

    Returns
    -------
    uplift : numpy.ndarray of shape (customers,)
        The expected effect on each customer.
    fold : numpy.ndarray of shape (customers,)
        The fold of each customer, from 0. Each fold has a model of its own.

    Raises
    ------
    ValueError
        If a side has fewer customers than there are folds.

    References
    ----------
    Nie, Wager (2021): Quasi-oracle estimation of heterogeneous treatment effects.
    """
    if min(is_treated.sum(), (~is_treated).sum()) < FOLDS:
        raise ValueError(f"each side needs {FOLDS} customers")
    ranks = np.column_stack([rankdata(column) for column in features.T])
    ranks /= len(features)
    uplift = np.empty(len(features))
    fold = np.empty(len(features), np.int64)
    for number, (train, test) in enumerate(_folds(is_treated, seed)):
        residuals = outcome[train] - _cross_fitted(
            ranks[train], outcome[train], is_treated[train], seed
        )
        surplus = is_treated[train] - is_treated[train].mean()
        learner = _learner()
        learner.fit(
            ranks[train], residuals / surplus, ridgecv__sample_weight=surplus**2
        )
        uplift[test] = learner.predict(ranks[test])
        fold[test] = number
    return np.round(uplift, DIGITS), fold


def tenths_of(uplift: Numbers, fold: Indices, *, seed: int = SEED) -> Indices:
    """Return the tenth of each customer, 1 with the highest effects, within its fold.

    The models of two folds differ in their level. A fold whose other customers gained
    much expects much of its own, who gained less: ranks across folds would take this
    for a finding. Ties are broken at random.

    Examples
    --------
    >>> import numpy as np
    >>> tenths_of(np.arange(20.0), np.zeros(20, int))[[0, 1, 18, 19]].tolist()
    [10, 10, 1, 1]
    """
    order_of_ties = np.random.default_rng(seed).permutation(len(uplift))
    tenths = np.empty(len(uplift), np.int64)
    for number in np.unique(fold):
        members = np.flatnonzero(fold == number)
        order = members[np.lexsort((order_of_ties[members], -uplift[members]))]
        tenths[order] = np.arange(len(order)) * TENTHS // len(order) + 1
    return tenths


def _folds(is_treated: Flags, seed: int) -> Iterator[tuple[Indices, Indices]]:
    """Yield training and test customers; each fold has its share of each side."""
    generator = np.random.default_rng(seed)
    order = np.lexsort((generator.random(len(is_treated)), is_treated))
    fold = np.empty(len(is_treated), np.int64)
    fold[order] = np.arange(len(is_treated)) % FOLDS
    for number in range(FOLDS):
        yield np.flatnonzero(fold != number), np.flatnonzero(fold == number)


def _cross_fitted(
    ranks: Numbers, outcome: Numbers, is_treated: Flags, seed: int
) -> Numbers:
    """Predict the outcome of each customer from those of the other folds."""
    predicted = np.empty(len(outcome))
    for train, test in _folds(is_treated, seed + 1):
        learner = _learner().fit(ranks[train], outcome[train])
        predicted[test] = learner.predict(ranks[test])
    return predicted


def _learner() -> Pipeline:
    return make_pipeline(
        PolynomialFeatures(2, include_bias=False),
        StandardScaler(),
        RidgeCV(PENALTIES),
    )
