"""One classifier of segments, with calibrated probabilities."""

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.preparation import Preparation
from customer_segmentation.prediction.segments.calibration import (
    FOLDS,
    Codes,
    Probabilities,
    calibrated,
    dealt_out,
    tempered,
)
from customer_segmentation.prediction.segments.estimators import ESTIMATORS

__all__ = ["SegmentClassifier", "aligned"]

# a strong penalty, for there is a margin for every segment
LINK_C = 0.03


class SegmentClassifier:
    """One classifier with its preparation of features and calibrated probabilities.

    Probabilities are calibrated on customers that the fit has not seen: they are
    sharpened or flattened by a temperature, then mixed with the shares of the segments.
    Two numbers, so that a segment of a single customer does no harm. Which segment is
    the likeliest changes next to never.

    Parameters
    ----------
    name : str
        One of ``ESTIMATORS``.
    seed : int
        Of what it draws.

    Attributes
    ----------
    classes : list of str
        The segments, sorted.
    shares : ndarray of shape (classes,)
        How many of the customers are in each.
    preparation : Preparation
        From features to columns.
    estimator : scikit-learn classifier or None
        None where all customers are in one segment.
    link : LogisticRegression or None
        From margins to probabilities, of a classifier that knows no probabilities.
    temperature, caution : float
        Of the calibration; caution is the weight of the shares, from 0 to 1.
    """

    def __init__(self, name: str, seed: int = 0) -> None:
        self.name = name
        self.seed = seed

    def fit(self, features: pd.DataFrame, segments: pd.Series) -> Self:
        """Learn from customers whose segment is known.

        Parameters
        ----------
        features : pandas.DataFrame of shape (n, d)
            Indexed by customer key; the order of the rows does not matter.
        segments : pandas.Series of shape (n,)
            The segment of each, by the same keys.

        Raises
        ------
        InputError
            If there is no customer, one has no segment, or a feature cannot be used.
        """
        self.fit_and_judge(features, segments)
        return self

    # a sum has other bits when other threads share it
    @threadpool_limits.wrap(limits=1)
    def fit_and_judge(
        self, features: pd.DataFrame, segments: pd.Series
    ) -> Probabilities:
        """Fit, and return how likely fits without them held each customer's segment.

        Returns
        -------
        ndarray of shape (n,)
            Calibrated; sorted by customer key.
        """
        features, segments = aligned(features, segments)
        self.classes: list[str] = sorted(segments.unique().tolist())
        codes = segments.map({name: code for code, name in enumerate(self.classes)})
        codes = codes.to_numpy(dtype=np.int64)
        self.shares = np.bincount(codes) / len(codes)
        self.preparation = Preparation().fit(features)
        columns = self.preparation.transform(features)
        self.estimator = self._fitted(columns, codes)
        scores = self._score_unseen(columns, codes)
        self.link = None
        if self.estimator is not None and not hasattr(self.estimator, "predict_proba"):
            self.link = LogisticRegression(C=LINK_C, max_iter=1_000).fit(scores, codes)
        unseen = self._linked(scores)
        self.temperature, self.caution = calibrated(unseen, codes, self.shares)
        return self._calibrated(unseen)[np.arange(len(codes)), codes]

    @threadpool_limits.wrap(limits=1)
    def predict_proba(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return how likely each customer is in each segment.

        Parameters
        ----------
        features : pandas.DataFrame of shape (n, d)
            With the features learned from, n may be 0.

        Returns
        -------
        pandas.DataFrame of shape (n, classes)
            Indexed as the features, a column for each of ``classes``; rows sum to 1.

        Raises
        ------
        InputError
            If a feature is missing.
        """
        columns = self.preparation.transform(features)
        raw = self._linked(self._score(self.estimator, columns))
        found = self._calibrated(raw)
        return pd.DataFrame(found, index=features.index, columns=self.classes)

    def _calibrated(self, raw: Probabilities) -> Probabilities:
        return tempered(raw, self.shares, self.temperature, self.caution)

    def _fitted(self, columns: Probabilities, codes: Codes) -> Any:
        if len(np.unique(codes)) < 2:
            return None
        return ESTIMATORS[self.name](len(codes), self.seed).fit(columns, codes)

    def _score_unseen(self, columns: Probabilities, codes: Codes) -> Probabilities:
        """Return what fits to the other folds say of each customer."""
        folds = dealt_out(codes)
        unseen = np.empty((len(codes), len(self.classes)))
        for fold in range(FOLDS):
            is_held = folds == fold
            fitted = self._fitted(columns[~is_held], codes[~is_held])
            unseen[is_held] = self._score(fitted, columns[is_held])
        return unseen

    def _score(self, estimator: Any, columns: Probabilities) -> Probabilities:
        """Return probabilities, of segments not seen 0; or margins, of those -1."""
        if estimator is None or len(columns) == 0:
            return np.tile(self.shares, (len(columns), 1))
        if hasattr(estimator, "predict_proba"):
            scores = np.zeros((len(columns), len(self.classes)))
            scores[:, estimator.classes_] = estimator.predict_proba(columns)
            return scores
        margins = estimator.decision_function(columns)
        if margins.ndim == 1:
            margins = np.column_stack([-margins, margins])
        scores = np.full((len(columns), len(self.classes)), -1.0)
        scores[:, estimator.classes_] = margins
        return scores

    def _linked(self, scores: Probabilities) -> Probabilities:
        if self.link is None or len(scores) == 0:
            return scores
        return self.link.predict_proba(scores)


def aligned(
    features: pd.DataFrame, segments: pd.Series
) -> tuple[pd.DataFrame, pd.Series]:
    """Return both sorted by key, so that the order of the rows does not matter.

    Raises
    ------
    InputError
        If there is no customer, a key is there twice or in one of both only, or a
        customer has no segment.
    """
    if len(segments) == 0:
        raise InputError("segments: no customer to learn from; give at least one")
    if not features.index.is_unique or not segments.index.is_unique:
        raise InputError("customers: a key is there twice; give one row per customer")
    if len(features) != len(segments) or not segments.index.isin(features.index).all():
        raise InputError(
            "customers: features and segments are of others; give both the same keys"
        )
    if segments.isna().any():
        raise InputError(
            f"segments: {int(segments.isna().sum())} customers have none; leave "
            "them out"
        )
    segments = segments.astype(str).sort_index()
    return features.loc[segments.index], segments
