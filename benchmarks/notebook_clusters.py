"""The customers, clusters and classifiers of the best-known notebook on Online Retail.

F. Daniel, Customer Segmentation (Kaggle, 2017), step by step as published: lines netted
of their cancellations, five product categories, 11 clusters of what customers bought
before October 2011. The product categories that it finds by k-means are price bands of
as many products each; so they are taken as such.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.ensemble import (
    GradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

FILE = "data/online-retail/online_retail.csv.gz"
SPLIT = pd.Timestamp("2011-10-01")
CLUSTERS = 11
# upper ends, inclusive; what is dearer is the fifth category
BANDS = [1.0, 2.0, 3.0, 5.0]
CATEGORIES = [f"category_{number}" for number in range(len(BANDS) + 1)]
SIZES = ["count", "min", "max", "mean"]
CLUSTERED = [*SIZES, *CATEGORIES]
# test months over training months
STRETCH = 5
PUBLISHED = {
    "svc": 0.659,
    "logistic_regression": 0.713,
    "k_nearest_neighbours": 0.676,
    "decision_tree": 0.714,
    "random_forest": 0.754,
    "gradient_boosting": 0.752,
    "soft_vote": 0.755,
}


@dataclass(frozen=True)
class Clusters:
    """A k-means of customers.

    Parameters
    ----------
    scaler : StandardScaler
        Of ``CLUSTERED``.
    kmeans : KMeans
        Fitted to what it scales.
    """

    scaler: StandardScaler
    kmeans: KMeans

    @classmethod
    def of(cls, totals: pd.DataFrame, seed: int) -> "Clusters":
        """Cluster customers as the notebook does, from a hundred starts."""
        scaler = StandardScaler().fit(totals[CLUSTERED].to_numpy())
        kmeans = KMeans(CLUSTERS, n_init=100, random_state=seed)
        return cls(scaler, kmeans.fit(scaler.transform(totals[CLUSTERED].to_numpy())))

    def predict(self, totals: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the clusters of customers of shape (n, 9), as ``CLUSTERED``."""
        return self.kmeans.predict(self.scaler.transform(totals)).astype(np.int64)


def read_lines(shared: Path) -> pd.DataFrame:
    """Read the lines that have a customer, exact duplicates dropped."""
    lines = pd.read_csv(
        shared / FILE,
        dtype={"InvoiceNo": str, "StockCode": str, "Description": str},
        parse_dates=["InvoiceDate"],
    )
    lines = lines.dropna(subset=["CustomerID"]).drop_duplicates(ignore_index=True)
    return lines.astype({"CustomerID": int})


def netted(lines: pd.DataFrame) -> pd.DataFrame:
    """Take cancelled pieces off the order lines they belong to.

    A cancellation is that of the customer's last earlier line of the product which is
    large enough; where there is but one earlier line, of that. One without an earlier
    line is dropped.

    Returns
    -------
    pandas.DataFrame
        The lines left, with ``amount`` and ``category``.
    """
    bought = lines["Quantity"].to_numpy()
    times = lines["InvoiceDate"].to_numpy()
    orders = lines[lines["Quantity"] > 0]
    earlier = {
        key: orders.index[rows].to_numpy()
        for key, rows in orders.groupby(["CustomerID", "StockCode"]).indices.items()
    }
    cancelled = np.zeros(len(lines))
    dropped = []
    is_returned = (lines["Quantity"] < 0) & (lines["Description"] != "Discount")
    for row, customer, code in lines.loc[
        is_returned, ["CustomerID", "StockCode"]
    ].itertuples():
        found = earlier.get((customer, code), np.array([], dtype=int))
        found = found[times[found] < times[row]]
        if len(found) > 1:
            found = found[bought[found] >= -bought[row]]
            if len(found) == 0:
                continue
        if len(found) > 0:
            cancelled[found[-1]] = -bought[row]
        dropped.append(row)
    price = lines.drop(dropped).groupby("Description")["UnitPrice"].mean()
    band = pd.Series(np.searchsorted(BANDS, price.to_numpy()), index=price.index)
    return lines.assign(
        amount=lines["UnitPrice"] * (lines["Quantity"] - cancelled),
        category=lines["Description"].map(band),
    ).drop(dropped)


def to_baskets(lines: pd.DataFrame) -> pd.DataFrame:
    """Sum netted lines to invoices above 0, in the order of each customer's."""
    spent = lines["amount"].clip(lower=0)
    of_category = {
        name: spent.where(lines["category"] == number, 0.0)
        for number, name in enumerate(CATEGORIES)
    }
    sums = ["amount", *CATEGORIES]
    grouped = lines.assign(**of_category).groupby(["CustomerID", "InvoiceNo"])
    baskets = grouped.agg({**dict.fromkeys(sums, "sum"), "InvoiceDate": "mean"})
    baskets = baskets[baskets["amount"] > 0].reset_index()
    return baskets.sort_values(["CustomerID", "InvoiceDate", "InvoiceNo"])


def to_totals(baskets: pd.DataFrame) -> pd.DataFrame:
    """Sum baskets to customers: ``CLUSTERED`` and ``sum``, shares in per cent."""
    by_customer = baskets.groupby("CustomerID")
    totals = by_customer["amount"].agg([*SIZES, "sum"])
    shares = by_customer[CATEGORIES].sum().div(totals["sum"], axis=0) * 100
    return totals.join(shares)


def notebook_classifiers(seed: int) -> dict[str, Any]:
    """Return the notebook's classifiers, with settings its searches choose among."""
    members = {
        "k_nearest_neighbours": KNeighborsClassifier(20),
        "random_forest": RandomForestClassifier(100, random_state=seed),
        "gradient_boosting": GradientBoostingClassifier(
            n_estimators=40, random_state=seed
        ),
    }
    return {
        "svc": LinearSVC(C=0.1, random_state=seed),
        "logistic_regression": OneVsRestClassifier(
            LogisticRegression(solver="liblinear", random_state=seed)
        ),
        "decision_tree": DecisionTreeClassifier(max_features="sqrt", random_state=seed),
        **members,
        "soft_vote": VotingClassifier(list(members.items()), voting="soft"),
    }
