"""Models are registered once, come back from the warehouse, or are refused clearly."""

import subprocess
import sys
from dataclasses import replace
from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sklearn
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import PoissonRegressor

from customer_segmentation import engine
from customer_segmentation.errors import InputError
from customer_segmentation.prediction.champion import (
    Backtest,
    Measure,
    Recipe,
    replaces,
)
from customer_segmentation.prediction.drift import psi, training_bins
from customer_segmentation.prediction.entries import (
    REGISTRY,
    REGISTRY_FACTS,
    ModelEntry,
    Purpose,
    Trained,
    to_table,
)
from customer_segmentation.prediction.feature_kinds import Feature, features_of
from customer_segmentation.prediction.fingerprints import (
    hash_rows,
    library_versions,
    training_fingerprint,
)
from customer_segmentation.prediction.registry import (
    champions_of,
    has_challenged,
    load_model,
    register,
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
        cutoffs=(date(2010, 12, 9), date(2010, 11, 9)),
        customers=len(frame),
        fingerprint=training_fingerprint(frame, recipe),
        features=features_of(frame, FEATURES),
        training_bins=training_bins(frame, FEATURES),
        metrics={"spearman": 0.64, "decile_mape": float("nan")},
        baseline="last_year",
        baseline_metrics={"spearman": 0.62, "decile_mape": 0.34},
    )


def entry_of(known: Trained, *earlier: ModelEntry, champion: bool = True) -> ModelEntry:
    model = fit(known.recipe, customers())
    return register(known, model, earlier, is_champion=champion)


ENTRY = entry_of(trained())


def test_ids_are_numbered_within_their_purpose() -> None:
    segments = Purpose("segment:rfm", "online_retail", "new", 90)
    first = entry_of(trained(purpose=segments), ENTRY)
    second = entry_of(trained(BOOSTING), ENTRY, first)
    assert [entry.model_id for entry in (ENTRY, first, second)] == [
        "online_retail.next_purchases.existing.365.1",
        "online_retail.segment:rfm.new.90.1",
        "online_retail.next_purchases.existing.365.2",
    ]


def test_last_champion_of_each_purpose_is_its_champion() -> None:
    second = entry_of(trained(BOOSTING), ENTRY)
    third = entry_of(trained(POISSON, seed=1), ENTRY, second, champion=False)
    other = Purpose("next_purchases", "marketplace", "existing", 365)
    fourth = entry_of(trained(purpose=other), champion=False)
    assert champions_of([third, fourth, second, ENTRY]) == {PURPOSE: second}
    assert champions_of([]) == {}


def test_nothing_is_registered_twice() -> None:
    known = trained()
    assert has_challenged(ENTRY, POISSON, known.fingerprint, [ENTRY])
    assert not has_challenged(ENTRY, POISSON, "another", [ENTRY])
    assert not has_challenged(ENTRY, BOOSTING, known.fingerprint, [ENTRY])
    loser = entry_of(trained(BOOSTING), ENTRY, champion=False)
    assert has_challenged(ENTRY, BOOSTING, loser.fingerprint, [loser, ENTRY])
    # who was champion before the champion may be again, as may data of before
    winner = entry_of(trained(BOOSTING), ENTRY)
    assert not has_challenged(winner, POISSON, known.fingerprint, [winner, ENTRY])
    later = entry_of(trained(seed=1), ENTRY)
    assert not has_challenged(later, POISSON, known.fingerprint, [later, ENTRY])


def test_what_cannot_be_loaded_is_not_registered(
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
        register(trained(), model, [], is_champion=True)


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
        "customer_segmentation.prediction.fingerprints.version", lambda name: "99.0"
    )
    others.append(training_fingerprint(frame, POISSON))
    assert len({known, *others}) == len(others) + 1


def test_hash_is_the_same_in_another_process() -> None:
    script = (
        "import pandas as pd\n"
        "from customer_segmentation.prediction.fingerprints import hash_rows\n"
        "print(hash_rows(pd.DataFrame({'a': ['x', None], 'b': [1.5, 2]})))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    here = hash_rows(pd.DataFrame({"a": ["x", None], "b": [1.5, 2]}))
    assert found.stdout.strip() == here


def test_entries_come_back_from_the_warehouse() -> None:
    entries = [ENTRY, entry_of(trained(BOOSTING), ENTRY)]
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
        frame = engine.read(stored, REGISTRY.names, order_by="model_id")
        facts = engine.read(stored, REGISTRY_FACTS, order_by="model_id")
        in_sql = connection.sql(
            "select (parameters ->> '$.alpha')::double, metrics ->> '$.decile_mape', "
            "cutoffs ->> '$[0]' from model_registry where sequence = 1"
        ).fetchone()
    assert in_sql == (1.0, None, "2010-12-09")
    assert to_table(map(ModelEntry.from_row, rows)) == table
    back = [ModelEntry.from_row(row) for row in frame.to_dict("records")]
    assert to_table(back) == table
    for entry, original in zip(back, entries, strict=True):
        model = load_model(entry, features_of(customers(), FEATURES))
        expected = fit(original.recipe, customers()).predict(customers()[FEATURES])
        np.testing.assert_array_equal(model.predict(customers()[FEATURES]), expected)
        assert (psi(entry.training_bins, customers())["psi"] == 0).all()
    bare = ModelEntry.from_row(facts.to_dict("records")[0])
    assert bare.model is None
    with pytest.raises(InputError, match=r"365\.1: the file was not read"):
        load_model(bare, ENTRY.features)


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
            "their order is another",
        ),
        (
            [("recency_days", "category"), ("basket_value", "number")],
            "recency_days was of kind number and is of kind category",
        ),
    ],
)
def test_changed_features_are_refused(
    features: list[tuple[str, str]], problem: str
) -> None:
    with pytest.raises(InputError) as raised:
        load_model(ENTRY, [Feature(*feature) for feature in features])
    assert str(raised.value) == (
        "model online_retail.next_purchases.existing.365.1: the features are not those "
        f"it was trained on: {problem}; train it anew: dbt build --select tag:train"
    )


def test_column_without_a_value_is_of_any_kind() -> None:
    given = [Feature("recency_days", "number"), Feature("basket_value", "unknown")]
    assert load_model(ENTRY, given)


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
    with pytest.raises(InputError, match="there is no column age, city; name others"):
        features_of(frame, ["whole", "age", "city"])


def with_version(text: str) -> ModelEntry:
    versions = {**ENTRY.library_versions, "scikit-learn": text}
    return replace(ENTRY, library_versions=versions)


def test_other_version_of_scikit_learn() -> None:
    major, minor, *_ = map(int, sklearn.__version__.split(".")[:2])
    assert library_versions()["scikit-learn"] == sklearn.__version__
    for other in (major - 1, major + 1):
        with pytest.raises(InputError, match="another major version; train it anew"):
            load_model(with_version(f"{other}.0.2"), ENTRY.features)
    for other in (minor - 1, minor + 1):
        with pytest.warns(UserWarning, match=rf"with scikit-learn {major}\.{other}\.0"):
            load_model(with_version(f"{major}.{other}.0"), ENTRY.features)
    assert load_model(with_version(f"{major}.{minor}.99"), ENTRY.features)
    with pytest.raises(InputError, match="with scikit-learn 0, installed"):
        load_model(replace(ENTRY, library_versions={}), ENTRY.features)


def test_damaged_file_is_refused() -> None:
    damaged = bytearray(ENTRY.model)
    damaged[100] ^= 0xFF
    for model in (bytes(damaged), ENTRY.model[:-1], b""):
        with pytest.raises(InputError, match="the file is damaged, its hash is anothe"):
            load_model(replace(ENTRY, model=model), ENTRY.features)


def test_type_that_is_not_listed_is_refused() -> None:
    entry = entry_of(trained(BOOSTING))
    listed = [name for name in entry.trusted_types if "TreePredictor" not in name]
    assert len(listed) < len(entry.trusted_types)
    with pytest.raises(InputError, match=r"365\.1: .* holds .*TreePredictor, not"):
        load_model(replace(entry, trusted_types=tuple(listed)), entry.features)


def test_the_whole_cycle() -> None:
    def backtest(recipe: Recipe, mae: float, as_of: date) -> Backtest:
        measures = {"mae": Measure(mae, is_higher_better=False)}
        return Backtest(recipe, as_of, measures)

    known = trained()
    entries = [entry_of(known)]
    champion = backtest(POISSON, 1_000, known.trained_as_of)
    for mae, wins in ((1_100, False), (900, True)):
        challenger = backtest(BOOSTING, mae, known.trained_as_of)
        assert replaces(challenger, champion) is wins
        entries.append(entry_of(trained(BOOSTING), *entries, champion=wins))
    assert champions_of(entries)[PURPOSE].sequence == 3
    newer = replace(trained(BOOSTING, seed=1), trained_as_of=date(2012, 1, 10))
    champion = champions_of(entries)[PURPOSE]
    assert not has_challenged(champion, BOOSTING, newer.fingerprint, entries)
    assert replaces(backtest(BOOSTING, 900, newer.trained_as_of), challenger)
    entries.append(entry_of(newer, *entries))
    assert champions_of(entries)[PURPOSE].model_id.endswith(".365.4")
