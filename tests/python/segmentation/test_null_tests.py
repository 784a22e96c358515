"""Close cases get more draws, and subsamples say what other draws would tell."""

import numpy as np
import pytest

from customer_segmentation.segmentation import null_tests
from customer_segmentation.segmentation.algorithms import Candidate
from customer_segmentation.segmentation.null_tests import (
    NullTests,
    compare_with_null_data,
)
from customer_segmentation.segmentation.space import Space
from customer_segmentation.segmentation.structure import compare_with_null
from customer_segmentation.segmentation.weighted import Points

pytestmark = pytest.mark.usefixtures("rough_null_data", "one_thread")

CANDIDATES = [Candidate("ward", "k", k) for k in (2, 3)]


def groups(count: int, apart: float, seed: int = 0) -> Points:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(count, 2))
    points[: count // 2] += apart
    return points


def compared(points: Points, draws: int = 19, parts: int = 3) -> NullTests:
    space = Space.fit(points, ((0,), (1,)), (True, True))
    rng = np.random.default_rng(5)
    size = round(0.8 * len(points))
    rows = [rng.permutation(len(points))[:size] for _ in range(parts)]
    return compare_with_null_data(space, CANDIDATES, rows, draws, seed=3)


@pytest.mark.parametrize(
    ("of_data", "is_close"),
    [(9.0, False), (3.1, True), (2.9, True), (1.0, False), (-np.inf, False)],
    ids=["far above", "just above", "one draw above", "below many", "one cluster"],
)
def test_a_case_is_close_if_another_draw_could_decide_it(
    of_data: float, is_close: bool
) -> None:
    draws = np.append(np.random.default_rng(0).uniform(0, 2, 98), 3.0)
    observed = of_data if np.isfinite(of_data) else np.nan
    test = compare_with_null(np.array([observed]), draws[:, np.newaxis])
    assert test.is_close(0.05) == is_close


def test_only_a_close_case_gets_more_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    clear = compared(groups(100, 8))
    assert len(clear.by_margins.largest) == 1 + 19
    assert np.nanmin(clear.by_margins.p_values) == 1 / 20
    monkeypatch.setattr(null_tests, "CLOSE_SHARE", 1)
    more = compared(groups(100, 0))
    assert len(more.by_margins.largest) == 1 + 59
    assert len(more.by_correlations.largest) == 1 + 59


def test_the_median_subsample_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(null_tests, "NULL_POINTS", 60)
    points = groups(300, 5)
    # all customers of one subsample, and only one group of it in another
    rows = [np.arange(100, 200), np.arange(120, 180), np.arange(60)]
    space = Space.fit(points, ((0,), (1,)), (True, True))
    tests = compare_with_null_data(space, CANDIDATES, rows, 19, seed=3)
    assert tests.of_subsamples.shape == (3, 2, 2)
    alone = tests.of_subsamples[2, 0, 0]
    assert alone > 0.1 > tests.by_margins.p_values[0]


def test_subsamples_of_plain_groups_agree_and_of_noise_do_not_find_any() -> None:
    plain = compared(groups(200, 6)).of_subsamples
    assert (plain[:, 0, 0] <= 0.06).all()
    noise = compared(groups(200, 0)).of_subsamples
    assert np.median(noise) > 0.1


def test_the_same_customers_get_the_same_p_values() -> None:
    first, again = (compared(groups(120, 2)) for _ in range(2))
    np.testing.assert_array_equal(first.of_subsamples, again.of_subsamples)
    np.testing.assert_array_equal(first.by_margins.largest, again.by_margins.largest)
