"""Null data keep what they should only: margins, blocks, absence and associations."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from customer_segmentation.segmentation.null_data import copula_null, margins_null
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


def shifted(seed: int, count: int = 500) -> tuple[Points, np.ndarray]:
    """Return two correlated numbers and a category of three levels that moves them."""
    rng = np.random.default_rng(seed)
    level = rng.choice(3, count, p=[0.5, 0.3, 0.2])
    common = rng.normal(size=count)
    numbers = [
        common + rng.normal(size=count) + [0.0, 1.0, 2.5][place] * level
        for place in range(2)
    ]
    numbers.append(rng.normal(size=count) * np.array([1.0, 2.0, 0.4])[level])
    return np.column_stack([*numbers, np.eye(3)[level]]), level


@pytest.mark.parametrize("seed", range(3))
def test_the_copula_keeps_categories_and_how_numbers_differ_between_them(
    seed: int,
) -> None:
    points, level = shifted(seed)
    blocks = ((0,), (1,), (2,), (3, 4, 5))
    is_numeric = (True,) * 3 + (False,) * 3
    samplers = {
        "margins": margins_null(points, blocks),
        "copula": copula_null(points, blocks, is_numeric, seed=0),
    }

    def means(drawn: Points) -> Points:
        own = drawn[:, 3:].argmax(axis=1)
        return np.array([drawn[own == one, :2].mean(axis=0) for one in range(3)])

    found = {
        name: [draw(np.random.default_rng(number)) for number in range(20)]
        for name, draw in samplers.items()
    }
    for drawn in found["copula"]:
        np.testing.assert_array_equal(drawn[:, 3:], points[:, 3:])
    apart = means(points)
    kept = np.mean([means(drawn) for drawn in found["copula"]], axis=0)
    assert np.abs(kept - apart).max() < 0.2
    lost = np.mean([means(drawn) for drawn in found["margins"]], axis=0)
    assert np.abs(lost - apart).max() > 0.8
    # correlations within levels, and spreads of levels
    within = [
        spearmanr(drawn[level == 0, :2]).statistic
        for drawn in (points, *found["copula"])
    ]
    assert np.mean(within[1:]) == pytest.approx(within[0], abs=0.12)
    spreads = np.array(
        [
            [drawn[level == one, 2].std() for one in (1, 2)]
            for drawn in (points, *found["copula"])
        ]
    )
    of_null = spreads[1:].mean(axis=0)
    assert of_null[0] / of_null[1] > 0.6 * spreads[0, 0] / spreads[0, 1] > 1.5


def test_categories_that_say_nothing_change_no_correlation() -> None:
    points = customers(4)
    with_levels = copula_null(points, BLOCKS, IS_NUMERIC, seed=0)
    without = copula_null(points[:, :4], BLOCKS[:3], IS_NUMERIC[:4], seed=0)
    correlations = [
        np.mean(
            [rank_correlations(draw(np.random.default_rng(n))) for n in range(20)],
            axis=0,
        )
        for draw in (with_levels, without)
    ]
    np.testing.assert_allclose(*correlations, atol=0.05)


def test_null_data_keep_who_lacks_a_value_and_exchange_the_known_values() -> None:
    rng = np.random.default_rng(0)
    count = 400
    has_answered = rng.uniform(size=count) < 1 / 3
    # two answers with a flag each, nearly always together, and a number for all
    flags = ~has_answered[:, np.newaxis] | (rng.uniform(size=(count, 2)) < 0.1)
    answers = np.where(flags, 0.0, rng.normal(2, 1, size=(count, 2)))
    unknown = ~has_answered
    levels = np.column_stack([unknown, ~unknown & (answers[:, 0] > 1.5)])
    levels = np.column_stack([levels, ~levels.any(axis=1)])
    points = np.column_stack(
        [answers[:, 0], flags[:, 0], answers[:, 1], flags[:, 1], levels]
    ).astype(float)
    blocks = ((0, 1), (2, 3), (4, 5, 6))
    is_numeric = (True, False, True, False, False, False, False)
    marks = (False, True, False, True, True, False, False)
    for draw in (
        margins_null(points, blocks, marks),
        copula_null(points, blocks, is_numeric, seed=0),
    ):
        null = draw(np.random.default_rng(1))
        np.testing.assert_array_equal(null[:, marks], points[:, marks])
        for column in (0, 2):
            known = ~flags[:, column // 2]
            assert (null[~known, column] == 0).all()
            assert (null[known, column] != points[known, column]).mean() > 0.9
    shuffled = margins_null(points, blocks, marks)(np.random.default_rng(1))
    both = ~flags.any(axis=1) & has_answered
    assert abs(spearmanr(shuffled[both][:, [0, 5]]).statistic) < 0.25
    assert spearmanr(points[both][:, [0, 5]]).statistic > 0.7
