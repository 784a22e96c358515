"""Measures are those of the field; noise and chance are not rewarded."""

import math

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from sklearn.metrics import (
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_score,
)

from customer_segmentation.segmentation import measures
from customer_segmentation.segmentation.algorithms import Candidate, fit_candidates
from customer_segmentation.segmentation.declare import (
    ALGORITHMS,
    Feature,
    Segmentation,
)
from customer_segmentation.segmentation.judge import candidates_of
from customer_segmentation.segmentation.labels import NOISE, count_clusters
from customer_segmentation.segmentation.measures import (
    Separation,
    draw_resamples,
    mean_silhouette,
    resample_agreement,
)
from customer_segmentation.segmentation.weighted import Labels, Points

pytestmark = pytest.mark.usefixtures("one_thread")

# --- separation


def spheres(seed: int, customers: int = 300, spread: float = 1.0) -> tuple[Points, ...]:
    """Return points around four centres, and which centre each is around."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(4, size=customers)
    centres = rng.normal(scale=5, size=(4, 3))
    return centres[truth] + rng.normal(scale=spread, size=(customers, 3)), truth


def silhouette(points: Points, labels: Labels) -> float:
    return mean_silhouette(cdist(points, points), labels)


@pytest.mark.parametrize("seed", range(5))
def test_silhouette_is_that_of_scikit_learn(seed: int) -> None:
    points, truth = spheres(seed)
    points = points.round()
    rng = np.random.default_rng(seed)
    alone = truth.copy()
    alone[:2] = [7, 9]
    for labels in (truth, 10 * truth + 3, rng.permutation(truth), alone):
        found = silhouette(points, labels)
        assert found == pytest.approx(silhouette_score(points, labels), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_noise_counts_zero_and_so_lowers_the_silhouette(seed: int) -> None:
    points, labels = spheres(seed)
    far = np.random.default_rng(seed).uniform(-90, 90, size=(60, 3))
    without = silhouette(points, labels)
    found = silhouette(
        np.vstack([points, far]), np.append(labels, np.full(len(far), NOISE))
    )
    assert found == pytest.approx(without * len(points) / (len(points) + len(far)))
    assert found < without


def test_doubtful_customers_as_noise_raise_no_silhouette() -> None:
    points, labels = spheres(1, spread=0.2)
    strict = np.where(np.arange(len(points)) % 3 > 0, labels, NOISE)
    assert silhouette(points, strict) < silhouette(points, labels)


def test_one_cluster_separates_nothing() -> None:
    points, truth = spheres(0)
    separation = Separation(points, np.random.default_rng(0))
    noise = np.full(len(points), NOISE)
    for labels in (noise, np.zeros_like(truth), np.where(truth > 1, 1, NOISE)):
        assert count_clusters(labels) < 2
        assert math.isnan(silhouette(points, labels))
        assert all(map(math.isnan, vars(separation.measure(labels)).values()))


@pytest.mark.parametrize("k", [2, 4, 7])
def test_indices_are_those_of_scikit_learn(k: int) -> None:
    points, _ = spheres(2)
    fitted = KMeans(k, n_init=3, random_state=0).fit(points)
    found = Separation(points, np.random.default_rng(0)).measure(fitted.labels_)
    assert vars(found) == pytest.approx(
        {
            "inertia": fitted.inertia_,
            "silhouette": silhouette_score(points, fitted.labels_),
            "davies_bouldin": davies_bouldin_score(points, fitted.labels_),
            "calinski_harabasz": calinski_harabasz_score(points, fitted.labels_),
        }
    )


def test_noise_counts_with_the_nearest_cluster_in_the_other_indices() -> None:
    points, truth = spheres(3, spread=0.3)
    is_noise = np.arange(len(points)) % 10 == 0
    separation = Separation(points, np.random.default_rng(0))
    found = separation.measure(np.where(is_noise, NOISE, truth))
    whole = separation.measure(truth)
    # blobs this far apart leave no doubt about which is nearest
    assert found.inertia == pytest.approx(whole.inertia)
    assert found.davies_bouldin == pytest.approx(whole.davies_bouldin)
    assert found.calinski_harabasz == pytest.approx(whole.calinski_harabasz)


def test_customers_all_alone_have_no_variance_to_compare() -> None:
    points, _ = spheres(0, customers=5)
    found = Separation(points, np.random.default_rng(0)).measure(np.arange(5))
    assert (found.inertia, found.silhouette) == (0, 0)
    assert math.isnan(found.davies_bouldin)
    assert math.isnan(found.calinski_harabasz)


def test_the_silhouette_of_many_is_that_of_a_sample(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(measures, "SILHOUETTE_POINTS", 1_000)
    points, truth = spheres(4, customers=1_500, spread=2.0)
    found = Separation(points, np.random.default_rng(0)).measure(truth).silhouette
    again = Separation(points, np.random.default_rng(0)).measure(truth).silhouette
    assert found == again
    whole = silhouette(points, truth)
    assert found == pytest.approx(whole, abs=0.02)
    assert found != whole


# --- stability


BLOBS = 4
CANDIDATES = candidates_of(
    Segmentation("s", "mall", (Feature("x", "standard"),), ALGORITHMS, BLOBS, BLOBS)
)


def blobs(count: int, spread: float, seed: int = 0) -> Points:
    rng = np.random.default_rng(seed)
    centres = 10 * np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    return centres[np.arange(count) % BLOBS] + rng.normal(scale=spread, size=(count, 2))


def agreement(points: Points, candidates: tuple[Candidate, ...]) -> Points:
    references = fit_candidates(points, candidates, seed=1)
    return np.array(
        [
            resample_agreement(resample, candidates, seed=number)
            for number, resample in enumerate(draw_resamples(points, references, 4, 2))
        ]
    )


def test_blobs_far_apart_come_back_in_every_resample() -> None:
    exact = [
        one
        for one in CANDIDATES
        # a tenth of the customers is no core at the median radius, and so may be noise
        if one.parameter != "radius_quantile" or one.value >= 0.95
    ]
    found = agreement(blobs(400, spread=0.5), tuple(exact))
    by_k = [one.parameter == "k" for one in exact]
    assert (found[:, by_k] == 1).all()
    assert (found > 0.9).all()


def test_clusters_that_the_data_do_not_have_do_not_come_back() -> None:
    noise = np.random.default_rng(0).normal(size=(400, 2))
    by_k = tuple(one for one in CANDIDATES if one.parameter == "k")
    assert agreement(noise, by_k).mean(axis=0).max() < 0.9
    # more clusters than there are blobs are cut anew each time
    split = (Candidate("kmeans", "k", BLOBS + 3),)
    assert agreement(blobs(400, 0.5), split).mean() < 0.95


def test_resamples_are_drawn_with_replacement_from_the_customers() -> None:
    points = blobs(300, 1.0)
    references = [np.arange(300), np.arange(300) % 7]
    resamples = list(draw_resamples(points, references, 3, seed=4))
    known = set(map(tuple, points.tolist()))
    for one in resamples:
        assert set(map(tuple, one.points.tolist())) < known
        # about 63 % of the customers are in a bootstrap sample
        assert 0.55 < len(np.unique(one.points, axis=0)) / 300 < 0.7
        np.testing.assert_array_equal(one.compared, points[one.references[0]])
        np.testing.assert_array_equal(one.references[1], one.references[0] % 7)
    assert not np.array_equal(resamples[0].points, resamples[1].points)
    again = list(draw_resamples(points, references, 3, seed=4))
    for one, other in zip(resamples, again, strict=True):
        np.testing.assert_array_equal(one.points, other.points)


def test_many_customers_are_judged_by_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "RESAMPLED_POINTS", 500)
    monkeypatch.setattr(measures, "RESAMPLED_POINTS_OF_QUADRATIC", 200)
    points = blobs(600, 0.5)
    truth = np.arange(600) % BLOBS
    candidates = (Candidate("kmeans", "k", BLOBS), Candidate("ward", "k", BLOBS))
    [resample] = draw_resamples(points, [truth, truth], 1, seed=0)
    assert len(resample.points) == len(resample.compared) == 500
    assert resample_agreement(resample, candidates, seed=0).tolist() == [1, 1]


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_customers_can_be_drawn_again(count: int) -> None:
    found = agreement(blobs(count, 1.0), CANDIDATES)
    assert found.shape == (4, len(CANDIDATES))
    assert np.isfinite(found).all()
