"""Features as columns of the design matrix."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from customer_segmentation.errors import InputError
from customer_segmentation.segmentation.specs import GREATEST_LEVELS, Feature
from customer_segmentation.segmentation.transforms import (
    Constant,
    Transform,
    fit_transform,
    transform_from_dict,
    transform_to_dict,
)

OTHER = "other"
UNKNOWN = "unknown"
# squares of larger numbers, summed over customers, are past what floats hold
LARGEST = 1e100


def read_feature(series: pd.Series, transform: str, where: str) -> pd.Series:
    """Read a feature of the customers: numbers as float64, levels as text.

    Parameters
    ----------
    series : pandas.Series
        The column as the engine gives it.
    transform : str
        What the feature is declared to be.
    where : str
        What messages call it.

    Returns
    -------
    pandas.Series
        float64, or text for ``onehot``; nan where there is none.

    Raises
    ------
    InputError
        If the column is not of the kind its transform needs, or not finite.
    """
    if transform == "onehot":
        return _levels(series, where)
    numbers = _numbers(series, where)
    if transform == "log" and (numbers < 0).any():
        raise InputError(
            f"{where}: {int((numbers < 0).sum())} customers are below 0, which log "
            f"cannot take (the least is {numbers.min():g}); use transform: power"
        )
    return numbers


@dataclass(frozen=True)
class NumericEncoder:
    """A numeric feature: its transformed column and, if imputed, a 0/1 flag.

    Parameters
    ----------
    name : str
        The feature.
    transform : Transform
        Fitted on the customers that have the feature.
    weight : float
        Multiplies the columns.
    fill : float or None
        What a missing value becomes; None leaves the customer out.
    has_flag : bool
        Whether some, not all, were missing.
    """

    name: str
    transform: Transform
    weight: float
    fill: float | None
    has_flag: bool

    @classmethod
    def fit(cls, feature: Feature, numbers: pd.Series) -> "NumericEncoder":
        """Fit to the customers kept."""
        present = numbers.dropna().to_numpy()
        fill = None
        if feature.missing == "impute":
            fill = float(np.median(present)) if len(present) else 0.0
        return cls(
            name=feature.name,
            transform=fit_transform(feature.transform, present),
            weight=feature.weight,
            fill=fill,
            has_flag=0 < len(present) < len(numbers),
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns."""
        flag = (f"{self.name} is missing",) if self.has_flag else ()
        return (self.name, *flag)

    @property
    def is_constant(self) -> bool:
        """Whether it tells no customers apart."""
        return isinstance(self.transform, Constant)

    @property
    def numeric_columns(self) -> tuple[bool, ...]:
        """Which of its columns are numbers: not the flag."""
        return (True, *(False for _ in self.columns[1:]))

    def encode(self, numbers: pd.Series) -> list[np.ndarray]:
        """Return its columns for customers that are kept."""
        is_missing = numbers.isna().to_numpy()
        values = numbers.to_numpy(dtype=float)
        if self.fill is not None:
            values = np.where(is_missing, self.fill, values)
        columns = [self.transform.apply(np.ascontiguousarray(values))]
        if self.has_flag:
            columns.append(is_missing.astype(float))
        return [column * self.weight for column in columns]

    def values(self, points: np.ndarray) -> list[np.ndarray]:
        """Map its columns back to own units; the flag to the share missing."""
        value = self.transform.invert(points[:, 0] / self.weight)
        return [value, *(points[:, 1:] / self.weight).T]

    def to_dict(self) -> dict:
        """Return it as what JSON can hold."""
        return {**self.__dict__, "transform": transform_to_dict(self.transform)}

    @classmethod
    def from_dict(cls, stored: dict) -> "NumericEncoder":
        """Return what `to_dict` stored."""
        transform = transform_from_dict(stored["transform"])
        return cls(**{**stored, "transform": transform})


@dataclass(frozen=True)
class CategoryEncoder:
    """A category: a column a level, 0 or 1 times the weight.

    The columns are not standardised. So two customers of different levels are
    ``2 * weight ** 2`` apart (squared) whichever levels these are, and at random
    ``2 * weight ** 2 * P(different)``, beside 2 for a standardised feature. If they
    were, the rarest level would lie farthest off and count the most.

    Parameters
    ----------
    name : str
        The feature.
    levels : tuple of str
        By name; with ``other`` if there were more than `GREATEST_LEVELS`.
    weight : float
        Multiplies the columns.
    imputes : bool
        Whether a missing value is the level ``unknown``, or leaves the customer out.
    """

    name: str
    levels: tuple[str, ...]
    weight: float
    imputes: bool

    @classmethod
    def fit(cls, feature: Feature, texts: pd.Series) -> "CategoryEncoder":
        """Take the levels of the customers kept."""
        imputes = feature.missing == "impute"
        counts = (texts.fillna(UNKNOWN) if imputes else texts).value_counts()
        ranked = sorted(counts.index, key=lambda level: (-counts[level], level))
        if len(ranked) > GREATEST_LEVELS:
            named = [level for level in ranked if level != OTHER]
            ranked = [*named[: GREATEST_LEVELS - 1], OTHER]
        return cls(feature.name, tuple(sorted(ranked)), feature.weight, imputes)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(f"{self.name}={level}" for level in self.levels)

    @property
    def is_constant(self) -> bool:
        """Whether it tells no customers apart."""
        return len(self.levels) < 2

    @property
    def numeric_columns(self) -> tuple[bool, ...]:
        """None of its columns takes many values."""
        return tuple(False for _ in self.levels)

    def encode(self, texts: pd.Series) -> list[np.ndarray]:
        """Return its columns; a level not known is ``other``, or none at all."""
        if self.is_constant:
            return [np.zeros(len(texts)) for _ in self.levels]
        known = texts.fillna(UNKNOWN) if self.imputes else texts
        if OTHER in self.levels:
            known = known.where(known.isin(self.levels), OTHER)
        codes = pd.Index(self.levels).get_indexer(pd.Index(known))
        return [(codes == code) * self.weight for code in range(len(self.levels))]

    def values(self, points: np.ndarray) -> list[np.ndarray]:
        """Map its columns back to the share of each level."""
        if self.is_constant:
            return [np.ones(len(points)) for _ in self.levels]
        return list((points / self.weight).T)

    def to_dict(self) -> dict:
        """Return it as what JSON can hold."""
        return {**self.__dict__, "levels": list(self.levels)}

    @classmethod
    def from_dict(cls, stored: dict) -> "CategoryEncoder":
        """Return what `to_dict` stored."""
        return cls(**{**stored, "levels": tuple(stored["levels"])})


def _numbers(series: pd.Series, where: str) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(series):
        raise InputError(f"{where}: holds dates; give a feature that counts days")
    is_numeric = pd.api.types.is_numeric_dtype(series)
    if not is_numeric and series.notna().any():
        raise InputError(f"{where}: holds text; use transform: onehot")
    values = (
        series.to_numpy(dtype=float, na_value=np.nan)
        if is_numeric
        else np.full(len(series), np.nan)
    )
    _require_finite(values, where)
    return pd.Series(values)


def _levels(series: pd.Series, where: str) -> pd.Series:
    is_boolean = pd.api.types.is_bool_dtype(series)
    if is_boolean or not pd.api.types.is_numeric_dtype(series):
        return series.astype("str").where(series.notna())
    numbers = _numbers(series, where)
    if (numbers % 1 != 0).where(numbers.notna(), False).any():
        raise InputError(
            f"{where}: holds numbers with fractions, which are no levels; use "
            "transform: standard, or round them"
        )
    return numbers.astype("Int64").astype("str")


def _require_finite(values: np.ndarray, where: str) -> None:
    too_large = int(np.sum(np.abs(values) > LARGEST))
    if too_large:
        raise InputError(
            f"{where}: {too_large} customers have an infinite value (or one past "
            f"{LARGEST:g}); make it null where it is made"
        )
