"""Every candidate predicts any customers, and the best ones find what is planted."""

from collections.abc import Iterator
from functools import cache

import numpy as np
import pandas as pd
import pytest
from quick_fits import quick_fits
from sklearn.base import BaseEstimator, clone

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.metrics import (
    auc,
    coverage,
    decile_error,
    mean_absolute_error,
    normalised_gini,
    spearman,
)
from customer_segmentation.prediction.model_files import (
    dump_model,
    read_model,
    trusted_types,
)
from customer_segmentation.prediction.purchases import (
    CANDIDATES,
    PREDICTED,
    UNKNOWN,
    InSeason,
    NextPurchases,
    Season,
    candidates_of,
    intervals,
)

MODELS = [name for name, one in CANDIDATES.items() if not one.is_baseline]
LIFETIMES = ("bg_nbd", "pareto_nbd")
HORIZON = 365
EVERY = pytest.mark.parametrize("name", CANDIDATES)


def customers(seed: int, count: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return features and outcomes of customers who buy at their own rate and value.

    They have the features of both populations, so that every candidate can read them.
    """
    rng = np.random.default_rng(seed)
    rate = rng.gamma(0.7, 4, count) + 0.1
    value = rng.lognormal(4, 1, count)
    is_alive = rng.random(count) < 0.7
    past = 1 + rng.poisson(rate)
    spend = past * value * rng.lognormal(-0.1, 0.4, count)
    between = np.where(past > 1, 300 / past, np.nan)
    features = pd.DataFrame(
        {
            "country": rng.choice(["UK", "France", "EIRE"], count),
            "purchase_days": past,
            "interpurchase_days": between,
            "recency_days": np.where(is_alive, 20, 200) + rng.integers(0, 60, count),
            "monetary": spend,
            "purchases_365": past,
            "spend_365": spend,
            "basket_value": value,
            "product_value": value * 0.9,
            "basket_products": rng.integers(1, 40, count),
            "largest_line_share": rng.random(count),
            "day_of_year": rng.integers(60, 340, count),
        }
    )
    for days in (90, 180):
        share = rng.beta(2, 2, count)
        features[f"decayed_spend_{days}"] = spend * share
        features[f"decayed_purchases_{days}"] = past * share
    features["noise"] = rng.normal(size=count)
    purchases = np.where(is_alive, rng.poisson(rate), 0)
    spent = purchases * value * rng.lognormal(-0.1, 0.4, count)
    outcomes = pd.DataFrame(
        {"has_returned": purchases > 0, "purchases": purchases, "spend": spent}
    )
    return features, outcomes


@cache
def with_gaps() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return customers some of whose features are null."""
    features, outcomes = customers(18, 200)
    # customers who have not bought for a year have no sums of the year
    features.loc[features["recency_days"] > 200, ["spend_365", "purchases_365"]] = None
    features.loc[::7, ["product_value", "basket_value", "day_of_year"]] = None
    return features, outcomes


def fit(
    name: str, features: pd.DataFrame, outcomes: pd.DataFrame, horizon: int = HORIZON
) -> NextPurchases:
    return CANDIDATES[name].estimator().fit(features, outcomes, horizon)


@pytest.fixture
def quick() -> Iterator[None]:
    with quick_fits():
        yield


@pytest.fixture(scope="module")
def fitted() -> dict[str, NextPurchases]:
    """Return every candidate, fitted quickly to the customers with gaps."""
    with quick_fits():
        return {name: fit(name, *with_gaps()) for name in CANDIDATES}


def assert_defined(predicted: pd.DataFrame, has_amounts: bool = True) -> None:
    assert list(predicted) == list(PREDICTED)
    assert predicted["return_probability"].between(0, 1).all()
    assert np.isfinite(predicted["expected_purchases"]).all()
    is_consistent = predicted["expected_purchases"] >= predicted["return_probability"]
    assert is_consistent.all()
    money = predicted[["expected_spend", "spend_low", "spend_median", "spend_high"]]
    if has_amounts:
        assert np.isfinite(money).all(axis=None)
        assert (money >= 0).all(axis=None)
        assert (predicted["spend_low"] <= predicted["spend_median"]).all()
        assert (predicted["spend_median"] <= predicted["spend_high"]).all()
    else:
        assert money.isna().all(axis=None)


@pytest.fixture(scope="module")
def others() -> tuple[pd.DataFrame, pd.DataFrame]:
    return customers(1, 1_500)


@pytest.fixture(scope="module")
def predicted(others) -> dict[str, pd.DataFrame]:
    known = customers(0, 1_500)
    return {name: fit(name, *known).predict(others[0]) for name in CANDIDATES}


# --- what is planted


@EVERY
def test_predictions_are_defined_and_intervals_cover_outcomes(
    name, predicted, others
) -> None:
    found, spend = predicted[name], others[1]["spend"].to_numpy()
    assert_defined(found)
    low, high = found["spend_low"].to_numpy(), found["spend_high"].to_numpy()
    may_spend = high > 0
    held = coverage(low[may_spend], high[may_spend], spend[may_spend])
    assert 0.76 <= held <= 0.84
    # 0 is the interval of who stays away, who are as many as they are
    if not may_spend.all():
        assert np.mean(spend[~may_spend] == 0) >= 0.76


@pytest.mark.parametrize("name", ["blend", "tweedie", "full_hurdle"])
def test_models_of_existing_customers_beat_the_baseline(
    name, predicted, others
) -> None:
    spend = others[1]["spend"].to_numpy()
    model, baseline = (
        predicted[one]["expected_spend"].to_numpy() for one in (name, "last_year_spend")
    )
    assert spearman(model, spend) > spearman(baseline, spend) + 0.02
    assert normalised_gini(model, spend) > normalised_gini(baseline, spend)
    assert mean_absolute_error(model, spend) < mean_absolute_error(baseline, spend)
    assert decile_error(model, spend) < 0.2
    returned = others[1]["has_returned"].to_numpy()
    assert auc(predicted[name]["return_probability"].to_numpy(), returned) > 0.8


@pytest.mark.parametrize("name", ["hurdle", "hurdle_season", "basket_tweedie"])
def test_models_of_new_customers_find_the_value_of_baskets(
    name, predicted, others
) -> None:
    spend = others[1]["spend"].to_numpy()
    model = predicted[name]["expected_spend"].to_numpy()
    assert spearman(model, spend) > 0.1
    assert model.sum() == pytest.approx(spend.sum(), rel=0.25)


@pytest.mark.parametrize("name", MODELS)
def test_the_total_is_about_right(name, predicted, others) -> None:
    purchases = others[1]["purchases"].sum()
    total = predicted[name]["expected_purchases"].sum()
    # buy-till-you-die models know only the past, in which nothing is planted for them
    within = 0.6 if name in LIFETIMES else 0.15
    assert total == pytest.approx(purchases, rel=within)


def test_baselines_repeat_what_was(others) -> None:
    features, outcomes = others
    for name, horizon, expected in (
        ("last_year_spend", 365, features["spend_365"]),
        ("last_year_spend", 73, features["spend_365"] / 5),
        ("first_basket", 73, features["basket_value"]),
    ):
        found = fit(name, features, outcomes, horizon).predict(features)
        assert found["expected_spend"].tolist() == pytest.approx(expected.tolist())


# --- estimators


@EVERY
def test_the_order_of_rows_makes_no_other_file_and_a_file_holds_the_model(
    name, fitted, quick
) -> None:
    features, outcomes = with_gaps()
    written = dump_model(fitted[name])
    order = np.random.default_rng(0).permutation(len(features))
    shuffled = fit(name, features.iloc[order], outcomes.iloc[order])
    assert dump_model(shuffled) == written
    read = read_model(written, trusted_types(written))
    expected = fitted[name].predict(features)
    pd.testing.assert_frame_equal(read.predict(features), expected)
    # predictions keep the order and the index of the customers
    found = read.predict(features.iloc[order])
    assert found.index.tolist() == order.tolist()
    pd.testing.assert_frame_equal(found.sort_index(), expected, rtol=1e-9)


@EVERY
def test_candidates_are_estimators_of_scikit_learn(name, fitted) -> None:
    estimator = CANDIDATES[name].estimator()
    assert vars(estimator) == {"model": estimator.model}
    settings = estimator.get_params()
    copy = clone(fitted[name])
    assert not hasattr(copy, "model_")
    for parameter, value in settings.items():
        if not hasattr(value, "get_params"):
            assert copy.get_params()[parameter] == value
    # what is fitted ends with an underscore, and parameters stay as they were
    learned = set(vars(fitted[name].model_)) - set(fitted[name].model.get_params())
    assert learned
    assert all(attribute.endswith("_") for attribute in learned)
    assert vars(fitted[name].model).keys() == estimator.model.get_params(False).keys()


@EVERY
def test_a_customer_is_predicted_the_same_alone(name, fitted) -> None:
    features, _ = with_gaps()
    rows = range(0, 40, 3)
    alone = [fitted[name].predict(features.iloc[[row]]) for row in rows]
    together = fitted[name].predict(features).iloc[rows]
    pd.testing.assert_frame_equal(pd.concat(alone), together, rtol=1e-9)


@EVERY
def test_no_customers_have_no_predictions(name, fitted) -> None:
    features, _ = with_gaps()
    found = fitted[name].predict(features.head(0))
    assert found.shape == (0, len(PREDICTED))
    assert list(found) == list(PREDICTED)


@EVERY
def test_features_may_be_missing_and_countries_new_at_prediction(name, fitted) -> None:
    later = customers(6, 20)[0]
    later["country"] = "Atlantis"
    assert_defined(fitted[name].predict(later))
    numbers = [one for one in later if one != "country"]
    for value in (np.nan, np.inf, 1e12):
        later[numbers] = value
        if value == 1e12:
            later["recency_days"], later["interpurchase_days"] = 10.0, 10.0
            later["purchase_days"] = 2.0
        assert_defined(fitted[name].predict(later))


@pytest.mark.parametrize("name", ["blend", "tweedie", "full_hurdle"])
def test_a_removed_feature_is_refused(name, fitted) -> None:
    features, _ = with_gaps()
    with pytest.raises(InputError, match="no column noise"):
        fitted[name].predict(features.drop(columns="noise"))


def test_texts_instead_of_numbers_are_refused(fitted) -> None:
    features, _ = with_gaps()
    for name, feature in (("first_basket", "basket_value"), ("blend", "noise")):
        texts = features.assign(**{feature: "much"})
        with pytest.raises(InputError, match=f"{feature}: is not a number"):
            fitted[name].predict(texts)


def test_a_day_after_those_learned_from_counts_as_the_last(fitted) -> None:
    features, _ = with_gaps()
    model = fitted["hurdle_season"]
    last = features.assign(day_of_year=features["day_of_year"].max())
    beyond = features.assign(day_of_year=366)
    pd.testing.assert_frame_equal(model.predict(beyond), model.predict(last))
    first = features.assign(day_of_year=features["day_of_year"].min())
    assert not model.predict(first).equals(model.predict(last))


def test_each_population_has_a_baseline_and_models() -> None:
    for population in ("existing", "new"):
        found = candidates_of(population)
        assert found[0].is_baseline
        assert not found[-1].is_baseline
        assert len(found) >= 5
        assert {type(one.estimator()) for one in found} == {NextPurchases}


@EVERY
def test_baselines_and_buy_till_you_die_models_learn_no_level(name) -> None:
    learns_none = CANDIDATES[name].is_baseline or name in LIFETIMES
    assert CANDIDATES[name].estimator().learns_level != learns_none


def test_a_file_with_the_former_interval_is_refused(monkeypatch) -> None:
    class SpendInterval(BaseEstimator):
        """What models had before they had quantiles."""

    SpendInterval.__module__ = intervals.__name__
    SpendInterval.__qualname__ = "SpendInterval"
    monkeypatch.setattr(intervals, "SpendInterval", SpendInterval, raising=False)
    model = fit("full_hurdle", *customers(3, 60))
    del model.quantiles_
    model.interval_ = SpendInterval()
    written = dump_model(model)
    types = trusted_types(written)
    assert read_model(written, types).interval_ is not None
    monkeypatch.undo()
    with pytest.raises(InputError, match=r"SpendInterval, .*; train the model again"):
        read_model(written, types)


def test_a_season_moves_the_probability_that_the_interval_knows() -> None:
    features, outcomes = customers(19, 1_500)
    model = InSeason(CANDIDATES["full_hurdle"].estimator(), Season(100.0, 100.0))
    model.fit(features, outcomes, HORIZON)
    plain, more = (
        model.predict(features, Season(index, index)) for index in (100.0, 200.0)
    )
    pd.testing.assert_frame_equal(plain, model.predict(features, UNKNOWN))
    for name in ("spend_low", "spend_median", "spend_high"):
        assert (more[name] >= plain[name]).all()
    # who returns more probably is no longer expected to spend nothing
    assert (more["spend_median"] == 0).sum() < (plain["spend_median"] == 0).sum()
    assert (more["spend_low"] > 0).sum() > (plain["spend_low"] > 0).sum()


def test_a_model_in_season_comes_back_from_its_file() -> None:
    features, outcomes = customers(3, 60)
    model = InSeason(CANDIDATES["full_hurdle"].estimator(), UNKNOWN)
    written = dump_model(model.fit(features, outcomes, HORIZON))
    read = read_model(written, trusted_types(written))
    expected = model.predict(features, UNKNOWN)
    pd.testing.assert_frame_equal(read.predict(features, UNKNOWN), expected)
    assert not hasattr(clone(model), "estimator_")


# --- odd customers


@EVERY
def test_without_amounts_only_money_is_unknown(name, quick) -> None:
    features, outcomes = customers(4, 100)
    money = [one for one in features if "spend" in one or "value" in one]
    features[[*money, "monetary"]] = None
    outcomes["spend"] = None
    model = fit(name, features, outcomes)
    assert_defined(model.predict(features), has_amounts=False)


@pytest.mark.parametrize("name", [one.name for one in candidates_of("new")])
def test_customers_without_known_products_have_predictions(name, quick) -> None:
    features, outcomes = customers(5, 100)
    features[["product_value", "basket_products", "largest_line_share"]] = None
    model = fit(name, features, outcomes)
    assert_defined(model.predict(features))


@EVERY
@pytest.mark.parametrize("count", [10, 25])
def test_ten_customers_are_enough(name, count) -> None:
    features, outcomes = customers(7, count)
    model = fit(name, features, outcomes)
    assert_defined(model.predict(customers(8, 30)[0]))


@EVERY
@pytest.mark.parametrize("count", [10, 200])
def test_no_customer_or_every_customer_may_return(name, count, quick) -> None:
    features, outcomes = customers(9, count)
    none = outcomes.assign(has_returned=False, purchases=0, spend=0.0)
    found = fit(name, features, none).predict(features)
    assert_defined(found)
    if name in MODELS and name not in LIFETIMES:
        # nothing was ever spent
        assert (found["expected_spend"] == 0).all()
        assert (found["return_probability"] < 0.1).all()
    all_alike = outcomes.assign(has_returned=True, purchases=1, spend=5.0)
    found = fit(name, features, all_alike).predict(features)
    assert_defined(found)
    if name in ("full_hurdle", "hurdle", "hurdle_season", "tweedie"):
        assert (found["return_probability"] > 0.9).all()


@EVERY
def test_one_customer_with_everything_is_no_problem(name, quick) -> None:
    features, outcomes = customers(10, 300)
    money = [one for one in features if "spend" in one or "value" in one]
    features.loc[0, money] = 5e6
    outcomes.loc[0, "spend"] = 7e6
    found = fit(name, features, outcomes).predict(features)
    assert_defined(found)
    assert (found["expected_spend"] <= 1e9).all()


@pytest.mark.parametrize("name", MODELS)
def test_features_that_tell_nothing_give_a_prediction(name, quick) -> None:
    features, outcomes = customers(12, 100)
    # the same for all customers, or null
    features = features.assign(**dict.fromkeys(features.columns, 1.0))
    features["country"] = None
    model = fit(name, features, outcomes)
    assert_defined(model.predict(features))


def test_unusable_customers_are_refused() -> None:
    features, outcomes = customers(13, 30)
    for count in (0, 9):
        with pytest.raises(InputError, match=f"{count} customers to learn from"):
            fit("blend", features.head(count), outcomes.head(count))
    with pytest.raises(InputError, match="30 rows of features and 29 of outcomes"):
        fit("blend", features, outcomes.head(29))
    with pytest.raises(InputError, match="no column purchases"):
        fit("blend", features, outcomes.drop(columns="purchases"))
    with pytest.raises(InputError, match="purchases is null for 30 customers"):
        fit("blend", features, outcomes.assign(purchases=None))
    without = features.drop(columns="purchase_days")
    with pytest.raises(InputError, match="no column purchase_days"):
        fit("bg_nbd", without, outcomes)


# --- buy till you die


@pytest.mark.parametrize("name", LIFETIMES)
def test_buy_till_you_die_reads_no_outcome(name) -> None:
    features, outcomes = customers(15, 200)
    scrambled = outcomes.sample(frac=1, random_state=0).reset_index(drop=True)
    one, other = (
        fit(name, features, known).predict(features) for known in (outcomes, scrambled)
    )
    columns = list(PREDICTED[:3])
    pd.testing.assert_frame_equal(one[columns], other[columns], rtol=1e-6)


@pytest.mark.parametrize("name", LIFETIMES)
def test_an_impossible_history_counts_as_the_nearest_possible_one(name) -> None:
    features, outcomes = customers(17, 100)
    odd = features.astype({"purchase_days": float, "recency_days": float})
    odd.loc[:9, "purchase_days"] = 2.4
    odd.loc[10:19, "interpurchase_days"] = None
    odd.loc[20:29, "recency_days"] = -5.0
    model = fit(name, odd, outcomes)
    assert_defined(model.predict(odd))
