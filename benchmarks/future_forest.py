"""Clusters of new customers, from the later baskets of similar customers.

A cluster depends on the first basket and on the baskets after it. A random forest finds
customers whose first baskets point to a similar future. The later baskets of each of
them are added to the new customer's own first basket, and the total gets its cluster.
This needs a target that is a known function of totals, so no classifier of the project
can do it.
"""

from typing import Self

import numpy as np
import pandas as pd
from notebook_clusters import CATEGORIES, CLUSTERS, SIZES, Clusters
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestRegressor

# weight of all later baskets of a customer; the first basket has a weight of 1
LATER_WEIGHT = 0.5
FUTURE = [*SIZES, "sum", *CATEGORIES]


def to_futures(baskets: pd.DataFrame) -> pd.DataFrame:
    """Return the totals of the baskets after each basket but the customer's last.

    Parameters
    ----------
    baskets : pandas.DataFrame
        Of ``notebook_clusters.to_baskets``.

    Returns
    -------
    pandas.DataFrame
        Indexed by customer and invoice: ``FUTURE``, with categories as amounts, and the
        ``position`` of the basket, from 0.
    """
    reversed_baskets = baskets.iloc[::-1]
    by_customer = reversed_baskets.groupby("CustomerID")
    amounts = by_customer["amount"]
    running = pd.DataFrame(
        {
            "count": by_customer.cumcount() + 1,
            "min": amounts.cummin(),
            "max": amounts.cummax(),
            "sum": amounts.cumsum(),
            **{name: by_customer[name].cumsum() for name in CATEGORIES},
        }
    ).assign(mean=lambda frame: frame["sum"] / frame["count"])
    running = running.reindex(baskets.index)[FUTURE]
    later = running.groupby(baskets["CustomerID"]).shift(-1)
    positions = baskets.groupby("CustomerID").cumcount()
    keys = pd.MultiIndex.from_frame(baskets[["CustomerID", "InvoiceNo"]])
    return later.assign(position=positions).set_axis(keys).dropna()


class FutureForest(BaseEstimator):
    """Probabilities of clusters from the later baskets of similar customers.

    Parameters
    ----------
    clusters : Clusters
        The target.

    Attributes
    ----------
    forest_ : RandomForestRegressor
        Predicts the later baskets.
    futures_ : pandas.DataFrame of m rows
        The later baskets that it learned from.
    weights_ : ndarray of shape (m,)
        Their weights.
    leaves_ : ndarray of shape (m, trees)
        Their leaves.
    """

    def __init__(self, clusters: Clusters) -> None:
        self.clusters = clusters

    def fit(self, features: pd.DataFrame, futures: pd.DataFrame) -> Self:
        """Learn from m baskets: their features, and the totals of later baskets."""
        self.futures_ = futures
        count = futures.groupby(level=0)["count"].transform("size").to_numpy()
        is_first = (futures["position"] == 0).to_numpy()
        self.weights_ = np.where(
            is_first, 1.0, LATER_WEIGHT / np.maximum(count - is_first, 1)
        )
        shares = futures[CATEGORIES].div(futures["sum"], axis=0).to_numpy() * 2
        sizes = np.log(futures[SIZES].to_numpy()) * [1.0, 0.5, 0.5, 1.0]
        self.forest_ = RandomForestRegressor(
            100, min_samples_leaf=5, max_features=0.4, random_state=0
        ).fit(features.to_numpy(), np.hstack([sizes, shares]), self.weights_)
        self.leaves_ = self.forest_.apply(features.to_numpy())
        return self

    def predict_proba(
        self, features: pd.DataFrame, baskets: pd.DataFrame
    ) -> NDArray[np.float64]:
        """Return probabilities of shape (n, clusters).

        Parameters
        ----------
        features : pandas.DataFrame of n rows
            Of the first baskets.
        baskets : pandas.DataFrame of n rows
            ``amount`` and ``CATEGORIES`` of the first baskets, as amounts.
        """
        leaves = self.forest_.apply(features.to_numpy())
        found = np.zeros((len(features), CLUSTERS))
        for row, own in enumerate(baskets[["amount", *CATEGORIES]].to_numpy()):
            is_in_leaf = (self.leaves_ == leaves[row]) * self.weights_[:, np.newaxis]
            similarity = (is_in_leaf / is_in_leaf.sum(axis=0)).sum(axis=1)
            is_similar = similarity > 0
            totals = self._add(own, self.futures_[is_similar])
            found[row] = np.bincount(
                self.clusters.predict(totals), similarity[is_similar], CLUSTERS
            )
        return found / found.sum(axis=1, keepdims=True)

    @staticmethod
    def _add(own: NDArray[np.float64], futures: pd.DataFrame) -> NDArray[np.float64]:
        """Return ``CLUSTERED`` of a first basket with each of some futures."""
        total = own[0] + futures["sum"]
        count = futures["count"] + 1
        return np.column_stack(
            [
                count,
                np.minimum(futures["min"], own[0]),
                np.maximum(futures["max"], own[0]),
                total / count,
                (futures[CATEGORIES] + own[1:]).div(total, axis=0) * 100,
            ]
        )
