"""Drift: how far the customers to be scored are from those a model learned from.

The population stability index (PSI) of a feature is the sum over its bins of
``(scored - trained) * ln(scored / trained)``, shares of customers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.feature_kinds import kind_of

__all__ = ["MODERATE_ABOVE", "SIGNIFICANT_ABOVE", "psi", "training_bins"]

# A rule of thumb of credit scoring (Lewis 1994, "An Introduction to Credit Scoring";
# Siddiqi 2017, "Intelligent Credit Scoring"): up to 0.1 little change, above 0.25 a
# significant one. It takes no account of numbers: see CHANCE.
MODERATE_ABOVE = 0.1
SIGNIFICANT_ABOVE = 0.25
# Without any drift, PSI is about (1/n + 1/m) times chi-squared with one degree of
# freedom less than there are bins (Yurdakul & Naranjo 2020, "Statistical properties of
# the population stability index", J. Risk Model Validation 14): fifty customers in ten
# bins reach 0.25 by themselves. So a change is one that chance exceeds so rarely.
CHANCE = 0.01
# a logarithm needs a share; one in ten thousand is next to none
LEAST_SHARE = 1e-4
DECILES = np.arange(1, 10) / 10
# categories that are rarer are taken together with those never seen
RARE_SHARE = 0.01
COLUMNS = {
    "feature": "str",
    "psi": "float64",
    "psi_by_chance": "float64",
    "change": "str",
    "training_customers": "int64",
    "customers": "int64",
}


@dataclass(frozen=True)
class _Numbers:
    """Deciles of the training customers, and what is beyond their range."""

    edges: tuple[float, ...]
    least: float | None
    greatest: float | None

    @classmethod
    def of(cls, values: pd.Series) -> "_Numbers":
        numbers = _finite(_numbers(values))
        if len(numbers) == 0:
            return cls((), None, None)
        cuts = np.quantile(numbers, DECILES, method="inverted_cdf")
        greatest = float(numbers.max())
        edges = tuple(float(cut) for cut in np.unique(cuts) if cut < greatest)
        return cls(edges, float(numbers.min()), greatest)

    def count(self, values: pd.Series) -> NDArray[np.int64]:
        """Count missing, below, each decile, above; equal values are never split."""
        numbers = _numbers(values)
        is_missing = np.isnan(numbers)
        known = numbers[~is_missing]
        bins = 2 + np.searchsorted(self.edges, known, side="left")
        if self.least is None or self.greatest is None:
            # nothing was known in training: whatever is known now is beyond
            bins[:] = 1
        else:
            bins[known < self.least] = 1
            bins[known > self.greatest] = 3 + len(self.edges)
        counts = np.bincount(bins, minlength=4 + len(self.edges))
        counts[0] = is_missing.sum()
        return counts


@dataclass(frozen=True)
class _Categories:
    """Categories of the training customers; rare ones and new ones are others."""

    names: tuple[str, ...]

    @classmethod
    def of(cls, values: pd.Series) -> "_Categories":
        shares = _texts(values).value_counts(normalize=True)
        return cls(tuple(sorted(shares.index[shares >= RARE_SHARE])))

    def count(self, values: pd.Series) -> NDArray[np.int64]:
        """Count missing, each category, others."""
        texts = _texts(values)
        counts = texts.value_counts().reindex(list(self.names), fill_value=0)
        own = counts.to_numpy(dtype=np.int64)
        return np.array([len(values) - len(texts), *own, len(texts) - own.sum()])


def training_bins(frame: pd.DataFrame, columns: Sequence[str]) -> dict[str, Any]:
    """Return how the training customers are spread, to compare others with.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per training customer, in any order.
    columns : sequence of str
        The features. Numbers are cut at their deciles, between distinct values, and
        have a bin for what is below and above all of them; truth values, texts and
        columns without a value of known type are categories. Missing is its own bin.

    Returns
    -------
    dict
        Of plain lists and numbers, for JSON; ``psi`` reads it.

    Raises
    ------
    InputError
        If a column is missing, or is of days.
    """
    bins: dict[str, Any] = {}
    for name in columns:
        values = _column(frame, name)
        if kind_of(values) == "number":
            numbers = _Numbers.of(values)
            bins[name] = {
                "kind": "number",
                "edges": list(numbers.edges),
                "least": numbers.least,
                "greatest": numbers.greatest,
                "counts": numbers.count(values).tolist(),
            }
        else:
            categories = _Categories.of(values)
            bins[name] = {
                "kind": "category",
                "names": list(categories.names),
                "counts": categories.count(values).tolist(),
            }
    return bins


def psi(bins: Mapping[str, Any], frame: pd.DataFrame) -> pd.DataFrame:
    """Return how far customers are from those of the training, feature by feature.

    A share below one in ten thousand counts as that; so does one below half a customer
    of the smaller population, on both sides: what ten customers cannot show is no
    drift.

    Parameters
    ----------
    bins : mapping
        From ``training_bins``.
    frame : pandas.DataFrame
        One row per customer to be scored, in any order.

    Returns
    -------
    pandas.DataFrame
        One row per feature, as ordered in `bins`: ``feature``; ``psi``;
        ``psi_by_chance``, which customers drawn from the training population exceed
        once in a hundred times; ``change``, which is ``little``, ``moderate`` or
        ``significant`` by the limits where they exceed it; ``training_customers`` and
        ``customers``. Without customers on either side there is no index, and no
        change.

    Raises
    ------
    InputError
        If a feature is missing, or was a number and is none now.
    """
    rows = []
    for name, stored in bins.items():
        values = _column(frame, name)
        trained = np.array(stored["counts"], dtype=np.int64)
        scored = _reader(name, stored, values).count(values)
        index, chance = _index(trained, scored)
        row = (name, index, chance, _change(index, chance))
        rows.append((*row, int(trained.sum()), int(scored.sum())))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _reader(
    name: str, stored: Mapping[str, Any], values: pd.Series
) -> _Numbers | _Categories:
    if stored["kind"] == "category":
        return _Categories(tuple(stored["names"]))
    if kind_of(values) not in ("number", "flag", "unknown"):
        raise InputError(
            f"feature {name}: was a number in training and is a {kind_of(values)}; "
            "train the model anew"
        )
    return _Numbers(tuple(stored["edges"]), stored["least"], stored["greatest"])


def _index(
    trained: NDArray[np.int64], scored: NDArray[np.int64]
) -> tuple[float, float]:
    """Return PSI, and what it exceeds by chance once in a hundred times."""
    customers = trained.sum(), scored.sum()
    if min(customers) == 0:
        return np.nan, np.nan
    floor = max(LEAST_SHARE, 0.5 / min(customers))
    was, is_now = (
        np.maximum(counts / total, floor)
        for counts, total in zip((trained, scored), customers, strict=True)
    )
    index = float(np.sum((is_now - was) * np.log(is_now / was)))
    used = int(np.count_nonzero(trained + scored))
    spread = 1 / customers[0] + 1 / customers[1]
    return index, float(chi2.ppf(1 - CHANCE, max(used - 1, 1)) * spread)


def _change(index: float, chance: float) -> str | None:
    if np.isnan(index):
        return None
    if index > max(SIGNIFICANT_ABOVE, chance):
        return "significant"
    return "moderate" if index > max(MODERATE_ABOVE, chance) else "little"


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame:
        raise InputError(f"feature {name}: is not among the columns; add it")
    values = frame[name]
    if kind_of(values) == "date":
        raise InputError(f"feature {name}: holds days; give days since a day")
    return values


def _numbers(values: pd.Series) -> NDArray[np.float64]:
    if pd.api.types.is_numeric_dtype(values):
        return values.to_numpy(dtype=float, na_value=np.nan)
    # decimals, or nothing
    return values.astype(object).where(values.notna()).to_numpy(dtype=float)


def _finite(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    return numbers[np.isfinite(numbers)]


def _texts(values: pd.Series) -> pd.Series:
    return values.dropna().astype(object).astype(str)
