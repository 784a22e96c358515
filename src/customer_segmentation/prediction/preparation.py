"""Features of customers as columns of numbers, whatever is missing or new."""

from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.feature_kinds import features_of

__all__ = ["Preparation"]

# a level of fewer customers is one of the others
RARE_LEVEL = 10
# past this skewness a number is taken as its logarithm
SKEWED = 2.0
# in standard deviations; who is farther counts as this far
FARTHEST = 6.0

Columns = NDArray[np.float64]


class Preparation:
    """Turns numbers, flags and categories into columns that any model can take.

    A number becomes its logarithm where it is skewed (of one more than its size, with
    its sign), then standardised; a missing one becomes the median, and a 0/1 column
    says so. A category becomes a 0/1 column for each level of at least ``RARE_LEVEL``
    customers; rare, new and missing levels are 0 in all of them. A feature that is the
    same for all customers makes no column.

    Attributes
    ----------
    names : list of str
        The features read.
    numbers : dict of str to list of float
        Of each number its median, whether it is skewed, mean, standard deviation, and
        whether it has a column for missing ones.
    levels : dict of str to list of str
        Of each category the levels that have a column.

    Examples
    --------
    >>> frame = pd.DataFrame({"items": [1.0, 3.0, None]})
    >>> Preparation().fit(frame).transform(frame).round(2).tolist()
    [[-1.22, 0.0], [1.22, 0.0], [0.0, 1.0]]
    """

    def fit(self, features: pd.DataFrame) -> Self:
        """Learn from the features of n customers what ``transform`` needs.

        Raises
        ------
        InputError
            If there is no customer, two columns have one name, or a column holds
            neither numbers, texts nor truth values.
        """
        if features.empty:
            raise InputError(
                "features: there is no customer or no column to learn from"
            )
        if not features.columns.is_unique:
            raise InputError("features: two columns have one name; rename one")
        self.names: list[str] = [str(name) for name in features.columns]
        self.numbers: dict[str, list[float]] = {}
        self.levels: dict[str, list[str]] = {}
        for feature in features_of(features, self.names):
            if feature.kind == "date":
                raise InputError(
                    f"feature {feature.name}: holds days; give numbers made of them"
                )
            column = features[feature.name]
            if feature.kind == "category":
                counts = column.dropna().astype(str).value_counts()
                frequent = counts[
                    (counts >= RARE_LEVEL) & (counts < len(column))
                ].index.tolist()
                if frequent:
                    self.levels[feature.name] = sorted(frequent)
            elif learned := _learned(_numbers(column)):
                self.numbers[feature.name] = learned
        return self

    def transform(self, features: pd.DataFrame) -> Columns:
        """Return the columns of n customers, those learned from or others.

        Parameters
        ----------
        features : pandas.DataFrame of shape (n, d)
            With the features learned from; others are not read.

        Returns
        -------
        ndarray of shape (n, columns)
            Finite; at least one column, of zeros where no feature tells customers
            apart.

        Raises
        ------
        InputError
            If a feature is missing, or numbers have become texts.
        """
        missing = [name for name in self.names if name not in features]
        if missing:
            raise InputError(
                f"features: there is no column {', '.join(missing)}, which the model "
                "reads; give it, or train the model anew"
            )
        columns = [np.zeros(len(features))]
        for name, learned in self.numbers.items():
            columns += _standardised(_numbers(features[name]), *learned)
        for name, levels in self.levels.items():
            text = features[name].dropna().astype(str).reindex(features.index)
            columns += [(text == level).to_numpy(dtype=float) for level in levels]
        return np.column_stack(columns[1:] or columns)


def _numbers(column: pd.Series) -> Columns:
    """Return a column as floats, ``nan`` where it is missing or infinite."""
    try:
        values = column.to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"feature {column.name}: is not a number ({error}); give numbers, or train "
            "the model anew"
        ) from error
    return np.where(np.isfinite(values), values, np.nan)


def _learned(values: Columns) -> list[float]:
    """Return what ``Preparation.numbers`` holds of a number, nothing if no use."""
    is_missing = np.isnan(values)
    known = values[~is_missing]
    if len(known) == 0 or (known.min() == known.max() and not is_missing.any()):
        return []
    median = float(np.median(known))
    filled = np.where(is_missing, median, values)
    is_skewed = abs(_skewness(filled)) > SKEWED
    if is_skewed:
        filled = _logarithm(filled)
    spread = float(filled.std())
    return [
        median,
        float(is_skewed),
        float(filled.mean()),
        spread if spread > 0 else 1.0,
        float(is_missing.any()),
    ]


def _standardised(
    values: Columns,
    median: float,
    is_skewed: float,
    mean: float,
    spread: float,
    has_flag: float,
) -> list[Columns]:
    is_missing = np.isnan(values)
    filled = np.where(is_missing, median, values)
    if is_skewed:
        filled = _logarithm(filled)
    standardised = np.clip((filled - mean) / spread, -FARTHEST, FARTHEST)
    return [standardised, is_missing.astype(float)] if has_flag else [standardised]


def _logarithm(values: Columns) -> Columns:
    return np.sign(values) * np.log1p(np.abs(values))


def _skewness(values: Columns) -> float:
    away = values - values.mean()
    spread = float(away.std())
    return float(np.mean((away / spread) ** 3)) if spread > 0 else 0.0
