"""Models are registered once, and come back from the warehouse or are refused."""

from dataclasses import replace
from datetime import date
from functools import cache

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sklearn
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import PoissonRegressor

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.champion import (
    Backtest,
    Measure,
    champions_of,
    has_challenged,
    replaces,
)
from customer_segmentation.prediction.entries import (
    REGISTRY,
    ModelEntry,
    Purpose,
    Recipe,
    Trained,
    to_table,
)
from customer_segmentation.prediction.feature_kinds import ModelFeature, features_of
from customer_segmentation.prediction.psi import psi, training_bins
from customer_segmentation.prediction.registry import (
    library_versions,
    load_model,
    read_entries,
    read_entry,
    register,
    training_fingerprint,
)

FEATURES = ["recency_days", "basket_value"]
PURPOSE = Purpose("next_purchases", "online_retail", "existing", 365)
POISSON = Recipe("poisson", {"alpha": 1.0})
BOOSTING = Recipe("boosting", {"max_iter": 5, "random_state": 0})


def customers(seed: int = 0, count: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "customer_key": [f"online_retail:{n}" for n in range(count)],
            "recency_days": rng.poisson(30, count),
            "basket_value": rng.lognormal(3, 1, count),
            "purchases": rng.poisson(1.5, count),
        }
    )


def fit(recipe: Recipe, frame: pd.DataFrame) -> object:
    kinds = {"poisson": PoissonRegressor, "boosting": HistGradientBoostingRegressor}
    model = kinds[recipe.algorithm](**recipe.parameters)
    return model.fit(frame[FEATURES], frame["purchases"])


def trained(
    recipe: Recipe = POISSON, purpose: Purpose = PURPOSE, seed: int = 0
) -> Trained:
    frame = customers(seed)
    return Trained(
        purpose=purpose,
        recipe=recipe,
        trained_as_of=date(2011, 12, 10),
        training_dates=(date(2010, 12, 9), date(2010, 11, 9)),
        customers=len(frame),
        fingerprint=training_fingerprint(frame, recipe),
        features=features_of(frame, FEATURES),
        training_bins=training_bins(frame, FEATURES),
        metrics={"spearman": 0.64, "decile_mape": float("nan")},
        baseline="last_year",
        baseline_metrics={"spearman": 0.62, "decile_mape": 0.34},
    )


def entry_of(known: Trained, *earlier: ModelEntry, promoted: bool = True) -> ModelEntry:
    return register(
        known, fitted(known.recipe.algorithm), earlier, is_promoted=promoted
    )


@cache
def fitted(algorithm: str) -> object:
    return fit({"poisson": POISSON, "boosting": BOOSTING}[algorithm], customers())


@pytest.fixture(scope="module")
def entry() -> ModelEntry:
    """Return the first entry of its purpose."""
    return entry_of(trained())


def test_ids_are_numbered_within_their_purpose(entry: ModelEntry) -> None:
    segments = Purpose("segment:rfm", "online_retail", "new", 90)
    first = entry_of(trained(purpose=segments), entry)
    second = entry_of(trained(BOOSTING), entry, first)
    assert [one.model_id for one in (entry, first, second)] == [
        "online_retail.next_purchases.existing.365.1",
        "online_retail.segment:rfm.new.90.1",
        "online_retail.next_purchases.existing.365.2",
    ]


def test_the_last_promoted_model_of_a_purpose_is_its_champion(
    entry: ModelEntry,
) -> None:
    second = entry_of(trained(BOOSTING), entry)
    third = entry_of(trained(POISSON, seed=1), entry, second, promoted=False)
    other = Purpose("next_purchases", "marketplace", "existing", 365)
    fourth = entry_of(trained(purpose=other), promoted=False)
    assert champions_of([third, fourth, second, entry]) == {PURPOSE: second}
    assert champions_of([]) == {}


def test_nothing_is_registered_twice(entry: ModelEntry) -> None:
    known = trained()
    assert has_challenged(entry, known.fingerprint, [entry])
    assert not has_challenged(entry, "another", [entry])
    assert not has_challenged(entry, trained(BOOSTING).fingerprint, [entry])
    loser = entry_of(trained(BOOSTING), entry, promoted=False)
    assert has_challenged(entry, loser.fingerprint, [loser, entry])
    other = replace(loser, purpose=replace(PURPOSE, population="new"))
    assert not has_challenged(entry, loser.fingerprint, [other, entry])
    # an earlier champion may be champion again, and so may earlier data
    winner = entry_of(trained(BOOSTING), entry)
    assert not has_challenged(winner, known.fingerprint, [winner, entry])
    later = entry_of(trained(seed=1), entry)
    assert not has_challenged(later, known.fingerprint, [later, entry])


def test_a_model_that_cannot_be_loaded_is_not_registered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Forgetful:
        """Cannot be built from what it says of itself."""

        __module__ = "customer_segmentation.prediction.registry"

        def __setstate__(self, state: dict) -> None:
            raise ValueError("forgotten")

    module = "customer_segmentation.prediction.registry"
    monkeypatch.setattr(f"{module}.Forgetful", Forgetful, raising=False)
    model = Forgetful()
    model.weights = [1.0]
    with pytest.raises(InputError, match=r"cannot be built \(forgotten\)"):
        register(trained(), model, [], is_promoted=True)


def test_fingerprint_is_of_rows_recipe_and_libraries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame = customers()
    frame["country"] = pd.array(["UK", None] * 100, dtype="str")
    known = training_fingerprint(frame, POISSON)
    shuffled = frame.sample(frac=1, random_state=1)
    assert training_fingerprint(shuffled, Recipe("poisson", {"alpha": 1.0})) == known
    as_floats = frame.assign(recency_days=frame["recency_days"].astype(float))
    assert training_fingerprint(as_floats, POISSON) == known
    other_value, other_place, no_place = frame.copy(), frame.copy(), frame.copy()
    other_value.loc[7, "basket_value"] += 0.01
    other_place.loc[8, "country"] = "Eire"
    no_place.loc[8, "country"] = None
    twice = pd.concat([frame, frame.iloc[:1]])
    others = [
        *(training_fingerprint(one, POISSON) for one in (other_value, other_place)),
        *(training_fingerprint(one, POISSON) for one in (no_place, twice)),
        training_fingerprint(frame.iloc[1:], POISSON),
        training_fingerprint(frame.iloc[:0], POISSON),
        training_fingerprint(frame[frame.columns[::-1]], POISSON),
        training_fingerprint(frame.rename(columns={"country": "city"}), POISSON),
        training_fingerprint(frame, Recipe("poisson", {"alpha": 2.0})),
        training_fingerprint(frame, Recipe("tweedie", {"alpha": 1.0})),
    ]
    monkeypatch.setattr(
        "customer_segmentation.prediction.registry.version", lambda name: "99.0"
    )
    others.append(training_fingerprint(frame, POISSON))
    assert len({known, *others}) == len(others) + 1


def test_entries_come_back_from_the_warehouse(entry: ModelEntry) -> None:
    entries = [entry, entry_of(trained(BOOSTING), entry)]
    table = to_table(entries)
    assert table.schema == REGISTRY
    with duckdb.connect() as connection:
        connection.register("entries", table)
        connection.execute("create table model_registry as select * from entries")
        stored = connection.table("model_registry")
        types = dict(zip(stored.columns, map(str, stored.types), strict=True))
        assert types["model"] == "BLOB"
        assert types["trained_as_of"] == "DATE"
        rows = stored.sort("sequence").to_arrow_table().to_pylist()
        back = [read_entry(stored, one.model_id) for one in entries]
        facts = read_entries(stored)
        in_sql = connection.sql(
            "select (parameters ->> '$.alpha')::double, metrics ->> '$.decile_mape', "
            "training_dates ->> '$[0]' from model_registry where sequence = 1"
        ).fetchone()
    assert in_sql == (1.0, None, "2010-12-09")
    assert to_table(map(ModelEntry.from_row, rows)) == table
    assert to_table(back) == table
    for stored_entry, original in zip(back, entries, strict=True):
        model = load_model(stored_entry, features_of(customers(), FEATURES))
        expected = fit(original.recipe, customers()).predict(customers()[FEATURES])
        np.testing.assert_array_equal(model.predict(customers()[FEATURES]), expected)
        assert (psi(stored_entry.training_bins, customers())["psi"] == 0).all()
    assert [one.model_id for one in facts] == [one.model_id for one in entries]
    bare = facts[0]
    assert bare.model is None
    with pytest.raises(InputError, match=r"365\.1: the file was not read"):
        load_model(bare, entry.features)


def test_empty_registry_has_its_columns() -> None:
    assert to_table([]).schema == REGISTRY
    assert pa.types.is_binary(REGISTRY.field("model").type)


@pytest.mark.parametrize(
    ("features", "problem"),
    [
        ([("recency_days", "number")], "basket_value is missing"),
        (
            [("recency_days", "number"), ("basket_sum", "number")],
            "basket_value is missing, basket_sum is new",
        ),
        (
            [("basket_value", "number"), ("recency_days", "number")],
            "their order is different",
        ),
        (
            [("recency_days", "category"), ("basket_value", "number")],
            "recency_days was of kind number and is of kind category",
        ),
    ],
)
def test_changed_features_are_refused(
    entry: ModelEntry, features: list[tuple[str, str]], problem: str
) -> None:
    with pytest.raises(InputError) as raised:
        load_model(entry, [ModelFeature(*feature) for feature in features])
    assert str(raised.value) == (
        "model online_retail.next_purchases.existing.365.1: the features differ from "
        f"those of its training: {problem}; train it again: dbt build --select "
        "tag:train+"
    )


def test_column_without_a_value_is_of_any_kind(entry: ModelEntry) -> None:
    given = [
        ModelFeature("recency_days", "number"),
        ModelFeature("basket_value", "unknown"),
    ]
    assert load_model(entry, given)


def test_kinds_of_features() -> None:
    frame = pd.DataFrame(
        {
            "whole": [1, 2],
            "text": pd.array(["a", None], dtype="str"),
            "place": pd.Categorical(["a", "b"]),
            "flag": [True, False],
            "some_flags": pd.Series([True, None], dtype=object),
            "day": [date(2011, 1, 1), None],
            "moment": pd.to_datetime(["2011-01-01", None]),
            "nothing": pd.Series([None, None], dtype=object),
            "list": [[1], [2]],
        }
    )
    kinds = [feature.kind for feature in features_of(frame, list(frame)[:-1])]
    assert kinds == [
        *("number", "category", "category", "flag", "flag", "date", "date", "unknown")
    ]
    with pytest.raises(InputError, match="feature list: holds mixed values"):
        features_of(frame, ["list"])
    with pytest.raises(
        InputError, match="there is no column age, city; name other columns"
    ):
        features_of(frame, ["whole", "age", "city"])


def with_version(entry: ModelEntry, text: str) -> ModelEntry:
    versions = {**entry.library_versions, "scikit-learn": text}
    return replace(entry, library_versions=versions)


def test_other_version_of_scikit_learn(entry: ModelEntry) -> None:
    major, minor, *_ = map(int, sklearn.__version__.split(".")[:2])
    assert library_versions()["scikit-learn"] == sklearn.__version__
    for other in (major - 1, major + 1):
        with pytest.raises(InputError, match="another major version; train it again"):
            load_model(with_version(entry, f"{other}.0.2"), entry.features)
    for other in (minor - 1, minor + 1):
        with pytest.warns(UserWarning, match=rf"with scikit-learn {major}\.{other}\.0"):
            load_model(with_version(entry, f"{major}.{other}.0"), entry.features)
    assert load_model(with_version(entry, f"{major}.{minor}.99"), entry.features)
    with pytest.raises(InputError, match="with scikit-learn 0, installed"):
        load_model(replace(entry, library_versions={}), entry.features)


def test_damaged_file_is_refused(entry: ModelEntry) -> None:
    damaged = bytearray(entry.model)
    damaged[100] ^= 0xFF
    for model in (bytes(damaged), entry.model[:-1], b""):
        with pytest.raises(
            InputError,
            match="the file is damaged or that of another model, its hash differs",
        ):
            load_model(replace(entry, model=model), entry.features)


def test_type_that_is_not_listed_is_refused() -> None:
    entry = entry_of(trained(BOOSTING))
    listed = [name for name in entry.trusted_types if "TreePredictor" not in name]
    assert len(listed) < len(entry.trusted_types)
    with pytest.raises(InputError, match=r"365\.1: .* holds .*TreePredictor, not"):
        load_model(replace(entry, trusted_types=tuple(listed)), entry.features)


def test_the_whole_cycle() -> None:
    def backtest(recipe: Recipe, mae: float, as_of: date) -> Backtest:
        measures = {"mae": Measure(mae, is_higher_better=False)}
        return Backtest(recipe.algorithm, as_of, measures)

    known = trained()
    entries = [entry_of(known)]
    champion = backtest(POISSON, 1_000, known.trained_as_of)
    for mae, wins in ((1_100, False), (900, True)):
        challenger = backtest(BOOSTING, mae, known.trained_as_of)
        assert replaces(challenger, champion) is wins
        entries.append(entry_of(trained(BOOSTING), *entries, promoted=wins))
    assert champions_of(entries)[PURPOSE].sequence == 3
    newer = replace(trained(BOOSTING, seed=1), trained_as_of=date(2012, 1, 10))
    champion = champions_of(entries)[PURPOSE]
    assert not has_challenged(champion, newer.fingerprint, entries)
    assert replaces(backtest(BOOSTING, 900, newer.trained_as_of), challenger)
    entries.append(entry_of(newer, *entries))
    assert champions_of(entries)[PURPOSE].model_id.endswith(".365.4")
