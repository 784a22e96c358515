"""What a model reads: the names of features, in order, and of what kind each is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from customer_segmentation.errors import InputError

__all__ = ["Feature", "Kind", "features_of", "kind_of"]

Kind = Literal["number", "category", "flag", "date", "unknown"]

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
class Feature:
    """One column that a model reads.

    Parameters
    ----------
    name : str
        Of the column.
    kind : {"number", "category", "flag", "date", "unknown"}
        Whole numbers and others are one kind, for nulls turn the ones into the others.
        ``unknown`` is a column without a value, unless its type tells.
    """

    name: str
    kind: Kind


def features_of(frame: pd.DataFrame, names: Sequence[str]) -> tuple[Feature, ...]:
    """Return features of a frame, in the order of their names.

    Raises
    ------
    InputError
        If a column is missing, or holds neither numbers, texts, truth values nor days.
    """
    missing = [name for name in names if name not in frame]
    if missing:
        raise InputError(
            f"features: there is no column {', '.join(missing)}; name others"
        )
    return tuple(Feature(name, kind_of(frame[name])) for name in names)


def kind_of(values: pd.Series) -> Kind:
    """Return of which kind the values of a column are, by type or else by value.

    Raises
    ------
    InputError
        If they are none of these.
    """
    if pd.api.types.is_bool_dtype(values):
        return "flag"
    if pd.api.types.is_numeric_dtype(values):
        return "number"
    if isinstance(values.dtype, pd.StringDtype):
        return "category"
    found = pd.api.types.infer_dtype(values, skipna=True)
    if found not in _KINDS:
        raise InputError(
            f"feature {values.name}: holds {found} values; give numbers, texts, truth "
            "values or days"
        )
    return _KINDS[found]
