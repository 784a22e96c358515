"""Interests: the categories that customers buy next, from history to score."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from small_tables import AS_OF, Tables

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.interests import INTEREST_CANDIDATES
from customer_segmentation.prediction.interests.histories import CategoryHistories
from customer_segmentation.prediction.model_files import (
    dump_model,
    read_model,
    trusted_types,
)
from customer_segmentation.prediction.seasons import UNKNOWN_SALES, CategorySales

CANDIDATES = list(INTEREST_CANDIDATES)
IDS = np.array([2, 5, 9])


def texts(*histories: str | None) -> pd.DataFrame:
    return pd.DataFrame({"category_history": pd.Series(histories, dtype="str")})


def customers(count: int, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return customers who buy their favourite again with probability 0.7."""
    rng = np.random.default_rng(seed)
    favourites = rng.choice(IDS, count)
    repeats = rng.random(count) < 0.7
    chosen = np.where(repeats, favourites, rng.choice(IDS, count))
    history = [f"{one}:2:20.00:10" for one in favourites]
    return texts(*history), pd.DataFrame({"category_id": chosen})


def fitted(name: str, count: int = 400):
    return INTEREST_CANDIDATES[name].estimator().fit(*customers(count), UNKNOWN_SALES)


def test_a_history_is_read_from_its_text():
    found = CategoryHistories.read(texts("2:3:10.50:7 9:1:-4.00:1", "", None), IDS, {})
    assert found.purchases.tolist() == [[3, 0, 1], [0, 0, 0], [0, 0, 0]]
    # returns of goods bought before are no negative interest
    assert found.spend.tolist() == [[10.5, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert found.days[0].tolist() == [7, np.inf, 1]
    assert found.season is None


def test_categories_that_a_model_does_not_know_are_ignored():
    found = CategoryHistories.read(
        texts("3:1:5.00:1 5:1:6.00:1 10:1:7.00:1"), IDS, {3: 1.0}
    )
    assert found.spend.tolist() == [[0, 6, 0]]
    assert found.season is None


def test_purchases_count_where_there_are_no_amounts():
    found = CategoryHistories.read(texts("2:3:0.00:7 5:1:0.00:1"), IDS, {})
    assert found.value.tolist() == [[3, 1, 0]]


def test_a_damaged_history_is_named():
    with pytest.raises(InputError, match="category:purchases:spend:days"):
        CategoryHistories.read(texts("2:3"), IDS, {})


@pytest.mark.parametrize("name", CANDIDATES)
def test_probabilities_add_up_for_any_customer(name):
    model = fitted(name)
    odd = texts("", None, "7:1:5.00:1", "2:1:0.00:0", "5:900:1000000.00:4000")
    found = model.predict(odd, UNKNOWN_SALES)
    assert list(found.columns) == [2, 5, 9]
    assert np.allclose(found.sum(axis=1), 1)
    assert (found > 0).all(axis=None)


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_customer_does_not_depend_on_the_others(name):
    model = fitted(name)
    features, _ = customers(50, seed=1)
    together = model.predict(features, UNKNOWN_SALES)
    alone = pd.concat(
        [
            model.predict(features[place : place + 1], UNKNOWN_SALES)
            for place in range(50)
        ]
    )
    pd.testing.assert_frame_equal(together, alone, atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", CANDIDATES)
def test_slices_predict_what_all_customers_at_once_do(name, monkeypatch):
    model = fitted(name)
    features, _ = customers(1_000, seed=1)
    largest = []
    predict = type(model.model_).predict

    def counted(self, histories, popularity):
        largest.append(len(histories.spend))
        return predict(self, histories, popularity)

    monkeypatch.setattr(type(model.model_), "predict", counted)
    at_once = model.predict(features, UNKNOWN_SALES)
    monkeypatch.setattr("customer_segmentation.prediction.interests.model.SLICE", 300)
    in_slices = model.predict(features, UNKNOWN_SALES)
    assert largest == [1_000, *[100] * 10]
    pd.testing.assert_frame_equal(in_slices, at_once, check_exact=True)


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_model_is_stored_and_read_again(name):
    model = fitted(name, 100)
    data = dump_model(model)
    features, _ = customers(20, seed=2)
    again = read_model(data, trusted_types(data))
    pd.testing.assert_frame_equal(
        again.predict(features, UNKNOWN_SALES), model.predict(features, UNKNOWN_SALES)
    )


@pytest.mark.parametrize("name", ["category_choice", "shrunk_history"])
def test_what_may_ship_is_calibrated(name):
    model = fitted(name, 3_000)
    features, outcomes = customers(3_000, seed=1)
    found = model.predict(features, UNKNOWN_SALES)
    chosen = np.searchsorted(IDS, outcomes["category_id"])
    is_first = found.to_numpy().argmax(axis=1) == chosen
    # 0.7 repeat, and a third of the others buy the favourite by chance
    assert is_first.mean() == pytest.approx(0.8, abs=0.02)
    assert found.max(axis=1).mean() == pytest.approx(is_first.mean(), abs=0.03)


@pytest.mark.parametrize("name", CANDIDATES)
@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_categories_are_enough(name, count):
    features, outcomes = customers(60)
    few = outcomes.assign(category_id=np.where(outcomes["category_id"] == 2, 2, 5))
    if count == 1:
        few = few.assign(category_id=2)
    history = features["category_history"].str.replace(r"^\d", "2", regex=True)
    model = INTEREST_CANDIDATES[name].estimator()
    found = model.fit(history.to_frame(), few, UNKNOWN_SALES).predict(
        texts("2:1:5.00:1", ""), UNKNOWN_SALES
    )
    assert found.shape == (2, count)
    assert np.allclose(found.sum(axis=1), 1)


def test_the_season_of_the_year_before_counts():
    features, _ = customers(1)
    season = CategorySales(categories={9: 90.0, 2: 10.0})
    model = fitted("season_popularity")
    with_season = model.predict(features, season).to_numpy()[0]
    assert with_season.argmax() == 2
    assert with_season[2] == pytest.approx(0.9, abs=0.02)
    without = model.predict(features, UNKNOWN_SALES)
    popular = fitted("popularity").predict(features, UNKNOWN_SALES)
    pd.testing.assert_frame_equal(without, popular)


def test_nobody_to_learn_from_is_said():
    model = INTEREST_CANDIDATES["popularity"].estimator()
    nobody = pd.DataFrame({"category_id": []}, dtype="int64")
    with pytest.raises(InputError, match="no customer to learn from"):
        model.fit(texts(), nobody, UNKNOWN_SALES)


@pytest.fixture(scope="module")
def scored() -> tuple[Tables, pd.DataFrame, pd.DataFrame]:
    """Return the tables, the trained models and the scores."""
    tables = Tables(count=20)
    tables.execute("delete from splits")
    tables.add_interests()
    tables.backtest()
    trained = tables.train()
    return tables, trained, tables.score_interests()


def test_both_populations_have_a_champion_and_every_customer_five_ranks(scored):
    _, trained, scores = scored
    assert set(trained["model_id"]) == {
        "shop.interests.existing.70.1",
        "shop.interests.new.70.1",
    }
    ranks = scores.groupby("customer_key")["interest_rank"].agg(list)
    assert len(ranks) == 240
    assert all(found == [1, 2, 3, 4, 5] for found in ranks)
    by_rank = scores.groupby("customer_key")["probability"]
    assert by_rank.apply(lambda values: values.is_monotonic_decreasing).all()
    assert np.allclose(by_rank.sum(), 1, atol=1e-5)
    models = scores["model_id"].str.split(".").str[2]
    assert (models == scores["population"]).all()


def test_favourites_come_first(scored):
    tables, _, scores = scored
    first = scores[scores["interest_rank"] == 1].set_index("customer_key")
    history = tables.frame("from category_histories where is_scored")
    favourites = history.set_index("customer_key")["main_category"].astype(int)
    assert (first["category_id"] == favourites.reindex(first.index)).mean() > 0.95


def test_new_customers_are_served_by_the_model_of_existing_ones(scored):
    tables, _, scores = scored
    other = tables.copy()
    other.execute("delete from registry where population = 'new'")
    found = other.score_interests()
    assert set(found["customer_key"]) == set(scores["customer_key"])
    assert set(found["model_id"]) == {"shop.interests.existing.70.1"}


def in_use(tables: Tables, name: str, population: str = "existing") -> Tables:
    """Return a copy in which one model is in use, and the season of its days known."""
    other = tables.copy()
    algorithm = f"algorithm = '{name}', baseline = '{name}'"
    other.execute(f"delete from choices where population <> '{population}'")
    other.execute(f"update choices set {algorithm}")
    other.execute("delete from registry")
    # the last category sells best in winter, the first one in autumn
    for day, category in ((AS_OF, 5), (AS_OF - timedelta(70), 1)):
        other.execute(
            "insert into category_seasons"
            f" select 'shop', date '{day}', 70, id, 100, if(id = {category}, 900, 25)"
            " from range(1, 6) as categories(id)"
        )
    other.train()
    return other


def test_only_categories_that_products_have_today_are_recommended(scored):
    tables, _, before = scored
    other = tables.copy()
    # a new fit has other categories, of which the champions know four
    other.execute("update product_categories set category_id = 9 where category_id = 2")
    found = other.score_interests()
    by_customer = found.groupby("customer_key")
    assert by_customer["interest_rank"].agg(list).map(len).eq(4).all()
    assert set(found["category_id"]) == {1, 3, 4, 5}
    assert np.allclose(by_customer["probability"].sum(), 1, atol=1e-5)
    # the others keep their proportions
    both = found.merge(before, on=["customer_key", "category_id"])
    times = both["probability_x"] / both["probability_y"]
    spread = times.groupby(both["customer_key"]).agg(["min", "max"])
    assert np.allclose(spread["min"], spread["max"], rtol=1e-2)
    other.execute("delete from product_categories")
    assert other.score_interests().empty


def test_a_new_customer_in_the_batch_takes_no_season_away(scored):
    tables, *_ = scored
    other = in_use(tables, "season_popularity")
    # the new one comes first, and has a date without a season
    other.execute(
        "update category_histories"
        f" set customer_key = '0:' || customer_key, as_of_date = date '{AS_OF}' - 3"
        " where population = 'new' and is_scored"
    )
    together = other.score_interests()
    other.execute("delete from category_histories where population = 'new'")
    alone = other.score_interests()
    existing = together[together["population"] == "existing"]
    assert set(existing.loc[existing["interest_rank"] == 1, "category_id"]) == {5}
    pd.testing.assert_frame_equal(existing.reset_index(drop=True), alone)
    assert set(together["population"]) == {"existing", "new"}


def test_a_model_must_beat_the_best_baseline_by_more_than_chance(scored):
    tables, *_ = scored
    other = tables.copy()
    # the predictions of a baseline, then those of one who knows
    same = (
        "update interest_backtests as mine set category_rank = its.category_rank,"
        " category_probability = its.category_probability"
        " from interest_backtests as its where its.algorithm = 'shrunk_history'"
        " and its.split = mine.split and its.horizon_days = mine.horizon_days"
        " and its.population = mine.population"
        " and its.customer_key = mine.customer_key"
        " and not mine.is_baseline"
    )
    knows = (
        "update interest_backtests set category_rank = 1, category_probability = 0.99"
        " where algorithm = 'category_choice'"
    )
    for change, expected in ((same, False), (knows, True)):
        other.execute(change)
        other.evaluate()
        other.build("choices", "intermediate/int_prediction__choices.sql")
        interests = other.frame("from choices where task = 'interests'")
        assert ("category_choice" in set(interests["algorithm"])) == expected


def test_drift_compares_categories_and_not_texts(scored):
    tables, *_ = scored
    found = tables.drift()
    features = set(found.loc[found["task"] == "interests", "feature"])
    assert features == {
        *("main_category", "distinct_categories", "category_recency_days"),
        *("top_category", "top_probability"),
    }


@pytest.mark.parametrize("name", ["season_popularity", "category_choice"])
def test_another_season_is_no_drift(scored, name):
    tables, *_ = scored
    other = in_use(tables, name)
    # today's customers are those of the training
    other.execute("delete from category_histories where is_scored")
    other.execute(
        "insert into category_histories select * replace ("
        f"date '{AS_OF}' as as_of_date, true as is_scored,"
        " false as is_training_customer) from category_histories"
        f" where as_of_date = date '{AS_OF}' - 70 and population = 'existing'"
    )
    interests, in_winter = other.score_interests(), predicted_drift(other)
    # in autumn, as in training
    other.execute(f"delete from category_seasons where as_of_date = date '{AS_OF}'")
    other.execute(
        f"insert into category_seasons select * replace (date '{AS_OF}' as as_of_date)"
        f" from category_seasons where as_of_date = date '{AS_OF}' - 70"
    )
    assert not interests.equals(other.score_interests())
    assert in_winter.equals(predicted_drift(other))
    assert set(in_winter.index) == {"top_category", "top_probability"}
    if name == "season_popularity":
        assert (in_winter["psi"] == 0).all()
    # a model that learns knows these customers, and drift compares with unknown ones
    assert (in_winter["psi"] <= in_winter["psi_by_chance"]).all()


def predicted_drift(tables: Tables) -> pd.DataFrame:
    """Return the drift of predictions, by what is predicted."""
    found = tables.drift()
    return found[found["is_prediction"]].set_index("feature")


def test_metrics_are_measured_against_the_best_baseline(scored):
    tables, *_ = scored
    rows = tables.frame("from evaluations where split = 'selection'")
    assert set(rows["metric"]) == {
        *("hit_at_3", "hit_at_1", "mrr", "log_loss"),
        *("calibration_error", "any_hit_at_3", "relative_loss"),
    }
    hits = rows[(rows["metric"] == "mrr") & (rows["population"] == "existing")]
    baselines = hits[hits["is_baseline"]]
    best = baselines.loc[baselines["value"].idxmax()]
    assert best["difference_low"] == best["difference_high"] == 0
    assert (hits["difference_low"] <= hits["difference_high"]).all()


def test_a_test_compares_with_the_baseline_that_was_best_on_the_selection(scored):
    tables, *_ = scored
    other = tables.copy()
    # popularity is best on the test, which nobody could know
    ranks = {
        "selection": "when 'own_history' then 1 else 3",
        "test": "when 'popularity' then 1 when 'own_history' then 4 else 2",
    }
    parts = [
        f"select * replace ('{split}' as split, case algorithm {rank} end"
        " as category_rank) from interest_backtests"
        " where split = 'selection' and population = 'existing'"
        for split, rank in ranks.items()
    ]
    other.execute(
        f"create or replace table interest_backtests as {' union all '.join(parts)}"
    )
    other.evaluate()
    rows = other.frame(
        "from evaluations where task = 'interests' and split = 'test'"
        " and metric = 'mrr'"
    ).set_index("algorithm")
    for end in ("difference_low", "difference_high"):
        assert rows.loc["own_history", end] == 0
        assert rows.loc["category_choice", end] == pytest.approx(1 / 2 - 1 / 4)


def test_a_champion_that_is_a_baseline_is_worse_than_none(scored):
    tables, *_ = scored
    for name, models in (("popularity", []), ("category_choice", ["category_choice"])):
        other = in_use(tables, name)
        other.execute(
            "update evaluations set split = 'test', difference_low = -0.2,"
            " difference_high = -0.1 where is_higher_better"
        )
        other.execute(
            "update evaluations set split = 'test', difference_low = 0.1,"
            " difference_high = 0.2 where not is_higher_better"
        )
        other.build("model_registry", "model_registry.sql")
        other.build("model_evaluations", "model_evaluations.sql")
        other.build(
            "failures",
            "../../tests/prediction/assert_no_champion_is_worse_than_its_baseline.sql",
        )
        failed = other.frame(
            "select algorithm from failures join model_registry using (model_id)"
        )
        assert failed["algorithm"].tolist() == models


def test_a_shop_without_histories_has_no_rows():
    tables = Tables(count=20)
    tables.execute("delete from splits")
    tables.backtest()
    assert tables.train().empty
    assert tables.score_interests().empty
    assert tables.drift().empty
