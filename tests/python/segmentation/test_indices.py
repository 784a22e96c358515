"""The indices are those of the field, and noise is not rewarded."""

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

from customer_segmentation.segmentation.indices import (
    NOISE,
    SILHOUETTE_POINTS,
    Labels,
    Measures,
    Points,
    count_clusters,
    mean_silhouette,
)


def blobs(seed: int, customers: int = 300, spread: float = 1.0) -> tuple[Points, ...]:
    """Return points around four centres, and which centre each is around."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(4, size=customers)
    centres = rng.normal(scale=5, size=(4, 3))
    return centres[truth] + rng.normal(scale=spread, size=(customers, 3)), truth


def silhouette(points: Points, labels: Labels) -> float:
    return mean_silhouette(cdist(points, points), labels)


@pytest.mark.parametrize("seed", range(5))
def test_silhouette_is_that_of_scikit_learn(seed: int) -> None:
    points, truth = blobs(seed)
    points = points.round()
    rng = np.random.default_rng(seed)
    alone = truth.copy()
    alone[:2] = [7, 9]
    for labels in (truth, 10 * truth + 3, rng.permutation(truth), alone):
        found = silhouette(points, labels)
        assert found == pytest.approx(silhouette_score(points, labels), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_noise_counts_nothing_and_so_lowers_the_silhouette(seed: int) -> None:
    points, labels = blobs(seed)
    far = np.random.default_rng(seed).uniform(-90, 90, size=(60, 3))
    without = silhouette(points, labels)
    found = silhouette(
        np.vstack([points, far]), np.append(labels, np.full(len(far), NOISE))
    )
    assert found == pytest.approx(without * len(points) / (len(points) + len(far)))
    assert found < without


def test_leaving_the_doubtful_out_raises_no_silhouette() -> None:
    points, labels = blobs(1, spread=0.2)
    strict = np.where(np.arange(len(points)) % 3 > 0, labels, NOISE)
    assert silhouette(points, strict) < silhouette(points, labels)


def test_one_cluster_separates_nothing() -> None:
    points, truth = blobs(0)
    measures = Measures(points, np.random.default_rng(0))
    noise = np.full(len(points), NOISE)
    for labels in (noise, np.zeros_like(truth), np.where(truth > 1, 1, NOISE)):
        assert count_clusters(labels) < 2
        assert math.isnan(silhouette(points, labels))
        assert all(map(math.isnan, vars(measures.of(labels)).values()))


@pytest.mark.parametrize("k", [2, 4, 7])
def test_indices_are_those_of_scikit_learn(k: int) -> None:
    points, _ = blobs(2)
    fitted = KMeans(k, n_init=3, random_state=0).fit(points)
    found = Measures(points, np.random.default_rng(0)).of(fitted.labels_)
    assert vars(found) == pytest.approx(
        {
            "inertia": fitted.inertia_,
            "silhouette": silhouette_score(points, fitted.labels_),
            "davies_bouldin": davies_bouldin_score(points, fitted.labels_),
            "calinski_harabasz": calinski_harabasz_score(points, fitted.labels_),
        }
    )


def test_noise_counts_with_the_nearest_cluster_in_the_other_indices() -> None:
    points, truth = blobs(3, spread=0.3)
    is_noise = np.arange(len(points)) % 10 == 0
    measures = Measures(points, np.random.default_rng(0))
    found = measures.of(np.where(is_noise, NOISE, truth))
    whole = measures.of(truth)
    # blobs this far apart leave no doubt about which is nearest
    assert found.inertia == pytest.approx(whole.inertia)
    assert found.davies_bouldin == pytest.approx(whole.davies_bouldin)
    assert found.calinski_harabasz == pytest.approx(whole.calinski_harabasz)


def test_customers_all_alone_have_no_variance_to_compare() -> None:
    points, _ = blobs(0, customers=5)
    found = Measures(points, np.random.default_rng(0)).of(np.arange(5))
    assert (found.inertia, found.silhouette) == (0, 0)
    assert math.isnan(found.davies_bouldin)
    assert math.isnan(found.calinski_harabasz)


def test_silhouette_of_many_is_that_of_a_sample() -> None:
    points, truth = blobs(4, customers=SILHOUETTE_POINTS + 2_000, spread=2.0)
    found = Measures(points, np.random.default_rng(0)).of(truth).silhouette
    again = Measures(points, np.random.default_rng(0)).of(truth).silhouette
    assert found == again
    assert found == pytest.approx(silhouette(points, truth), abs=0.01)
