"""Many candidates raise the p-values, and structure that is plain lowers them."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from customer_segmentation.segmentation import null_data
from customer_segmentation.segmentation.algorithms import Candidate
from customer_segmentation.segmentation.measures import mean_silhouette
from customer_segmentation.segmentation.null_data import copula_null, margins_null
from customer_segmentation.segmentation.null_tests import null_silhouettes
from customer_segmentation.segmentation.space import Space
from customer_segmentation.segmentation.structure import compare_with_null

pytestmark = pytest.mark.usefixtures("one_thread")


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
    monkeypatch.setattr(null_data, "CORRELATION_DRAWS", 4)
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
