"""Predicted segments: the most probable one, the usual metrics and their bootstrap."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from customer_segmentation.prediction.draws import counts_of_customers

__all__ = [
    "PredictedSegments",
    "Quality",
    "mean_quality",
    "most_probable",
    "ranked",
    "resample_means",
]

# the probability of a segment that the model does not know
MIN_PROBABILITY = 1e-6

Counts = NDArray[np.float64]


def most_probable(probabilities: pd.DataFrame) -> pd.DataFrame:
    """Return the most probable segment of each customer, and its probability.

    Parameters
    ----------
    probabilities : pandas.DataFrame of shape (n, segments)
        From a classifier. Of equal probabilities the first column counts.

    Returns
    -------
    pandas.DataFrame of shape (n, 2)
        ``segment`` and ``probability``.

    Examples
    --------
    >>> most_probable(pd.DataFrame({"lost": [0.2], "loyal": [0.8]}))
      segment  probability
    0   loyal          0.8
    """
    values = probabilities.to_numpy()
    position = values.argmax(axis=1)
    return pd.DataFrame(
        {
            "segment": probabilities.columns.to_numpy(dtype=object)[position],
            "probability": values[np.arange(len(values)), position],
        },
        index=probabilities.index,
    )


def ranked(probabilities: pd.DataFrame) -> pd.DataFrame:
    """Return the segments of each customer, the most probable one first.

    Parameters
    ----------
    probabilities : pandas.DataFrame of shape (n, segments)
        From a classifier. Of equal probabilities the first column comes first.

    Returns
    -------
    pandas.DataFrame of shape (n * segments, 3)
        ``segment``, ``segment_rank`` from 1 and ``probability``, with the index of the
        customer.

    Examples
    --------
    >>> ranked(pd.DataFrame({"lost": [0.2], "loyal": [0.8]}))
      segment  segment_rank  probability
    0   loyal             1          0.8
    0    lost             2          0.2
    """
    values = probabilities.to_numpy()
    count, segments = values.shape
    order = np.argsort(-values, axis=1, kind="stable")
    return pd.DataFrame(
        {
            "segment": probabilities.columns.to_numpy(dtype=object)[order].ravel(),
            "segment_rank": np.tile(np.arange(1, segments + 1), count),
            "probability": np.take_along_axis(values, order, axis=1).ravel(),
        },
        index=probabilities.index.repeat(segments),
    )


@dataclass(frozen=True)
class Quality:
    """Metrics of predicted segments; higher is better for all but the log loss.

    Parameters
    ----------
    accuracy : float
        Share of the customers whose most probable segment is theirs.
    balanced_accuracy : float
        Mean over the actual segments of the share of their customers found.
    macro_f1 : float
        Mean F1 over the segments that are actual or predicted.
    log_loss : float
        Mean of minus the logarithm of the probability of the actual segment, in nats.
    """

    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    log_loss: float


@dataclass(frozen=True)
class PredictedSegments:
    """Actual and predicted segments of n customers.

    Parameters
    ----------
    names : list of str
        The segments, sorted.
    actual, predicted : ndarray of shape (n,)
        Positions in the names, of the actual and of the most probable segment.
    losses : ndarray of shape (n,)
        Minus the logarithm of the probability of the actual segment.
    """

    names: list[str]
    actual: NDArray[np.int64]
    predicted: NDArray[np.int64]
    losses: Counts

    @classmethod
    def of(
        cls, actual: pd.Series, predicted: pd.Series, probability: pd.Series
    ) -> Self:
        """Return the segments of at least one customer, whatever the order of rows.

        Parameters
        ----------
        actual, predicted : pandas.Series of shape (n,)
            The actual and the most probable segment.
        probability : pandas.Series of shape (n,)
            Of the actual segment.

        Examples
        --------
        >>> actual = pd.Series(["loyal", "lost"])
        >>> guess = pd.Series(["loyal", "loyal"])
        >>> PredictedSegments.of(actual, guess, pd.Series([0.9, 0.1])).names
        ['lost', 'loyal']
        """
        both = pd.concat([actual, predicted], ignore_index=True).astype(str)
        codes, names = pd.factorize(both, sort=True)
        probabilities = probability.to_numpy(dtype=float)
        return cls(
            names=list(names),
            actual=codes[: len(actual)],
            predicted=codes[len(actual) :],
            losses=-np.log(np.maximum(probabilities, MIN_PROBABILITY)),
        )

    def confusion(self, weights: Counts) -> Counts:
        """Return weighted counts of shape (names, names), actual segments in rows."""
        size = len(self.names)
        pairs = self.actual * size + self.predicted
        counted = np.bincount(pairs, weights=weights, minlength=size * size)
        return np.asarray(counted, dtype=float).reshape(size, size)

    def quality(self, weights: Counts) -> Quality:
        """Return the metrics if each customer counts as often as its weight says."""
        counts = self.confusion(weights)
        hits = np.diag(counts)
        actual, predicted = counts.sum(axis=1), counts.sum(axis=0)
        is_actual, is_either = actual > 0, actual + predicted > 0
        f1 = 2 * hits[is_either] / (actual + predicted)[is_either]
        return Quality(
            accuracy=float(hits.sum() / weights.sum()),
            balanced_accuracy=float((hits[is_actual] / actual[is_actual]).mean()),
            macro_f1=float(f1.mean()),
            log_loss=float(np.average(self.losses, weights=weights)),
        )

    def qualities(self, weights: Counts) -> Counts:
        """Return the metrics of weights of shape (m, n), shape (m, metrics)."""
        size = len(self.names)
        pairs = self.actual * size + self.predicted
        rows = np.arange(len(pairs))
        has_pair = csr_array(
            (np.ones(len(pairs)), (pairs, rows)), shape=(size * size, len(pairs))
        )
        counts = (has_pair @ weights.T).T.reshape(-1, size, size)
        hits = np.diagonal(counts, axis1=1, axis2=2)
        actual, predicted = counts.sum(axis=2), counts.sum(axis=1)
        totals = weights.sum(axis=1)
        return np.column_stack(
            [
                hits.sum(axis=1) / totals,
                _mean_of_ratios(hits, actual),
                _mean_of_ratios(2 * hits, actual + predicted),
                (weights * self.losses).sum(axis=1) / totals,
            ]
        )


def _mean_of_ratios(parts: Counts, wholes: Counts) -> Counts:
    """Return the mean of each row over the places that have a whole."""
    has_whole = wholes > 0
    ratios = np.divide(parts, wholes, out=np.zeros_like(parts), where=has_whole)
    means: Counts = ratios.sum(axis=1) / has_whole.sum(axis=1)
    return means


def mean_quality(
    by_seed: Sequence[PredictedSegments], weights: Counts | None = None
) -> dict[str, float]:
    """Return mean metrics over models that differ in their seed.

    Parameters
    ----------
    by_seed : sequence of PredictedSegments
        The same n customers in the same order.
    weights : ndarray of shape (n,), optional
        How often each customer counts; once by default.
    """
    if weights is None:
        weights = np.ones(len(by_seed[0].actual))
    found = [vars(one.quality(weights)) for one in by_seed]
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


def resample_means(
    by_seed: Sequence[PredictedSegments], resamples: int
) -> dict[str, tuple[Counts, Counts]]:
    """Return mean metrics of resamples of the customers, and without groups of them.

    Parameters
    ----------
    by_seed : sequence of PredictedSegments
        As of ``mean_quality``.
    resamples : int
        How many.

    Returns
    -------
    dict
        Of each metric of ``Quality``: ``Resampled.drawn`` and ``Resampled.without``.
    """
    names = [metric.name for metric in fields(Quality)]
    found: dict[bool, list[Counts]] = {True: [], False: []}
    for is_drawn, counts in counts_of_customers(len(by_seed[0].actual), resamples):
        means = np.mean([one.qualities(counts) for one in by_seed], axis=0)
        found[is_drawn].append(means)
    nothing = np.empty((0, len(names)))
    of_draws, without = (
        np.concatenate([nothing, *found[one]]) for one in (True, False)
    )
    return {
        name: (of_draws[:, place], without[:, place])
        for place, name in enumerate(names)
    }
