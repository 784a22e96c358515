"""Null data keep what they should only, and many candidates raise the p-values."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr

from customer_segmentation.segmentation import structure
from customer_segmentation.segmentation.algorithms import Candidate
from customer_segmentation.segmentation.judge import null_silhouettes
from customer_segmentation.segmentation.measures import mean_silhouette
from customer_segmentation.segmentation.space import Space
from customer_segmentation.segmentation.structure import (
    compare_with_null,
    copula_null,
    margins_null,
)
from customer_segmentation.segmentation.weighted import Points

pytestmark = pytest.mark.usefixtures("one_thread")

# a count with a rate of it, a tied count, an amount, and two levels
BLOCKS = ((0, 1), (2,), (3,), (4, 5))
IS_NUMERIC = (True, True, True, True, False, False)


def customers(seed: int, count: int = 600) -> Points:
    rng = np.random.default_rng(seed)
    taste = rng.normal(size=count)
    claims = 1 + rng.poisson(np.exp(1.2 + 0.6 * taste))
    level = rng.integers(2, size=count)
    return np.column_stack(
        [
            claims,
            rng.binomial(claims, 0.5) / claims,
            rng.poisson(np.exp(0.4 * taste)),
            np.exp(taste + rng.normal(scale=0.5, size=count)),
            level == 0,
            level == 1,
        ]
    ).astype(float)


def nulls(points: Points) -> list[tuple[str, Points]]:
    samplers = {
        "margins": margins_null(points, BLOCKS),
        "copula": copula_null(points, BLOCKS, IS_NUMERIC, seed=0),
    }
    return [
        (name, draw(np.random.default_rng(number)))
        for name, draw in samplers.items()
        for number in range(20)
    ]


def rank_correlations(points: Points) -> Points:
    return spearmanr(points[:, [0, 2, 3]]).statistic


def rows(points: Points) -> list[tuple]:
    return sorted(map(tuple, points.tolist()))


@pytest.mark.parametrize("seed", range(3))
def test_null_data_keep_margins_and_the_rows_of_every_block(seed: int) -> None:
    points = customers(seed)
    for name, null in nulls(points):
        assert not np.array_equal(null, points)
        for block in BLOCKS:
            columns = list(block)
            assert rows(null[:, columns]) == rows(points[:, columns]), name


@pytest.mark.parametrize("seed", range(3))
def test_only_the_copula_keeps_correlations_even_with_ties(seed: int) -> None:
    points = customers(seed)
    target = rank_correlations(points)
    assert np.min(target) > 0.2
    for name, kept in (("margins", 0), ("copula", 1)):
        drawn = [rank_correlations(null) for of, null in nulls(points) if of == name]
        expected = np.where(np.eye(3) == 1, 1, kept * target)
        off = np.abs(np.mean(drawn, axis=0) - expected)
        assert off[1, 2] < 0.05
        # the count leads its block together with the rate
        assert off.max() < 0.15


def test_the_copula_keeps_no_structure_besides_correlations() -> None:
    rng = np.random.default_rng(0)
    centres = np.array([[-3.0, -3], [3, -3], [-3, 3], [3, 3]])
    points = centres[rng.integers(4, size=400)] + rng.normal(scale=0.3, size=(400, 2))
    null = copula_null(points, ((0,), (1,)), (True, True), seed=0)(rng)
    # four corners have no correlation: in each half, the other column is free
    shuffled = margins_null(points, ((0,), (1,)))(rng)
    for drawn in (null, shuffled):
        assert abs(spearmanr(drawn).statistic) < 0.15
    ring = np.column_stack([np.cos(np.arange(400.0)), np.sin(np.arange(400.0))])
    of_ring = copula_null(ring, ((0,), (1,)), (True, True), seed=0)(rng)
    assert np.ptp(np.linalg.norm(ring, axis=1)) < 1e-9
    assert np.ptp(np.linalg.norm(of_ring, axis=1)) > 1


def test_draws_depend_on_the_generator_alone() -> None:
    points = customers(0)
    for (name, first), (_, again) in zip(nulls(points), nulls(points), strict=True):
        np.testing.assert_array_equal(first, again, err_msg=name)


@pytest.mark.parametrize(
    "points",
    [np.zeros((1, 2)), np.zeros((9, 2)), np.eye(2)],
    ids=["one", "all equal", "two"],
)
def test_null_data_of_few_customers_are_defined(points: Points) -> None:
    blocks, is_numeric = ((0,), (1,)), (True, True)
    for draw in (
        margins_null(points, blocks),
        copula_null(points, blocks, is_numeric, seed=0),
    ):
        null = draw(np.random.default_rng(0))
        assert np.sort(null, axis=0).tolist() == np.sort(points, axis=0).tolist()


def test_p_values_allow_for_many_candidates() -> None:
    rng = np.random.default_rng(1)
    times, draws, candidates = 1_000, 39, 10
    mixed = rng.normal(size=(candidates, candidates))
    drawn = rng.normal(size=(times, draws + 1, candidates)) @ mixed
    drawn = drawn * rng.uniform(0.01, 0.2, candidates) + rng.random(candidates)
    found = [compare_with_null(one[0], one[1:]) for one in drawn]
    least = np.array([one.p_values.min() for one in found])
    for level in (0.05, 0.1, 0.5):
        assert np.mean(least <= level) == pytest.approx(level, abs=0.03)
    # without the correction, many data sets have a significant candidate
    uncorrected = (drawn >= drawn[:, :1]).mean(axis=1).min(axis=1)
    assert np.mean(uncorrected <= 0.05) > 0.2


@pytest.mark.parametrize("is_correlated", [False, True])
def test_no_structure_is_found_where_there_is_none(
    is_correlated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # correlations of values without ties need hardly any correction
    monkeypatch.setattr(structure, "CORRELATION_DRAWS", 4)
    times, draws = 30, 19
    candidates = [
        Candidate(name, "k", k) for name in ("ward", "average") for k in (2, 3, 4)
    ]
    blocks, is_numeric = ((0,), (1,)), (True, True)
    significant = 0
    for seed in range(times):
        rng = np.random.default_rng(seed)
        points = rng.normal(size=(30, 2))
        draw = margins_null(points, blocks)
        if is_correlated:
            points[:, 1] += points[:, 0]
            draw = copula_null(points, blocks, is_numeric, seed)
        space = Space.fit(points, blocks, is_numeric)
        silhouettes = [
            null_silhouettes(space, one, candidates, 0)
            for one in (points, *(draw(rng) for _ in range(draws)))
        ]
        test = compare_with_null(silhouettes[0], np.array(silhouettes[1:]))
        significant += np.nanmin(test.p_values) <= 0.05
    # 1.5 on average; more than 5 once in three hundred times
    assert significant <= 5


def test_plain_structure_has_the_smallest_p_value_possible() -> None:
    rng = np.random.default_rng(0)
    centres = np.array([[0.0, 0.0], [6.0, 6.0], [0.0, 9.0]])
    points = centres[rng.integers(3, size=150)] + rng.normal(size=(150, 2))
    candidates = [Candidate("kmeans", "k", k) for k in (2, 3, 4, 5)]
    space = Space.fit(points, ((0,), (1,)), (True, True))
    observed = null_silhouettes(space, points, candidates, 0)
    for draws in (9, 24):
        draw = margins_null(points, space.blocks)
        drawn = np.array(
            [
                null_silhouettes(space, draw(rng), candidates, number)
                for number in range(draws)
            ]
        )
        test = compare_with_null(observed, drawn)
        assert test.p_values[1] == 1 / (draws + 1)
        assert test.excess[1] > 5
        assert np.nanmin(test.p_values) == 1 / (draws + 1)


def test_a_candidate_of_one_cluster_has_no_p_value_and_changes_no_other() -> None:
    rng = np.random.default_rng(2)
    drawn = rng.normal(0.3, 0.01, size=(49, 3))
    observed = np.array([0.5, np.nan, 0.3])
    test = compare_with_null(observed, drawn)
    assert np.isnan(test.p_values).tolist() == [False, True, False]
    assert np.isnan(test.excess).tolist() == [False, True, False]
    assert test.p_values[0] == 1 / 50
    assert test.p_values[2] > 0.05
    # null data that always collapse are beaten by any silhouette
    always_one = compare_with_null(np.array([0.4]), np.full((49, 1), np.nan))
    assert always_one.p_values.tolist() == [1 / 50]


def test_null_fits_are_projected_anew() -> None:
    rng = np.random.default_rng(3)
    points = rng.normal(size=(200, 3)) * [1.0, 1.0, 5.0]
    space = Space.fit(points, ((0,), (1,), (2,)), (True,) * 3, pca=1)
    turned = points[:, [2, 0, 1]]
    candidates = [Candidate("kmeans", "k", 2)]
    [found] = null_silhouettes(space, turned, candidates, 0)
    [same] = null_silhouettes(space, points, candidates, 0)
    assert found == pytest.approx(same, abs=1e-9)


def test_a_setting_that_hardly_ever_clusters_hides_no_other_candidate() -> None:
    rng = np.random.default_rng(0)
    plain = np.append(0.6, rng.normal(0.3, 0.05, 99))
    # a density method that found one cluster on the data, and on all draws but one
    rare = np.full(100, np.nan)
    rare[40] = 0.2
    often = np.append(0.3, rng.normal(0.25, 0.05, 99))
    silhouettes = np.stack([plain, rare, often], axis=1)
    test = compare_with_null(silhouettes[0], silhouettes[1:], [[0], [1, 2], [1, 2]])
    assert test.p_values[0] == 0.01
    assert np.isnan(test.p_values[1])


def test_a_single_block_is_never_structure() -> None:
    rng = np.random.default_rng(0)
    points = np.append(rng.normal(0, 1, 100), rng.normal(20, 1, 100))[:, np.newaxis]
    draw = margins_null(points, [[0]])
    distances = [
        mean_silhouette(cdist(one, one), (one[:, 0] > 10).astype(int))
        for one in (points, *(draw(rng) for _ in range(20)))
    ]
    test = compare_with_null(np.array(distances[:1]), np.array(distances[1:])[:, None])
    assert test.p_values.tolist() == [1.0]
    assert test.excess.tolist() == pytest.approx([0], abs=1e-6)
