"""Segments of new customers: six classifiers, their vote, and the baseline to beat."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from customer_segmentation.prediction.segments.calibration import (
    MIN_PROBABILITY,
    Probabilities,
)
from customer_segmentation.prediction.segments.segment_classifier import (
    SegmentClassifier,
    sorted_by_key,
)
from customer_segmentation.prediction.settings import SEED

__all__ = [
    "CLASSIFIERS",
    "ESTIMATORS",
    "KEEP_ROWS",
    "MAJORITY",
    "SOFT_VOTE",
    "Classifier",
    "MajorityClass",
    "SegmentClassifier",
    "SoftVote",
    "fit_classifiers",
]

SOFT_VOTE = "soft_vote"
MAJORITY = "majority"
# these keep rows of the customers that they learn from
KEEP_ROWS = ("svc", "k_nearest_neighbours", SOFT_VOTE)
# of expectation-maximisation; after these rounds the weights hardly change
ROUNDS = 100

ESTIMATORS: Mapping[str, Any] = MappingProxyType(
    {
        "svc": SVC(C=1, gamma="scale", decision_function_shape="ovr"),
        "logistic_regression": LogisticRegression(C=0.1, max_iter=1_000),
        # a tree of neighbours counts its queries, and so changes when it predicts
        "k_nearest_neighbours": KNeighborsClassifier(
            30, weights="distance", algorithm="brute"
        ),
        "decision_tree": DecisionTreeClassifier(max_depth=5, min_samples_leaf=20),
        "random_forest": RandomForestClassifier(
            100, min_samples_leaf=3, max_features="sqrt"
        ),
        "gradient_boosting": HistGradientBoostingClassifier(
            max_iter=60,
            learning_rate=0.06,
            max_leaf_nodes=8,
            min_samples_leaf=10,
            l2_regularization=3,
            early_stopping=False,
        ),
    }
)


class SoftVote(BaseEstimator):
    """The weighted mean of the probabilities of all six classifiers.

    The weights maximise the likelihood of out-of-fold segments. A classifier that adds
    nothing to the others has hardly any weight.

    Parameters
    ----------
    random_state : int
        Seed of the members.

    Attributes
    ----------
    classes_ : ndarray of str
        The segments, sorted.
    members_ : dict of str to SegmentClassifier
        The six classifiers, fitted.
    weights_ : ndarray of shape (members,)
        They add up to 1.
    """

    def __init__(self, random_state: int = SEED) -> None:
        self.random_state = random_state

    def fit(self, features: pd.DataFrame, segments: pd.Series) -> Self:
        """Fit the members and their weights, as ``SegmentClassifier.fit``."""
        self.members_ = {
            name: SegmentClassifier(estimator, self.random_state)
            for name, estimator in ESTIMATORS.items()
        }
        likelihoods = np.column_stack(
            [
                member.fit_out_of_fold(features, segments)
                for member in self.members_.values()
            ]
        )
        self.classes_ = next(iter(self.members_.values())).classes_
        self.weights_ = _mixture_weights(likelihoods)
        return self

    def predict_proba(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return probabilities, as ``SegmentClassifier.predict_proba``."""
        votes = [
            member.predict_proba(features).to_numpy()
            for member in self.members_.values()
        ]
        found = np.average(votes, axis=0, weights=self.weights_)
        return pd.DataFrame(found, index=features.index, columns=self.classes_)


class MajorityClass(BaseEstimator):
    """The naive baseline: the shares of the segments, for every customer.

    The most likely segment is that of the majority.

    Attributes
    ----------
    classes_ : ndarray of str
        The segments, sorted.
    dummy_ : DummyClassifier
        Gives the shares.
    """

    def fit(self, features: pd.DataFrame, segments: pd.Series) -> Self:
        """Learn the shares, as ``SegmentClassifier.fit``."""
        features, segments = sorted_by_key(features, segments)
        self.dummy_ = DummyClassifier(strategy="prior")
        self.dummy_.fit(features, segments.to_numpy(dtype=str))
        self.classes_ = self.dummy_.classes_
        return self

    def predict_proba(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return the shares, as ``SegmentClassifier.predict_proba``."""
        found = self.dummy_.predict_proba(features)
        return pd.DataFrame(found, index=features.index, columns=self.classes_)


Classifier = SegmentClassifier | SoftVote | MajorityClass

CLASSIFIERS: Mapping[str, Callable[[], Classifier]] = MappingProxyType(
    {
        **{
            name: partial(SegmentClassifier, estimator)
            for name, estimator in ESTIMATORS.items()
        },
        SOFT_VOTE: SoftVote,
        MAJORITY: MajorityClass,
    }
)


def fit_classifiers(
    features: pd.DataFrame, segments: pd.Series, seed: int = SEED
) -> dict[str, Classifier]:
    """Fit all ``CLASSIFIERS`` in the time that the vote alone takes.

    Parameters
    ----------
    features, segments
        As of ``SegmentClassifier.fit``, which also names the errors.
    seed : int
        Seed of the classifiers.

    Returns
    -------
    dict
        The fitted classifiers by name, in the order of ``CLASSIFIERS``.
    """
    vote = SoftVote(seed).fit(features, segments)
    majority = MajorityClass().fit(features, segments)
    return {**vote.members_, SOFT_VOTE: vote, MAJORITY: majority}


def _mixture_weights(likelihoods: Probabilities) -> Probabilities:
    """Return the weights of a mixture, by expectation-maximisation.

    Parameters
    ----------
    likelihoods : ndarray of shape (n, members)
        The probability that each member gives to each customer's own segment.
    """
    weights = np.full(likelihoods.shape[1], 1 / likelihoods.shape[1])
    bounded = np.maximum(likelihoods, MIN_PROBABILITY)
    for _ in range(ROUNDS):
        parts = bounded * weights
        weights = (parts / parts.sum(axis=1, keepdims=True)).mean(axis=0)
    normalised: Probabilities = weights / weights.sum()
    return normalised
