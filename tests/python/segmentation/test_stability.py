"""A clustering that comes back agrees with itself, one of chance does not."""

import numpy as np
import pytest

from customer_segmentation.segmentation.algorithms import (
    Candidate,
    candidates_of,
    fit_candidates,
)
from customer_segmentation.segmentation.indices import Points
from customer_segmentation.segmentation.specs import (
    ALGORITHMS,
    Feature,
    Segmentation,
)
from customer_segmentation.segmentation.stability import (
    RESAMPLED_POINTS,
    draw_resamples,
    resample_agreement,
)

pytestmark = pytest.mark.usefixtures("one_thread")

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


def test_what_the_data_do_not_have_does_not_come_back() -> None:
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


def test_many_customers_are_judged_by_some() -> None:
    count = RESAMPLED_POINTS + 1_000
    points = blobs(count, 0.5)
    truth = np.arange(count) % BLOBS
    candidates = (Candidate("kmeans", "k", BLOBS), Candidate("ward", "k", BLOBS))
    [resample] = draw_resamples(points, [truth, truth], 1, seed=0)
    assert len(resample.points) == len(resample.compared) == RESAMPLED_POINTS
    assert resample_agreement(resample, candidates, seed=0).tolist() == [1, 1]


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_customers_can_be_drawn_again(count: int) -> None:
    found = agreement(blobs(count, 1.0), CANDIDATES)
    assert found.shape == (4, len(CANDIDATES))
    assert np.isfinite(found).all()
