"""Classifiers predict segments, whatever the customers look like."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pytest
from quick_fits import quick_fits
from sklearn.base import clone
from sklearn.metrics import log_loss

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.model_files import (
    dump_model,
    read_model,
    trusted_types,
)
from customer_segmentation.prediction.segments import (
    CLASSIFIERS,
    ESTIMATORS,
    Classifier,
    fit_classifiers,
)

Fitted = dict[str, Classifier]

EVERY = pytest.mark.parametrize("name", CLASSIFIERS)
LEARNING = pytest.mark.parametrize("name", list(CLASSIFIERS)[:-1])
SEGMENTS = ["big", "loyal", "lost"]


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    with quick_fits():
        yield


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


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    """Return all classifiers, fitted to the customers of seed 0."""
    with quick_fits():
        return fit_classifiers(*customers())


def check_probabilities(found: pd.DataFrame, classes: list[str]) -> None:
    assert found.columns.tolist() == classes
    assert (found.to_numpy() >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)


# --- what is planted


@pytest.fixture(scope="module")
def predicted() -> dict[str, pd.DataFrame]:
    """Return what classifiers of full size predict of other customers."""
    learned = fit_classifiers(*customers(600, seed=2))
    features, _ = customers(2_000, seed=9)
    return {name: one.predict_proba(features) for name, one in learned.items()}


@pytest.fixture(scope="module")
def actual() -> pd.Series:
    return customers(2_000, seed=9)[1]


@LEARNING
def test_classifiers_recognise_other_customers(
    name: str, fitted: Fitted, predicted: dict[str, pd.DataFrame], actual: pd.Series
) -> None:
    check_probabilities(predicted[name], sorted(SEGMENTS))
    baseline = log_loss(actual, predicted["majority"])
    assert log_loss(actual, predicted[name]) < baseline - 0.1
    assert (predicted[name].idxmax(axis=1) == actual).mean() > 0.5
    # fewer customers do
    features, segments = customers(seed=1)
    found = fitted[name].predict_proba(features)
    check_probabilities(found, sorted(SEGMENTS))
    baseline = log_loss(segments, fitted["majority"].predict_proba(features))
    assert log_loss(segments, found) < baseline - 0.1
    assert (found.idxmax(axis=1) == segments).mean() > 0.5


@LEARNING
def test_probabilities_are_calibrated(
    name: str, predicted: dict[str, pd.DataFrame], actual: pd.Series
) -> None:
    found = predicted[name]
    is_right = found.idxmax(axis=1) == actual
    assert found.max(axis=1).mean() == pytest.approx(is_right.mean(), abs=0.05)


def test_the_vote_is_better_than_most_of_its_members(
    predicted: dict[str, pd.DataFrame], actual: pd.Series
) -> None:
    losses = {name: log_loss(actual, found) for name, found in predicted.items()}
    vote = losses.pop("soft_vote")
    assert vote < min(losses.values()) + 0.01


def test_the_majority_says_the_shares(fitted: Fitted) -> None:
    features, segments = customers()
    found = fitted["majority"].predict_proba(features.head(2))
    shares = segments.value_counts(normalize=True).sort_index()
    assert found.to_numpy().tolist() == [shares.tolist()] * 2


def test_the_vote_is_a_weighted_mean_of_its_members(fitted: Fitted) -> None:
    features, _ = customers()
    vote = fitted["soft_vote"]
    assert vote.weights_.sum() == pytest.approx(1)
    assert (vote.weights_ >= 0).all()
    votes = [one.predict_proba(features) for one in vote.members_.values()]
    mean = sum(weight * one for weight, one in zip(vote.weights_, votes, strict=True))
    pd.testing.assert_frame_equal(vote.predict_proba(features), mean)


# --- estimators


@EVERY
def test_one_by_one_and_in_any_order_classifiers_are_those_of_all_at_once(
    name: str, fitted: Fitted
) -> None:
    features, segments = customers()
    assert list(fitted) == list(CLASSIFIERS)
    shuffled = features.sample(frac=1, random_state=1)
    one = CLASSIFIERS[name]().fit(shuffled, segments)
    expected = fitted[name].predict_proba(features)
    pd.testing.assert_frame_equal(
        one.predict_proba(features), expected, check_exact=True
    )
    found = one.predict_proba(shuffled).loc[features.index]
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12)


def test_models_come_back_from_a_file(fitted: Fitted) -> None:
    # the vote holds all the others
    written = dump_model([fitted["soft_vote"], fitted["majority"]])
    vote, majority = read = read_model(written, trusted_types(written))
    assert dump_model(read) == written
    models = {**vote.members_, "soft_vote": vote, "majority": majority}
    assert list(models) == list(CLASSIFIERS)
    features, _ = customers()
    for name, model in models.items():
        found, expected = (one.predict_proba(features) for one in (model, fitted[name]))
        pd.testing.assert_frame_equal(found, expected, check_exact=True)


@EVERY
def test_classifiers_are_estimators_of_scikit_learn(name: str, fitted: Fitted) -> None:
    parameters = CLASSIFIERS[name]().get_params()
    learned = set(vars(fitted[name])) - set(parameters)
    assert "classes_" in learned
    assert all(attribute.endswith("_") for attribute in learned)
    copy = clone(fitted[name])
    assert copy.get_params().keys() == parameters.keys()
    assert not set(vars(copy)) & learned
    # the prototypes are never fitted
    assert not any(hasattr(one, "classes_") for one in ESTIMATORS.values())


def test_a_seed_is_that_of_all_draws(fitted: Fitted) -> None:
    features, segments = customers()
    other = CLASSIFIERS["random_forest"]().set_params(random_state=1)
    found = other.fit(features, segments).predict_proba(features)
    assert not found.equals(fitted["random_forest"].predict_proba(features))


# --- odd customers


def test_the_only_segment_is_certain() -> None:
    features, _ = customers(40)
    for one in fit_classifiers(features, pd.Series("lost", features.index)).values():
        found = one.predict_proba(features)
        assert found.columns.tolist() == ["lost"]
        assert (found["lost"] == 1).all()


@pytest.mark.parametrize("count", [1, 2, 3, 10])
def test_few_customers_give_probabilities(count: int) -> None:
    for one in fit_classifiers(*customers(count)).values():
        check_probabilities(one.predict_proba(customers()[0]), list(one.classes_))


def test_a_segment_with_one_member_is_a_class(fitted: Fitted) -> None:
    features, segments = customers()
    segments.iloc[5] = "whale"
    others, whose = features.drop(features.index[5]), segments.drop(features.index[5])
    for name, one in fit_classifiers(features, segments).items():
        found = one.predict_proba(others)
        check_probabilities(found, ["big", "lost", "loyal", "whale"])
        assert found["whale"].mean() < 0.1
        before = fitted[name].predict_proba(others)
        known = found[before.columns].div(1 - found["whale"], axis=0)
        assert log_loss(whose, known) < log_loss(whose, before) + 0.1


def test_every_customer_may_be_a_segment() -> None:
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
def test_a_new_level_counts_as_a_missing_one(name: str, fitted: Fitted) -> None:
    features, _ = customers()
    found = fitted[name].predict_proba(features.assign(country="Atlantis"))
    check_probabilities(found, sorted(SEGMENTS))
    missing = features.assign(country=pd.array([None] * len(features), dtype="str"))
    pd.testing.assert_frame_equal(found, fitted[name].predict_proba(missing))


def test_columns_without_a_value_say_nothing(fitted: Fitted) -> None:
    features, segments = customers()
    nothing = {"gender": None, "city": np.nan, "age": None, "income": np.nan}
    empty = {name: [value] * len(features) for name, value in nothing.items()}
    more = features.assign(**empty)
    for name, one in fit_classifiers(more, segments).items():
        before = fitted[name].predict_proba(features)
        pd.testing.assert_frame_equal(one.predict_proba(more), before)
        # known for the first time at prediction
        known = features.assign(gender="female", city="Riga", age=30, income=5.0)
        pd.testing.assert_frame_equal(one.predict_proba(known), before)


def test_without_telling_features_classifiers_say_the_shares() -> None:
    features, segments = customers()
    numbers = ["basket_value", "hour", "items", "is_domestic"]
    same = features.assign(**dict.fromkeys(numbers, 1), country="Egypt")
    shares = segments.value_counts(normalize=True).sort_index()
    for one in fit_classifiers(same, segments).values():
        np.testing.assert_allclose(one.predict_proba(same).iloc[0], shares, atol=0.1)


@EVERY
def test_no_customers_have_no_probabilities(name: str, fitted: Fitted) -> None:
    found = fitted[name].predict_proba(customers()[0].head(0))
    assert found.shape == (0, 3)
    assert found.columns.tolist() == sorted(SEGMENTS)


@EVERY
def test_numbers_may_be_missing_for_the_first_time_at_prediction(
    name: str, fitted: Fitted
) -> None:
    features, _ = customers()
    gone = features.assign(basket_value=[np.nan, np.inf] * (len(features) // 2))
    check_probabilities(fitted[name].predict_proba(gone), sorted(SEGMENTS))


def test_a_wholesaler_does_not_decide_for_all(fitted: Fitted) -> None:
    features, segments = customers()
    whale = features.copy()
    whale.iloc[3, 0] = 1e12
    for name, one in fit_classifiers(whale, segments).items():
        moved = one.predict_proba(features) - fitted[name].predict_proba(features)
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
    [
        (_no_segment, "1 customers have no segment"),
        (_twice, "a key is duplicated"),
        (_others, "have different keys"),
    ],
)
def test_unusable_customers_are_refused(
    name: str, spoil: Callable[[pd.DataFrame, pd.Series], None], message: str
) -> None:
    features, segments = customers()
    spoil(features, segments)
    with pytest.raises(InputError, match=message):
        CLASSIFIERS[name]().fit(features, segments)


@EVERY
def test_no_customers_to_learn_from_are_refused(name: str) -> None:
    features, segments = customers()
    with pytest.raises(InputError, match="no customers to learn from"):
        CLASSIFIERS[name]().fit(features.head(0), segments.head(0))


@LEARNING
def test_a_removed_feature_is_named(name: str, fitted: Fitted) -> None:
    with pytest.raises(InputError, match="no column hour"):
        fitted[name].predict_proba(customers()[0].drop(columns="hour"))


def test_texts_instead_of_numbers_are_refused(fitted: Fitted) -> None:
    with pytest.raises(InputError, match="feature hour: is not a number"):
        fitted["svc"].predict_proba(customers()[0].assign(hour="noon"))


def test_dates_are_refused() -> None:
    features, segments = customers()
    dated = features.assign(first_day=pd.Timestamp("2011-12-09"))
    with pytest.raises(InputError, match="first_day: holds dates"):
        CLASSIFIERS["decision_tree"]().fit(dated, segments)
