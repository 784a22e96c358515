"""Classifiers predict segments, whatever the customers look like."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.model_files import (
    dump_model,
    read_model,
    trusted_types,
)
from customer_segmentation.prediction.segments.classifiers import (
    CLASSIFIERS,
    Classifier,
    fit_classifiers,
)

pytestmark = pytest.mark.usefixtures("one_thread")

EVERY = pytest.mark.parametrize("name", CLASSIFIERS)
LEARNING = pytest.mark.parametrize("name", list(CLASSIFIERS)[:-1])
SEGMENTS = ["big", "loyal", "lost"]


def customers(count: int = 240, seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    """Return customers whose first basket and country tell of their segment."""
    rng = np.random.default_rng(seed)
    segment = rng.integers(len(SEGMENTS), size=count)
    value = np.exp(3 + segment + rng.normal(size=count))
    hour = rng.uniform(7, 20, count)
    hour[::7] = np.nan
    country = np.where(rng.random(count) < 0.3 * segment, "France", "Egypt")
    features = pd.DataFrame(
        {
            "basket_value": value,
            "hour": hour,
            "country": pd.array(country, dtype="str"),
            "is_domestic": country == "Egypt",
            "items": pd.array(rng.poisson(5, count), dtype="Int64"),
        },
        index=[f"shop:{number:05d}" for number in range(count)],
    )
    return features, pd.Series(np.array(SEGMENTS)[segment], index=features.index)


def fit(name: str, features: pd.DataFrame, segments: pd.Series) -> Classifier:
    return CLASSIFIERS[name]().fit(features, segments)


@cache
def fitted() -> dict[str, Classifier]:
    """Return all classifiers, fitted to the customers of seed 0."""
    return fit_classifiers(*customers())


@cache
def fitted_to_many() -> dict[str, Classifier]:
    return fit_classifiers(*customers(600, seed=2))


def check_probabilities(found: pd.DataFrame, classes: list[str]) -> None:
    assert found.columns.tolist() == classes
    assert (found.to_numpy() >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)


@LEARNING
def test_customers_not_learned_from_are_told_apart(name: str) -> None:
    features, segments = customers(seed=1)
    found = fitted()[name].predict_proba(features)
    check_probabilities(found, sorted(SEGMENTS))
    assert fitted()[name].classes == sorted(SEGMENTS)
    majority = fitted()["majority"].predict_proba(features)
    assert log_loss(segments, found) < log_loss(segments, majority) - 0.1
    assert (found.idxmax(axis=1) == segments).mean() > 0.5


@LEARNING
def test_probabilities_are_calibrated(name: str) -> None:
    features, segments = customers(2_000, seed=9)
    found = fitted_to_many()[name].predict_proba(features)
    likeliest = found.max(axis=1)
    is_right = found.idxmax(axis=1) == segments
    assert likeliest.mean() == pytest.approx(is_right.mean(), abs=0.05)


def test_the_majority_says_the_shares() -> None:
    features, segments = customers()
    found = fit("majority", features, segments).predict_proba(features.head(2))
    shares = segments.value_counts(normalize=True).sort_index()
    assert found.to_numpy().tolist() == [shares.tolist()] * 2


def test_the_order_of_the_rows_does_not_matter() -> None:
    features, segments = customers()
    mixed = features.sample(frac=1, random_state=1)
    for name, again in fit_classifiers(mixed, segments).items():
        first = fitted()[name].predict_proba(features)
        pd.testing.assert_frame_equal(
            again.predict_proba(features), first, check_exact=True
        )
        found = again.predict_proba(mixed).loc[features.index]
        pd.testing.assert_frame_equal(found, first, rtol=1e-12)


@EVERY
def test_a_model_comes_back_from_its_file(name: str) -> None:
    features, _ = customers()
    written = dump_model(fitted()[name])
    read = read_model(written, trusted_types(written))
    assert dump_model(read) == written
    pd.testing.assert_frame_equal(
        read.predict_proba(features),
        fitted()[name].predict_proba(features),
        check_exact=True,
    )


@EVERY
def test_all_at_once_are_those_one_by_one(name: str) -> None:
    features, segments = customers()
    assert list(fitted()) == list(CLASSIFIERS)
    pd.testing.assert_frame_equal(
        fitted()[name].predict_proba(features),
        CLASSIFIERS[name]().fit(features, segments).predict_proba(features),
        check_exact=True,
    )


def test_the_vote_is_a_weighted_mean_of_its_members() -> None:
    features, _ = customers()
    vote = fitted()["soft_vote"]
    assert vote.weights.sum() == pytest.approx(1)
    assert (vote.weights >= 0).all()
    votes = [one.predict_proba(features) for one in vote.members]
    mean = sum(weight * one for weight, one in zip(vote.weights, votes, strict=True))
    pd.testing.assert_frame_equal(vote.predict_proba(features), mean)


def test_the_vote_is_better_than_most_who_vote() -> None:
    features, segments = customers(2_000, seed=9)
    losses = {
        name: log_loss(segments, one.predict_proba(features))
        for name, one in fitted_to_many().items()
    }
    vote = losses.pop("soft_vote")
    assert vote < min(losses.values()) + 0.01


# --- bad input


def test_one_segment_only_is_always_said() -> None:
    features, _ = customers(40)
    for one in fit_classifiers(features, pd.Series("lost", features.index)).values():
        found = one.predict_proba(features)
        assert found.columns.tolist() == ["lost"]
        assert (found["lost"] == 1).all()


@pytest.mark.parametrize("count", [1, 2, 3, 10])
def test_few_customers_give_probabilities(count: int) -> None:
    for one in fit_classifiers(*customers(count)).values():
        check_probabilities(one.predict_proba(customers()[0]), one.classes)


def test_a_segment_with_one_member_is_a_class() -> None:
    features, segments = customers()
    segments.iloc[5] = "whale"
    others, whose = features.drop(features.index[5]), segments.drop(features.index[5])
    for name, one in fit_classifiers(features, segments).items():
        found = one.predict_proba(others)
        check_probabilities(found, ["big", "lost", "loyal", "whale"])
        assert found["whale"].mean() < 0.1
        before = fitted()[name].predict_proba(others)
        known = found[before.columns].div(1 - found["whale"], axis=0)
        assert log_loss(whose, known) < log_loss(whose, before) + 0.1


def test_every_customer_is_a_segment() -> None:
    features, _ = customers(12)
    segments = pd.Series(features.index, features.index)
    for one in fit_classifiers(features, segments).values():
        check_probabilities(one.predict_proba(features), list(segments))


def test_two_segments_are_enough() -> None:
    features, segments = customers()
    is_big = segments == "big"
    learned = fit_classifiers(features, is_big.map({True: "big", False: "small"}))
    for name, one in learned.items():
        found = one.predict_proba(features)
        check_probabilities(found, ["big", "small"])
        if name != "majority":
            assert found.loc[is_big, "big"].mean() > found.loc[~is_big, "big"].mean()


@EVERY
def test_a_new_level_is_as_a_missing_one(name: str) -> None:
    features, _ = customers()
    found = fitted()[name].predict_proba(features.assign(country="Atlantis"))
    check_probabilities(found, sorted(SEGMENTS))
    missing = features.assign(country=pd.array([None] * len(features), dtype="str"))
    pd.testing.assert_frame_equal(found, fitted()[name].predict_proba(missing))


@pytest.mark.parametrize("empty", [np.nan, None])
def test_columns_without_a_value_say_nothing(empty: float | None) -> None:
    features, segments = customers()
    more = features.assign(gender=[empty] * len(features), age=[empty] * len(features))
    for name, one in fit_classifiers(more, segments).items():
        before = fitted()[name].predict_proba(features)
        pd.testing.assert_frame_equal(one.predict_proba(more), before)
        # known at scoring for the first time
        known = features.assign(gender="female", age=30)
        pd.testing.assert_frame_equal(one.predict_proba(known), before)


def test_where_no_feature_says_anything_the_shares_are_said() -> None:
    features, segments = customers()
    numbers = ["basket_value", "hour", "items", "is_domestic"]
    same = features.assign(**dict.fromkeys(numbers, 1), country="Egypt")
    shares = segments.value_counts(normalize=True).sort_index()
    for one in fit_classifiers(same, segments).values():
        np.testing.assert_allclose(one.predict_proba(same).iloc[0], shares, atol=0.1)


@EVERY
def test_nobody_to_score(name: str) -> None:
    found = fitted()[name].predict_proba(customers()[0].head(0))
    assert found.shape == (0, 3)
    assert found.columns.tolist() == sorted(SEGMENTS)


@EVERY
def test_numbers_missing_at_scoring_for_the_first_time(name: str) -> None:
    features, _ = customers()
    gone = features.assign(basket_value=[np.nan, np.inf] * (len(features) // 2))
    check_probabilities(fitted()[name].predict_proba(gone), sorted(SEGMENTS))


def test_a_wholesaler_does_not_decide_for_all() -> None:
    features, segments = customers()
    whale = features.copy()
    whale.iloc[3, 0] = 1e12
    for name, one in fit_classifiers(whale, segments).items():
        moved = one.predict_proba(features) - fitted()[name].predict_proba(features)
        assert moved.abs().mean().mean() < 0.05


def _no_segment(features: pd.DataFrame, segments: pd.Series) -> None:
    segments.iloc[0] = None


def _twice(features: pd.DataFrame, segments: pd.Series) -> None:
    features.index = segments.index = ["same"] * len(features)


def _others(features: pd.DataFrame, segments: pd.Series) -> None:
    features.index = features.index + "x"


@EVERY
@pytest.mark.parametrize(
    ("spoil", "message"),
    [(_no_segment, "have none"), (_twice, "twice"), (_others, "are of others")],
)
def test_what_cannot_be_learned_from_is_refused(
    name: str, spoil: Callable[[pd.DataFrame, pd.Series], None], message: str
) -> None:
    features, segments = customers()
    spoil(features, segments)
    with pytest.raises(InputError, match=message):
        fit(name, features, segments)


@EVERY
def test_nobody_to_learn_from_is_refused(name: str) -> None:
    features, segments = customers()
    with pytest.raises(InputError, match="no customer"):
        fit(name, features.head(0), segments.head(0))


@LEARNING
def test_a_feature_that_is_gone_is_named(name: str) -> None:
    with pytest.raises(InputError, match="no column hour"):
        fitted()[name].predict_proba(customers()[0].drop(columns="hour"))


def test_texts_in_place_of_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="feature hour: is not a number"):
        fitted()["svc"].predict_proba(customers()[0].assign(hour="noon"))


def test_days_are_refused() -> None:
    features, segments = customers()
    dated = features.assign(first_day=pd.Timestamp("2011-12-09"))
    with pytest.raises(InputError, match="first_day: holds days"):
        fit("decision_tree", dated, segments)
