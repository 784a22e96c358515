"""Wrong vars are named, with what to do."""

from typing import Any

import pytest

from customer_segmentation.errors import InputError
from customer_segmentation.prediction import PredictionSettings

VARIABLES = {
    "prediction_segment_targets": ["rfm", "mine"],
    "prediction_folds": 5,
    "prediction_seeds": 2,
    "segmentations": {"mine": {}},
    # what SQL reads may be there too
    "prediction_horizon_days": 365,
}


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"prediction_folds": 1}, "folds: is 1; give a whole number of at least 2"),
        ({"prediction_folds": "5"}, "folds: is '5'; give a whole number"),
        ({"prediction_seeds": True}, "seeds: is True; give a whole number"),
        ({"prediction_seeds": None}, "seeds: is missing; add it to vars.yml"),
        ({"prediction_segment_targets": "rfm"}, "targets: is 'rfm'; give a list"),
        ({"prediction_segment_targets": ["rfm", "rfm"]}, "names a segmentation twice"),
        (
            {"prediction_segment_targets": ["mines"]},
            "'mines' is not declared; did you mean 'mine'",
        ),
        ({"prediction_segment_targets": []}, "segment_targets: is empty; name at leas"),
    ],
)
def test_a_wrong_value_is_named(changed: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=f"^prediction_.*{problem}"):
        PredictionSettings.read(VARIABLES | changed)


def test_right_values_are_read() -> None:
    settings = PredictionSettings.read(VARIABLES)
    assert settings == PredictionSettings(("rfm", "mine"), folds=5, seeds=2)


def test_a_target_that_is_not_declared_is_ignored() -> None:
    declared = {"prediction_segment_targets": ["rfm", "online_retail_value", "mine"]}
    settings = PredictionSettings.read(VARIABLES | declared)
    assert settings.segment_targets == ("rfm", "mine")
