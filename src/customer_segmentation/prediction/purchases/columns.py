"""Features of customers as the columns that models of purchases read."""

from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.feature_kinds import features_of
from customer_segmentation.prediction.preparation import Preparation

__all__ = ["FirstPurchaseColumns", "NumberColumns", "canonical_order", "column_of"]

Numbers = NDArray[np.float64]


def canonical_order(*frames: pd.DataFrame) -> NDArray[np.int64]:
    """Return an order of the rows that depends on what they hold only."""
    hashes = [
        pd.util.hash_pandas_object(frame, index=False).to_numpy() for frame in frames
    ]
    return np.lexsort(hashes[::-1])


def column_of(features: pd.DataFrame, name: str) -> Numbers | None:
    """Return a feature as floats, None if it is missing or has no value at all."""
    if name not in features or features[name].isna().all():
        return None
    try:
        values = features[name].to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"feature {name}: is not a number ({error}); give numbers"
        ) from error
    return np.where(np.isfinite(values), values, np.nan)


class NumberColumns:
    """The features that are numbers or flags, as ``Preparation`` makes columns of them.

    Categories are left out: none was found that tells more of purchases than it costs.

    Attributes
    ----------
    names : list of str
        The features read.
    preparation : Preparation or None
        None where there is nothing to read.
    """

    def fit(self, features: pd.DataFrame) -> Self:
        """Learn from the features of n customers."""
        kinds = features_of(features, [str(name) for name in features.columns])
        self.names = [one.name for one in kinds if one.kind in ("number", "flag")]
        self.preparation = (
            Preparation().fit(features[self.names]) if self.names else None
        )
        return self

    def transform(self, features: pd.DataFrame) -> Numbers:
        """Return the columns of n customers, at least one, finite."""
        if self.preparation is None:
            return np.zeros((len(features), 1))
        return self.preparation.transform(features)


class FirstPurchaseColumns:
    """The four facts of a first purchase that tell of the next ones.

    The logarithms of its value and of its number of products, the share of its largest
    line, and its day of the year. A later year's day is not known to go on as the trend
    of those learned from did, so days are kept within theirs.

    Parameters
    ----------
    has_trend : bool
        Whether the day is one of them.
    """

    def __init__(self, has_trend: bool) -> None:
        self.has_trend = has_trend

    def fit(self, features: pd.DataFrame) -> Self:
        """Learn from the features of n customers what ``transform`` needs."""
        # without its lines, the value of a first purchase is that of the whole basket
        value = column_of(features, "product_value")
        self.value = "basket_value" if value is None else "product_value"
        columns = self._columns(features)
        self.names = [name for name, values in columns.items() if values is not None]
        known = [columns[name] for name in self.names]
        self.medians = [float(np.nanmedian(values)) for values in known]
        filled = [
            np.where(np.isnan(values), median, values)
            for values, median in zip(known, self.medians, strict=True)
        ]
        self.middles = [float(values.mean()) for values in filled]
        self.spreads = [float(values.std()) or 1.0 for values in filled]
        self.ranges = [(float(one.min()), float(one.max())) for one in filled]
        return self

    def transform(self, features: pd.DataFrame) -> Numbers:
        """Return the columns of n customers, at least one, finite."""
        columns = self._columns(features)
        found = [np.zeros(len(features))]
        for position, name in enumerate(self.names):
            values = columns[name]
            median = self.medians[position]
            if values is None:
                values = np.full(len(features), median)
            values = np.where(np.isnan(values), median, values)
            if name == "day":
                values = np.clip(values, *self.ranges[position])
            found.append((values - self.middles[position]) / self.spreads[position])
        return np.column_stack(found[1:] or found)

    def _columns(self, features: pd.DataFrame) -> dict[str, Numbers | None]:
        columns = {
            "value": _logarithm(column_of(features, self.value)),
            "products": _logarithm(column_of(features, "basket_products")),
            "largest": column_of(features, "largest_line_share"),
        }
        if self.has_trend:
            columns["day"] = column_of(features, "day_of_year")
        return columns


def _logarithm(values: Numbers | None) -> Numbers | None:
    return None if values is None else np.log1p(np.maximum(values, 0.0))
