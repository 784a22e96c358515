"""The simplest candidate that differs from the best by chance only is as good."""

import numpy as np
import pyarrow as pa
import pytest
from small_tables import Tables

from customer_segmentation.prediction.evaluations import EVALUATIONS
from customer_segmentation.prediction.relative_loss import Loss, relative_losses
from customer_segmentation.prediction.resampling import Resampled

ERROR, TOTAL = (90, "spend_mae"), (90, "spend_total_error")
NOISE = np.random.default_rng(0).normal(size=(2, 400))


def loss(value: float, own_noise: float = 0.0, *, is_share: bool = False) -> Loss:
    """Return a loss whose resamples share their noise, but for some of their own."""
    drawn = value + 0.1 * NOISE[0] + own_noise * NOISE[1]
    return Loss(Resampled(value, drawn, np.array([])), is_share)


def as_good(candidates: dict[str, dict[tuple[int, str], Loss]]) -> set[str]:
    baselines = [name for name in candidates if name.startswith("baseline")]
    found = relative_losses(candidates, baselines)
    return {name for name, one in found.items() if one.is_as_good}


def test_a_loss_is_relative_to_the_best_baseline_of_its_metric() -> None:
    found = relative_losses(
        {
            "baseline": {ERROR: loss(4.0), TOTAL: loss(0.2, is_share=True)},
            "baseline_2": {ERROR: loss(5.0), TOTAL: loss(0.1, is_share=True)},
            "model": {ERROR: loss(2.0), TOTAL: loss(0.3, is_share=True)},
        },
        ["baseline", "baseline_2"],
    )
    # the total is a share already
    assert found["model"].value == pytest.approx((2 / 4 + 0.3) / 2)
    assert found["baseline"].value == pytest.approx((1 + 0.2) / 2)
    of_itself = found["baseline"]
    assert (of_itself.difference_low, of_itself.difference_high) == (0, 0)


@pytest.mark.parametrize(
    ("value", "own_noise", "expected"),
    [(0.8, 0.02, "model"), (0.8, 0.4, "baseline"), (1.2, 0.02, "baseline")],
)
def test_a_model_must_beat_the_best_baseline_by_more_than_chance(
    value: float, own_noise: float, expected: str
) -> None:
    candidates = {
        "baseline": {ERROR: loss(1.0)},
        "model": {ERROR: loss(value, own_noise)},
    }
    assert as_good(candidates) == {expected}


def test_models_that_differ_from_the_best_by_chance_are_as_good() -> None:
    candidates = {
        "baseline": {ERROR: loss(1.0)},
        "best": {ERROR: loss(0.50)},
        "by_chance": {ERROR: loss(0.52, 0.05)},
        "worse": {ERROR: loss(0.80, 0.05)},
    }
    assert as_good(candidates) == {"best", "by_chance"}


def test_a_wrong_total_counts() -> None:
    candidates = {
        "baseline": {ERROR: loss(1.0), TOTAL: loss(0.1, is_share=True)},
        "model": {ERROR: loss(0.8), TOTAL: loss(0.6, is_share=True)},
    }
    assert as_good(candidates) == {"baseline"}


def test_a_candidate_that_lacks_a_metric_is_not_compared() -> None:
    candidates = {
        "baseline": {ERROR: loss(1.0), TOTAL: loss(0.5, is_share=True)},
        "model": {ERROR: loss(0.1)},
    }
    found = relative_losses(candidates, ["baseline"])
    assert set(found) == {"baseline"}


def test_without_resamples_the_baseline_is_used() -> None:
    none = np.array([])
    candidates = {
        name: {ERROR: Loss(Resampled(value, none, none))}
        for name, value in (("baseline", 1.0), ("model", 0.1))
    }
    assert as_good(candidates) == {"baseline"}


@pytest.mark.parametrize(
    ("as_good_ones", "chosen"),
    [
        ({"simple", "complex"}, "simple"),
        ({"complex", "as_complex"}, "as_complex"),
        ({"baseline"}, "baseline"),
    ],
)
def test_the_simplest_of_those_as_good_is_chosen(
    as_good_ones: set[str], chosen: str
) -> None:
    found = {
        "baseline": (0, 1.0),
        "other_baseline": (0, 1.1),
        "simple": (1, 0.52),
        "complex": (4, 0.51),
        "as_complex": (4, 0.50),
    }
    rows = [
        {
            "source_system": "shop",
            "task": "next_purchases",
            "population": "new",
            "split": "selection",
            "algorithm": name,
            "is_baseline": complexity == 0,
            "metric": "relative_loss",
            "value": value,
            "complexity": complexity,
            "is_as_good": name in as_good_ones,
        }
        for name, (complexity, value) in found.items()
    ]
    tables = Tables()
    tables.write("evaluations", pa.Table.from_pylist(rows, EVALUATIONS))
    tables.build("choices", "intermediate/int_prediction__choices.sql")
    [choice] = tables.frame("from choices").to_dict("records")
    assert (choice["algorithm"], choice["baseline"]) == (chosen, "baseline")
    assert choice["relative_loss"] == found[chosen][1]


def test_selections_measure_chance() -> None:
    tables = Tables()
    tables.backtest()
    rows = tables.frame(
        "from evaluations where split = 'selection' and is_selection_metric"
        " and value is not null and not isnan(value)"
    )
    assert {"next_purchases", "segment:rfm"} <= set(rows["task"])
    of_models = rows[~rows["is_baseline"]]
    assert of_models["low"].notna().all()
    assert of_models["difference_low"].notna().mean() > 0.5
