"""CategoryHistories: what each customer has bought of each category, as arrays.

A history is one text per customer, so that a customer is one row of a batch however
many categories there are: ``1:2:14.50:30 7:1:3.20:5`` says that category 1 was in two
purchases for 14.50, last 30 days ago, and category 7 in one for 3.20, five days ago.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_segmentation.errors import InputError

__all__ = ["HISTORY", "CategoryHistories", "bought_of", "categories_of"]

Numbers = NDArray[np.float64]

# the column that holds the text
HISTORY = "category_history"
FIELDS = 4


@dataclass(frozen=True)
class CategoryHistories:
    """What n customers have bought of k categories.

    Parameters
    ----------
    purchases, spend : ndarray of shape (n, k)
        Purchases with the category, and their value net of returns, at least 0.
    days : ndarray of shape (n, k)
        Days since the last purchase of the category; infinite if there is none.
    season : ndarray of shape (k,) or None
        Share of each category in the sales of the predicted days one year before; None
        if they are not on record.
    """

    purchases: Numbers
    spend: Numbers
    days: Numbers
    season: Numbers | None = None

    @classmethod
    def read(
        cls,
        features: pd.DataFrame,
        categories: NDArray[np.int64],
        season: Mapping[int, float],
    ) -> Self:
        """Read the column ``category_history``; other categories are ignored.

        Parameters
        ----------
        features : pandas.DataFrame of shape (n, d)
            With the column.
        categories : ndarray of shape (k,)
            Ids of the categories, ascending.
        season : mapping of int to float
            Sales by category one year before; empty if unknown.
        """
        rows, entries = _entries(features[HISTORY])
        shape = (len(features), len(categories))
        purchases, spend, days = (
            np.zeros(shape),
            np.zeros(shape),
            np.full(shape, np.inf),
        )
        columns = np.searchsorted(categories, entries[:, 0])
        is_known = columns < len(categories)
        is_known[is_known] = categories[columns[is_known]] == entries[is_known, 0]
        cells = rows[is_known], columns[is_known]
        purchases[cells] = entries[is_known, 1]
        spend[cells] = np.maximum(entries[is_known, 2], 0)
        days[cells] = entries[is_known, 3]
        sales = np.array([max(season.get(int(one), 0.0), 0.0) for one in categories])
        total = sales.sum()
        return cls(purchases, spend, days, sales / total if total > 0 else None)

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> Self:
        """Return some of the customers, by position."""
        return replace(
            self,
            purchases=self.purchases[rows],
            spend=self.spend[rows],
            days=self.days[rows],
        )

    @property
    def value(self) -> Numbers:
        """Spend by category; purchases of a customer without a positive spend."""
        has_spend = self.spend.sum(axis=1, keepdims=True) > 0
        return np.where(has_spend, self.spend, self.purchases)


def categories_of(histories: pd.Series) -> NDArray[np.int64]:
    """Return the ids of all categories in some histories, ascending.

    Examples
    --------
    >>> categories_of(pd.Series(["7:1:3.20:5 1:2:14.50:30", "", None])).tolist()
    [1, 7]
    """
    return np.unique(_entries(histories)[1][:, 0].astype(np.int64))


def bought_of(bought: pd.Series, categories: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which categories are in texts of ids, shape (n, k).

    Examples
    --------
    >>> bought_of(pd.Series(["1 7", "3"]), np.array([1, 3])).tolist()
    [[True, False], [False, True]]
    """
    found = np.zeros((len(bought), len(categories)), dtype=bool)
    positions = {str(one): place for place, one in enumerate(categories)}
    for row, text in enumerate(bought):
        for name in text.split():
            if name in positions:
                found[row, positions[name]] = True
    return found


def _entries(histories: pd.Series) -> tuple[NDArray[np.int64], Numbers]:
    """Return the row of each entry, and the entries: shapes (m,) and (m, 4)."""
    texts = histories.fillna("").to_numpy(dtype=object)
    counts = np.array([text.count(":") for text in texts], dtype=np.int64)
    joined = " ".join(texts).replace(":", " ").split()
    try:
        values = np.array(joined, dtype=float)
        entries = values.reshape(-1, FIELDS)
    except ValueError as error:
        raise InputError(
            f"feature {HISTORY}: is not readable ({error}); write entries as "
            "category:purchases:spend:days"
        ) from error
    return np.repeat(np.arange(len(texts)), counts // (FIELDS - 1)), entries
