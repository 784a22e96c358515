"""The metrics of predicted segments are those of scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    log_loss,
)

from customer_segmentation.prediction.classification import (
    MIN_PROBABILITY,
    PredictedSegments,
    mean_quality,
    resample_means,
)

NAMES = ["big", "loyal", "lost"]


def means_of_draws(by_seed: list[PredictedSegments], resamples: int) -> pd.DataFrame:
    found = resample_means(by_seed, resamples)
    return pd.DataFrame({name: of_draws for name, (of_draws, _) in found.items()})


def predictions(count: int = 300, seed: int = 0) -> tuple[pd.Series, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    keys = [f"shop:{number}" for number in range(count)]
    codes = rng.choice(3, count, p=[0.6, 0.3, 0.1])
    scores = rng.gamma(1, size=(count, 3)) + 1.5 * np.eye(3)[codes]
    found = pd.DataFrame(scores, keys, NAMES).div(scores.sum(axis=1), axis=0)
    return pd.Series(np.array(NAMES)[codes], keys), found


def judged(segments: pd.Series, found: pd.DataFrame) -> PredictedSegments:
    columns = found.columns.get_indexer(segments)
    probability = found.to_numpy()[np.arange(len(found)), columns]
    return PredictedSegments.of(
        segments, found.idxmax(axis=1), pd.Series(probability, found.index)
    )


@pytest.mark.parametrize("seed", range(3))
def test_metrics_are_those_of_scikit_learn(seed: int) -> None:
    segments, found = predictions(seed=seed)
    guessed = found.idxmax(axis=1)
    assert mean_quality([judged(segments, found)]) == pytest.approx(
        {
            "accuracy": accuracy_score(segments, guessed),
            "balanced_accuracy": balanced_accuracy_score(segments, guessed),
            "macro_f1": f1_score(segments, guessed, average="macro"),
            "log_loss": log_loss(segments, found[sorted(NAMES)]),
        }
    )


def test_the_order_of_rows_does_not_matter() -> None:
    segments, found = predictions()
    order = found.sample(frac=1, random_state=0).index
    mixed = judged(segments[order], found.loc[order])
    expected = mean_quality([judged(segments, found)])
    assert mean_quality([mixed]) == pytest.approx(expected, abs=1e-12)


def test_the_confusion_counts_customers_by_actual_and_predicted_segment() -> None:
    segments, found = predictions()
    table = judged(segments, found)
    assert table.names == sorted(NAMES)
    counts = pd.DataFrame(
        table.confusion(np.ones(len(segments))), table.names, table.names
    )
    assert counts.sum(axis=1).to_dict() == segments.value_counts().to_dict()
    is_one = (segments == "big") & (found.idxmax(axis=1) == "lost")
    assert counts.loc["big", "lost"] == is_one.sum()


def test_a_segment_that_the_model_does_not_know_is_missed() -> None:
    quality = mean_quality(
        [
            PredictedSegments.of(
                pd.Series(["new", "old"]), pd.Series(["old", "old"]), pd.Series([0, 1])
            )
        ]
    )
    assert quality["accuracy"] == quality["balanced_accuracy"] == 0.5
    assert quality["macro_f1"] == pytest.approx((0 + 2 / 3) / 2)
    assert quality["log_loss"] == pytest.approx(-np.log(MIN_PROBABILITY) / 2)


def test_metrics_are_the_means_over_the_seeds() -> None:
    by_seed = [judged(*predictions(seed=seed)) for seed in range(2)]
    means = mean_quality(by_seed)
    for name, value in means.items():
        each = [mean_quality([one])[name] for one in by_seed]
        assert value == pytest.approx(np.mean(each))


def test_resamples_surround_the_metrics_and_narrow_with_customers() -> None:
    widths = []
    for count in (100, 1_600):
        few = [judged(*predictions(count))]
        quality = mean_quality(few)
        resampled = means_of_draws(few, 200)
        low, high = resampled.quantile(0.025), resampled.quantile(0.975)
        assert all(low[name] <= quality[name] <= high[name] for name in quality)
        widths.append(high["accuracy"] - low["accuracy"])
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.5)
    pd.testing.assert_frame_equal(means_of_draws(few, 50), means_of_draws(few, 50))
    assert means_of_draws(few, 0).empty


def test_two_models_are_compared_on_the_same_resamples() -> None:
    segments, found = predictions()
    # always the same mistake, whoever is drawn
    worse = judged(segments, found)
    worse = PredictedSegments(
        worse.names, worse.actual, worse.predicted, worse.losses + 1
    )
    difference = means_of_draws([worse], 50) - means_of_draws(
        [judged(segments, found)], 50
    )
    np.testing.assert_allclose(difference["log_loss"], 1)
