"""A stored model is used for what it was trained for, or is one error with its id."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.entries import (
    ModelEntry,
    Purpose,
    Recipe,
    Trained,
    to_table,
)
from customer_segmentation.prediction.feature_kinds import ModelFeature
from customer_segmentation.prediction.registry import (
    load_model,
    read_entries,
    read_entry,
    register,
)
from customer_segmentation.prediction.training import can_be_loaded

FEATURES = (ModelFeature("spent", "number"),)
SHOP = Purpose("next_purchases", "shop", "existing", 365)
MALL = replace(SHOP, source_system="mall")
WAY_OUT = (
    "; delete it as docs/predictions.md shows, then train it again: dbt build --select "
    "tag:train+"
)
Change = Callable[[pd.DataFrame], pd.DataFrame]


def entry(purpose: Purpose, slope: float) -> ModelEntry:
    """Return the entry of a model that predicts a multiple of what was spent."""
    spent = np.array([[0.0], [1.0], [2.0]])
    trained = Trained(
        purpose=purpose,
        recipe=Recipe("linear", {}),
        trained_as_of=date(2011, 12, 10),
        training_dates=(date(2010, 12, 9), date(2010, 11, 9)),
        customers=3,
        fingerprint="f",
        features=FEATURES,
        training_bins={},
        metrics={"spearman": 1.0},
        baseline="mean",
        baseline_metrics={"spearman": 0.0},
    )
    model = LinearRegression().fit(spent, slope * spent.ravel())
    return register(trained, model, [], is_promoted=True)


@pytest.fixture
def rows() -> pd.DataFrame:
    """Return the registry of two shops, whose models read the same features."""
    table = to_table([entry(SHOP, 1.0), entry(MALL, 100.0)])
    return table.to_pandas(date_as_object=True)


def load_both(rows: pd.DataFrame) -> list[float]:
    """Read the registry as training does and as scoring does; return two scores."""
    with duckdb.connect() as connection:
        connection.register("models", rows)
        models = connection.table("models")
        ids = [one.model_id for one in read_entries(models)]
        loaded = [load_model(read_entry(models, one), FEATURES) for one in ids]
    return [float(one.predict([[3.0]])[0]) for one in loaded]


def changed(**columns: object) -> Change:
    """Return what changes the row of the mall, which is read first."""
    return lambda rows: rows.assign(
        **{name: [rows[name][0], value] for name, value in columns.items()}
    )


def swapped(*columns: str) -> Change:
    """Return what swaps columns of the two models."""
    return lambda rows: rows.assign(
        **{name: rows[name].to_numpy()[::-1] for name in columns}
    )


def test_models_score_their_own_shop(rows: pd.DataFrame) -> None:
    assert load_both(rows) == pytest.approx([300.0, 3.0])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            swapped("model", "model_hash"),
            "the file is damaged or that of another model, its hash differs",
        ),
        (
            swapped("source_system"),
            "its row was edited, and is of shop.next_purchases.existing.365.1",
        ),
        (
            lambda rows: pd.concat([rows, rows.iloc[1:]]),
            "int_prediction__models has 2 rows of it",
        ),
        (changed(features=None), "int_prediction__models has no features for it"),
        (
            changed(task=None, algorithm=None),
            "int_prediction__models has no task, algorithm for it",
        ),
        (changed(model=None), "int_prediction__models has no model for it"),
        (
            changed(parameters="{"),
            "its row in int_prediction__models cannot be read (JSONDecodeError: "
            "Expecting property name enclosed in double quotes: line 1 column 2 "
            "(char 1))",
        ),
        (
            changed(features='[{"name": "spent"}]'),
            "its row in int_prediction__models cannot be read (TypeError: "
            "ModelFeature.__init__() missing 1 required positional argument: 'kind')",
        ),
        (
            changed(training_dates='["yesterday"]'),
            "its row in int_prediction__models cannot be read (ValueError: Invalid "
            "isoformat string: 'yesterday')",
        ),
    ],
)
def test_a_row_that_cannot_be_used_is_one_error(
    rows: pd.DataFrame, change: Change, problem: str
) -> None:
    with pytest.raises(InputError) as raised:
        load_both(change(rows))
    model_id = "mall.next_purchases.existing.365.1"
    assert str(raised.value) == f"model {model_id}: {problem}{WAY_OUT}"


def test_a_model_that_is_gone_is_an_error(rows: pd.DataFrame) -> None:
    with duckdb.connect() as connection:
        connection.register("models", rows)
        with pytest.raises(InputError, match=r"model a\.1: int_.* has no row of it"):
            read_entry(connection.table("models"), "a.1")


def test_a_model_of_before_is_refused_and_trained_anew(rows: pd.DataFrame) -> None:
    hashes = [hashlib.sha256(file).hexdigest() for file in rows["model"]]
    before = rows.assign(model_hash=hashes)
    with pytest.raises(InputError, match="whose hashes do not tell what a model is"):
        load_both(before)
    for table, expected in ((before, False), (rows, True)):
        with duckdb.connect() as connection:
            connection.register("models", table)
            models = connection.table("models")
            # a champion that cannot be loaded does not defend its place
            for champion in read_entries(models):
                assert can_be_loaded(champion, FEATURES, models) is expected
