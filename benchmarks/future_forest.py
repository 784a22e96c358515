"""Clusters of new customers, by what others did after a basket like theirs.

A cluster is a function of the first basket and of what comes after it. So a forest
finds customers whose first baskets told of a like future; each of their futures is
added to the new customer's own first basket, and the sum is given its cluster. It uses
that the target is a known function of totals: no classifier of the product can.
"""

import numpy as np
import pandas as pd
from notebook_clusters import CATEGORIES, CLUSTERS, SIZES, Clusters
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor

# a customer's later baskets together weigh half of what the first one does
LATER_WEIGHT = 0.5
FUTURE = [*SIZES, "sum", *CATEGORIES]


def to_futures(baskets: pd.DataFrame) -> pd.DataFrame:
    """Return what follows each basket that is not the customer's last.

    Parameters
    ----------
    baskets : pandas.DataFrame
        Of ``notebook_clusters.to_baskets``.

    Returns
    -------
    pandas.DataFrame
        Indexed by customer and invoice: ``FUTURE`` of the later baskets, and
        ``position`` of this one, from 0 on. Categories in amounts.
    """
    later = baskets.iloc[::-1]
    by_customer = later.groupby("CustomerID")
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
    of_rest = running.groupby(baskets["CustomerID"]).shift(-1)
    positions = baskets.groupby("CustomerID").cumcount()
    keys = pd.MultiIndex.from_frame(baskets[["CustomerID", "InvoiceNo"]])
    return of_rest.assign(position=positions).set_axis(keys).dropna()


class FutureForest:
    """Probabilities of clusters from the futures of customers alike.

    Parameters
    ----------
    clusters : Clusters
        The target.
    """

    def __init__(self, clusters: Clusters) -> None:
        self.clusters = clusters

    def fit(self, columns: pd.DataFrame, futures: pd.DataFrame) -> "FutureForest":
        """Learn from baskets (rows), by features of each and by what followed."""
        self.futures = futures
        count = futures.groupby(level=0)["count"].transform("size").to_numpy()
        is_first = (futures["position"] == 0).to_numpy()
        self.weights = np.where(
            is_first, 1.0, LATER_WEIGHT / np.maximum(count - is_first, 1)
        )
        shares = futures[CATEGORIES].div(futures["sum"], axis=0).to_numpy() * 2
        sizes = np.log(futures[SIZES].to_numpy()) * [1.0, 0.5, 0.5, 1.0]
        self.forest = RandomForestRegressor(
            100, min_samples_leaf=5, max_features=0.4, random_state=0
        ).fit(columns.to_numpy(), np.hstack([sizes, shares]), self.weights)
        self.leaves = self.forest.apply(columns.to_numpy())
        return self

    def predict_proba(
        self, columns: pd.DataFrame, first: pd.DataFrame
    ) -> NDArray[np.float64]:
        """Return probabilities of shape (n, clusters).

        Parameters
        ----------
        columns : pandas.DataFrame of shape (n, d)
            The features.
        first : pandas.DataFrame
            ``amount`` and ``CATEGORIES`` of the first basket, as booked.
        """
        leaves = self.forest.apply(columns.to_numpy())
        found = np.zeros((len(columns), CLUSTERS))
        for row, own in enumerate(first[["amount", *CATEGORIES]].to_numpy()):
            alike = (self.leaves == leaves[row]) * self.weights[:, np.newaxis]
            likeness = (alike / alike.sum(axis=0)).sum(axis=1)
            is_donor = likeness > 0
            futures = self.futures[is_donor]
            total = own[0] + futures["sum"]
            count = futures["count"] + 1
            totals = np.column_stack(
                [
                    count,
                    np.minimum(futures["min"], own[0]),
                    np.maximum(futures["max"], own[0]),
                    total / count,
                    (futures[CATEGORIES] + own[1:]).div(total, axis=0) * 100,
                ]
            )
            found[row] = np.bincount(
                self.clusters.predict(totals), likeness[is_donor], CLUSTERS
            )
        return found / found.sum(axis=1, keepdims=True)
