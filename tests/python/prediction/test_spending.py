"""Every candidate predicts whoever comes, and the best ones find what was planted."""

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

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
    NextPurchases,
    candidates_of,
)

pytestmark = pytest.mark.usefixtures("one_thread")

MODELS = [name for name, one in CANDIDATES.items() if not one.is_baseline]
HORIZON = 365


def customers(seed: int, count: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return features and outcomes of customers who buy at their own rate and value.

    Both populations' features, so that every candidate can read them.
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


def assert_defined(predicted: pd.DataFrame, has_amounts: bool = True) -> None:
    assert list(predicted) == list(PREDICTED)
    assert predicted["return_probability"].between(0, 1).all()
    assert np.isfinite(predicted["expected_purchases"]).all()
    is_consistent = predicted["expected_purchases"] >= predicted["return_probability"]
    assert is_consistent.all()
    money = predicted[["expected_spend", "spend_low", "spend_high"]]
    if has_amounts:
        assert np.isfinite(money).all(axis=None)
        assert (money >= 0).all(axis=None)
        assert (predicted["spend_low"] <= predicted["spend_high"]).all()
    else:
        assert money.isna().all(axis=None)


@pytest.fixture(scope="module")
def known() -> tuple[pd.DataFrame, pd.DataFrame]:
    return customers(0, 1_500)


@pytest.fixture(scope="module")
def others() -> tuple[pd.DataFrame, pd.DataFrame]:
    return customers(1, 1_500)


@pytest.fixture(scope="module")
def predicted(known, others) -> dict[str, pd.DataFrame]:
    # a fixture of a module comes before that of one thread
    with threadpool_limits(limits=1):
        return {
            name: NextPurchases(name).fit(*known, HORIZON).predict(others[0])
            for name in CANDIDATES
        }


@pytest.mark.parametrize("name", CANDIDATES)
def test_predictions_are_defined_and_cover_what_came(name, predicted, others) -> None:
    found, spend = predicted[name], others[1]["spend"].to_numpy()
    assert_defined(found)
    low, high = found["spend_low"].to_numpy(), found["spend_high"].to_numpy()
    assert 0.76 <= coverage(low, high, spend) <= 0.84


@pytest.mark.parametrize("name", ["blend", "tweedie", "full_hurdle"])
def test_models_of_existing_customers_beat_the_rule_of_thumb(
    name, predicted, others
) -> None:
    spend = others[1]["spend"].to_numpy()
    model, rule = (
        predicted[one]["expected_spend"].to_numpy() for one in (name, "last_year_spend")
    )
    assert spearman(model, spend) > spearman(rule, spend) + 0.02
    assert normalised_gini(model, spend) > normalised_gini(rule, spend)
    assert mean_absolute_error(model, spend) < mean_absolute_error(rule, spend)
    assert decile_error(model, spend) < 0.2
    returned = others[1]["has_returned"].to_numpy()
    assert auc(predicted[name]["return_probability"].to_numpy(), returned) > 0.8


def test_values_of_baskets_are_found_in_first_purchases(predicted, others) -> None:
    spend = others[1]["spend"].to_numpy()
    for name in ("hurdle", "hurdle_season", "basket_tweedie"):
        model = predicted[name]["expected_spend"].to_numpy()
        assert spearman(model, spend) > 0.1
        assert model.sum() == pytest.approx(spend.sum(), rel=0.25)


@pytest.mark.parametrize("name", MODELS)
def test_the_total_is_about_right(name, predicted, others) -> None:
    purchases = others[1]["purchases"].sum()
    total = predicted[name]["expected_purchases"].sum()
    # buy-till-you-die models know the past only, which nobody planted for them
    within = 0.6 if name in ("bg_nbd", "pareto_nbd") else 0.15
    assert total == pytest.approx(purchases, rel=within)


def test_rules_of_thumb_say_what_was(others) -> None:
    features, outcomes = others
    last_year = NextPurchases("last_year_spend").fit(features, outcomes, 365)
    found = last_year.predict(features)["expected_spend"]
    assert found.tolist() == pytest.approx(features["spend_365"].tolist())
    quarter = NextPurchases("last_year_spend").fit(features, outcomes, 73)
    found = quarter.predict(features)["expected_spend"]
    assert found.tolist() == pytest.approx((features["spend_365"] / 5).tolist())
    basket = NextPurchases("first_basket").fit(features, outcomes, 73)
    found = basket.predict(features)["expected_spend"]
    assert found.tolist() == pytest.approx(features["basket_value"].tolist())


@pytest.mark.parametrize("name", CANDIDATES)
def test_the_order_of_rows_does_not_matter(name) -> None:
    features, outcomes = customers(2, 300)
    order = np.random.default_rng(0).permutation(300)
    one = NextPurchases(name).fit(features, outcomes, HORIZON).predict(features)
    other = NextPurchases(name).fit(features.iloc[order], outcomes.iloc[order], HORIZON)
    # keeps the index and the order of those it predicts
    again = other.predict(features.iloc[order])
    assert again.index.tolist() == order.tolist()
    pd.testing.assert_frame_equal(again.sort_index(), one, rtol=1e-9)


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_customer_is_predicted_the_same_alone(name) -> None:
    features, outcomes = customers(18, 200)
    # who has not bought for a year has no sum of the year
    features.loc[features["recency_days"] > 200, ["spend_365", "purchases_365"]] = None
    features.loc[::7, ["product_value", "basket_value", "day_of_year"]] = None
    model = NextPurchases(name).fit(features, outcomes, HORIZON)
    alone = pd.concat([model.predict(features.iloc[[row]]) for row in range(40)])
    together = model.predict(features).head(40)
    pd.testing.assert_frame_equal(alone, together, rtol=1e-9)


@pytest.mark.parametrize("name", CANDIDATES)
def test_files_hold_the_model(name) -> None:
    features, outcomes = customers(3, 200)
    model = NextPurchases(name).fit(features, outcomes, HORIZON)
    data = dump_model(model)
    assert dump_model(NextPurchases(name).fit(features, outcomes, HORIZON)) == data
    again = read_model(data, trusted_types(data))
    pd.testing.assert_frame_equal(again.predict(features), model.predict(features))


@pytest.mark.parametrize("name", CANDIDATES)
def test_without_amounts_money_is_unknown_and_the_rest_is_not(name) -> None:
    features, outcomes = customers(4, 300)
    money = [one for one in features if "spend" in one or "value" in one]
    features[[*money, "monetary"]] = None
    outcomes["spend"] = None
    model = NextPurchases(name).fit(features, outcomes, HORIZON)
    assert_defined(model.predict(features), has_amounts=False)


@pytest.mark.parametrize("name", CANDIDATES)
def test_without_products_there_is_a_prediction(name) -> None:
    features, outcomes = customers(5, 300)
    features[["product_value", "basket_products", "largest_line_share"]] = None
    model = NextPurchases(name).fit(features, outcomes, HORIZON)
    assert_defined(model.predict(features))


@pytest.mark.parametrize("name", CANDIDATES)
def test_what_was_known_may_be_missing_later_and_countries_new(name) -> None:
    features, outcomes = customers(6, 300)
    model = NextPurchases(name).fit(features, outcomes, HORIZON)
    later = features.head(20).copy()
    later["country"] = "Atlantis"
    assert_defined(model.predict(later))
    numbers = [one for one in features if one != "country"]
    later[numbers] = np.nan
    assert_defined(model.predict(later))
    later[numbers] = np.inf
    assert_defined(model.predict(later))
    later[numbers] = 1e12
    later["recency_days"], later["interpurchase_days"] = 10.0, 10.0
    later["purchase_days"] = 2.0
    assert_defined(model.predict(later))


@pytest.mark.parametrize("name", CANDIDATES)
@pytest.mark.parametrize("count", [10, 11, 25])
def test_ten_customers_are_enough(name, count) -> None:
    features, outcomes = customers(7, count)
    model = NextPurchases(name).fit(features, outcomes, HORIZON)
    assert_defined(model.predict(customers(8, 30)[0]))


@pytest.mark.parametrize("name", CANDIDATES)
@pytest.mark.parametrize("count", [10, 200])
def test_nobody_or_everybody_may_return(name, count) -> None:
    features, outcomes = customers(9, count)
    nobody = outcomes.assign(has_returned=False, purchases=0, spend=0.0)
    model = NextPurchases(name).fit(features, nobody, HORIZON)
    found = model.predict(features)
    assert_defined(found)
    if not CANDIDATES[name].is_baseline and name not in ("bg_nbd", "pareto_nbd"):
        # nothing was ever spent
        assert (found["expected_spend"] == 0).all()
        assert (found["return_probability"] < 0.1).all()
    everybody = outcomes.assign(has_returned=True, purchases=1, spend=5.0)
    found = NextPurchases(name).fit(features, everybody, HORIZON).predict(features)
    assert_defined(found)
    if name in ("full_hurdle", "hurdle", "hurdle_season", "tweedie"):
        assert (found["return_probability"] > 0.9).all()


@pytest.mark.parametrize("name", CANDIDATES)
def test_one_customer_with_everything_is_no_problem(name) -> None:
    features, outcomes = customers(10, 300)
    money = [one for one in features if "spend" in one or "value" in one]
    features.loc[0, money] = 5e6
    outcomes.loc[0, "spend"] = 7e6
    found = NextPurchases(name).fit(features, outcomes, HORIZON).predict(features)
    assert_defined(found)
    assert (found["expected_spend"] <= 1e9).all()


@pytest.mark.parametrize("name", CANDIDATES)
def test_nobody_is_predicted_nothing(name) -> None:
    features, outcomes = customers(11, 60)
    model = NextPurchases(name).fit(features, outcomes, HORIZON)
    assert model.predict(features.head(0)).shape == (0, len(PREDICTED))


@pytest.mark.parametrize("name", MODELS)
def test_features_that_tell_nothing_give_a_prediction(name) -> None:
    features, outcomes = customers(12, 100)
    # the same for everybody, or null
    features = features.assign(**dict.fromkeys(features.columns, 1.0))
    features["country"] = None
    model = NextPurchases(name).fit(features, outcomes, HORIZON)
    assert_defined(model.predict(features))


def test_what_cannot_be_learned_from_is_refused() -> None:
    features, outcomes = customers(13, 30)
    for count in (0, 9):
        with pytest.raises(InputError, match=f"{count} customers to learn from"):
            NextPurchases("blend").fit(
                features.head(count), outcomes.head(count), HORIZON
            )
    with pytest.raises(InputError, match="30 rows of features and 29 of outcomes"):
        NextPurchases("blend").fit(features, outcomes.head(29), HORIZON)
    with pytest.raises(InputError, match="no column purchases"):
        NextPurchases("blend").fit(
            features, outcomes.drop(columns="purchases"), HORIZON
        )
    with pytest.raises(InputError, match="purchases is null for 30 customers"):
        NextPurchases("blend").fit(features, outcomes.assign(purchases=None), HORIZON)
    with pytest.raises(InputError, match="'oracle' is no candidate"):
        NextPurchases("oracle").fit(features, outcomes, HORIZON)
    without = features.drop(columns="purchase_days")
    with pytest.raises(InputError, match="no column purchase_days"):
        NextPurchases("bg_nbd").fit(without, outcomes, HORIZON)
    with pytest.raises(InputError, match="basket_value: is not a number"):
        NextPurchases("first_basket").fit(features, outcomes, HORIZON).predict(
            features.assign(basket_value="much")
        )


def test_a_feature_that_is_gone_is_refused() -> None:
    features, outcomes = customers(14, 60)
    for name in ("blend", "tweedie", "full_hurdle"):
        model = NextPurchases(name).fit(features, outcomes, HORIZON)
        with pytest.raises(InputError, match="no column noise"):
            model.predict(features.drop(columns="noise"))


def test_each_population_has_a_rule_of_thumb_and_models() -> None:
    for population in ("existing", "new"):
        found = candidates_of(population)
        assert found[0].is_baseline
        assert not found[-1].is_baseline
        assert len(found) >= 5
        assert {type(one.estimator()) for one in found} == {NextPurchases}


def test_buy_till_you_die_reads_no_outcome() -> None:
    features, outcomes = customers(15, 200)
    scrambled = outcomes.sample(frac=1, random_state=0).reset_index(drop=True)
    for name in ("bg_nbd", "pareto_nbd"):
        one, other = (
            NextPurchases(name).fit(features, known, HORIZON).predict(features)
            for known in (outcomes, scrambled)
        )
        columns = list(PREDICTED[:3])
        pd.testing.assert_frame_equal(one[columns], other[columns], rtol=1e-6)


@pytest.mark.parametrize("name", ["bg_nbd", "pareto_nbd"])
def test_a_history_that_cannot_be_is_taken_as_the_nearest_that_can(name) -> None:
    features, outcomes = customers(17, 100)
    odd = features.astype({"purchase_days": float, "recency_days": float})
    odd.loc[:9, "purchase_days"] = 2.4
    odd.loc[10:19, "interpurchase_days"] = None
    odd.loc[20:29, "recency_days"] = -5.0
    model = NextPurchases(name).fit(odd, outcomes, HORIZON)
    assert_defined(model.predict(odd))


def test_a_day_beyond_those_learned_from_is_taken_as_the_last() -> None:
    features, outcomes = customers(16, 300)
    model = NextPurchases("hurdle_season").fit(features, outcomes, HORIZON)
    last = features.assign(day_of_year=features["day_of_year"].max())
    beyond = features.assign(day_of_year=366)
    pd.testing.assert_frame_equal(model.predict(beyond), model.predict(last))
