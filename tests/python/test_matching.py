"""A segment keeps its id as long as it means the same."""

import numpy as np
import pytest

from customer_segmentation.matching import (
    MATCHING_LIMIT,
    match_by_overlap,
    match_segments,
)

SCALE = {"recency_days": 30.0, "monetary": 100.0}


def centres(*pairs: tuple[float, float]) -> dict[int, dict[str, float]]:
    return {
        label: {"recency_days": recency, "monetary": monetary}
        for label, (recency, monetary) in enumerate(pairs)
    }


LOYAL, RECENT, LOST = (10.0, 2000.0), (20.0, 150.0), (300.0, 200.0)


def test_the_first_fit_is_numbered_by_value() -> None:
    order = {0: 150.0, 1: 2000.0, 2: 200.0}
    found = match_segments({}, centres(RECENT, LOYAL, LOST), SCALE, order)
    assert found == {0: 3, 1: 1, 2: 2}


def test_equal_values_are_numbered_by_label() -> None:
    found = match_segments({}, centres(RECENT, LOYAL), SCALE, {0: 1.0, 1: 1.0})
    assert found == {0: 1, 1: 2}


@pytest.mark.parametrize("seed", range(20))
def test_small_moves_in_any_order_keep_all_ids(seed: int) -> None:
    rng = np.random.default_rng(seed)
    earlier = {
        int(rng.integers(1, 50)) + 50 * label: centre
        for label, centre in centres(LOYAL, RECENT, LOST).items()
    }
    ids = list(earlier)
    rng.shuffle(ids)
    moved = {
        label: {
            feature: value + rng.uniform(-0.4, 0.4) * SCALE[feature]
            for feature, value in earlier[segment].items()
        }
        for label, segment in enumerate(ids)
    }
    found = match_segments(earlier, moved, SCALE, dict.fromkeys(moved, 0.0))
    assert found == dict(enumerate(ids))


def test_a_segment_that_moved_too_far_gets_a_new_id() -> None:
    earlier = {1: centres(LOYAL)[0]}
    for share, expected in ((0.99, 1), (1.01, 2)):
        distance = share * MATCHING_LIMIT
        moved = {
            0: {
                name: earlier[1][name] + distance * scale
                for name, scale in SCALE.items()
            }
        }
        assert match_segments(earlier, moved, SCALE, {0: 1.0}) == {0: expected}


def test_a_split_segment_leaves_its_id_to_the_nearer_half() -> None:
    new = centres((12.0, 2000.0), (25.0, 1990.0))
    found = match_segments({3: centres(LOYAL)[0]}, new, SCALE, {0: 1.0, 1: 2.0})
    assert found == {0: 3, 1: 4}


def test_merged_segments_leave_one_id() -> None:
    earlier = {1: centres(RECENT)[0], 2: centres((24.0, 150.0))[0]}
    assert match_segments(earlier, centres(RECENT), SCALE, {0: 1.0}) == {0: 1}


def test_ids_are_never_used_again() -> None:
    found = match_segments(
        {2: centres(LOST)[0]},
        centres(LOYAL, RECENT, LOST),
        SCALE,
        {0: 1.0, 1: 5.0, 2: 3.0},
        used_ids=[1, 9, 4],
    )
    assert found == {0: 11, 1: 10, 2: 2}


def test_only_features_of_both_fits_are_compared() -> None:
    earlier = {
        5: {"monetary": 2000.0, "age": 33.0},
        6: {"monetary": 100.0, "age": 33.0},
    }
    new = centres(RECENT, LOYAL)
    assert match_segments(earlier, new, SCALE, {0: 1.0, 1: 2.0}) == {0: 6, 1: 5}
    without = {5: {"age": 33.0}}
    assert match_segments(without, new, SCALE, {0: 1.0, 1: 2.0}) == {0: 7, 1: 6}


def test_a_constant_feature_decides_only_where_it_differs() -> None:
    scale = {**SCALE, "is_member": 0.0}
    earlier = {1: {**centres(LOYAL)[0], "is_member": 1.0}}
    for member, expected in ((1.0, 1), (0.0, 2)):
        new = {0: {**centres(LOYAL)[0], "is_member": member}}
        assert match_segments(earlier, new, scale, {0: 1.0}) == {0: expected}


def test_no_segments_need_no_ids() -> None:
    assert match_segments({1: centres(LOYAL)[0]}, {}, SCALE, {}) == {}


def test_levels_of_a_category_hide_no_other_feature() -> None:
    cities = {f"city={number}": 0.03 for number in range(30)}
    scale = {"age": 5.0, **dict.fromkeys(cities, 0.1)}
    moved = match_segments(
        {1: {"age": 60.0, **cities}}, {0: {"age": 45.0, **cities}}, scale, {0: 1.0}
    )
    assert moved == {0: 2}


def test_a_feature_that_no_customer_had_says_nothing() -> None:
    earlier = {1: {"age": 60.0, "income": float("nan")}}
    new = {0: {"age": 61.0, "income": 20.0}}
    assert match_segments(earlier, new, {"age": 5.0, "income": 1.0}, {0: 1.0}) == {0: 1}


def test_labels_of_another_fit_are_matched_by_the_customers_they_share() -> None:
    segments = np.repeat([5, 2, 9, 0], [40, 30, 20, 10])
    labels = np.repeat([3, 1, 2, 0], [40, 30, 20, 10])
    ones = np.ones(100)
    assert match_by_overlap(segments, labels, ones) == {1: 2, 2: 9, 3: 5}
    # segments 5 and 2 are one: the larger share decides, and 2 has no label
    merged = np.where(labels == 1, 3, labels)
    assert match_by_overlap(segments, merged, ones) == {2: 9, 3: 5}
    weights = np.where(segments == 2, 2.0, 1.0)
    assert match_by_overlap(segments, merged, weights) == {2: 9, 3: 2}


def test_outliers_are_matched_with_no_segment() -> None:
    ones = np.ones(4)
    all_outliers = np.zeros(4, dtype=np.int64)
    segments = np.array([1, 1, 2, 0])
    assert match_by_overlap(segments, all_outliers, ones) == {}
    assert match_by_overlap(all_outliers, segments, ones) == {}
