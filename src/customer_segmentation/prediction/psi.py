"""The population stability index: how much customers differ from the training set.

The index (PSI) of a feature is the sum over its bins of ``(scored - trained) *
ln(scored / trained)``, where both are shares of the customers. Bins below and above the
training range are wide, so the mean is compared as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.feature_kinds import kind_of

__all__ = ["MODERATE_ABOVE", "SIGNIFICANT_ABOVE", "psi", "training_bins"]

# A rule of thumb of credit scoring (Lewis 1994, "An Introduction to Credit Scoring";
# Siddiqi 2017, "Intelligent Credit Scoring"): up to 0.1 is little change, above 0.25 is
# significant. It ignores the number of customers: see CHANCE.
MODERATE_ABOVE = 0.1
SIGNIFICANT_ABOVE = 0.25
# Without drift, PSI is distributed as (1/n + 1/m) times chi-squared with one degree of
# freedom less than there are bins (Yurdakul & Naranjo 2020, "Statistical properties of
# the population stability index", J. Risk Model Validation 14): fifty customers in ten
# bins reach 0.25 by chance. So a change must exceed the value that chance reaches with
# this probability.
CHANCE = 0.01
# the logarithm of an empty bin is not finite; one in ten thousand is almost empty
MIN_SHARE = 1e-4
DECILES = np.arange(1, 10) / 10
# rarer categories are counted together with those that the training set lacks
RARE_SHARE = 0.01
COLUMNS = {
    "feature": "str",
    "psi": "float64",
    "psi_by_chance": "float64",
    "mean_ratio": "float64",
    "mean_ratio_by_chance": "float64",
    "change": "str",
    "training_customers": "int64",
    "customers": "int64",
}


@dataclass(frozen=True)
class _Moments:
    """Mean and standard deviation of the known numbers of a population."""

    customers: int
    mean: float
    deviation: float

    @classmethod
    def of(cls, values: pd.Series) -> "_Moments":
        numbers = _numbers(values)
        # sorted, because the rounding of a sum depends on the order
        numbers = np.sort(numbers[np.isfinite(numbers)])
        if len(numbers) == 0:
            return cls(0, np.nan, np.nan)
        return cls(len(numbers), float(numbers.mean()), float(numbers.std()))

    def ratio_to(self, trained: "_Moments") -> tuple[float, float]:
        """Return the ratio of the means, and what it exceeds by chance.

        By the delta method, the logarithm of a mean has the coefficient of variation
        over the square root of the customers as its standard error. The fewer customers
        vary at least as those of the training.
        """
        if not (self.mean > 0 and trained.mean > 0):
            return np.nan, np.nan
        before = trained.deviation / trained.mean
        now = max(before, self.deviation / self.mean)
        error = np.sqrt(before**2 / trained.customers + now**2 / self.customers)
        by_chance = np.exp(norm.ppf(1 - CHANCE / 2) * error)
        return self.mean / trained.mean, float(by_chance)


@dataclass(frozen=True)
class _Numbers:
    """Deciles of the training set, and bins for values outside its range."""

    edges: tuple[float, ...]
    minimum: float | None
    maximum: float | None

    @classmethod
    def of(cls, values: pd.Series) -> "_Numbers":
        numbers = _numbers(values)
        numbers = numbers[np.isfinite(numbers)]
        if len(numbers) == 0:
            return cls((), None, None)
        cuts = np.quantile(numbers, DECILES, method="inverted_cdf")
        maximum = float(numbers.max())
        edges = tuple(float(cut) for cut in np.unique(cuts) if cut < maximum)
        return cls(edges, float(numbers.min()), maximum)

    def count(self, values: pd.Series) -> NDArray[np.int64]:
        """Count missing, below, each decile, above; equal values share a bin."""
        numbers = _numbers(values)
        is_missing = np.isnan(numbers)
        known = numbers[~is_missing]
        bins = 2 + np.searchsorted(self.edges, known, side="left")
        if self.minimum is None or self.maximum is None:
            # the training set had no value: every value is outside its range
            bins[:] = 1
        else:
            bins[known < self.minimum] = 1
            bins[known > self.maximum] = 3 + len(self.edges)
        counts = np.bincount(bins, minlength=4 + len(self.edges))
        counts[0] = is_missing.sum()
        return counts


@dataclass(frozen=True)
class _Categories:
    """Categories of the training set; rare and new categories share a bin."""

    names: tuple[str, ...]

    @classmethod
    def of(cls, values: pd.Series) -> "_Categories":
        shares = _texts(values).value_counts(normalize=True)
        return cls(tuple(sorted(shares.index[shares >= RARE_SHARE])))

    def count(self, values: pd.Series) -> NDArray[np.int64]:
        """Count missing, each category, other categories."""
        texts = _texts(values)
        counts = texts.value_counts().reindex(list(self.names), fill_value=0)
        own = counts.to_numpy(dtype=np.int64)
        return np.array([len(values) - len(texts), *own, len(texts) - own.sum()])


def training_bins(frame: pd.DataFrame, columns: Sequence[str]) -> dict[str, Any]:
    """Return the bins of a training set, which ``psi`` compares other customers with.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per training customer, in any order.
    columns : sequence of str
        The features. Numbers are cut at their deciles, between distinct values, and
        have a bin below and a bin above their range. Booleans, texts and columns of
        unknown type are categories. Missing values have their own bin.

    Returns
    -------
    dict
        Plain lists and numbers, for JSON.

    Raises
    ------
    InputError
        If a column is missing, or holds dates.

    Examples
    --------
    >>> training_bins(pd.DataFrame({"city": ["Riga", "Riga", None]}), ["city"])
    {'city': {'kind': 'category', 'names': ['Riga'], 'counts': [1, 2, 0]}}
    """
    bins: dict[str, Any] = {}
    for name in columns:
        values = _column(frame, name)
        if kind_of(values) == "number":
            numbers, moments = _Numbers.of(values), _Moments.of(values)
            bins[name] = {
                "kind": "number",
                "edges": list(numbers.edges),
                "minimum": numbers.minimum,
                "maximum": numbers.maximum,
                "counts": numbers.count(values).tolist(),
            }
            if moments.customers:
                bins[name]["moments"] = vars(moments)
        else:
            categories = _Categories.of(values)
            bins[name] = {
                "kind": "category",
                "names": list(categories.names),
                "counts": categories.count(values).tolist(),
            }
    return bins


def psi(bins: Mapping[str, Any], frame: pd.DataFrame) -> pd.DataFrame:
    """Return how much customers differ from the training set, feature by feature.

    Shares below one in ten thousand count as that, and so do shares below half a
    customer of the smaller population: ten customers cannot show that a bin is rare.

    Parameters
    ----------
    bins : mapping
        From ``training_bins``.
    frame : pandas.DataFrame
        One row per customer to score, in any order.

    Returns
    -------
    pandas.DataFrame
        One row per feature, in the order of `bins`: ``feature``; ``psi``;
        ``psi_by_chance``, which customers drawn from the training population exceed
        once in a hundred times; ``mean_ratio``, the mean over that of the training,
        null for categories and means that are not above 0; ``mean_ratio_by_chance``,
        which it or its inverse exceeds once in a hundred times; ``change``: ``little``,
        ``moderate`` or ``significant`` by the limits of the index, if chance does not
        explain it, or ``too_few`` where chance alone would reach a significant change;
        ``training_customers`` and ``customers``. Index and change are null without
        customers on both sides.

    Raises
    ------
    InputError
        If a feature is missing, or was a number and is none now.
    """
    rows = []
    for name, stored in bins.items():
        values = _column(frame, name)
        trained = np.array(stored["counts"], dtype=np.int64)
        scored = _bins_of(name, stored, values).count(values)
        index, chance = _index(trained, scored)
        means = _mean_ratio(stored, values)
        row = (name, index, chance, *means, _change(index, chance))
        rows.append((*row, int(trained.sum()), int(scored.sum())))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _bins_of(
    name: str, stored: Mapping[str, Any], values: pd.Series
) -> _Numbers | _Categories:
    if stored["kind"] == "category":
        return _Categories(tuple(stored["names"]))
    if kind_of(values) not in ("number", "flag", "unknown"):
        raise InputError(
            f"feature {name}: was a number in training and is a {kind_of(values)}; "
            "train the model again"
        )
    return _Numbers(tuple(stored["edges"]), stored["minimum"], stored["maximum"])


def _index(
    trained: NDArray[np.int64], scored: NDArray[np.int64]
) -> tuple[float, float]:
    """Return PSI, and the value that it exceeds by chance once in a hundred times."""
    customers = trained.sum(), scored.sum()
    if min(customers) == 0:
        return np.nan, np.nan
    floor = max(MIN_SHARE, 0.5 / min(customers))
    before, now = (
        np.maximum(counts / total, floor)
        for counts, total in zip((trained, scored), customers, strict=True)
    )
    index = float(np.sum((now - before) * np.log(now / before)))
    used = int(np.count_nonzero(trained + scored))
    scale = 1 / customers[0] + 1 / customers[1]
    return index, float(chi2.ppf(1 - CHANCE, max(used - 1, 1)) * scale)


def _mean_ratio(stored: Mapping[str, Any], values: pd.Series) -> tuple[float, float]:
    # categories have no mean, and models of earlier versions stored none
    if "moments" not in stored:
        return np.nan, np.nan
    return _Moments.of(values).ratio_to(_Moments(**stored["moments"]))


def _change(index: float, chance: float) -> str | None:
    if np.isnan(index):
        return None
    if index > max(SIGNIFICANT_ABOVE, chance):
        return "significant"
    if chance > SIGNIFICANT_ABOVE:
        return "too_few"
    return "moderate" if index > max(MODERATE_ABOVE, chance) else "little"


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame:
        raise InputError(f"feature {name}: is not among the columns; add it")
    values = frame[name]
    if kind_of(values) == "date":
        raise InputError(f"feature {name}: holds dates; give a number of days instead")
    return values


def _numbers(values: pd.Series) -> NDArray[np.float64]:
    """Return numbers, decimals or nulls as floats; infinite ones stay."""
    if not pd.api.types.is_numeric_dtype(values):
        values = values.astype(object).where(values.notna())
    numbers: NDArray[np.float64] = values.to_numpy(dtype=float, na_value=np.nan)
    return numbers


def _texts(values: pd.Series) -> pd.Series:
    return values.dropna().astype(object).astype(str)
