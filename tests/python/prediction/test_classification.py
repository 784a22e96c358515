"""The figures of predicted segments are those of the field."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    log_loss,
)

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.classification import (
    LEAST,
    bootstrap_quality,
    confusion_matrix,
    measure_quality,
)

NAMES = ["big", "loyal", "lost"]


def predictions(count: int = 300, seed: int = 0) -> tuple[pd.Series, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    keys = [f"shop:{number}" for number in range(count)]
    codes = rng.choice(3, count, p=[0.6, 0.3, 0.1])
    scores = rng.gamma(1, size=(count, 3)) + 1.5 * np.eye(3)[codes]
    found = pd.DataFrame(scores, keys, NAMES).div(scores.sum(axis=1), axis=0)
    return pd.Series(np.array(NAMES)[codes], keys), found


@pytest.mark.parametrize("seed", range(3))
def test_figures_are_those_of_scikit_learn(seed: int) -> None:
    segments, found = predictions(seed=seed)
    guessed = found.idxmax(axis=1)
    assert vars(measure_quality(segments, found)) == pytest.approx(
        {
            "accuracy": accuracy_score(segments, guessed),
            "balanced_accuracy": balanced_accuracy_score(segments, guessed),
            "macro_f1": f1_score(segments, guessed, average="macro"),
            "log_loss": log_loss(segments, found[sorted(NAMES)]),
        }
    )


def test_the_order_of_rows_and_columns_does_not_matter() -> None:
    segments, found = predictions()
    mixed = found[sorted(NAMES)].sample(frac=1, random_state=0)
    assert measure_quality(segments, mixed) == measure_quality(segments, found)


def test_customers_are_counted_by_what_they_are_and_are_held_to_be() -> None:
    segments, found = predictions()
    counts = confusion_matrix(segments, found)
    assert counts.index.tolist() == counts.columns.tolist() == sorted(NAMES)
    assert counts.sum(axis=1).to_dict() == segments.value_counts().to_dict()
    is_one = (segments == "big") & (found.idxmax(axis=1) == "lost")
    assert counts.loc["big", "lost"] == is_one.sum()


def test_a_segment_that_the_model_does_not_know_is_missed() -> None:
    keys = ["a", "b"]
    segments = pd.Series(["new", "old"], keys)
    quality = measure_quality(segments, pd.DataFrame({"old": [1.0, 1.0]}, keys))
    assert quality.accuracy == quality.balanced_accuracy == 0.5
    assert quality.macro_f1 == pytest.approx((0 + 2 / 3) / 2)
    assert quality.log_loss == pytest.approx(-np.log(LEAST) / 2)


def test_intervals_hold_the_figures_and_shrink_with_customers() -> None:
    widths = []
    for count in (100, 1_600):
        few = predictions(count)
        quality = vars(measure_quality(*few))
        low, high = map(vars, bootstrap_quality(*few, draws=200))
        assert all(low[name] <= quality[name] <= high[name] for name in quality)
        widths.append(high["accuracy"] - low["accuracy"])
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.5)
    assert bootstrap_quality(*few, draws=50) == bootstrap_quality(*few, draws=50)


def test_what_cannot_be_measured_is_refused() -> None:
    segments, found = predictions()
    with pytest.raises(InputError, match="no customer"):
        measure_quality(segments.head(0), found.head(0))
    with pytest.raises(InputError, match="are of others"):
        measure_quality(segments, found.head(5))
    with pytest.raises(InputError, match="twice"):
        measure_quality(segments, pd.concat([found.head(1), found]))
