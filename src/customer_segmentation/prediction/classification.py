"""How well segments are predicted: the figures of the field, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_segmentation.errors import InputError

__all__ = [
    "Judged",
    "Quality",
    "bootstrap_quality",
    "confusion_matrix",
    "mean_quality",
    "measure_quality",
    "quality_draws",
]

# a segment that the model does not know was held to be this likely
LEAST = 1e-6
SEED = 0

Counts = NDArray[np.float64]


@dataclass(frozen=True)
class Quality:
    """Figures of predicted segments; all but the last are better when greater.

    Parameters
    ----------
    accuracy : float
        The share of the customers whose likeliest segment is theirs.
    balanced_accuracy : float
        The mean over the segments there are of the share of their customers found.
    macro_f1 : float
        The mean over segments that there are, or that are predicted, of F1.
    log_loss : float
        The mean of minus the logarithm of the probability of the actual segment.
    """

    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    log_loss: float


def measure_quality(segments: pd.Series, probabilities: pd.DataFrame) -> Quality:
    """Return the figures of n customers.

    Parameters
    ----------
    segments : pandas.Series of shape (n,)
        The actual segment of each; one that the model does not know counts as missed.
    probabilities : pandas.DataFrame of shape (n, classes)
        By the same keys. Of equally likely segments the first column counts.

    Raises
    ------
    InputError
        If there is no customer, or the keys differ.
    """
    table = Judged.of(segments, probabilities)
    return table.quality(np.ones(len(segments)))


def bootstrap_quality(
    segments: pd.Series,
    probabilities: pd.DataFrame,
    draws: int = 1_000,
    level: float = 0.95,
) -> tuple[Quality, Quality]:
    """Return the lower and upper ends of intervals, customers drawn with replacement.

    Parameters
    ----------
    segments, probabilities
        As of ``measure_quality``, of which errors are too.
    draws : int
        Of customers.
    level : float
        Of the intervals, between percentiles.
    """
    drawn = quality_draws([Judged.of(segments, probabilities)], draws)
    ends = drawn.quantile([(1 - level) / 2, (1 + level) / 2])
    low, high = (Quality(**end) for end in ends.to_dict("records"))
    return low, high


def quality_draws(by_seed: Sequence["Judged"], draws: int) -> pd.DataFrame:
    """Return figures of samples of the customers, of as many, drawn with replacement.

    As many customers are drawn alike whatever is said of them, so that the draws of two
    models can be compared one by one.

    Parameters
    ----------
    by_seed : sequence of Judged
        The same customers, judged by models that differ in their seed.
    draws : int
        Number of samples.

    Returns
    -------
    pandas.DataFrame of shape (draws, figures)
        The mean over the seeds of each figure of ``Quality``.
    """
    rng = np.random.default_rng(SEED)
    customers = len(by_seed[0].actual)
    evenly = np.full(customers, 1 / customers)
    return pd.DataFrame(
        [
            mean_quality(by_seed, rng.multinomial(customers, evenly))
            for _ in range(draws)
        ],
        columns=[figure.name for figure in fields(Quality)],
        dtype=float,
    )


def mean_quality(
    by_seed: Sequence["Judged"], weights: Counts | None = None
) -> dict[str, float]:
    """Return the means over seeds of the figures of customers who count so often."""
    if weights is None:
        weights = np.ones(len(by_seed[0].actual))
    found = [vars(one.quality(weights)) for one in by_seed]
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


def confusion_matrix(segments: pd.Series, probabilities: pd.DataFrame) -> pd.DataFrame:
    """Return how many customers of each segment (rows) are held to be of which.

    Rows and columns are all segments that there are or that the model knows, sorted.
    """
    table = Judged.of(segments, probabilities)
    counts = table.confusion(np.ones(len(segments))).astype(np.int64)
    names = pd.Index(table.names)
    return pd.DataFrame(
        counts, index=names.rename("actual"), columns=names.rename("predicted")
    )


@dataclass(frozen=True)
class Judged:
    """What is measured of each customer; codes are positions in the names.

    Parameters
    ----------
    names : list of str
        The segments.
    actual, predicted : ndarray of shape (n,)
        Codes of the customer's segment, and of the likeliest one.
    losses : ndarray of shape (n,)
        Minus the logarithm of the probability of the actual segment.
    """

    names: list[str]
    actual: NDArray[np.int64]
    predicted: NDArray[np.int64]
    losses: Counts

    @classmethod
    def of(cls, segments: pd.Series, probabilities: pd.DataFrame) -> "Judged":
        """Take up the segment of each customer, and how likely each one is."""
        if len(segments) == 0:
            raise InputError("segments: no customer to measure; give at least one")
        if not segments.index.is_unique or not probabilities.index.is_unique:
            raise InputError("customers: a key is there twice; give one row for each")
        if len(segments) != len(probabilities) or set(segments.index) != set(
            probabilities.index
        ):
            raise InputError(
                "customers: segments and probabilities are of others; give both the "
                "same keys"
            )
        segments = segments.astype(str).sort_index()
        probabilities = probabilities.loc[segments.index]
        names = sorted({*segments, *probabilities.columns})
        likelihood = probabilities.reindex(columns=names, fill_value=0.0).to_numpy()
        position = {name: number for number, name in enumerate(names)}
        actual = np.array([position[name] for name in segments], dtype=np.int64)
        of_column = np.array([position[name] for name in probabilities.columns])
        of_actual = likelihood[np.arange(len(actual)), actual]
        return cls(
            names=names,
            actual=actual,
            predicted=of_column[probabilities.to_numpy().argmax(axis=1)],
            losses=-np.log(np.maximum(of_actual, LEAST)),
        )

    @classmethod
    def of_columns(
        cls, segments: pd.Series, predicted: pd.Series, probability: pd.Series
    ) -> "Judged":
        """Take up the segment, the likeliest one, and the probability of the actual."""
        both = pd.concat([segments, predicted], ignore_index=True).astype(str)
        codes, names = pd.factorize(both, sort=True)
        return cls(
            names=list(names),
            actual=codes[: len(segments)],
            predicted=codes[len(segments) :],
            losses=-np.log(np.maximum(probability.to_numpy(dtype=float), LEAST)),
        )

    def confusion(self, weights: Counts) -> Counts:
        """Return the weighted counts of shape (names, names)."""
        size = len(self.names)
        pairs = self.actual * size + self.predicted
        counted = np.bincount(pairs, weights=weights, minlength=size * size)
        return counted.reshape(size, size)

    def quality(self, weights: Counts) -> Quality:
        """Return the figures of customers that count so many times each."""
        counts = self.confusion(weights)
        hits = np.diag(counts)
        actual, predicted = counts.sum(axis=1), counts.sum(axis=0)
        is_there, is_named = actual > 0, actual + predicted > 0
        f1 = 2 * hits[is_named] / (actual + predicted)[is_named]
        return Quality(
            accuracy=float(hits.sum() / weights.sum()),
            balanced_accuracy=float((hits[is_there] / actual[is_there]).mean()),
            macro_f1=float(f1.mean()),
            log_loss=float(np.average(self.losses, weights=weights)),
        )
