"""Every candidate is measured, the same on any number of processes and threads."""

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits

from customer_segmentation.segmentation import null_tests
from customer_segmentation.segmentation.declare import (
    ALGORITHMS,
    Feature,
    Pin,
    SearchBudget,
    Segmentation,
)
from customer_segmentation.segmentation.judge import (
    JudgedCandidate,
    candidates_of,
    search,
)
from customer_segmentation.segmentation.space import Space
from customer_segmentation.segmentation.weighted import Points

pytestmark = pytest.mark.usefixtures("rough_null_data")

FEATURES = (Feature("x", "standard"), Feature("y", "standard"))
LITTLE = SearchBudget(resamples=2, null_draws=9)


def declared(*algorithms: str, k_max: int = 5) -> Segmentation:
    return Segmentation("s", "mall", FEATURES, algorithms, 2, k_max)


def space(points: Points) -> Space:
    return Space.fit(points, ((0,), (1,)), (True, True))


def corners(count: int, spread: float = 0.8, seed: int = 0) -> Points:
    rng = np.random.default_rng(seed)
    centres = 6 * np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.2, 1.2]])
    return centres[np.arange(count) % 4] + rng.normal(scale=spread, size=(count, 2))


@pytest.fixture(scope="module")
def found(rough_null_data: None) -> list[JudgedCandidate]:
    return search(declared(*ALGORITHMS), space(corners(120)), LITTLE)


def test_every_candidate_is_measured_once(found: list[JudgedCandidate]) -> None:
    assert [one.candidate for one in found] == list(
        candidates_of(declared(*ALGORITHMS))
    )
    for one in found:
        measures = [
            *vars(one.indices).values(),
            *(one.stability_mean, one.stability_min),
            *(one.smallest_share, one.noise_share),
            *(one.structure_p_value, one.correlation_p_value, one.structure_excess),
            one.gap_p_value,
        ]
        assert {math.isnan(measure) for measure in measures} == {one.n_clusters < 2}


def test_planted_corners_are_found(found: list[JudgedCandidate]) -> None:
    of_four = [one for one in found if one.candidate.setting == "k=4"]
    assert len(of_four) == 4
    for one in of_four:
        assert one.smallest_share == 0.25
        assert one.noise_share == 0
        # one start of a mixture may end elsewhere
        is_mixture = one.candidate.algorithm == "gaussian_mixture"
        assert one.stability_min == 1 or is_mixture
        # no draw is as clustered: of 9, and of 29 in a close case
        assert one.structure_p_value in (1 / 10, 1 / 30)
        assert one.correlation_p_value in (1 / 10, 1 / 30)
        assert one.structure_excess > 5
        assert one.gap_p_value < 0.01


def test_measures_are_those_of_the_fit_to_all_customers(
    found: list[JudgedCandidate],
) -> None:
    points = corners(120)
    for one in found:
        if one.candidate.algorithm == "kmeans":
            fitted = KMeans(int(one.candidate.value), n_init=20, random_state=0)
            labels = fitted.fit(points).labels_
            assert one.indices.inertia == pytest.approx(fitted.inertia_, rel=0.01)
            assert one.indices.silhouette == pytest.approx(
                silhouette_score(points, labels), abs=0.02
            )


def test_inertia_has_its_elbow_at_the_number_of_groups(
    found: list[JudgedCandidate],
) -> None:
    wide = search(declared("kmeans", "ward", k_max=9), space(corners(120)), LITTLE)
    elbows = [one.candidate.setting for one in wide if one.is_elbow]
    assert elbows == ["k=4", "k=4"]
    # a method that finds its own number of clusters has no elbow
    of_density = [one for one in found if one.candidate.parameter != "k"]
    assert of_density
    assert not any(one.is_elbow for one in of_density)


def test_two_values_of_k_have_no_elbow() -> None:
    short = search(declared("kmeans", k_max=3), space(corners(60)), LITTLE)
    assert [one.is_elbow for one in short] == [False, False]


def test_processes_and_threads_change_nothing(
    found: list[JudgedCandidate], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    for threads in (1, 4):
        with threadpool_limits(limits=threads):
            again = search(declared(*ALGORITHMS), space(corners(120)), LITTLE)
        # nan differs from itself, its text does not
        assert list(map(repr, again)) == list(map(repr, found))


def test_more_null_draws_make_a_smaller_p_value_possible() -> None:
    # the margins show half of the structure of groups on a diagonal
    diagonal = corners(120).reshape(30, 4, 2)[:, [0, 3]].reshape(60, 2)
    [plain] = search(declared("kmeans", k_max=2), space(diagonal), SearchBudget(2, 39))
    assert plain.structure_p_value == 1 / 40


def test_a_sample_of_many_customers_is_compared_with_null_data(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(null_tests, "NULL_POINTS", 100)
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(200, 2))
    few = declared("kmeans", "ward", k_max=4)
    budget = SearchBudget(resamples=2, null_draws=9)
    structured = search(few, space(corners(200)), budget)
    # a close case has 29 draws
    assert min(one.structure_p_value for one in structured) in (1 / 10, 1 / 30)
    unstructured = search(few, space(noise), budget)
    assert min(one.structure_p_value for one in unstructured) > 1 / 10


def test_who_answered_is_no_structure() -> None:
    rng = np.random.default_rng(0)
    has_answered = rng.uniform(size=(300, 1)) < 1 / 3
    # of those who answered a survey, some left a question out
    flags = ~has_answered | (rng.uniform(size=(300, 3)) < 0.1)
    answers = np.where(flags, 0.0, rng.normal(size=(300, 3)))
    points = np.column_stack([answers, flags]).astype(float)
    blocks = ((0, 3), (1, 4), (2, 5))
    is_numeric, marks = (True,) * 3 + (False,) * 3, (False,) * 3 + (True,) * 3
    few = declared("kmeans", "ward", k_max=3)
    budget = SearchBudget(resamples=2, null_draws=19)
    found = search(few, Space.fit(points, blocks, is_numeric, None, marks), budget)
    assert min(one.structure_p_value for one in found) > 0.1
    assert min(one.correlation_p_value for one in found) > 0.1
    # as if the flags were categories like others
    found = search(few, Space.fit(points, blocks, is_numeric), budget)
    assert min(one.structure_p_value for one in found) == 1 / 20


def test_numbers_that_a_category_shifts_are_no_structure_beside_associations() -> None:
    rng = np.random.default_rng(1)
    level = rng.integers(2, size=400)
    points = np.column_stack(
        [rng.normal(size=(400, 2)) + 1.5 * level[:, np.newaxis], level, 1 - level]
    )
    blocks, is_numeric = ((0,), (1,), (2, 3)), (True, True, False, False)
    budget = SearchBudget(resamples=2, null_draws=19)
    shifted = Space.fit(points, blocks, is_numeric)
    found = search(declared("kmeans", "ward", k_max=3), shifted, budget)
    assert min(one.structure_p_value for one in found) == 1 / 20
    assert min(one.correlation_p_value for one in found) > 0.1


@pytest.mark.parametrize(
    "points",
    [np.zeros((1, 2)), np.eye(2), np.zeros((40, 2)), np.repeat(np.eye(2), 9, axis=0)],
    ids=["one", "two", "all equal", "two kinds"],
)
def test_few_customers_are_searched_without_an_error(points: Points) -> None:
    found = search(declared(*ALGORITHMS), space(points), SearchBudget(2, 1))
    distinct = len(np.unique(points, axis=0))
    assert len(found) == len(candidates_of(declared(*ALGORITHMS)))
    for one in found:
        assert one.n_clusters <= distinct
        assert math.isnan(one.indices.silhouette) == (one.n_clusters < 2)


def test_a_pin_outside_the_range_is_a_candidate_once() -> None:
    plain = Segmentation("s", "mall", FEATURES, ("kmeans",), 3, 5)
    settings = [(one.algorithm, one.setting) for one in candidates_of(plain)]
    assert settings == [("kmeans", f"k={k}") for k in (3, 4, 5)]
    for pin, added in (
        (Pin("kmeans", 4), []),
        (Pin("kmeans", 9), [("kmeans", "k=9")]),
        (Pin("ward", 4), [("ward", "k=4")]),
    ):
        pinned = replace(plain, pin=pin)
        found = [(one.algorithm, one.setting) for one in candidates_of(pinned)]
        assert found == settings + added
