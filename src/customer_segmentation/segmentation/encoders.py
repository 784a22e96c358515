"""Features as columns of the design matrix: read, checked, encoded and decoded."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from customer_segmentation.errors import InputError
from customer_segmentation.segmentation.transforms import (
    Constant,
    fitted_transform,
    restore_transform,
    store_transform,
)

OTHER = "other"
UNKNOWN = "unknown"
# squares of larger numbers, summed over customers, overflow
MAX_VALUE = 1e100

Columns = NDArray[np.float64]


def require_column(
    segmentation: str, feature: str, columns: Collection[str], key: str | None = None
) -> None:
    """Raise an `InputError` that suggests the nearest name if a column is missing."""
    if feature not in columns:
        nearest = get_close_matches(feature, sorted(columns), n=1, cutoff=0.0)
        question = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise InputError(
            f"segmentation {segmentation}: {key or f'features.{feature}'}: there is no "
            f"feature {feature!r}{question}"
        )


def read_feature(series: pd.Series, transform: str, where: str) -> pd.Series:
    """Read a feature of customers: numbers as float64, levels as text.

    Parameters
    ----------
    series : pandas.Series
        The column as the engine returns it.
    transform : str
        The transform that is declared.
    where : str
        The name in messages.

    Returns
    -------
    pandas.Series
        float64, or text for ``onehot``; nan where it is missing.

    Raises
    ------
    InputError
        If the column has the wrong type for its transform, or is not finite.
    """
    if transform == "onehot":
        return _read_levels(series, where)
    numbers = _read_numbers(series, where)
    if transform == "log" and (numbers < 0).any():
        raise InputError(
            f"{where}: {int((numbers < 0).sum())} customers are below 0, which log "
            f"cannot take (the minimum is {numbers.min():g}); use transform: power"
        )
    return numbers


class NumericEncoder(TransformerMixin, BaseEstimator):
    """A numeric feature: its transformed column and, if imputed, a 0/1 flag.

    Parameters
    ----------
    name : str
        The feature.
    kind : str
        One of the numeric transforms.
    weight : float
        Multiplies the columns.
    imputes : bool
        Whether the median replaces a missing value.

    Attributes
    ----------
    transform_ : NumericTransform
        Fitted on the customers that have the feature.
    fill_ : float or None
        What replaces a missing value.
    has_flag_ : bool
        Whether some values, but not all, were missing.
    """

    def __init__(
        self, name: str, kind: str, weight: float = 1.0, *, imputes: bool = False
    ) -> None:
        self.name = name
        self.kind = kind
        self.weight = weight
        self.imputes = imputes

    def fit(self, numbers: pd.Series, y: None = None) -> Self:
        """Fit to customers, as ``read_feature`` reads them."""
        present = numbers.dropna().to_numpy()
        median = float(np.median(present)) if len(present) else 0.0
        self.fill_ = median if self.imputes else None
        self.transform_ = fitted_transform(self.kind, present)
        self.has_flag_ = 0 < len(present) < len(numbers)
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns."""
        return (self.name, f"{self.name} is missing")[: 1 + self.has_flag_]

    @property
    def is_numeric(self) -> tuple[bool, ...]:
        """Whether the order of a column has a meaning: not that of the flag."""
        return (True, False)[: 1 + self.has_flag_]

    @property
    def marks_missing(self) -> tuple[bool, ...]:
        """Whether a column says that the value is missing, as the flag does."""
        return (False, True)[: 1 + self.has_flag_]

    @property
    def is_constant(self) -> bool:
        """Whether it is equal for all customers."""
        return isinstance(self.transform_, Constant)

    def transform(self, numbers: pd.Series) -> Columns:
        """Return its columns, of shape (n, 1) or (n, 2), for customers that have it."""
        is_missing = numbers.isna().to_numpy()
        values = numbers.to_numpy(dtype=float)
        if self.fill_ is not None:
            values = np.where(is_missing, self.fill_, values)
        columns = [self.transform_.transform(np.ascontiguousarray(values))]
        if self.has_flag_:
            columns.append(is_missing.astype(float))
        return np.column_stack(columns) * self.weight

    def inverse_transform(self, columns: Columns) -> Columns:
        """Return the value in its own units and, of the flag, the share missing."""
        values = columns / self.weight
        values[:, 0] = self.transform_.inverse_transform(values[:, 0])
        return values

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        transform = store_transform(self.transform_)
        return {**vars(self), "transform_": transform}


class CategoryEncoder(TransformerMixin, BaseEstimator):
    """A category: a column for each level, 0 or 1 times the weight.

    The columns are not standardised, so two customers of different levels are
    ``2 * weight ** 2`` apart (squared), whichever levels these are. Standardised, the
    rarest level would be the most distant.

    Parameters
    ----------
    name : str
        The feature.
    weight : float
        Multiplies the columns.
    imputes : bool
        Whether the level ``unknown`` replaces a missing value.
    max_levels : int
        Maximum number of levels, ``other`` among them.

    Attributes
    ----------
    levels_ : list of str
        The most frequent levels by name, with ``other`` if there are more.
    """

    def __init__(
        self, name: str, weight: float, max_levels: int, *, imputes: bool = False
    ) -> None:
        self.name = name
        self.weight = weight
        self.max_levels = max_levels
        self.imputes = imputes

    def fit(self, texts: pd.Series, y: None = None) -> Self:
        """Find the levels of customers, as ``read_feature`` reads them."""
        counts = self._filled(texts).value_counts()
        ranked = sorted(counts.index, key=lambda level: (-counts[level], level))
        if len(ranked) > self.max_levels:
            named = [level for level in ranked if level != OTHER]
            ranked = [*named[: self.max_levels - 1], OTHER]
        self.levels_ = sorted(ranked)
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(f"{self.name}={level}" for level in self.levels_)

    @property
    def is_numeric(self) -> tuple[bool, ...]:
        """Whether the order of a column has a meaning: of none."""
        return (False,) * len(self.levels_)

    @property
    def marks_missing(self) -> tuple[bool, ...]:
        """Whether a column says that the level is missing."""
        return tuple(self.imputes and level == UNKNOWN for level in self.levels_)

    @property
    def is_constant(self) -> bool:
        """Whether it is equal for all customers."""
        return len(self.levels_) < 2

    def transform(self, texts: pd.Series) -> Columns:
        """Return its columns, of shape (n, levels).

        An unknown level is ``other``; without ``other``, all its columns are 0.
        """
        if self.is_constant:
            return np.zeros((len(texts), len(self.levels_)))
        known = self._filled(texts)
        if OTHER in self.levels_:
            known = known.where(known.isin(self.levels_), OTHER)
        codes = pd.Index(self.levels_).get_indexer(pd.Index(known))
        is_level = codes[:, np.newaxis] == np.arange(len(self.levels_))
        return np.where(is_level, self.weight, 0.0)

    def inverse_transform(self, columns: Columns) -> Columns:
        """Return the share of each level."""
        return np.ones_like(columns) if self.is_constant else columns / self.weight

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return dict(vars(self))

    def _filled(self, texts: pd.Series) -> pd.Series:
        return texts.fillna(UNKNOWN) if self.imputes else texts


Encoder = NumericEncoder | CategoryEncoder


def restore_encoder(stored: Mapping[str, Any]) -> Encoder:
    """Return the encoder whose ``to_dict`` was stored."""
    kind: type[Encoder] = CategoryEncoder if "levels_" in stored else NumericEncoder
    encoder = kind.__new__(kind)
    encoder.__dict__.update(stored)
    if isinstance(encoder, NumericEncoder):
        encoder.transform_ = restore_transform(stored["transform_"])
    return encoder


def _read_numbers(series: pd.Series, where: str) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(series):
        raise InputError(f"{where}: holds dates; give a feature that counts days")
    is_numeric = pd.api.types.is_numeric_dtype(series)
    if not is_numeric and series.notna().any():
        raise InputError(f"{where}: holds text; use transform: onehot")
    if not is_numeric:
        return pd.Series(np.full(len(series), np.nan))
    values = series.to_numpy(dtype=float, na_value=np.nan)
    too_large = int(np.sum(np.abs(values) > MAX_VALUE))
    if too_large:
        raise InputError(
            f"{where}: {too_large} customers have an infinite value (or one above "
            f"{MAX_VALUE:g}); make it null in the model that computes it"
        )
    return pd.Series(values)


def _read_levels(series: pd.Series, where: str) -> pd.Series:
    is_boolean = pd.api.types.is_bool_dtype(series)
    if is_boolean or not pd.api.types.is_numeric_dtype(series):
        return series.astype("str").where(series.notna())
    numbers = _read_numbers(series, where)
    if (numbers % 1 != 0).where(numbers.notna(), False).any():
        raise InputError(
            f"{where}: holds numbers with fractions, which are not categories; use "
            "transform: standard, or round them"
        )
    return numbers.astype("Int64").astype("str")
