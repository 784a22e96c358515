"""Simulated customers of foreign make: shapes that the search was not built on.

Families are split in two. Those of ``BUILD`` were looked at while the rules were made.
Those of ``HELD`` have other shapes and other noise, and were looked at at the end only.
Whoever changes a rule after a look at ``HELD`` needs new families there.

A family says what is right for its tables: ``none`` (no structure), ``not strong``
(dependent features without clusters) or ``found`` (clusters, so ``weak`` or
``strong``).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from simulated_tables import Generator, Table, Values

MIN_CUSTOMERS, MAX_CUSTOMERS = 500, 1_000
# the groups of the issue that are 8 % of the customers
MANY_CUSTOMERS = 3_000
Right = Literal["none", "not strong", "found"]
Make = Callable[[Generator], Table]


@dataclass(frozen=True)
class Family:
    """Tables of one make.

    Parameters
    ----------
    make : callable
        Takes a generator, returns a table.
    right : str
        The verdicts that are right.
    """

    make: Make
    right: Right


def _draw_customers(rng: Generator) -> int:
    return int(rng.integers(MIN_CUSTOMERS, MAX_CUSTOMERS + 1))


def _numbers(
    points: Values, clusters: Values | None = None, transform: str = "standard"
) -> Table:
    """Return a table of plain numbers."""
    names = [f"number_{column}" for column in range(1, points.shape[1] + 1)]
    return Table(
        pd.DataFrame(points, columns=names),
        [{"name": name, "transform": transform} for name in names],
        clusters,
    )


def _with_category(table: Table, name: str, codes: Values, **keys: Any) -> Table:
    levels = [f"level {code}" for code in codes.tolist()]
    declared = {"name": name, "transform": "onehot", **keys}
    return Table(
        table.frame.assign(**{name: levels}),
        [*table.features, declared],
        table.clusters,
    )


def _imputed(table: Table) -> Table:
    features = [{**one, "missing": "impute"} for one in table.features]
    return Table(table.frame, features, table.clusters)


def _members(rng: Generator, n: int, shares: list[float]) -> Values:
    return rng.choice(len(shares), n, p=np.array(shares) / np.sum(shares))


def _spread(rng: Generator, count: int, width: int, apart: float) -> Values:
    """Return centres that are at least so far apart, and the nearest hardly farther."""
    while True:
        centres = rng.uniform(-1.2 * apart, 1.2 * apart, (count, width))
        distances = np.linalg.norm(centres[:, None] - centres, axis=2)
        nearest = (distances + 1e9 * np.eye(count)).min(axis=1)
        if nearest.min() >= apart and nearest.max() <= 2 * apart:
            return centres


def _planted(rng: Generator, noise: Callable[[Generator, int, int], Values]) -> Table:
    """Return three or four clusters at least 5 standard deviations apart."""
    n, count = _draw_customers(rng), int(rng.integers(2, 5))
    width = int(rng.integers(2, 5))
    shares = rng.dirichlet(np.full(count, 4.0)) + 0.06
    clusters = _members(rng, n, shares.tolist())
    centres = _spread(rng, count, width, rng.uniform(5, 7))
    return _numbers(centres[clusters] + noise(rng, n, width), clusters)


# -- build: no structure


def _mixed_margins(rng: Generator) -> Table:
    n = _draw_customers(rng)
    kinds = [
        rng.normal(size=n),
        rng.uniform(size=n),
        rng.lognormal(size=n),
        rng.exponential(size=n),
        rng.beta(0.5, 0.5, n),
    ]
    chosen = rng.choice(5, int(rng.integers(2, 5)), replace=False)
    return _numbers(np.stack([kinds[one] for one in chosen], axis=1))


def _counts(rng: Generator) -> Table:
    n = _draw_customers(rng)
    kinds = [
        rng.poisson(3, n),
        rng.geometric(0.4, n),
        rng.negative_binomial(1, 0.2, n),
        rng.poisson(1, n),
    ]
    chosen = rng.choice(4, int(rng.integers(2, 4)), replace=False)
    points = np.stack([kinds[one] for one in chosen], axis=1).astype(float)
    return _numbers(points, transform=str(rng.choice(["standard", "log", "power"])))


def _heavy_tails(rng: Generator) -> Table:
    n = _draw_customers(rng)
    columns = [rng.standard_t(2, n), rng.pareto(1.5, n), rng.lognormal(0, 1.5, n)]
    return _numbers(
        np.stack(columns, axis=1), transform=str(rng.choice(["standard", "power"]))
    )


def _zero_inflated(rng: Generator) -> Table:
    n, width = _draw_customers(rng), int(rng.integers(2, 4))
    amounts = rng.gamma(2, 50, (n, width)) * (rng.uniform(size=(n, width)) < 0.6)
    return _numbers(amounts, transform=str(rng.choice(["standard", "log"])))


def _categories(rng: Generator) -> Table:
    n = _draw_customers(rng)
    table = _numbers(rng.normal(size=(n, int(rng.integers(1, 3)))))
    for number in range(int(rng.integers(1, 3))):
        shares = rng.dirichlet(np.full(int(rng.integers(2, 5)), 3.0)).tolist()
        codes = _members(rng, n, shares)
        weight = float(rng.choice([0.5, 1.0]))
        table = _with_category(table, f"category_{number}", codes, weight=weight)
    return table


def _a_third_answered(rng: Generator) -> Table:
    """Answers have no pattern, but who has answered one question has most others."""
    n = _draw_customers(rng)
    points = rng.normal(size=(n, 3))
    points[rng.uniform(size=n) > 1 / 3] = np.nan
    points[rng.uniform(size=(n, 3)) < 0.1] = np.nan
    return _imputed(_numbers(points))


# -- build: dependent, without clusters


def _banana(rng: Generator) -> Table:
    n = _draw_customers(rng)
    x = rng.normal(size=n)
    return _numbers(np.stack([x, x**2 + rng.normal(0, 0.4, n)], axis=1))


def _v_shape(rng: Generator) -> Table:
    n = _draw_customers(rng)
    x = rng.uniform(-1, 1, n)
    return _numbers(np.stack([x, np.abs(x) + rng.normal(0, 0.05, n)], axis=1))


def _arc(rng: Generator) -> Table:
    n = _draw_customers(rng)
    angle = rng.uniform(0, np.pi * rng.uniform(0.6, 1.1), n)
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _numbers(points + rng.normal(0, 0.08, (n, 2)))


def _sine(rng: Generator) -> Table:
    n = _draw_customers(rng)
    x = rng.uniform(0, 2 * np.pi * rng.uniform(0.8, 1.6), n)
    return _numbers(np.stack([x, np.sin(x) + rng.normal(0, 0.15, n)], axis=1))


def _clayton(rng: Generator) -> Table:
    n, theta = _draw_customers(rng), float(rng.uniform(2, 6))
    frailty = rng.gamma(1 / theta, size=n)
    uniform = (1 + rng.exponential(size=(n, 2)) / frailty[:, None]) ** (-1 / theta)
    return _numbers(-np.log1p(-uniform * (1 - 1e-9)))


def _shifted(rng: Generator) -> Table:
    n = _draw_customers(rng)
    codes = _members(rng, n, [0.5, 0.5])
    table = _numbers(rng.normal(size=(n, 2)) + codes[:, None])
    return _with_category(table, "gender", codes, weight=float(rng.choice([0.5, 1.0])))


# -- build: planted


def _round_clusters(rng: Generator) -> Table:
    return _planted(rng, lambda rng, n, width: rng.normal(size=(n, width)))


def _student_clusters(rng: Generator) -> Table:
    return _planted(rng, lambda rng, n, width: rng.standard_t(5, (n, width)) / 1.29)


def _uneven_clusters(rng: Generator) -> Table:
    n = _draw_customers(rng)
    clusters = _members(rng, n, [0.5, 0.3, 0.2])
    deviations = np.array([1.0, 0.5, 0.3])[clusters, None]
    centres = np.array([[0.0, 0, 0], [5, 3, 0], [-4, 5, 2]])[clusters]
    return _numbers(centres + deviations * rng.normal(size=(n, 3)), clusters)


def _elongated_clusters(rng: Generator) -> Table:
    n = _draw_customers(rng)
    clusters = _members(rng, n, [0.4, 0.35, 0.25])
    points = rng.normal(size=(n, 2)) * [3.0, 0.7]
    points[:, 1] += 5 * clusters
    points[:, 0] += 2 * clusters
    return _numbers(points, clusters)


def _moons(rng: Generator) -> Table:
    n = _draw_customers(rng)
    clusters = _members(rng, n, [0.5, 0.5])
    angle = rng.uniform(0, np.pi, n) + np.pi * clusters
    points = np.stack([np.cos(angle) + clusters, np.sin(angle)], axis=1)
    points[:, 1] += 0.4 * clusters
    return _numbers(points + rng.normal(0, 0.06, (n, 2)), clusters)


# -- build: planted, set apart by single features


def _one_feature(rng: Generator) -> Table:
    n = _draw_customers(rng)
    clusters = _members(rng, n, [0.5, 0.5])
    points = rng.normal(size=(n, int(rng.integers(2, 5))))
    points[:, 0] += 10 * clusters
    return _numbers(points, clusters)


def _star(rng: Generator) -> Table:
    n = _draw_customers(rng)
    clusters = _members(rng, n, [0.8, 0.1, 0.1])
    centres = np.array([[0.0, 0], [6, 0], [0, 6]])
    noise = rng.normal(size=(n, 2 * int(rng.integers(0, 2))))
    points = centres[clusters] + rng.normal(size=(n, 2))
    return _numbers(np.hstack([points, noise]), clusters)


def _small_groups(rng: Generator) -> Table:
    clusters = _members(rng, MANY_CUSTOMERS, [0.84, 0.08, 0.08])
    centres = np.array([[0.0, 0, 0], [6, 0, 0], [0, 6, 0]])
    points = centres[clusters] + rng.normal(size=(MANY_CUSTOMERS, 3))
    return _numbers(points, clusters)


# -- held: no structure


def _held_margins(rng: Generator) -> Table:
    n = _draw_customers(rng)
    kinds = [
        rng.gumbel(size=n),
        rng.logistic(size=n),
        rng.beta(2, 5, n),
        rng.weibull(0.8, n),
        rng.triangular(0, 0.2, 1, n),
    ]
    chosen = rng.choice(5, int(rng.integers(2, 6)), replace=False)
    return _numbers(np.stack([kinds[one] for one in chosen], axis=1))


def _held_counts(rng: Generator) -> Table:
    n = _draw_customers(rng)
    columns = [rng.binomial(10, 0.3, n), np.minimum(rng.zipf(2.2, n), 200)]
    columns.append(rng.integers(1, 6, n))
    return _numbers(np.stack(columns, axis=1).astype(float), transform="log")


def _held_tails(rng: Generator) -> Table:
    n = _draw_customers(rng)
    columns = [rng.laplace(size=n), rng.exponential(size=n) ** 2, rng.lognormal(size=n)]
    points = np.stack(columns[: int(rng.integers(2, 4))], axis=1)
    return _numbers(points, transform=str(rng.choice(["standard", "power"])))


def _held_zeros(rng: Generator) -> Table:
    n = _draw_customers(rng)
    visits = (1 + rng.poisson(6, n)) * (rng.uniform(size=n) < 0.7)
    spend = rng.lognormal(4, 0.5, n) * (rng.uniform(size=n) < 0.5)
    transform = str(rng.choice(["standard", "log"]))
    return _numbers(np.stack([visits, spend], axis=1).astype(float), None, transform)


def _held_answers(rng: Generator) -> Table:
    """Who answered has no pattern, but the flags of a survey go together."""
    n = _draw_customers(rng)
    points = rng.normal(size=(n, 3))
    points[rng.uniform(size=n) < 0.4, 0] = np.nan
    table = _numbers(points)
    first, *others = table.features
    return Table(table.frame, [{**first, "missing": "impute"}, *others])


# -- held: dependent, without clusters


def _ring(rng: Generator) -> Table:
    n = _draw_customers(rng)
    angle = rng.uniform(0, 2 * np.pi, n)
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _numbers(points + rng.normal(0, 0.1, (n, 2)))


def _spiral(rng: Generator) -> Table:
    n = _draw_customers(rng)
    angle = 2.5 * np.pi * np.sqrt(rng.uniform(0.05, 1, n))
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1) * angle[:, None]
    return _numbers(points + rng.normal(0, 0.3, (n, 2)))


def _cross(rng: Generator) -> Table:
    n = _draw_customers(rng)
    along, across = rng.normal(size=n), rng.normal(0, 0.15, n)
    sign = 2 * rng.integers(0, 2, n) - 1
    return _numbers(np.stack([along, sign * along + across], axis=1))


def _funnel(rng: Generator) -> Table:
    n = _draw_customers(rng)
    x = rng.normal(size=n)
    return _numbers(np.stack([x, np.exp(x) * rng.normal(size=n)], axis=1))


def _hyperbola(rng: Generator) -> Table:
    n = _draw_customers(rng)
    x = rng.uniform(0.15, 2, n)
    return _numbers(np.stack([x, 1 / x + rng.normal(0, 0.1, n)], axis=1))


def _student_copula(rng: Generator) -> Table:
    n = _draw_customers(rng)
    common = np.sqrt(2 / rng.chisquare(2, n))[:, None]
    latent = rng.normal(size=(n, 3)) @ np.linalg.cholesky(
        np.array([[1.0, 0.5, 0.5], [0.5, 1, 0.5], [0.5, 0.5, 1]]).T
    )
    return _numbers(latent * common, transform="quantile")


def _swiss_roll(rng: Generator) -> Table:
    n = _draw_customers(rng)
    angle = rng.uniform(0, 1.5 * np.pi, n)
    columns = [angle * np.cos(angle), rng.uniform(0, 4, n), angle * np.sin(angle)]
    return _numbers(np.stack(columns, axis=1) + rng.normal(0, 0.1, (n, 3)))


def _shifted_regions(rng: Generator) -> Table:
    n = _draw_customers(rng)
    codes = _members(rng, n, [0.5, 0.3, 0.2])
    points = rng.gamma(3, size=(n, 2)) + 1.2 * codes[:, None]
    return _with_category(_numbers(points), "region", codes)


def _answered_together(rng: Generator) -> Table:
    """Three features that the same customers left empty: only that is structure."""
    n = _draw_customers(rng)
    points = rng.normal(size=(n, 4))
    points[np.ix_(rng.uniform(size=n) < 0.4, [0, 1, 2])] = np.nan
    return _imputed(_numbers(points))


def _regions_with_spread(rng: Generator) -> Table:
    """Two categories move skewed numbers, and how much these vary."""
    n = _draw_customers(rng)
    codes = _members(rng, n, [0.4, 0.3, 0.2, 0.1])
    device = _members(rng, n, [0.6, 0.4])
    scale = np.array([1.0, 1.4, 1.8, 2.2])[codes, None]
    points = scale * rng.gamma(2, size=(n, 2)) + 1.5 * device[:, None]
    table = _with_category(_numbers(points), "region", codes)
    return _with_category(table, "device", device, weight=0.5)


def _survey_pages(rng: Generator) -> Table:
    """Two pages of a survey, the second only for some who filled in the first."""
    n = _draw_customers(rng)
    points = rng.gamma(3, size=(n, 5))
    has_first = rng.uniform(size=n) < 0.5
    has_second = has_first & (rng.uniform(size=n) < 0.5)
    points[np.ix_(~has_first, [0, 1])] = np.nan
    points[np.ix_(~has_second, [2, 3])] = np.nan
    is_lost = rng.uniform(size=(n, 5)) < [0.05, 0.05, 0.05, 0.05, 0]
    points[is_lost] = np.nan
    return _imputed(_numbers(points))


# -- held: planted


def _laplace_clusters(rng: Generator) -> Table:
    return _planted(rng, lambda rng, n, width: rng.laplace(size=(n, width)) / 1.41)


def _box_clusters(rng: Generator) -> Table:
    return _planted(
        rng, lambda rng, n, width: rng.uniform(-1.73, 1.73, size=(n, width))
    )


def _skewed_clusters(rng: Generator) -> Table:
    return _planted(rng, lambda rng, n, width: rng.gamma(3, 0.58, size=(n, width)))


def _background_noise(rng: Generator) -> Table:
    table = _planted(rng, lambda rng, n, width: 0.9 * rng.normal(size=(n, width)))
    points = table.frame.to_numpy(copy=True)
    is_noise = rng.uniform(size=len(points)) < 0.05
    low, high = points.min(axis=0), points.max(axis=0)
    drawn = rng.uniform(low, high, points.shape)
    points[is_noise] = drawn[is_noise]
    return _numbers(points, table.clusters)


def _counted_clusters(rng: Generator) -> Table:
    n = _draw_customers(rng)
    clusters = _members(rng, n, [0.5, 0.3, 0.2])
    means = np.array([[3.0, 30], [25, 4], [30, 40]])[clusters]
    return _numbers(rng.poisson(means).astype(float), clusters)


def _crossed_ellipses(rng: Generator) -> Table:
    n = _draw_customers(rng)
    clusters = _members(rng, n, [0.5, 0.5])
    points = rng.normal(size=(n, 2)) * [3.0, 0.5]
    points[clusters == 1] = points[clusters == 1][:, ::-1] + [7.0, 7.0]
    return _numbers(points, clusters)


# -- held: planted, set apart by single features


def _one_count(rng: Generator) -> Table:
    n = _draw_customers(rng)
    clusters = _members(rng, n, [0.6, 0.4])
    visits = rng.poisson(np.where(clusters == 1, 60, 8)).astype(float)
    others = rng.gamma(2, size=(n, 2))
    return _numbers(np.column_stack([visits, others]), clusters)


def _wide_star(rng: Generator) -> Table:
    n = _draw_customers(rng)
    clusters = _members(rng, n, [0.7, 0.1, 0.1, 0.1])
    centres = np.vstack([np.zeros(3), 6.5 * np.eye(3)])
    points = centres[clusters] + rng.logistic(0, 0.55, (n, 3))
    return _numbers(points, clusters)


def _five_per_cent(rng: Generator) -> Table:
    clusters = _members(rng, 2_000, [0.95, 0.05])
    points = rng.normal(size=(2_000, 3))
    points[:, 0] += 6 * clusters
    return _numbers(points, clusters)


def _families(right: Right, *makes: Make) -> dict[str, Family]:
    return {make.__name__.strip("_"): Family(make, right) for make in makes}


BUILD = {
    **_families(
        "none",
        _mixed_margins,
        _counts,
        _heavy_tails,
        _zero_inflated,
        _categories,
    ),
    **_families("not strong", _banana, _v_shape, _arc, _sine, _clayton, _shifted),
    **_families(
        "found",
        _round_clusters,
        _student_clusters,
        _uneven_clusters,
        _elongated_clusters,
        _moons,
        _one_feature,
        _star,
        _small_groups,
    ),
    # last, so that the others keep their tables
    **_families("none", _a_third_answered),
}
HELD = {
    **_families(
        "none",
        _held_margins,
        _held_counts,
        _held_tails,
        _held_zeros,
        _held_answers,
    ),
    **_families(
        "not strong",
        _ring,
        _spiral,
        _cross,
        _funnel,
        _hyperbola,
        _student_copula,
        _swiss_roll,
        _shifted_regions,
        _answered_together,
    ),
    **_families(
        "found",
        _laplace_clusters,
        _box_clusters,
        _skewed_clusters,
        _background_noise,
        _counted_clusters,
        _crossed_ellipses,
        _one_count,
        _wide_star,
        _five_per_cent,
    ),
    **_families("none", _survey_pages),
    **_families("not strong", _regions_with_spread),
}
