"""Model files are the same for the same model, and build nothing that is not listed."""

import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import BaseEstimator, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import (
    LogisticRegression,
    PoissonRegressor,
    TweedieRegressor,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    QuantileTransformer,
    SplineTransformer,
)
from sklearn.svm import SVC

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.feature_kinds import ModelFeature
from customer_segmentation.prediction.model_files import (
    dump_model,
    read_model,
    trusted_types,
)
from customer_segmentation.prediction.registry import hash_rows

OWN = "customer_segmentation.prediction."


def customers(count: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    country = pd.Categorical(rng.choice(["UK", "Eire", "France"], count))
    return pd.DataFrame(
        {
            "recency_days": rng.poisson(30, count).astype(float),
            "basket_value": rng.lognormal(3, 1, count),
            "country": country,
            "bought": rng.poisson(1.5, count).astype(float),
            "segment": rng.choice(["loyal", "lost", "new"], count),
        }
    )


FEATURES = ["recency_days", "basket_value", "country"]
FOREST = RandomForestClassifier(4, random_state=0)
FEW = {"max_iter": 4, "random_state": 0}
MODELS = {
    "poisson boosting": HistGradientBoostingRegressor(loss="poisson", **FEW),
    "gamma boosting": HistGradientBoostingRegressor(loss="gamma", **FEW),
    "quantile boosting": HistGradientBoostingRegressor(
        loss="quantile", quantile=0.9, **FEW
    ),
    "classes boosting": HistGradientBoostingClassifier(**FEW),
    "forest": FOREST,
    "svc": SVC(),
    "neighbours": KNeighborsClassifier(algorithm="brute", weights="distance"),
    "logistic": LogisticRegression(max_iter=5_000),
    "poisson": PoissonRegressor(),
    "tweedie": TweedieRegressor(power=1.5),
    "splines": make_pipeline(SplineTransformer(), PoissonRegressor()),
    "quantiles": make_pipeline(
        QuantileTransformer(n_quantiles=10, output_distribution="normal"),
        LogisticRegression(),
    ),
}
# models that no candidate is made of
OTHERS = {
    "calibrated forest": CalibratedClassifierCV(FOREST, method="isotonic", cv=3),
    "calibrated svc": CalibratedClassifierCV(SVC(), cv=3),
    "tempered": CalibratedClassifierCV(FOREST, method="temperature", cv=3),
    "tree of neighbours": KNeighborsClassifier(algorithm="kd_tree"),
    "ball tree": KNeighborsClassifier(algorithm="ball_tree", weights="distance"),
    "vote": VotingClassifier([("forest", FOREST)], voting="soft"),
    "normal": TweedieRegressor(power=0),
}


def fitted(name: str) -> BaseEstimator:
    frame = customers()
    encode = ColumnTransformer(
        [
            ("rest", "passthrough", FEATURES[:2]),
            ("places", OneHotEncoder(sparse_output=False), FEATURES[2:]),
        ]
    )
    model = make_pipeline(encode, (MODELS | OTHERS)[name])
    target = frame["segment"] if is_classifier(model) else frame["bought"] + 0.1
    return model.fit(frame[FEATURES], target)


@pytest.mark.parametrize("name", MODELS)
def test_model_comes_back_and_predicts_the_same(name: str) -> None:
    model = fitted(name)
    data = dump_model(model)
    # the same model again, though it lies elsewhere in memory
    assert dump_model(fitted(name)) == data
    loaded = read_model(data, trusted_types(data))
    assert dump_model(loaded) == data
    frame = customers()[FEATURES]
    ask = "predict_proba" if hasattr(model, "predict_proba") else "predict"
    np.testing.assert_array_equal(
        getattr(loaded, ask)(frame), getattr(model, ask)(frame)
    )


@pytest.mark.parametrize("name", OTHERS)
def test_models_that_no_candidate_is_made_of_are_refused(name: str) -> None:
    model = fitted(name)
    with pytest.raises(InputError, match="which may not be loaded; remove it"):
        dump_model(model)
    data = skops.io.dumps(model)
    with pytest.raises(InputError, match="which may not be loaded; train"):
        read_model(data, trusted_types(data))


def test_isotonic_regression_comes_back() -> None:
    frame = customers()
    model = IsotonicRegression(out_of_bounds="clip")
    data = dump_model(model.fit(frame["recency_days"], frame["bought"]))
    loaded = read_model(data, trusted_types(data))
    assert loaded.predict([30.0]) == model.predict([30.0])


def test_own_classes_come_back() -> None:
    model = {"features": [ModelFeature("visits", "number")], "weights": np.arange(3.0)}
    data = dump_model(model)
    assert trusted_types(data) == (f"{OWN}feature_kinds.ModelFeature",)
    loaded = read_model(data, trusted_types(data))
    assert loaded["features"] == model["features"]
    np.testing.assert_array_equal(loaded["weights"], model["weights"])


def hashes() -> str:
    """Return the hashes of a model file and of training rows."""
    data = dump_model({"words": {"a", "b", "c", "d"}, "model": fitted("forest")})
    rows = pd.DataFrame({"text": ["x", None], "number": [1.5, 2]})
    return f"{hashlib.sha256(data).hexdigest()} {hash_rows(rows)}"


def test_another_process_writes_the_same_bytes_and_hashes() -> None:
    script = (
        "import sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from test_model_files import hashes\n"
        "print(hashes())\n"
    )
    # the order of sets depends on this seed
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    found = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == hashes()


def test_shared_parts_stay_shared() -> None:
    part = {"weights": np.arange(3.0)}
    data = dump_model([part, part, {"weights": np.arange(3.0)}])
    one, same, equal = read_model(data, ())
    assert one is same
    assert one is not equal
    # what is equal is stored once
    assert len(zipfile.ZipFile(io.BytesIO(data)).namelist()) == 2


def node(kind: str, of: str, name: str, **more: Any) -> dict[str, Any]:
    return {"__class__": name, "__module__": of, "__loader__": kind, **more}


def hand_made(root: dict[str, Any], **extra: object) -> bytes:
    """Return a skops file that skops would never write."""
    schema = {"protocol": 2, "_skops_version": "0.16.0", **root, **extra}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))
    return buffer.getvalue()


def arguments(*values: str) -> dict[str, Any]:
    texts = [
        node("JsonNode", "builtins", "str", content=json.dumps(value), is_json=True)
        for value in values
    ]
    return node("TupleNode", "builtins", "tuple", content=texts)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("builtins", "exec"),
        ("subprocess", "getoutput"),
        # imported by our own module, or a function of it, but no class of it
        (f"{OWN}model_files", "Path"),
        (f"{OWN}model_files", "dump_model"),
        (f"{OWN}registry", "ModelEntry"),
        (f"{OWN}nowhere", "Thing"),
        ("customer_segmentation.errors", "InputError"),
    ],
)
@pytest.mark.parametrize(
    "kind", ["ConstructorFromReduceNode", "ObjectNode", "TypeNode", "FunctionNode"]
)
def test_malicious_file_builds_nothing(
    module: str, name: str, kind: str, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    commands = {
        "eval": f"open({str(trace)!r}, 'w')",
        "exec": f"open({str(trace)!r}, 'w')",
    }
    command = commands.get(name, f"touch {trace}")
    data = hand_made(node(kind, module, name, content=arguments(command)))
    # neither unlisted nor with a list that has been made to fit
    with pytest.raises(InputError, match="not among its trusted types"):
        read_model(data, ())
    with pytest.raises(InputError, match=r"which may not be loaded; train"):
        read_model(data, (f"{module}.{name}",))
    assert not trace.exists()


def test_malicious_file_would_have_done_harm(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    root = node(
        "ConstructorFromReduceNode",
        *("posix", "system"),
        content=arguments(f"touch {trace}"),
    )
    skops.io.loads(hand_made(root), trusted=["posix.system"])
    assert trace.exists()


def test_harm_inside_an_honest_model_is_refused() -> None:
    honest = skops.io.dumps(make_pipeline(FunctionTransformer(np.log1p)))
    with zipfile.ZipFile(io.BytesIO(honest)) as archive:
        schema = archive.read("schema.json").decode()
    assert '"log1p"' in schema
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        changed = json.loads(schema.replace('"log1p"', '"system"'))
        archive.writestr("schema.json", json.dumps(changed))
    assert trusted_types(honest) == ()
    with pytest.raises(InputError, match="system, not among its trusted types"):
        read_model(buffer.getvalue(), trusted_types(honest))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no archive",
        hand_made({}),
        hand_made(node("ListNode", "builtins", "list"), protocol=99),
        hand_made(node("ListNode", "builtins", "list", content=[{}])),
        hand_made(node("NoSuchNode", "builtins", "list", content=[])),
    ],
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_model(data, ())


def test_any_damage_is_one_clear_error() -> None:
    data = dump_model(fitted("poisson boosting"))
    listed = trusted_types(data)
    rng = np.random.default_rng(0)
    refused = 0
    for position in rng.choice(len(data), 150, replace=False):
        damaged = bytearray(data)
        damaged[position] ^= 0xFF
        try:
            read_model(bytes(damaged), listed)
        except InputError:
            refused += 1
    # the rest lies where it changes nothing
    assert refused > 100
    with pytest.raises(InputError, match="cannot be read"):
        read_model(data[: len(data) // 2], listed)


class _Unknown:
    """Defined outside the package."""


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (_Unknown(), "_Unknown: holds test_model_files._Unknown, which may not"),
        (
            make_pipeline(FunctionTransformer(os.path.basename)),
            "basename, which may not be loaded; remove it, or review it",
        ),
        (np.zeros(2, dtype="M8[D]").astype(object)[:1], None),
        (pd.Series([1, 2]), "Series: "),
        ((x for x in ()), "generator: cannot be written as a skops file"),
    ],
)
def test_a_model_that_could_not_be_loaded_is_not_written(
    model: object, problem: str | None
) -> None:
    if problem is None:
        problem = "ndarray: "
    with pytest.raises(InputError, match=problem):
        dump_model(model)
