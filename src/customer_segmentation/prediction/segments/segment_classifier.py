"""One classifier of segments, with calibrated probabilities."""

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression

from customer_segmentation.errors import InputError
from customer_segmentation.parallel import single_threaded
from customer_segmentation.prediction.preparation import Preparation
from customer_segmentation.prediction.segments.calibration import (
    FOLDS,
    Codes,
    Probabilities,
    SegmentCalibration,
    stratified_folds,
)
from customer_segmentation.prediction.settings import SEED

__all__ = ["SegmentClassifier", "sorted_by_key"]

# a strong penalty, because each segment has a margin
LINK_C = 0.03


class SegmentClassifier(BaseEstimator):
    """A classifier of scikit-learn with prepared features and calibrated probabilities.

    Probabilities are calibrated on out-of-fold predictions.

    Parameters
    ----------
    estimator : scikit-learn classifier
        Not fitted.
    random_state : int
        Seed of the estimator, if it draws.

    Attributes
    ----------
    classes_ : ndarray of str
        The segments, sorted.
    shares_ : ndarray of shape (classes,)
        Share of the customers in each segment.
    preparation_ : Preparation
        From features to columns.
    estimator_ : scikit-learn classifier or None
        None if all customers are in one segment.
    link_ : LogisticRegression or None
        From margins to probabilities, if the estimator gives no probabilities.
    calibration_ : SegmentCalibration
    """

    def __init__(self, estimator: Any, random_state: int = SEED) -> None:
        self.estimator = estimator
        self.random_state = random_state

    def fit(self, features: pd.DataFrame, segments: pd.Series) -> Self:
        """Learn from customers whose segment is known.

        Parameters
        ----------
        features : pandas.DataFrame of shape (n, d)
            Indexed by customer key. The order of the rows does not matter.
        segments : pandas.Series of shape (n,)
            The segment of each customer, by the same keys.

        Raises
        ------
        InputError
            If there are no customers, a segment is missing, or a feature cannot be
            read.
        """
        self.fit_out_of_fold(features, segments)
        return self

    @single_threaded()
    def fit_out_of_fold(
        self, features: pd.DataFrame, segments: pd.Series
    ) -> Probabilities:
        """Fit as ``fit`` does, and return out-of-fold probabilities.

        Returns
        -------
        ndarray of shape (n,)
            The calibrated probability of each customer's own segment, sorted by key.
        """
        features, segments = sorted_by_key(features, segments)
        self.classes_, codes = np.unique(
            segments.to_numpy(dtype=str), return_inverse=True
        )
        self.shares_ = np.bincount(codes) / len(codes)
        self.preparation_ = Preparation()
        columns = self.preparation_.fit_transform(features)
        self.estimator_ = self._fitted(columns, codes)
        scores = self._out_of_fold_scores(columns, codes)
        self.link_: LogisticRegression | None = None
        if self.estimator_ is not None and not _has_probabilities(self.estimator_):
            self.link_ = LogisticRegression(C=LINK_C, max_iter=1_000)
            self.link_.fit(scores, codes)
        out_of_fold = self._linked(scores)
        self.calibration_ = SegmentCalibration(self.shares_).fit(out_of_fold, codes)
        calibrated = self.calibration_.transform(out_of_fold)
        return calibrated[np.arange(len(codes)), codes]

    @single_threaded()
    def predict_proba(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return the probabilities of the segments of n customers.

        Parameters
        ----------
        features : pandas.DataFrame of shape (n, d)
            With the features learned from.

        Returns
        -------
        pandas.DataFrame of shape (n, classes)
            Indexed as the features, with a column for each of ``classes_``. Rows add up
            to 1.

        Raises
        ------
        InputError
            If a feature is missing.
        """
        columns = self.preparation_.transform(features)
        scores = self._linked(self._scores(self.estimator_, columns))
        found = self.calibration_.transform(scores)
        return pd.DataFrame(found, index=features.index, columns=self.classes_)

    def _fitted(self, columns: Probabilities, codes: Codes) -> Any:
        if len(np.unique(codes)) < 2:
            return None
        estimator = clone(self.estimator)
        settings = estimator.get_params()
        if "random_state" in settings:
            estimator.set_params(random_state=self.random_state)
        if "n_neighbors" in settings:
            neighbors = min(settings["n_neighbors"], len(codes))
            estimator.set_params(n_neighbors=neighbors)
        return estimator.fit(columns, codes)

    def _out_of_fold_scores(
        self, columns: Probabilities, codes: Codes
    ) -> Probabilities:
        folds = stratified_folds(codes)
        scores = np.empty((len(codes), len(self.classes_)))
        for fold in range(FOLDS):
            is_test = folds == fold
            estimator = self._fitted(columns[~is_test], codes[~is_test])
            scores[is_test] = self._scores(estimator, columns[is_test])
        return scores

    def _scores(self, estimator: Any, columns: Probabilities) -> Probabilities:
        """Return probabilities, or margins if the estimator gives no probabilities.

        Segments that the estimator does not know have a probability of 0 or a margin of
        -1. Without an estimator the scores are the shares.
        """
        if estimator is None or len(columns) == 0:
            return np.tile(self.shares_, (len(columns), 1))
        shape = (len(columns), len(self.classes_))
        if _has_probabilities(estimator):
            scores = np.zeros(shape)
            scores[:, estimator.classes_] = estimator.predict_proba(columns)
            return scores
        margins = estimator.decision_function(columns)
        if margins.ndim == 1:
            margins = np.column_stack([-margins, margins])
        scores = np.full(shape, -1.0)
        scores[:, estimator.classes_] = margins
        return scores

    def _linked(self, scores: Probabilities) -> Probabilities:
        if self.link_ is None or len(scores) == 0:
            return scores
        probabilities: Probabilities = self.link_.predict_proba(scores)
        return probabilities


def sorted_by_key(
    features: pd.DataFrame, segments: pd.Series
) -> tuple[pd.DataFrame, pd.Series]:
    """Return both sorted by customer key, so that the order of rows does not matter.

    Raises
    ------
    InputError
        If there are no customers, a key is duplicated or only in one of the two, or a
        customer has no segment.
    """
    if len(segments) == 0:
        raise InputError("segments: there are no customers to learn from; give some")
    if not features.index.is_unique or not segments.index.is_unique:
        raise InputError(
            "customers: a key is duplicated; give one row for each customer"
        )
    if len(features) != len(segments) or not segments.index.isin(features.index).all():
        raise InputError(
            "customers: features and segments have different keys; give both for the "
            "same customers"
        )
    if segments.isna().any():
        raise InputError(
            f"segments: {int(segments.isna().sum())} customers have no segment; remove "
            "them"
        )
    segments = segments.astype(str).sort_index()
    return features.loc[segments.index], segments


def _has_probabilities(estimator: Any) -> bool:
    return hasattr(estimator, "predict_proba")
