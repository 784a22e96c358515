"""The Python models on small tables: what is trained, used and scored."""

import json
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from small_tables import (
    AS_OF,
    EXISTING,
    NEW,
    SEGMENT,
    Tables,
    assert_defined,
    customer_days,
)

from customer_segmentation.errors import InputError
from customer_segmentation.prediction import score_segments

WINS, LOSES = (1, 1, 3), (2, 2, 2)
NEXT_DAY = AS_OF + timedelta(1)


@pytest.fixture(scope="module")
def trained() -> Tables:
    """Return a shop with a champion of existing customers."""
    tables = Tables()
    tables.judge({"tweedie": WINS, "last_year_spend": LOSES})
    [is_promoted] = tables.train()["is_promoted"]
    assert is_promoted
    return tables


@pytest.fixture
def tables(trained: Tables) -> Tables:
    """Return a copy of that shop, to be changed."""
    return trained.copy()


def in_use(tables: Tables) -> set[str]:
    return {
        model for scores in tables.score().values() for model in set(scores["model_id"])
    }


def test_same_data_are_not_learned_twice(tables: Tables) -> None:
    before = tables.frame("from registry")
    assert tables.train().empty
    pd.testing.assert_frame_equal(tables.frame("from registry"), before)


def test_order_of_the_rows_makes_no_other_model(tables: Tables) -> None:
    for name in ("existing", "outcomes"):
        shuffled = tables.frame(f"from {name}").sample(frac=1, random_state=1)
        tables.write(name, shuffled)
    assert tables.train().empty


def test_other_outcomes_and_days_make_a_new_champion_of_the_same_making(
    tables: Tables,
) -> None:
    first = in_use(tables)
    tables.execute("update outcomes set spend = spend + 1 where has_returned")
    second = tables.train()
    assert second[["sequence", "is_promoted"]].to_numpy().tolist() == [[2, True]]
    tables.move_to(NEXT_DAY)
    third = tables.train()
    assert third[["sequence", "is_promoted"]].to_numpy().tolist() == [[3, True]]
    assert third["trained_as_of"].tolist() == [NEXT_DAY]
    assert tables.relation("registry").count("model_id").fetchall() == [(3,)]
    assert first != in_use(tables) == set(third["model_id"])


def test_registry_tells_what_was_learned_from(tables: Tables) -> None:
    [row] = tables.frame("from registry").to_dict("records")
    assert row["model_id"] == "shop.next_purchases.existing.365.1"
    assert (row["algorithm"], row["baseline"]) == ("tweedie", "last_year_spend")
    assert row["customers"] == 60
    assert json.loads(row["training_dates"]) == ["2010-12-10"] * 2
    assert json.loads(row["metrics"])["365.error_2"] == 3
    assert json.loads(row["baseline_metrics"])["365.error_2"] == 2


def test_challenger_that_does_not_win_is_registered_and_not_used(
    tables: Tables,
) -> None:
    champion = in_use(tables)
    # on the back-test of today the champion is the better one, by two of three
    tables.judge({"full_hurdle": LOSES, "tweedie": WINS, "last_year_spend": (9, 9, 9)})
    challenger = tables.train()
    assert challenger["algorithm"].tolist() == ["full_hurdle"]
    assert challenger["is_promoted"].tolist() == [False]
    assert in_use(tables) == champion
    # the champion goes on, and the same challenger is not trained again
    assert tables.train().empty


def test_draw_keeps_the_champion(tables: Tables) -> None:
    champion = in_use(tables)
    tables.judge({"full_hurdle": (1, 2), "tweedie": (2, 1), "last_year_spend": (9, 9)})
    assert tables.train()["is_promoted"].tolist() == [False]
    assert in_use(tables) == champion


def test_challenger_that_wins_replaces_the_champion(tables: Tables) -> None:
    tables.judge({"full_hurdle": WINS, "tweedie": LOSES, "last_year_spend": (9, 9, 9)})
    challenger = tables.train()
    assert challenger["is_promoted"].tolist() == [True]
    assert in_use(tables) == set(challenger["model_id"])


def test_baseline_that_wins_is_used(tables: Tables) -> None:
    tables.judge({"last_year_spend": WINS, "tweedie": LOSES})
    [baseline] = tables.train()["model_id"]
    scores = tables.score()["existing"]
    assert set(scores["model_id"]) == {baseline}
    last_year = tables.frame(
        "select spend_365 from existing where is_today order by customer_key"
    )
    assert scores["expected_spend"].tolist() == pytest.approx(
        last_year["spend_365"].tolist()
    )


@pytest.mark.parametrize(
    "damage",
    [
        "model = 'nonsense'::blob",
        "trusted_types = '[]'",
        """library_versions = '{"scikit-learn": "0.24.1"}'""",
        "features = '[]'",
    ],
    ids=["damaged file", "type not listed", "other scikit-learn", "other features"],
)
def test_champion_that_cannot_be_loaded_is_replaced(
    tables: Tables, damage: str
) -> None:
    tables.execute(f"update registry set {damage}")
    with pytest.raises(InputError, match=r"^model shop\.next_purchases\.existing"):
        tables.score()
    tables.judge({"full_hurdle": LOSES, "tweedie": WINS, "last_year_spend": (9, 9, 9)})
    challenger = tables.train()
    assert challenger["is_promoted"].tolist() == [True]
    assert in_use(tables) == set(challenger["model_id"])


def test_champion_that_is_no_candidate_any_more_is_replaced(tables: Tables) -> None:
    tables.execute("update registry set algorithm = 'forgotten'")
    tables.judge({"full_hurdle": LOSES, "last_year_spend": WINS})
    assert tables.train()["is_promoted"].tolist() == [True]


def test_model_that_knows_what_came_later_scores_no_earlier_day(tables: Tables) -> None:
    tables.move_to(AS_OF - timedelta(1))
    assert in_use(tables) == set()
    earlier = tables.train()
    assert earlier["is_promoted"].tolist() == [True]
    assert in_use(tables) == set(earlier["model_id"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("add column colour text", "colour is new"),
        ("drop column monetary", "monetary is missing"),
        ("alter column country type int using 1", "country was of kind category"),
    ],
)
def test_other_features_are_refused_with_one_message(
    tables: Tables, change: str, message: str
) -> None:
    tables.execute(f"alter table existing {change}")
    with pytest.raises(InputError, match=f"{message}.*train it again") as error:
        tables.score()
    assert "\n" not in str(error.value)


def test_other_features_of_new_customers_are_refused() -> None:
    tables = Tables()
    tables.judge({"majority": WINS, "svc": LOSES}, SEGMENT)
    tables.train()
    scores = tables.score()["segment"]
    assert scores["customer_key"].nunique() == 8
    by_customer = scores.groupby("customer_key")
    assert by_customer["segment"].agg(sorted).tolist() == [["Lost", "Loyal"]] * 8
    assert by_customer["probability"].sum().tolist() == pytest.approx([1.0] * 8)
    first = scores.loc[by_customer["probability"].idxmax(), "segment_rank"]
    assert set(first) == {1}
    tables.execute("alter table new drop column basket_value")
    with pytest.raises(InputError, match="basket_value is missing"):
        tables.score()


def with_noise(rows: pd.DataFrame) -> pd.DataFrame:
    """Return as many features as a real shop has, whose sums take some rounding."""
    noise = np.random.default_rng(0).lognormal(size=(len(rows), 50))
    names = [f"noise_{number}" for number in range(50)]
    return pd.concat([rows, pd.DataFrame(noise, rows.index, names)], axis=1)


@pytest.mark.parametrize("algorithm", ["blend", "full_hurdle"])
def test_scores_do_not_depend_on_order_or_batches(
    algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = Tables()
    tables.write("existing", with_noise(tables.frame("from existing")))
    tables.judge({algorithm: WINS, "last_year_spend": LOSES})
    tables.train()
    today = with_noise(customer_days(AS_OF, 300, is_today=True, is_training_date=False))
    tables.write("existing", today)
    scores = tables.score()["existing"]
    assert len(scores) == 300
    tables.write("existing", today.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(tables.score()["existing"], scores, check_exact=True)
    monkeypatch.setattr("customer_segmentation.engine.ROWS_A_BATCH", 37)
    pd.testing.assert_frame_equal(tables.score()["existing"], scores, check_exact=True)


def test_only_customers_of_today_are_scored(tables: Tables) -> None:
    scores = tables.score()["existing"]
    assert scores["customer_key"].is_unique
    assert set(pd.to_datetime(scores["as_of_date"])) == {pd.Timestamp(AS_OF)}
    assert set(scores["horizon_days"]) == {365}


def test_customers_without_a_purchase_are_not_scored(tables: Tables) -> None:
    tables.execute(
        "update existing set has_purchased = false"
        " where is_today and customer_key <= 'shop:0004'"
    )
    assert len(tables.score()["existing"]) == 7
    assert set(tables.drift()["customers"]) == {7}


def test_a_champion_of_purchases_does_not_stop_the_scores_of_segments() -> None:
    tables = Tables()
    for places, purpose in (
        ({"hurdle": WINS, "first_basket": LOSES}, NEW),
        ({"majority": WINS, "svc": LOSES}, SEGMENT),
    ):
        tables.judge(places, purpose)
        tables.train()
    tables.execute(
        "update registry set model = 'nonsense'::blob where algorithm = 'hurdle'"
    )
    tables.build("model_registry", "model_registry.sql")
    names = ("new", "model_registry", "registry")
    scores = score_segments(*map(tables.relation, names)).read_all()
    assert len(set(scores["customer_key"].to_pylist())) == 8
    with pytest.raises(InputError, match="the file is damaged"):
        tables.score()


def test_source_system_without_a_champion_has_no_scores(tables: Tables) -> None:
    rows = tables.frame("from existing where is_today")
    others = rows.assign(
        source_system="mall", customer_key="mall:" + rows["customer_key"]
    )
    tables.write("others", others)
    tables.execute("insert into existing from others")
    scores = tables.score()
    assert len(scores["existing"]) == 12
    assert scores["new"].empty
    assert scores["segment"].empty


@pytest.fixture(scope="module", params=["existing", "new", "segment"])
def scored(request: pytest.FixtureRequest) -> tuple[pd.DataFrame, Tables]:
    """Return the drift of one model, and its tables."""
    tables = Tables()
    tables.judge(
        *{
            "existing": ({"tweedie": WINS, "last_year_spend": LOSES}, EXISTING),
            "new": ({"hurdle": WINS, "first_basket": LOSES}, NEW),
            "segment": ({"decision_tree": WINS, "majority": LOSES}, SEGMENT),
        }[request.param]
    )
    tables.train()
    return tables.drift(), tables


def test_drift_has_a_row_for_each_feature_and_prediction(
    scored: tuple[pd.DataFrame, Tables],
) -> None:
    drift, tables = scored
    [entry] = tables.frame("from registry").to_dict("records")
    features = {one["name"] for one in json.loads(entry["features"])}
    assert set(drift["model_id"]) == {entry["model_id"]}
    assert drift["feature"].is_unique
    assert set(drift.loc[~drift["is_prediction"], "feature"]) == features
    predicted = set(drift.loc[drift["is_prediction"], "feature"])
    if entry["task"] == "next_purchases":
        assert predicted == {
            *("return_probability", "expected_purchases", "expected_spend")
        }
    else:
        assert predicted == {"segment"}
    assert (drift["psi"] >= 0).all()
    assert set(drift["training_customers"]) == {entry["customers"]}
    today = 12 if entry["population"] == "existing" else 8
    assert set(drift["customers"]) == {today}


def test_new_country_is_scored_and_drifts(
    scored: tuple[pd.DataFrame, Tables],
) -> None:
    before, tables = scored[0], scored[1].copy()
    tables.execute("update existing set country = 'Atlantis' where is_today")
    tables.execute("update new set country = 'Atlantis' where is_new")
    assert_defined(tables.score())
    drift = tables.drift()
    assert len(drift) == len(before)
    country = [one.loc[one["feature"] == "country", "psi"] for one in (before, drift)]
    assert country[1].item() > 2 > country[0].item()
    change = drift.loc[drift["feature"] == "country", "change"]
    assert change.tolist() == ["significant"]


def test_drift_of_a_large_source_system_is_measured_on_a_sample(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("customer_segmentation.prediction.drift.MAX_CUSTOMERS", 5)
    assert set(tables.drift()["customers"]) == {5}


def test_nobody_to_score_has_no_drift(tables: Tables) -> None:
    tables.execute("delete from existing where is_today")
    assert tables.score()["existing"].empty
    assert tables.drift().empty
