"""A model that does not beat the best baseline by more than chance is not chosen."""

import pyarrow as pa
import pytest
from small_tables import Tables

from customer_segmentation.prediction.evaluations import EVALUATIONS

MEASURES = 8
PURPOSE = {
    "source_system": "shop",
    "task": "next_purchases",
    "population": "new",
    "split": "selection",
    "horizon_days": 90,
    "is_higher_better": False,
    "is_selection_metric": True,
}


@pytest.mark.parametrize(
    ("better", "worse", "chosen"),
    [
        # a lower error in every measure, but by chance
        (0, 0, "baseline"),
        (1, 0, "baseline"),
        (2, 0, "model"),
        (2, 1, "model"),
        (2, 2, "baseline"),
        (5, 3, "model"),
    ],
)
def test_a_model_must_win_by_more_than_chance(
    better: int, worse: int, chosen: str
) -> None:
    rows = []
    for number in range(MEASURES):
        measure = PURPOSE | {"metric": f"error_{number}"}
        is_better, is_worse = number < better, better <= number < better + worse
        ends = (-0.3, -0.1) if is_better else (0.1, 0.3) if is_worse else (-0.3, 0.1)
        rows += [
            measure
            | {
                "algorithm": "model",
                "is_baseline": False,
                "value": 0.5,
                "difference_low": ends[0],
                "difference_high": ends[1],
            },
            measure
            | {
                "algorithm": "baseline",
                "is_baseline": True,
                "value": 0.7,
                "difference_low": 0.0,
                "difference_high": 0.0,
            },
        ]
    tables = Tables()
    tables.write("evaluations", pa.Table.from_pylist(rows, EVALUATIONS))
    tables.build("choices", "intermediate/int_prediction__choices.sql")
    [choice] = tables.frame("from choices").to_dict("records")
    assert (choice["algorithm"], choice["baseline"]) == (chosen, "baseline")


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
