"""A border is as crowded as the customers beside it, whatever shape segments have."""

import numpy as np
import pytest
from sklearn.cluster import KMeans

from customer_segmentation.segmentation.borders import border_densities
from customer_segmentation.segmentation.weighted import Labels, Points


def density(points: Points, labels: Labels, numbers: int | None = None) -> float:
    columns = points.shape[1]
    numbers = columns if numbers is None else numbers
    is_numeric = np.arange(columns) < numbers
    [found] = border_densities(points, is_numeric.tolist(), [labels], seed=0)
    return float(found)


def halves(points: Points, k: int = 2) -> Labels:
    return KMeans(k, n_init=3, random_state=0).fit(points).labels_.astype(np.int64)


def moons(rng: np.random.Generator) -> tuple[Points, Labels]:
    moon = rng.integers(2, size=600)
    angle = rng.uniform(0, np.pi, 600) + np.pi * moon
    points = np.stack([np.cos(angle) + moon, np.sin(angle) + 0.4 * moon], axis=1)
    return points + rng.normal(0, 0.06, points.shape), moon


def test_moons_have_an_empty_border_only_where_they_are_apart() -> None:
    points, moon = moons(np.random.default_rng(0))
    assert density(points, moon) < 0.1
    assert density(points, halves(points)) > 0.6


@pytest.mark.parametrize("seed", range(3))
def test_too_many_segments_have_a_crowded_border_and_too_few_have_none(
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    group = rng.integers(3, size=600)
    points = np.array([[0.0, 0], [6, 1], [12, 8]])[group] + rng.normal(size=(600, 2))
    assert density(points, group) < 0.15
    assert density(points, np.minimum(group, 1)) < 0.15
    split = group.copy()
    split[group == 0] = 3 * halves(points[group == 0])
    assert density(points, split) > 0.5
    # long segments are as far apart as round ones
    assert density(points * [1, 5], group) < 0.15


def test_a_continuum_is_crowded_everywhere() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(size=(500, 2))
    for k in (2, 3, 5):
        assert density(points, halves(points, k)) > 0.5


def test_a_few_customers_between_two_groups_do_not_make_a_border_crowded() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1], 200)
    points = rng.normal(size=(400, 2)) + 8 * group[:, np.newaxis]
    points[[0, 1, 200, 201]] = [[4.0, 4], [3.9, 4], [4.1, 4], [4, 4.1]]
    assert density(points, group) < 0.1


def test_the_order_of_customers_changes_nothing() -> None:
    points, moon = moons(np.random.default_rng(1))
    order = np.random.default_rng(2).permutation(len(points))
    assert density(points[order], moon[order]) == density(points, moon)


def test_a_density_needs_numbers_two_segments_and_enough_customers() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1], [19, 80])
    points = rng.normal(size=(99, 2)) + 8 * group[:, np.newaxis]
    assert np.isnan(density(points, group))
    assert np.isnan(density(points, np.zeros(99, dtype=np.int64)))
    larger = np.repeat([0, 1], [20, 79])
    assert not np.isnan(density(points, larger))
    assert np.isnan(density(points, larger, numbers=0))
