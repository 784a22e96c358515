"""Simulated customers that are known to have clusters, or to have none.

``independent`` features have no structure, ``correlated`` features have no clusters,
and ``planted`` tables have two to six clusters.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Generator = np.random.Generator
Values = NDArray[np.float64]

SOURCE_SYSTEM = "simulated"
MIN_CUSTOMERS, MAX_CUSTOMERS = 300, 500
# distance to the nearest centre, in standard deviations of the wider cluster of the two
MIN_SEPARATION, MAX_SEPARATION = 3.5, 6.0
MIN_SHARE = 0.07
# Null data keep the distribution of each feature, so clusters that one feature alone
# separates look like null data. The centres are this far apart in a second feature too.
MIN_SECOND_RANGE = MIN_SEPARATION / 2

MARGINS: dict[str, Callable[[Generator, int], Values]] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "uniform": lambda rng, n: rng.uniform(size=n),
    "lognormal": lambda rng, n: rng.lognormal(size=n),
    "poisson": lambda rng, n: rng.poisson(3, n).astype(float),
    "bimodal": lambda rng, n: rng.normal(size=n) + 6 * (rng.uniform(size=n) < 0.4),
    "zero_inflated": lambda rng, n: rng.exponential(size=n) * rng.integers(0, 2, n),
    "exponential": lambda rng, n: rng.exponential(size=n),
    "heavy_tailed": lambda rng, n: rng.standard_t(3, size=n),
    "beta": lambda rng, n: rng.beta(0.5, 0.5, n),
    "geometric": lambda rng, n: rng.geometric(0.4, n).astype(float),
}
# number of levels
CATEGORIES = {"binary": 2, "category": 4}
# margins of one mode that are not normal
FACTORS = ("uniform", "exponential", "lognormal", "heavy_tailed")


@dataclass(frozen=True)
class Table:
    """A table of customers.

    Parameters
    ----------
    frame : pandas.DataFrame of n rows
        The features, one row per customer.
    features : list of mapping
        The features as ``vars.yml`` declares them.
    clusters : ndarray of shape (n,) or None
        The planted cluster of each customer, if clusters are planted.
    """

    frame: pd.DataFrame
    features: list[dict[str, Any]]
    clusters: NDArray[np.int64] | None = None


def declare(
    name: str, features: Sequence[dict[str, Any]], **keys: Any
) -> dict[str, Any]:
    """Return the vars that declare one segmentation of simulated customers.

    Parameters
    ----------
    name : str
        Name of the segmentation.
    features : sequence of mapping
        The features as ``vars.yml`` declares them.
    **keys
        Further keys of the declaration.
    """
    declaration = {"source_system": SOURCE_SYSTEM, "features": list(features), **keys}
    return {
        "segmentations": {name: declaration},
        "source_systems": [SOURCE_SYSTEM],
        "source_system_catalog": {SOURCE_SYSTEM: {}},
    }


def to_customer_days(features: pd.DataFrame, first_number: int = 0) -> pd.DataFrame:
    """Add the columns of ``int_features__customer_days`` that segmentations read.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per customer.
    first_number : int
        Number of the first customer; keys are in the order of the rows.
    """
    numbers = range(first_number, first_number + len(features))
    return features.assign(
        customer_key=[f"{SOURCE_SYSTEM}:{number:08}" for number in numbers],
        source_system=SOURCE_SYSTEM,
        as_of_date=pd.Timestamp("2020-01-01"),
        is_today=True,
    )


def independent(rng: Generator) -> Table:
    """Return two to five features that are independent of each other."""
    n = _draw_customers(rng)
    kinds = rng.choice([*MARGINS, *CATEGORIES], int(rng.integers(2, 6)))
    columns, features = {}, []
    for number, kind in enumerate(kinds.tolist(), start=1):
        name = f"{kind}_{number}"
        if kind in CATEGORIES:
            shares = rng.dirichlet(np.full(CATEGORIES[kind], 3.0))
            columns[name] = _levels(rng.choice(len(shares), n, p=shares))
            weight = float(rng.choice([0.5, 1.0]))
            features.append({"name": name, "transform": "onehot", "weight": weight})
        else:
            columns[name] = MARGINS[kind](rng, n)
            features.append({"name": name, "transform": _draw_transform(rng)})
    return Table(pd.DataFrame(columns), features)


def correlated(rng: Generator) -> Table:
    """Return two to five correlated features without clusters.

    Half of the tables are Gaussian copulas of any margins. The others have one or two
    factors that are not normal, and normal noise.
    """
    n, width = _draw_customers(rng), int(rng.integers(2, 6))
    loadings = rng.normal(size=(width, int(rng.integers(1, 3))))
    noise = rng.normal(size=(n, width)) * np.sqrt(rng.uniform(0.2, 1, width))
    if rng.uniform() < 0.5:
        kinds = rng.choice(list(MARGINS), width).tolist()
        latent = rng.normal(size=(n, loadings.shape[1])) @ loadings.T + noise
        ranks = latent.argsort(axis=0).argsort(axis=0)
        margins = [np.sort(MARGINS[kind](rng, n)) for kind in kinds]
        columns = [margin[rank] for margin, rank in zip(margins, ranks.T, strict=True)]
    else:
        factors = rng.choice(FACTORS, loadings.shape[1]).tolist()
        drawn = [MARGINS[factor](rng, n) for factor in factors]
        scaled = [values / values.std() for values in drawn]
        columns = list((np.stack(scaled, axis=1) @ loadings.T + noise).T)
        kinds = ["_and_".join(factors)] * width
    names = [f"{kind}_{number}" for number, kind in enumerate(kinds, start=1)]
    return Table(
        pd.DataFrame(dict(zip(names, columns, strict=True))),
        [{"name": name, "transform": _draw_transform(rng)} for name in names],
    )


def planted(rng: Generator) -> Table:
    """Return two to six clusters in two to four numbers and up to two categories.

    Numbers are plain, counts, or skewed. The clusters differ in how frequent the levels
    of a category are.
    """
    n, count, width = _draw_customers(rng), *rng.integers([2, 2], [7, 5]).tolist()
    deviations = rng.uniform(0.7, 1.1, count)
    clusters = rng.choice(count, n, p=_draw_shares(rng, count))
    centres = _draw_centres(rng, deviations, width)
    points = rng.normal(size=(n, width)) * deviations[clusters, None]
    points += centres[clusters]
    columns, features = {}, []
    for number, column in enumerate(points.T, start=1):
        kind = str(rng.choice(["plain", "count", "skewed"]))
        name = f"{kind}_{number}"
        above_minimum = column - column.min()
        columns[name] = {
            "plain": column,
            "count": np.round(2 * above_minimum),
            "skewed": np.exp(above_minimum / 3),
        }[kind]
        transform = "power" if kind == "skewed" else "standard"
        features.append({"name": name, "transform": transform})
    for number in range(1, int(rng.integers(0, 3)) + 1):
        shares = rng.dirichlet(np.ones(int(rng.integers(2, 5))), count)
        levels = np.array([rng.choice(len(one), p=one) for one in shares[clusters]])
        name = f"category_{number}"
        columns[name] = _levels(levels)
        features.append({"name": name, "transform": "onehot", "weight": 0.5})
    return Table(pd.DataFrame(columns), features, clusters)


KINDS: dict[str, Callable[[Generator], Table]] = {
    "independent": independent,
    "correlated": correlated,
    "planted": planted,
}


def _draw_customers(rng: Generator) -> int:
    return int(rng.integers(MIN_CUSTOMERS, MAX_CUSTOMERS + 1))


def _draw_transform(rng: Generator) -> str:
    return str(rng.choice(["standard", "power"]))


def _levels(numbers: NDArray[np.int64]) -> list[str]:
    return [f"level {number}" for number in numbers.tolist()]


def _draw_shares(rng: Generator, clusters: int) -> Values:
    while True:
        shares = rng.dirichlet(np.full(clusters, 3.0))
        if shares.min() >= MIN_SHARE:
            return shares


def _draw_centres(rng: Generator, deviations: Values, width: int) -> Values:
    """Return centres: each is near an earlier one, and none is too near to another."""
    centres = np.zeros((1, width))
    while len(centres) < len(deviations):
        direction = rng.normal(size=width)
        direction /= np.linalg.norm(direction)
        neighbour = int(rng.integers(len(centres)))
        wider = np.maximum(deviations[: len(centres)], deviations[len(centres)])
        away = rng.uniform(MIN_SEPARATION, MAX_SEPARATION) * wider[neighbour]
        centre = centres[neighbour] + away * direction
        distances = np.linalg.norm(centres - centre, axis=1)
        if (distances >= MIN_SEPARATION * wider - 1e-9).all():
            centres = np.vstack([centres, centre])
    if np.sort(np.ptp(centres, axis=0))[-2] < MIN_SECOND_RANGE:
        return _draw_centres(rng, deviations, width)
    return centres
