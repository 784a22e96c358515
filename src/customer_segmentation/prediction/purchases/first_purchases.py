"""The four facts of a first purchase that tell of the next purchases."""

from typing import Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from customer_segmentation.prediction.feature_kinds import (
    Numbers,
    column_of,
    side_by_side,
)

__all__ = ["FirstPurchaseColumns"]


class FirstPurchaseColumns(TransformerMixin, BaseEstimator):
    """Turns first purchases into four columns: value, products, largest line and day.

    They are the logarithm of the value, the logarithm of the number of products, the
    share of the largest line, and the day of the year. A trend over the days learned
    from need not continue after them, so later days count as the last of these days.

    Parameters
    ----------
    has_day : bool
        Whether the day of the year is one of the columns.

    Attributes
    ----------
    value_ : str
        The feature that holds the value: ``product_value``, or ``basket_value`` if the
        lines of the basket are unknown.
    names_ : list of str
        The facts that have values.
    first_day_, last_day_ : float
        Of the days learned from.
    columns_ : Pipeline or None
        Fills missing facts with the median and standardises all. None if there are no
        facts.

    Examples
    --------
    >>> frame = pd.DataFrame({"basket_value": [np.e - 1, np.exp(3) - 1]})
    >>> FirstPurchaseColumns().fit_transform(frame).round(6).tolist()
    [[-1.0], [1.0]]
    """

    def __init__(self, has_day: bool = False) -> None:
        self.has_day = has_day

    def fit(self, features: pd.DataFrame, y: object = None) -> Self:
        """Learn from the first purchases of n customers."""
        value = column_of(features, "product_value")
        self.value_ = "basket_value" if value is None else "product_value"
        day = column_of(features, "day_of_year")
        self.first_day_ = -np.inf if day is None else float(np.nanmin(day))
        self.last_day_ = np.inf if day is None else float(np.nanmax(day))
        facts = self._facts(features)
        self.names_ = list(facts)
        self.columns_: Pipeline | None = None
        if self.names_:
            self.columns_ = make_pipeline(
                SimpleImputer(strategy="median"), StandardScaler()
            )
            self.columns_.fit(side_by_side(list(facts.values())))
        return self

    def transform(self, features: pd.DataFrame) -> Numbers:
        """Return the columns of n customers, at least one, all finite."""
        if self.columns_ is None:
            return np.zeros((len(features), 1))
        unknown = np.full(len(features), np.nan)
        facts = self._facts(features)
        known = side_by_side([facts.get(name, unknown) for name in self.names_])
        # like other columns, with contiguous rows
        return np.ascontiguousarray(self.columns_.transform(known))

    def _facts(self, features: pd.DataFrame) -> dict[str, Numbers]:
        """Return the facts that any customer has, by name."""
        facts = {
            "value": _logarithm(column_of(features, self.value_)),
            "products": _logarithm(column_of(features, "basket_products")),
            "largest_line": column_of(features, "largest_line_share"),
        }
        if self.has_day:
            day = column_of(features, "day_of_year")
            if day is not None:
                day = np.clip(day, self.first_day_, self.last_day_)
            facts["day"] = day
        return {name: values for name, values in facts.items() if values is not None}


def _logarithm(values: Numbers | None) -> Numbers | None:
    return None if values is None else np.log1p(np.maximum(values, 0.0))
