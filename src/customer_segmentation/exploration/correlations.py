"""Rank correlations (Spearman) of the features of customers.

Ranks, because most features have long tails. Two features are compared on the
customers who have both.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy.stats import rankdata

from customer_segmentation import engine
from customer_segmentation.parallel import single_threaded

__all__ = ["CORRELATIONS", "correlate_features", "rank_correlations"]

Values = NDArray[np.float64]

CORRELATIONS = pa.schema(
    [
        ("source_system", pa.string()),
        ("feature", pa.string()),
        ("other_feature", pa.string()),
        ("customers", pa.int64()),
        ("correlation", pa.float64()),
    ]
)
# more customers change a correlation by 0.01 at most
MAX_CUSTOMERS = 10_000
DECIMALS = 6


def rank_correlations(values: Values) -> tuple[Values, NDArray[np.int64]]:
    """Return the rank correlation of each pair of columns, and the rows that have both.

    Parameters
    ----------
    values : ndarray of shape (n, d)
        Missing values are nan.

    Returns
    -------
    correlations : ndarray of shape (d, d)
        Nan where fewer than three rows have both, or all rows are equal.
    rows : ndarray of shape (d, d)
        Number of rows that have both.

    Examples
    --------
    >>> values = np.array([[1, 10, 3], [2, 20, 2], [3, 90, 1], [4, 95, np.nan]])
    >>> correlations, rows = rank_correlations(values)
    >>> correlations[0].round(6).tolist(), rows[0].tolist()
    ([1.0, 1.0, -1.0], [4, 4, 3])
    """
    is_known = ~np.isnan(values)
    # columns that the same rows have are compared with one ranking
    patterns, groups = np.unique(is_known, axis=1, return_inverse=True)
    columns = [np.flatnonzero(groups == one) for one in range(patterns.shape[1])]
    width = values.shape[1]
    correlations = np.full((width, width), np.nan)
    rows = np.zeros((width, width), np.int64)
    for one, left in enumerate(columns):
        for other, right in enumerate(columns[: one + 1]):
            both = patterns[:, one] & patterns[:, other]
            found = _correlate(values[both][:, left], values[both][:, right])
            correlations[np.ix_(left, right)] = found
            correlations[np.ix_(right, left)] = found.T
            rows[np.ix_(left, right)] = rows[np.ix_(right, left)] = both.sum()
    return correlations, rows


def _correlate(left: Values, right: Values) -> Values:
    """Return the rank correlations of two sets of columns without missing values."""
    if len(left) < 3:
        return np.full((left.shape[1], right.shape[1]), np.nan)
    scaled = []
    for columns in (left, right):
        ranks = rankdata(columns, axis=0)
        ranks -= ranks.mean(axis=0)
        lengths = np.sqrt((ranks**2).sum(axis=0))
        scaled.append(ranks / np.where(lengths > 0, lengths, np.nan))
    return np.asarray(np.clip(scaled[0].T @ scaled[1], -1, 1))


@single_threaded()
def correlate_features(
    features: engine.Relation, source_systems: Sequence[str]
) -> pa.Table:
    """Correlate the numeric features of each source system's customers.

    Parameters
    ----------
    features : engine.Relation
        One row per customer: ``customer_key``, ``source_system``, and features, which
        are all other columns. Of very many customers, a sample is read.
    source_systems : sequence of str
        Their names.

    Returns
    -------
    pyarrow.Table
        ``CORRELATIONS``: one row per source system and pair of different features that
        the source system records, both ways.
    """
    names = [
        name
        for name in features.columns
        if name not in ("customer_key", "source_system")
    ]
    tables = [CORRELATIONS.empty_table()]
    for source_system in source_systems:
        frame = engine.read(
            features,
            names,
            where={"source_system": source_system},
            limit=MAX_CUSTOMERS,
        )
        frame = frame.astype(float).dropna(axis="columns", how="all")
        tables.append(_as_table(source_system, frame))
    return pa.concat_tables(tables)


def _as_table(source_system: str, frame: pd.DataFrame) -> pa.Table:
    correlations, rows = rank_correlations(frame.to_numpy())
    one, other = np.nonzero(~np.eye(len(frame.columns), dtype=bool))
    names = np.array(frame.columns, dtype=object)
    found = correlations[one, other].round(DECIMALS)
    columns = (
        np.full(len(one), source_system, dtype=object),
        *(names[one], names[other]),
        rows[one, other],
        pa.array(found, mask=np.isnan(found)),
    )
    return pa.table(dict(zip(CORRELATIONS.names, columns, strict=True)), CORRELATIONS)
