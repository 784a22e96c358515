"""Tables of simulated customers, of which it is known whether they have clusters.

``independent`` features have no structure, ``correlated`` ones have no clusters,
``planted`` ones have two to six.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Generator = np.random.Generator
Values = NDArray[np.float64]

LEAST_CUSTOMERS, MOST_CUSTOMERS = 300, 500
# of the nearest centre, in the larger of the two spreads within
LEAST_SEPARATION, GREATEST_SEPARATION = 3.5, 6.0
LEAST_SHARE = 0.07
# What one feature alone tells apart is the shape of its margin, which null data keep:
# the centres of a table lie at least so far apart in a second feature, too.
LEAST_IN_A_SECOND_FEATURE = LEAST_SEPARATION / 2

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
# two levels, and four
CATEGORIES = {"binary": 2, "category": 4}
# what is not normal, and has one mode
FACTORS = ("uniform", "exponential", "lognormal", "heavy_tailed")


@dataclass(frozen=True)
class Table:
    """A table of customers.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per customer: the features.
    features : list of mapping
        How they are declared in ``vars.yml``.
    segments : ndarray of shape (n,) or None
        The planted cluster of each customer.
    """

    frame: pd.DataFrame
    features: list[dict[str, Any]]
    segments: NDArray[np.int64] | None = None


def independent(rng: Generator) -> Table:
    """Return two to five features that know nothing of one another."""
    n = _customers(rng)
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
            features.append({"name": name, "transform": _transform(rng)})
    return Table(pd.DataFrame(columns), features)


def correlated(rng: Generator) -> Table:
    """Return two to five correlated features of one heap.

    Every other table is a Gaussian copula of any margins, the rest have one or two
    factors that are not normal, and normal noise.
    """
    n, width = _customers(rng), int(rng.integers(2, 6))
    loadings = rng.normal(size=(width, int(rng.integers(1, 3))))
    noise = rng.normal(size=(n, width)) * np.sqrt(rng.uniform(0.2, 1, width))
    if rng.uniform() < 0.5:
        kinds = rng.choice(list(MARGINS), width).tolist()
        latent = rng.normal(size=(n, loadings.shape[1])) @ loadings.T + noise
        ranks = latent.argsort(axis=0).argsort(axis=0)
        margins = [np.sort(MARGINS[kind](rng, n)) for kind in kinds]
        columns = [margin[rank] for margin, rank in zip(margins, ranks.T, strict=True)]
    else:
        kinds = rng.choice(FACTORS, loadings.shape[1]).tolist()
        factors = [MARGINS[kind](rng, n) for kind in kinds]
        scaled = [factor / factor.std() for factor in factors]
        columns = list((np.stack(scaled, axis=1) @ loadings.T + noise).T)
        kinds = ["+".join(kinds)] * width
    names = [f"{kind}_{number}" for number, kind in enumerate(kinds, start=1)]
    names = [name.replace("+", "_and_") for name in names]
    return Table(
        pd.DataFrame(dict(zip(names, columns, strict=True))),
        [{"name": name, "transform": _transform(rng)} for name in names],
    )


def planted(rng: Generator) -> Table:
    """Return two to six clusters in two to four numbers and up to two categories.

    Numbers are plain, counts, or skewed; the levels of a category are more or less
    frequent in a cluster.
    """
    n, clusters, width = _customers(rng), *rng.integers([2, 2], [7, 5]).tolist()
    spreads = rng.uniform(0.7, 1.1, clusters)
    segments = rng.choice(clusters, n, p=_shares(rng, clusters))
    centres = _centres(rng, spreads, width)
    points = rng.normal(size=(n, width)) * spreads[segments, None] + centres[segments]
    columns, features = {}, []
    for number, column in enumerate(points.T, start=1):
        kind = str(rng.choice(["plain", "count", "skewed"]))
        name = f"{kind}_{number}"
        above = column - column.min()
        columns[name] = {
            "plain": column,
            "count": np.round(2 * above),
            "skewed": np.exp(above / 3),
        }[kind]
        transform = "power" if kind == "skewed" else "standard"
        features.append({"name": name, "transform": transform})
    for number in range(1, int(rng.integers(0, 3)) + 1):
        shares = rng.dirichlet(np.ones(int(rng.integers(2, 5))), clusters)
        levels = np.array([rng.choice(len(one), p=one) for one in shares[segments]])
        columns[f"category_{number}"] = _levels(levels)
        features.append(
            {"name": f"category_{number}", "transform": "onehot", "weight": 0.5}
        )
    return Table(pd.DataFrame(columns), features, segments)


KINDS: dict[str, Callable[[Generator], Table]] = {
    "independent": independent,
    "correlated": correlated,
    "planted": planted,
}


def _customers(rng: Generator) -> int:
    return int(rng.integers(LEAST_CUSTOMERS, MOST_CUSTOMERS + 1))


def _transform(rng: Generator) -> str:
    return str(rng.choice(["standard", "power"]))


def _levels(numbers: NDArray[np.int64]) -> list[str]:
    return [f"level {number}" for number in numbers.tolist()]


def _shares(rng: Generator, clusters: int) -> Values:
    while True:
        shares = rng.dirichlet(np.full(clusters, 3.0))
        if shares.min() >= LEAST_SHARE:
            return shares


def _centres(rng: Generator, spreads: Values, width: int) -> Values:
    """Put each centre near an earlier one and near to none, not all along one axis."""
    centres = np.zeros((1, width))
    while len(centres) < len(spreads):
        direction = rng.normal(size=width)
        direction /= np.linalg.norm(direction)
        beside = int(rng.integers(len(centres)))
        larger = np.maximum(spreads[: len(centres)], spreads[len(centres)])
        away = rng.uniform(LEAST_SEPARATION, GREATEST_SEPARATION) * larger[beside]
        centre = centres[beside] + away * direction
        distances = np.linalg.norm(centres - centre, axis=1)
        if (distances >= LEAST_SEPARATION * larger - 1e-9).all():
            centres = np.vstack([centres, centre])
    if np.sort(np.ptp(centres, axis=0))[-2] < LEAST_IN_A_SECOND_FEATURE:
        return _centres(rng, spreads, width)
    return centres
