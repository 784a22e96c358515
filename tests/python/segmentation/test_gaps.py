"""Gaps are found between groups, and neither in a crowd nor along a curve."""

import numpy as np
import pytest
from sklearn.cluster import KMeans

from customer_segmentation.segmentation.gaps import gap_p_values
from customer_segmentation.segmentation.ties import spread_ties
from customer_segmentation.segmentation.weighted import Labels, Points

pytestmark = pytest.mark.usefixtures("one_thread")


def groups(count: int, centres: list[list[float]], seed: int = 0) -> Points:
    rng = np.random.default_rng(seed)
    placed = np.array(centres)[np.arange(count) % len(centres)]
    return placed + rng.normal(size=placed.shape)


def halves(points: Points, k: int = 2) -> Labels:
    return KMeans(k, n_init=3, random_state=0).fit(points).labels_.astype(np.int64)


def p_value(points: Points, labels: Labels, **keys: list[bool]) -> float:
    is_numeric = keys.get("is_numeric", [True] * points.shape[1])
    return float(gap_p_values(points, is_numeric, [labels], seed=0)[0])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("width", [1, 2, 6])
def test_groups_six_deviations_apart_have_a_gap(width: int, seed: int) -> None:
    points = groups(300, [[0.0] * width, [6.0] + [0.0] * (width - 1)], seed)
    assert p_value(points, np.arange(300) % 2) < 0.001


def test_small_groups_beside_a_large_one_have_gaps() -> None:
    rng = np.random.default_rng(0)
    labels = rng.choice(3, 1_000, p=[0.84, 0.08, 0.08])
    centres = np.array([[0.0, 0], [6, 0], [0, 6]])
    points = centres[labels] + rng.normal(size=(1_000, 2))
    assert p_value(points, labels) < 0.01


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("k", [2, 3, 5])
def test_one_crowd_has_no_gaps(k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for points in (
        rng.normal(size=(400, 3)),
        rng.uniform(size=(400, 2)),
        rng.exponential(size=(400, 2)),
        rng.standard_t(2, (400, 2)),
    ):
        assert p_value(points, halves(points, k)) > 0.01


@pytest.mark.parametrize("k", [2, 3, 4, 6])
def test_a_curve_has_no_gaps(k: int) -> None:
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, np.pi, 600)
    noise = rng.normal(0, 0.08, 600)
    curves = {
        "arc": (np.cos(angle), np.sin(angle) + noise),
        "sine": (angle, np.sin(2 * angle) + 2 * noise),
        "v": (angle, np.abs(angle - np.pi / 2) + noise),
    }
    for name, columns in curves.items():
        points = np.stack(columns, axis=1)
        points /= points.std(axis=0)
        assert p_value(points, halves(points, k)) > 0.01, name


def test_one_border_without_a_gap_is_enough() -> None:
    points = groups(400, [[0.0, 0], [8, 0]])
    is_right = points[:, 0] > 4
    assert p_value(points, is_right.astype(int)) < 0.001
    # the right group is cut once more, where there is no gap
    assert p_value(points, is_right.astype(int) + (points[:, 0] > 8)) == 1


def test_customers_whom_a_density_method_calls_noise_fill_the_gap() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 9, (400, 2))
    labels = np.where(points[:, 0] < 4, 0, np.where(points[:, 0] > 5, 1, -1))
    without = labels != -1
    assert p_value(points[without], labels[without]) < 0.01
    assert p_value(points, labels) > 0.01


def test_counts_and_point_masses_make_no_gaps() -> None:
    rng = np.random.default_rng(0)
    counts = rng.poisson(1, (500, 2)).astype(float)
    assert p_value(counts, (counts[:, 0] > 0).astype(int)) > 0.01
    spend = rng.lognormal(4, 0.3, 500) * rng.integers(0, 2, 500)
    points = np.stack([np.log1p(spend), rng.normal(size=500)], axis=1)
    assert p_value(points, (spend > 0).astype(int)) > 0.01
    # but groups that differ in a count do
    visits = rng.poisson(np.repeat([2, 40], 250)).astype(float)[:, np.newaxis]
    assert p_value(visits, np.repeat([0, 1], 250)) < 0.001


def test_levels_of_a_category_make_no_gap() -> None:
    rng = np.random.default_rng(0)
    level = rng.integers(0, 2, 500)
    points = np.column_stack([rng.normal(size=500) + level, level == 0, level == 1])
    assert p_value(points, level, is_numeric=[True, False, False]) > 0.01
    assert p_value(points[:, 1:], level, is_numeric=[False, False]) == 1


def test_the_order_of_customers_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    points = groups(300, [[0.0, 0], [4, 0], [0, 4.5]]).round(1)
    _, labels = np.unique(points.round(), axis=0, return_inverse=True)
    labels = labels % 3
    mixed = rng.permutation(300)
    of_all = gap_p_values(points, [True, True], [labels, halves(points, 3)], 0)
    other = [labels[mixed], halves(points, 3)[mixed]]
    of_mixed = gap_p_values(points[mixed], [True, True], other, 0)
    assert of_all.tolist() == of_mixed.tolist()


def test_p_values_are_corrected_for_the_number_of_candidates() -> None:
    points = groups(90, [[0.0], [4.2]])
    labels = (points[:, 0] > 2.1).astype(int)
    one_cluster = np.zeros(90, dtype=int)
    alone = gap_p_values(points, [True], [labels, one_cluster], 0)
    of_five = gap_p_values(points, [True], [labels] * 5, 0)
    assert 0 < alone[0] < 0.2
    assert np.isnan(alone[1])
    assert of_five.tolist() == pytest.approx([5 * alone[0]] * 5)


@pytest.mark.parametrize(
    "points",
    [np.eye(2), np.zeros((40, 2)), np.repeat(np.eye(2), 20, axis=0), np.eye(30)],
    ids=["two", "all equal", "two kinds", "as many features as customers"],
)
def test_few_or_equal_customers_have_no_gaps(points: Points) -> None:
    labels = np.arange(len(points)) % 2
    assert p_value(points, labels) == 1


def test_spread_values_stay_next_to_their_own() -> None:
    rng = np.random.default_rng(0)
    values = np.repeat([0.0, 1, 2, 4], [30, 40, 30, 20])
    spread = spread_ties(values, rng)
    assert len(np.unique(spread)) == len(spread)
    assert np.abs(spread - values).max() <= 1
    assert np.sort(spread).tolist() == pytest.approx(
        spread[np.lexsort([spread, values])].tolist()
    )
    # the last value before a gap does not fill it
    assert spread_ties(np.repeat([0.0, 1, 2, 30, 31], 9), rng)[18:27].max() < 4
    plain = rng.normal(size=20)
    assert spread_ties(plain, rng) is plain
    # four in five have nothing
    spend = np.append(np.zeros(80), rng.uniform(50, 60, 20))
    assert spread_ties(spend, rng).min() >= 50
