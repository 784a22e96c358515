"""The segment a new customer will be in: six classifiers, their vote, a baseline."""

from collections.abc import Callable
from functools import partial
from typing import Self

import numpy as np
import pandas as pd

from customer_segmentation.prediction.segments.calibration import LEAST, Probabilities
from customer_segmentation.prediction.segments.estimators import ESTIMATORS
from customer_segmentation.prediction.segments.segment_classifier import (
    SegmentClassifier,
    aligned,
)

__all__ = [
    "CLASSIFIERS",
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
# of the weights of a vote; they hardly move any more
ROUNDS = 100


class SoftVote:
    """The mean of the probabilities of all six classifiers, weighted.

    A classifier weighs what makes the segments of customers it has not seen likeliest:
    one that adds nothing to the others weighs next to nothing.

    Parameters
    ----------
    seed : int
        Of what the members draw.

    Attributes
    ----------
    classes : list of str
        The segments, sorted.
    members : list of SegmentClassifier
        Fitted.
    weights : ndarray of shape (members,)
        Of the members; they sum to 1.
    """

    name = SOFT_VOTE

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, features: pd.DataFrame, segments: pd.Series) -> Self:
        """Fit the members and their weights; as ``SegmentClassifier.fit``."""
        self.members = [SegmentClassifier(name, self.seed) for name in ESTIMATORS]
        likelihoods = np.column_stack(
            [member.fit_and_judge(features, segments) for member in self.members]
        )
        self.classes = self.members[0].classes
        self.weights = _mixed(likelihoods)
        return self

    def predict_proba(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return how likely each segment is; as ``SegmentClassifier.predict_proba``."""
        votes = [one.predict_proba(features).to_numpy() for one in self.members]
        found = np.average(votes, axis=0, weights=self.weights)
        return pd.DataFrame(found, index=features.index, columns=self.classes)


class MajorityClass:
    """The baseline: the shares of the segments, whoever the customer is.

    Attributes
    ----------
    classes : list of str
        The segments, sorted.
    shares : ndarray of shape (classes,)
        How many of the customers are in each.
    """

    name = MAJORITY

    def fit(self, features: pd.DataFrame, segments: pd.Series) -> Self:
        """Count the segments; as ``SegmentClassifier.fit``."""
        _, segments = aligned(features, segments)
        counts = segments.value_counts(normalize=True).sort_index()
        self.classes: list[str] = counts.index.tolist()
        self.shares = counts.to_numpy(dtype=float)
        return self

    def predict_proba(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return the shares for every customer."""
        found = np.tile(self.shares, (len(features), 1))
        return pd.DataFrame(found, index=features.index, columns=self.classes)


Classifier = SegmentClassifier | SoftVote | MajorityClass

CLASSIFIERS: dict[str, Callable[[], Classifier]] = {
    **{name: partial(SegmentClassifier, name) for name in ESTIMATORS},
    SOFT_VOTE: SoftVote,
    MAJORITY: MajorityClass,
}


def fit_classifiers(
    features: pd.DataFrame, segments: pd.Series, seed: int = 0
) -> dict[str, Classifier]:
    """Fit every one of ``CLASSIFIERS``, in the time that the vote alone takes.

    Parameters
    ----------
    features, segments
        As of ``SegmentClassifier.fit``, of which errors are too.
    seed : int
        Of what the classifiers draw.
    """
    vote = SoftVote(seed).fit(features, segments)
    return {
        **{member.name: member for member in vote.members},
        SOFT_VOTE: vote,
        MAJORITY: MajorityClass().fit(features, segments),
    }


def _mixed(likelihoods: Probabilities) -> Probabilities:
    """Return the weights of a mixture, by expectation-maximisation.

    Parameters
    ----------
    likelihoods : ndarray of shape (n, members)
        How likely each member held the segment of each customer.
    """
    weights = np.full(likelihoods.shape[1], 1 / likelihoods.shape[1])
    bounded = np.maximum(likelihoods, LEAST)
    for _ in range(ROUNDS):
        parts = bounded * weights
        weights = (parts / parts.sum(axis=1, keepdims=True)).mean(axis=0)
    return weights / weights.sum()
