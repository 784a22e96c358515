"""A fit gives ids that last, and comes back from its text to the last bit."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from customer_segmentation.segmentation import fits
from customer_segmentation.segmentation.algorithms import Candidate
from customer_segmentation.segmentation.declare import Feature, Pin, Segmentation
from customer_segmentation.segmentation.fits import (
    FittedSegmentation,
    columns_needed,
    fingerprint,
)

pytestmark = pytest.mark.usefixtures("one_thread")
# enough for a confidence, few enough for many fits
fit_segmentation = partial(fits.fit_segmentation, refits=4)

DECLARED = Segmentation(
    name="who_buys",
    source_system="shop",
    features=(
        Feature("recency_days", "standard"),
        Feature("monetary", "log"),
        Feature("city", "onehot", weight=0.1),
    ),
    value_feature="monetary",
)
# name: (recency, spent)
GROUPS = {
    "loyal": (10, 3_000),
    "recent": (15, 60),
    "lost": (300, 80),
    "big": (150, 40_000),
}
CANDIDATES = [
    Candidate("kmeans", "k", 3),
    Candidate("ward", "k", 3),
    Candidate("gaussian_mixture", "k", 3),
    Candidate("hdbscan", "min_cluster_share", 0.2),
    Candidate("dbscan", "radius_quantile", 0.9),
]


def customers(*groups: str, seed: int = 0, each: int = 100) -> pd.DataFrame:
    """Return customers of groups, as the index says; the seed draws others."""
    rng = np.random.default_rng(seed)
    frames = []
    for group in groups:
        recency, spent = GROUPS[group]
        frames.append(
            pd.DataFrame(
                {
                    "recency_days": rng.poisson(recency, each).astype(float),
                    "monetary": (spent * rng.lognormal(0, 0.2, each)).round(2),
                    "city": pd.array(rng.choice(["Cairo", "Giza"], each), dtype="str"),
                },
                index=[group] * each,
            )
        )
    return pd.concat(frames)


THREE = ("loyal", "recent", "lost")


def fit(frame: pd.DataFrame, k: int = 3, **arguments: object) -> FittedSegmentation:
    fitted, reduction_ari = fit_segmentation(
        frame, DECLARED, Candidate("kmeans", "k", k), **arguments
    )
    assert reduction_ari is None
    return fitted


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    # to start other processes takes longer than these refits
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")


def segments(fitted: FittedSegmentation, frame: pd.DataFrame) -> pd.Series:
    assignment, _, _, is_kept = fitted.assign(frame)
    return pd.Series(assignment.segment, index=frame.index[is_kept])


def id_of(fitted: FittedSegmentation, group: str) -> int:
    """Return the segment of most of a group."""
    return int(segments(fitted, customers(group)).mode()[0])


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda one: one.algorithm)
def test_the_first_ids_go_by_value(candidate: Candidate) -> None:
    frame = customers(*THREE)
    fitted, _ = fit_segmentation(frame, DECLARED, candidate)
    assert sorted(fitted.centres) == list(range(1, len(fitted.centres) + 1))
    found = segments(fitted, frame).to_numpy()
    worth = frame["monetary"].groupby(found).mean()
    assert worth.drop(0, errors="ignore").is_monotonic_decreasing
    cheapest_first = replace(DECLARED, value_feature="recency_days")
    other, _ = fit_segmentation(frame, cheapest_first, candidate)
    assert id_of(other, "lost") == 1


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda one: one.algorithm)
def test_same_customers_give_the_same_ids(candidate: Candidate) -> None:
    frame = customers(*THREE)
    first, _ = fit_segmentation(frame, DECLARED, candidate)
    again, _ = fit_segmentation(frame, DECLARED, candidate)
    assert again.to_json() == first.to_json()
    used = frozenset(first.centres)
    next_one, _ = fit_segmentation(frame, DECLARED, candidate, first, used)
    assert next_one.to_json() == first.to_json()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda one: one.algorithm)
def test_a_few_more_customers_change_hardly_any_segment(
    candidate: Candidate, seed: int
) -> None:
    frame = customers(*THREE, seed=seed)
    more = pd.concat([customers("recent", seed=seed + 90, each=3), frame])
    first, _ = fit_segmentation(frame, DECLARED, candidate)
    later, _ = fit_segmentation(more, DECLARED, candidate, first, frozenset({1, 2, 3}))
    before, after = segments(first, frame), segments(later, frame)
    assert (before.to_numpy() == after.to_numpy()).mean() >= 0.99


def test_the_id_of_a_lost_segment_is_never_used_again() -> None:
    first = fit(customers(*THREE))
    lost = id_of(first, "lost")
    used = frozenset(first.centres)
    without = fit(customers("loyal", "recent"), k=2, earlier=first, used_ids=used)
    assert set(without.centres) == used - {lost}
    others = customers("loyal", "recent", "big")
    after = fit(others, earlier=without, used_ids=used)
    assert set(after.centres) == used - {lost} | {4}
    assert id_of(after, "big") == 4
    for group in ("loyal", "recent"):
        assert id_of(after, group) == id_of(first, group)
    # even when the lost group returns, its segment is new
    back = fit(customers(*THREE), earlier=without, used_ids=used | {4})
    assert id_of(back, "lost") == 5


def test_an_id_follows_its_group_when_the_order_of_values_changes() -> None:
    frame = customers(*THREE)
    first = fit(frame)
    assert id_of(first, "loyal") == 1
    worth_more = frame.assign(
        monetary=frame["monetary"].where(frame.index != "lost", 3 * frame["monetary"])
    )
    later = fit(worth_more, earlier=first, used_ids=frozenset(first.centres))
    assert set(later.centres) == {1, 2, 3}
    assert id_of(later, "loyal") == 1


@pytest.mark.parametrize("pca", [None, 2, 0.8])
@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda one: one.algorithm)
def test_a_fit_is_restored_from_text_to_the_last_bit(
    candidate: Candidate, pca: float | None
) -> None:
    declared = replace(
        DECLARED,
        pca=pca,
        features=(
            Feature("recency_days", "power"),
            Feature("monetary", "quantile", missing="impute"),
            Feature("city", "onehot", missing="impute"),
        ),
    )
    frame = customers(*THREE)
    frame.iloc[::9, 1] = np.nan
    frame.iloc[::10, 2] = None
    fitted, _ = fit_segmentation(frame, declared, candidate)
    again = FittedSegmentation.from_json(fitted.to_json())
    assert again.to_json() == fitted.to_json()
    others = customers(*GROUPS, seed=4)
    for one, other in zip(fitted.assign(others), again.assign(others), strict=True):
        np.testing.assert_array_equal(
            *(
                np.column_stack(list(vars(side).values()))
                if hasattr(side, "segment")
                else side
                for side in (one, other)
            )
        )
    np.testing.assert_array_equal(fitted.in_own_units(), again.in_own_units())


def test_principal_components_are_clustered_and_shown_in_own_units() -> None:
    frame = customers(*THREE)
    for kept, components in ((1, 1), (0.99, 2), (3, 3)):
        declared = replace(DECLARED, pca=kept)
        fitted, _ = fit_segmentation(frame, declared, Candidate("kmeans", "k", 3))
        assert fitted.prototypes.positions.shape == (3, components)
        positions, values = fitted.in_own_units()
        assert positions.shape == values.shape == (3, len(fitted.design.columns))
        assert np.isfinite(values).all()
    # with all of the variance, prototypes are the means of the groups
    middles = frame.groupby(level=0)["recency_days"].mean()
    found = dict(zip(fitted.prototypes.segments, values[:, 0], strict=True))
    for group in THREE:
        assert found[id_of(fitted, group)] == pytest.approx(middles[group], abs=2)
    plain = fit(frame)
    shares = pd.crosstab(segments(fitted, frame), segments(plain, frame).to_numpy())
    assert (shares.max(axis=1) == shares.sum(axis=1)).all()


def test_customers_are_drawn_in_two_dimensions() -> None:
    frame = customers(*THREE)
    alone = replace(DECLARED, features=DECLARED.features[:1])
    for declared, is_flat in ((DECLARED, False), (alone, True)):
        fitted, _ = fit_segmentation(frame, declared, Candidate("kmeans", "k", 3))
        _, _, drawn, _ = fitted.assign(frame)
        assert drawn.shape == (len(frame), 2)
        assert np.ptp(drawn[:, 0]) > 1
        assert (np.ptp(drawn[:, 1]) == 0) == is_flat


def test_a_later_customer_is_assigned_the_same_in_any_batch() -> None:
    fitted = fit(customers(*THREE))
    others = customers(*GROUPS, seed=8)
    together, confidence, drawn, _ = fitted.assign(others)
    for row in (0, 150, 399):
        alone, confidence_alone, drawn_alone, _ = fitted.assign(others.iloc[[row]])
        assert alone.segment[0] == together.segment[row]
        assert alone.distance[0] == together.distance[row]
        assert alone.centrality[0] == together.centrality[row]
        assert confidence_alone[0] == confidence[row]
        np.testing.assert_array_equal(drawn_alone[0], drawn[row])


def test_the_fingerprint_is_of_customers_declaration_choice_and_versions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame = customers(*THREE)
    frame.iloc[3, 2] = None
    kmeans = Candidate("kmeans", "k", 3)
    known = fingerprint(frame, DECLARED, kmeans)
    # the search does not matter once the choice is made
    searched = replace(DECLARED, description="other words", k_max=4)
    pinned = replace(DECLARED, pin=Pin("kmeans", 3))
    assert {fingerprint(frame.copy(), one, kmeans) for one in (searched, pinned)} == {
        known
    }
    other_value, other_city, no_city = frame.copy(), frame.copy(), frame.copy()
    other_value.iloc[7, 1] += 0.01
    other_city.iloc[7, 2] = "Luxor"
    no_city.iloc[7, 2] = None
    swapped = frame.iloc[[1, 0, *range(2, len(frame))]]
    features = (replace(DECLARED.features[0], weight=2.0), *DECLARED.features[1:])
    others = [
        fingerprint(other_value, DECLARED, kmeans),
        fingerprint(other_city, DECLARED, kmeans),
        fingerprint(no_city, DECLARED, kmeans),
        fingerprint(swapped, DECLARED, kmeans),
        fingerprint(frame.iloc[1:], DECLARED, kmeans),
        fingerprint(frame, replace(DECLARED, features=features), kmeans),
        fingerprint(frame, replace(DECLARED, value_feature=None), kmeans),
        fingerprint(frame, replace(DECLARED, pca=2), kmeans),
        fingerprint(frame, DECLARED, Candidate("kmeans", "k", 4)),
        fingerprint(frame, DECLARED, Candidate("ward", "k", 3)),
        fingerprint(frame, DECLARED, kmeans, refits=20),
    ]
    for name in ("version", "code_hash"):
        with monkeypatch.context() as patch:
            patch.setattr(f"customer_segmentation.versions.{name}", lambda _: "99")
            others.append(fingerprint(frame, DECLARED, kmeans))
    assert len({known, *others}) == len(others) + 1


def test_the_value_feature_is_read_with_the_features() -> None:
    columns = ["recency_days", "frequency", "monetary", "city"]
    names = ["recency_days", "monetary", "city"]
    assert columns_needed(DECLARED, columns) == names
    undeclared = replace(DECLARED, value_feature=None)
    assert columns_needed(undeclared, columns) == [*names, "frequency"]


def test_a_fit_of_an_earlier_version_has_no_confidence() -> None:
    frame = customers(*THREE)
    fitted = fit(frame)
    stored = json.loads(fitted.to_json())
    del stored["refits"]
    earlier = FittedSegmentation.from_json(json.dumps(stored))
    assigned, confidence, _, _ = earlier.assign(frame)
    expected, known, _, _ = fitted.assign(frame)
    assert np.isnan(confidence).all()
    assert not np.isnan(known).any()
    np.testing.assert_array_equal(assigned.segment, expected.segment)
    np.testing.assert_array_equal(assigned.centrality, expected.centrality)
    # and is fitted again, with the same ids
    assert earlier.to_json() != fitted.to_json()
    again = fit(frame, earlier=earlier, used_ids=frozenset(earlier.centres))
    assert again.to_json() == fitted.to_json()


@pytest.mark.parametrize("value_feature", ["age", None])
def test_segments_without_a_value_feature_are_numbered(
    value_feature: str | None,
) -> None:
    frame = customers(*THREE).drop(columns="monetary")
    declared = replace(
        DECLARED, features=DECLARED.features[::2], value_feature=value_feature
    )
    frame["age"] = np.nan
    fitted, _ = fit_segmentation(frame, declared, Candidate("kmeans", "k", 2))
    assert set(fitted.centres) <= {1, 2}
