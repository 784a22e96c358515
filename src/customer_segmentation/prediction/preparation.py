"""Features become columns of numbers, whatever is missing or new."""

from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.feature_kinds import (
    ModelFeature,
    Numbers,
    as_numbers,
    features_of,
    side_by_side,
)

__all__ = ["Preparation", "SkewedLogarithm"]

# a category needs as many customers for a column of its own
MIN_LEVEL_SIZE = 10
# numbers with a larger skewness become their logarithm
MAX_SKEWNESS = 2.0
# standard deviations; larger distances from the mean count as this one
MAX_DISTANCE = 6.0


class SkewedLogarithm(TransformerMixin, BaseEstimator):
    """Replaces skewed columns by their logarithm: log(1 + abs(x)), with the sign.

    Parameters
    ----------
    max_skewness : float
        Columns with a larger absolute skewness are skewed.

    Attributes
    ----------
    is_skewed_ : ndarray of shape (d,)
        Which columns are skewed.

    Examples
    --------
    >>> spend = np.array([[0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [np.e - 1]])
    >>> SkewedLogarithm(2.0).fit_transform(spend)[-1]
    array([1.])
    """

    def __init__(self, max_skewness: float = MAX_SKEWNESS) -> None:
        self.max_skewness = max_skewness

    def fit(self, columns: Numbers, y: object = None) -> Self:
        """Find the skewed columns of an array of shape (n, d) without ``nan``."""
        deviations = columns - columns.mean(axis=0)
        scale = deviations.std(axis=0)
        # a constant column is not skewed
        scale[scale == 0] = 1.0
        skewness = np.mean((deviations / scale) ** 3, axis=0)
        self.is_skewed_ = np.abs(skewness) > self.max_skewness
        return self

    def transform(self, columns: Numbers) -> Numbers:
        """Return the columns, an array of shape (n, d)."""
        found = columns.copy(order="K")
        skewed = columns[:, self.is_skewed_]
        found[:, self.is_skewed_] = np.sign(skewed) * np.log1p(np.abs(skewed))
        return found


class Preparation(TransformerMixin, BaseEstimator):
    """Turns numbers, flags and categories into columns that any model can read.

    A missing number becomes the median, and a column of 0 and 1 says that it was
    missing. A skewed number becomes its logarithm. All numbers are standardised. A
    category has a column of 0 and 1 for each frequent level; rare, new and missing
    levels are 0 in all of them. A feature with the same value for all customers makes
    no column.

    Parameters
    ----------
    has_categories : bool
        Whether to read categories, and not only numbers and flags.

    Attributes
    ----------
    features_ : tuple of ModelFeature
        The features read.
    numbers_, categories_ : list of str
        The features that make columns.
    columns_ : ColumnTransformer or None
        Standardises the numbers, then says which are missing. None without numbers.
    order_ : list of int
        Puts each column of missing numbers beside its number. Forests draw columns by
        position, so another order makes another model.
    levels_ : OneHotEncoder or None
        Makes the columns of the categories. None without categories.
    width_ : int
        Number of columns.

    Examples
    --------
    >>> frame = pd.DataFrame({"items": [1.0, 3.0, None]})
    >>> Preparation().fit_transform(frame).round(2).tolist()
    [[-1.22, 0.0], [1.22, 0.0], [0.0, 1.0]]
    """

    def __init__(self, has_categories: bool = True) -> None:
        self.has_categories = has_categories

    def fit(self, features: pd.DataFrame, y: object = None) -> Self:
        """Learn from the features of n customers, as ``fit_transform``."""
        self.fit_transform(features)
        return self

    def fit_transform(self, features: pd.DataFrame, y: object = None) -> Numbers:
        """Learn from the features of n customers, and return their columns.

        Raises
        ------
        InputError
            If there are no customers, two columns have the same name, or a column holds
            neither numbers, texts nor booleans.
        """
        if features.empty:
            raise InputError(
                "features: there are no customers or no columns to learn from"
            )
        if not features.columns.is_unique:
            raise InputError("features: two columns have the same name; rename one")
        self.features_ = self._read_features(features)
        numbers = {
            one.name: as_numbers(features[one.name])
            for one in self.features_
            if one.kind != "category"
        }
        self.numbers_ = [name for name, values in numbers.items() if _varies(values)]
        levels = {
            one.name: _frequent_levels(features[one.name])
            for one in self.features_
            if one.kind == "category"
        }
        self.categories_ = [name for name, found in levels.items() if len(found)]
        columns = [np.zeros((len(features), 0))]
        self.columns_: ColumnTransformer | None = None
        self.levels_: OneHotEncoder | None = None
        if self.numbers_:
            values = side_by_side([numbers[name] for name in self.numbers_])
            self.columns_, self.order_ = _transformer_of(values)
            columns.append(self.columns_.fit_transform(values)[:, self.order_])
        if self.categories_:
            self.levels_ = OneHotEncoder(
                categories=[levels[name] for name in self.categories_],
                handle_unknown="ignore",
                sparse_output=False,
            )
            columns.append(self.levels_.fit_transform(self._texts(features)))
        found = _limited(columns)
        self.width_ = found.shape[1]
        return found

    def transform(self, features: pd.DataFrame) -> Numbers:
        """Return the columns of n customers.

        Parameters
        ----------
        features : pandas.DataFrame of shape (n, d)
            The features learned from; other columns are ignored.

        Returns
        -------
        ndarray of shape (n, columns)
            Finite numbers. If no feature varies, one column of zeros.

        Raises
        ------
        InputError
            If a feature is missing, or holds texts instead of numbers.
        """
        names = [feature.name for feature in self.features_]
        if missing := [name for name in names if name not in features]:
            raise InputError(
                f"features: there is no column {', '.join(missing)}, which the model "
                "reads; add it, or train the model again"
            )
        # scikit-learn refuses to transform no rows
        if len(features) == 0:
            return np.zeros((0, self.width_))
        columns = [np.zeros((len(features), 0))]
        if self.columns_ is not None:
            numbers = [as_numbers(features[name]) for name in self.numbers_]
            found = self.columns_.transform(side_by_side(numbers))
            columns.append(found[:, self.order_])
        if self.levels_ is not None:
            columns.append(self.levels_.transform(self._texts(features)))
        return _limited(columns)

    def _read_features(self, features: pd.DataFrame) -> tuple[ModelFeature, ...]:
        found = features_of(features, [str(name) for name in features.columns])
        if not self.has_categories:
            return tuple(one for one in found if one.kind in ("number", "flag"))
        for one in found:
            if one.kind == "date":
                raise InputError(
                    f"feature {one.name}: holds dates; give numbers made of them"
                )
        return found

    def _texts(self, features: pd.DataFrame) -> NDArray[np.object_]:
        """Return the categories as texts, None if missing, shape (n, categories)."""
        columns = [_text_or_none(features[name]) for name in self.categories_]
        return np.column_stack(columns)


def _varies(numbers: Numbers) -> bool:
    known = numbers[~np.isnan(numbers)]
    has_gaps = len(known) < len(numbers)
    return len(known) > 0 and bool(has_gaps or known.min() < known.max())


def _text_or_none(column: pd.Series) -> NDArray[np.object_]:
    texts = column.astype(object).where(column.notna(), None)
    return np.array(
        [None if text is None else str(text) for text in texts], dtype=object
    )


def _frequent_levels(column: pd.Series) -> NDArray[np.object_]:
    """Return the levels that have a column, sorted; one for all tells nothing."""
    sizes = pd.Series(_text_or_none(column)).value_counts()
    is_frequent = (sizes >= MIN_LEVEL_SIZE) & (sizes < len(column))
    return np.array(sorted(sizes.index[is_frequent]), dtype=object)


def _transformer_of(numbers: Numbers) -> tuple[ColumnTransformer, list[int]]:
    """Return what makes columns of numbers, and the order of the columns."""
    width = numbers.shape[1]
    incomplete = np.flatnonzero(np.isnan(numbers).any(axis=0)).tolist()
    standardised = make_pipeline(
        SimpleImputer(strategy="median"), SkewedLogarithm(), StandardScaler()
    )
    transformer = ColumnTransformer(
        [
            ("numbers", standardised, list(range(width))),
            ("missing", MissingIndicator(features="all"), incomplete),
        ]
    )
    order = sorted(
        range(width + len(incomplete)),
        key=lambda at: at if at < width else incomplete[at - width] + 0.5,
    )
    return transformer, order


def _limited(columns: list[Numbers]) -> Numbers:
    found = np.hstack(columns)
    if found.shape[1] == 0:
        return np.zeros((len(found), 1))
    return np.clip(found, -MAX_DISTANCE, MAX_DISTANCE)
