"""The confidence is how likely another fit keeps a customer in the segment."""

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from customer_segmentation.segmentation import confidence
from customer_segmentation.segmentation.algorithms import Candidate
from customer_segmentation.segmentation.cluster import CandidateFit, fit_customers
from customer_segmentation.segmentation.confidence import (
    NO_SEGMENT,
    Refit,
    Refits,
    fit_refits,
    refit_resamples,
    staying_probabilities,
)
from customer_segmentation.segmentation.prototypes import Prototypes
from customer_segmentation.segmentation.weighted import Points

pytestmark = pytest.mark.usefixtures("one_thread")

ALGORITHMS = [
    KMEANS := Candidate("kmeans", "k", 9),
    WARD := Candidate("ward", "k", 9),
    Candidate("gaussian_mixture", "k", 9),
    Candidate("hdbscan", "min_cluster_share", 0.05),
    DBSCAN := Candidate("dbscan", "radius_quantile", 0.8),
]
# nine groups, and twelve pairs of neighbours that overlap
CENTRES = 3.5 * np.indices((3, 3)).reshape(2, -1).T
KINDS = np.array([[0.0, 1.0], [2.0, 5.0]])


@pytest.fixture(autouse=True, scope="module")
def _in_this_process() -> None:
    # to start other processes takes longer than these refits
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOKY_MAX_CPU_COUNT", "1")
        yield


def overlapping(count: int, seed: int) -> Points:
    """Return customers of nine groups that overlap."""
    rng = np.random.default_rng(seed)
    return CENTRES[rng.integers(9, size=count)] + rng.normal(size=(count, 2))


@dataclass(frozen=True)
class Planted:
    """A fit to overlapping groups, its refits, and refits that it has not seen."""

    points: Points
    fit: CandidateFit
    prototypes: Prototypes
    refits: Refits
    others: list[Refit]

    def confidence(self, points: Points) -> NDArray[np.float64]:
        """Return the confidence of any customers."""
        return self.refits.confidence(points, self.prototypes.assign(points))

    def stays(self, points: Points) -> NDArray[np.float64]:
        """Return the share of the unseen refits that keep each in the segment."""
        segment = self.prototypes.nearest_segments(points)
        kept = [
            other.prototypes.nearest_segments(points) == segment
            for other in self.others
        ]
        return np.mean(kept, axis=0)


def planted(
    candidate: Candidate, count: int, refits: int, others: int = 0, seed: int = 0
) -> Planted:
    points = overlapping(count, seed)
    [fit] = fit_customers(points, [candidate], seed=0)
    prototypes = fit.prototypes()
    return Planted(
        points,
        fit,
        prototypes,
        fit_refits(fit, prototypes, points, refits, seed=0),
        refit_resamples(fit, prototypes, points, others, seed=1) if others else [],
    )


def several(candidate: Candidate) -> list[Planted]:
    """Return fits to several tables: the borders of one move together by chance."""
    return [
        planted(candidate, 300, refits=100, others=100, seed=seed) for seed in range(4)
    ]


@pytest.fixture(scope="module")
def of_kmeans() -> list[Planted]:
    return several(KMEANS)


@pytest.fixture(scope="module")
def of_ward() -> list[Planted]:
    return several(WARD)


@pytest.fixture(scope="module")
def kmeans(of_kmeans: list[Planted]) -> Planted:
    return of_kmeans[0]


# --- what it means


# the borders of a hierarchy move in leaps, so its refits vary more
@pytest.mark.parametrize(("name", "tolerance"), [("kmeans", 0.03), ("ward", 0.05)])
@pytest.mark.parametrize("are_new", [False, True], ids=["fitted", "new"])
def test_in_every_tenth_as_many_stay_in_other_refits_as_it_says(
    name: str, tolerance: float, are_new: bool, request: pytest.FixtureRequest
) -> None:
    said, happened = [], []
    for seed, one in enumerate(request.getfixturevalue(f"of_{name}")):
        points = overlapping(2_000, seed=50 + seed) if are_new else one.points
        said.append(one.confidence(points))
        happened.append(one.stays(points))
    confidence_of, stays = np.concatenate(said), np.concatenate(happened)
    tenth = np.minimum((confidence_of * 10).astype(int), 9)
    # the mean of fewer customers is chance
    large = [one for one in range(10) if (tenth == one).mean() > 0.025]
    assert len(large) >= 3
    for one in large:
        mean = confidence_of[tenth == one].mean()
        assert mean == pytest.approx(stays[tenth == one].mean(), abs=tolerance), one
    assert confidence_of.mean() == pytest.approx(stays.mean(), abs=0.02)


def test_it_finds_the_customers_who_stay_though_they_are_not_central(
    kmeans: Planted,
) -> None:
    points = overlapping(4_000, seed=51)
    is_sure = kmeans.confidence(points) > 0.98
    is_central = kmeans.prototypes.assign(points).centrality > 0.5
    assert is_sure.sum() > 1.2 * is_central.sum()
    assert kmeans.stays(points)[is_sure].mean() > 0.99


def test_share_of_refits_is_shrunk_to_what_one_more_refit_does() -> None:
    # the chance of each customer is uniform, so that Laplace's rule of succession holds
    rng = np.random.default_rng(0)
    chance = rng.random(20_000)[:, np.newaxis]
    is_kept = rng.random((20_000, 10)) < chance
    is_out = rng.random(is_kept.shape) < 0.4
    found = staying_probabilities(is_kept, is_out, np.ones(20_000))
    others = np.arange(11) * 9 / 10
    np.testing.assert_allclose(found, (others + 1) / 11, atol=0.015)
    assert (np.diff(found) >= 0).all()


def test_points_count_as_often_as_customers_and_only_if_they_count() -> None:
    is_kept = np.array([[True, True], [True, False], [False, True], [False, False]])
    is_out = np.full(is_kept.shape, True)
    weights = np.array([3.0, 1.0, 0.0, 0.0])
    twice = np.repeat(is_kept, weights.astype(int), axis=0)
    np.testing.assert_array_equal(
        staying_probabilities(is_kept, is_out, weights),
        staying_probabilities(twice, np.full(twice.shape, True), np.ones(4)),
    )


def test_customers_whom_every_refit_has_drawn_have_the_plain_share() -> None:
    is_kept = np.array([[True, True, False]])
    found = staying_probabilities(is_kept, np.full((1, 3), False), np.ones(1))
    np.testing.assert_allclose(found, [0, 1 / 3, 2 / 3, 1])


def test_between_two_segments_is_doubt_and_far_out_on_one_side_is_none(
    kmeans: Planted,
) -> None:
    means = kmeans.prototypes.means()
    # those of a corner and of its neighbour
    first, second = kmeans.prototypes.nearest_segments(CENTRES[:2]).tolist()
    between = (means[first] + means[second]) / 2
    far = means[first] - 6.0
    points = np.stack([between, far, means[first]])
    assigned = kmeans.prototypes.assign(points)
    assert assigned.segment[1:].tolist() == [first, first]
    found = kmeans.confidence(points)
    assert found[0] < 0.7
    assert found[1] > 0.98
    assert found[2] > 0.98
    assert assigned.centrality[0] < 0.01
    assert assigned.centrality[1] < 0.5 < assigned.centrality[2]


def test_an_outlier_has_no_confidence() -> None:
    density = planted(DBSCAN, count=300, refits=3)
    assert density.prototypes.reach is not None
    far = np.array([[99.0, 99.0]])
    assert density.prototypes.nearest_segments(far)[0] == 0
    assert density.confidence(far).tolist() == [0]
    is_noise = density.prototypes.nearest_segments(density.points) == 0
    assert 0 < is_noise.sum() < 150
    assert (density.confidence(density.points)[is_noise] == 0).all()


# --- how it is made


@pytest.mark.parametrize("candidate", ALGORITHMS, ids=lambda one: one.algorithm)
def test_it_is_the_same_in_any_batch_and_from_text(candidate: Candidate) -> None:
    few = planted(candidate, count=200, refits=4)
    points = overlapping(300, seed=5)
    whole = few.confidence(points)
    assert ((whole >= 0) & (whole <= 1)).all()
    order = np.random.default_rng(1).permutation(len(points))
    np.testing.assert_array_equal(few.confidence(points[order]), whole[order])
    for row in (0, 7, 299):
        assert few.confidence(points[[row]])[0] == whole[row]
    text = json.dumps(few.refits.to_dict(), allow_nan=False)
    again = Refits.from_dict(json.loads(text))
    assigned = few.prototypes.assign(points)
    np.testing.assert_array_equal(again.confidence(points, assigned), whole)
    assert json.dumps(again.to_dict()) == text


def test_customers_who_cannot_move_are_counted_as_if_looked_at(
    kmeans: Planted,
) -> None:
    points = np.concatenate([overlapping(2_000, seed=5), kmeans.prototypes.positions])
    assigned = kmeans.prototypes.assign(points)
    lost = kmeans.refits.centroids[0].with_ids({n: max(n, 2) for n in range(1, 10)})
    refits = replace(
        kmeans.refits,
        centroids=(lost, *kmeans.refits.centroids[1:]),
        displacement=(np.inf, *kmeans.refits.displacement[1:]),
    )
    # some are so far from all borders that a refit need not be asked
    assert 0 < min(refits.displacement) < 0.5
    looked_at = sum(
        (one.nearest_segments(points) == assigned.segment).astype(int)
        for one in refits.centroids
    )
    np.testing.assert_array_equal(
        refits.confidence(points, assigned), refits.probabilities[looked_at]
    )
    again = Refits.from_dict(json.loads(json.dumps(refits.to_dict(), allow_nan=False)))
    assert again.displacement == refits.displacement


def test_a_refit_has_the_ids_of_the_segments_that_it_continues() -> None:
    points = overlapping(300, seed=1)
    [fit] = fit_customers(points, [KMEANS], seed=0)
    ids = {number: 20 - number for number in range(1, 10)}
    prototypes = fit.prototypes().with_ids(ids)
    refits = fit_refits(fit, prototypes, points, 5, seed=0)
    for refit in refits.centroids:
        assert set(refit.segments.tolist()) <= {*ids.values(), NO_SEGMENT}
    assert refits.confidence(points, prototypes.assign(points)).mean() > 0.8
    plain = fit_refits(fit, fit.prototypes(), points, 5, seed=0)
    np.testing.assert_array_equal(
        plain.confidence(points, fit.prototypes().assign(points)),
        refits.confidence(points, prototypes.assign(points)),
    )


def test_every_customer_is_drawn_equally_often(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = confidence._draw(40, 7, seed=0)
    assert drawn.shape == (7, 40)
    assert np.bincount(drawn.ravel()).tolist() == [7] * 40
    # but not in every resample
    assert len(np.unique(drawn[0])) < 40
    monkeypatch.setattr(confidence, "REFITTED_POINTS", 25)
    few = confidence._draw(40, 7, seed=0)
    assert few.shape == (7, 25)
    assert np.bincount(few.ravel(), minlength=40).max() <= 5


@pytest.mark.parametrize("candidate", ALGORITHMS, ids=lambda one: one.algorithm)
@pytest.mark.parametrize(
    "points",
    [KINDS[:1], KINDS, np.zeros((40, 2)), np.repeat(KINDS, 9, axis=0)],
    ids=["one", "two", "all equal", "two kinds"],
)
def test_few_customers_are_refitted_without_an_error(
    candidate: Candidate, points: Points
) -> None:
    [fit] = fit_customers(points, [candidate], seed=0)
    prototypes = fit.prototypes()
    refits = fit_refits(fit, prototypes, points, 3, seed=0)
    if not prototypes.means():
        # such a fit has no segments, and is not stored
        return
    found = refits.confidence(points, prototypes.assign(points))
    assert ((found >= 0) & (found <= 1)).all()
    if len(prototypes.means()) == 1:
        assert set(found) <= {0.0, 1.0}
