"""What a model reads: the names of features in order, their kinds and their numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_segmentation.errors import InputError

__all__ = [
    "Kind",
    "ModelFeature",
    "Numbers",
    "as_numbers",
    "column_of",
    "features_of",
    "kind_of",
    "side_by_side",
]

Kind = Literal["number", "category", "flag", "date", "unknown"]
Numbers = NDArray[np.float64]

_KINDS: dict[str, Kind] = {
    "boolean": "flag",
    "categorical": "category",
    "date": "date",
    "datetime": "date",
    "datetime64": "date",
    "decimal": "number",
    "empty": "unknown",
    "floating": "number",
    "integer": "number",
    "mixed-integer-float": "number",
    "string": "category",
}


@dataclass(frozen=True)
class ModelFeature:
    """One column that a model reads.

    Parameters
    ----------
    name : str
        The column.
    kind : {"number", "category", "flag", "date", "unknown"}
        Integers and decimals are one kind, because nulls turn one into the other.
        ``unknown`` is a column that holds only nulls and whose type does not tell.
    """

    name: str
    kind: Kind


def features_of(frame: pd.DataFrame, names: Sequence[str]) -> tuple[ModelFeature, ...]:
    """Return the features of a frame, in the order of the names.

    Raises
    ------
    InputError
        If a column is missing, or holds other values than numbers, texts, booleans or
        dates.

    Examples
    --------
    >>> frame = pd.DataFrame({"age": [31, None], "city": ["Riga", None]})
    >>> [feature.kind for feature in features_of(frame, ["city", "age"])]
    ['category', 'number']
    """
    missing = [name for name in names if name not in frame]
    if missing:
        raise InputError(
            f"features: there is no column {', '.join(missing)}; name other columns"
        )
    return tuple(ModelFeature(name, kind_of(frame[name])) for name in names)


def kind_of(column: pd.Series) -> Kind:
    """Return the kind of a column, by its type or else by its values.

    Raises
    ------
    InputError
        If it has none of the kinds.
    """
    if pd.api.types.is_bool_dtype(column):
        return "flag"
    if pd.api.types.is_numeric_dtype(column):
        return "number"
    if isinstance(column.dtype, pd.StringDtype):
        return "category"
    found = pd.api.types.infer_dtype(column, skipna=True)
    if found not in _KINDS:
        raise InputError(
            f"feature {column.name}: holds {found} values; give numbers, texts, "
            "booleans or dates"
        )
    return _KINDS[found]


def as_numbers(column: pd.Series) -> Numbers:
    """Return a column as floats; missing and infinite numbers become ``nan``.

    Raises
    ------
    InputError
        If the column holds something else than numbers.

    Examples
    --------
    >>> as_numbers(pd.Series([1, None, float("inf")], name="age"))
    array([ 1., nan, nan])
    """
    try:
        numbers = column.to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"feature {column.name}: is not a number ({error}); give numbers, or train "
            "the model again"
        ) from error
    return np.where(np.isfinite(numbers), numbers, np.nan)


def column_of(frame: pd.DataFrame, name: str) -> Numbers | None:
    """Return a column as floats, None if it is missing or holds only nulls.

    Raises
    ------
    InputError
        If the column holds something else than numbers.
    """
    if name not in frame or frame[name].isna().all():
        return None
    return as_numbers(frame[name])


def side_by_side(columns: Sequence[Numbers]) -> Numbers:
    """Return d columns as an array of shape (n, d), each of them contiguous in memory.

    Sums of contiguous numbers are the most accurate.
    """
    return np.array(columns).T
