"""The table of how well every candidate predicted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from joblib import delayed

from customer_segmentation import engine
from customer_segmentation.prediction import metrics
from customer_segmentation.prediction.classification import (
    Judged,
    mean_quality,
    quality_draws,
)
from customer_segmentation.prediction.purchase_backtests import PURCHASE_BACKTESTS
from customer_segmentation.prediction.segment_backtests import SEGMENT_BACKTESTS
from customer_segmentation.processes import spread

__all__ = ["EVALUATIONS", "Metric", "evaluate_backtests"]

EVALUATIONS = pa.schema(
    [
        ("source_system", pa.string()),
        ("task", pa.string()),
        ("population", pa.string()),
        ("part", pa.string()),
        ("horizon_days", pa.int32()),
        ("is_cross_validated", pa.bool_()),
        ("algorithm", pa.string()),
        ("is_baseline", pa.bool_()),
        ("metric", pa.string()),
        ("is_higher_better", pa.bool_()),
        ("is_choice", pa.bool_()),
        ("customers", pa.int64()),
        ("value", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("difference_low", pa.float64()),
        ("difference_high", pa.float64()),
    ]
)
# what is measured together
GROUP = [
    *("source_system", "task", "population", "part", "horizon_days"),
    *("is_cross_validated", "algorithm", "is_baseline"),
]
COMPARED_ON = [name for name in GROUP if name not in ("algorithm", "is_baseline")]
# an interval needs no more than this to be told from another
DRAWS = 100
# of those who bought again; the segment of others follows from the first purchase
OF_RETURNED = "_of_returned"
CHOICE_OF_SEGMENTS = ("log_loss", "macro_f1", "accuracy")


@dataclass(frozen=True)
class Metric:
    """A measure of a column of predictions.

    Parameters
    ----------
    name : str
        What it is called in the table.
    measure : callable
        Takes the columns.
    columns : tuple of str
        Predictions first.
    is_higher_better : bool or None
        None where neither is, as of a ratio that should be 1.
    is_choice : bool
        Whether the champion is chosen by it.
    """

    name: str
    measure: Callable[..., float]
    columns: tuple[str, ...]
    is_higher_better: bool | None
    is_choice: bool = False


def _of_amount(name: str, *, is_choice: bool) -> list[Metric]:
    pair = (f"expected_{name}", name)
    return [
        Metric(f"{name}_spearman", metrics.spearman, pair, True, is_choice),
        Metric(f"{name}_decile_error", metrics.decile_error, pair, False, is_choice),
        Metric(f"{name}_mae", metrics.mean_absolute_error, pair, False, is_choice),
        Metric(f"{name}_gini", metrics.normalised_gini, pair, True),
        Metric(f"{name}_decile_mape", metrics.decile_mape, pair, False),
        Metric(f"{name}_total_ratio", metrics.total_ratio, pair, None),
    ]


RETURN = ("return_probability", "has_returned")
OF_RETURN = [
    Metric("return_auc", metrics.auc, RETURN, True),
    Metric("return_log_loss", metrics.binary_log_loss, RETURN, False, True),
]
COVERAGE = Metric(
    "interval_coverage", metrics.coverage, ("spend_low", "spend_high", "spend"), None
)
WITH_AMOUNTS = [
    *_of_amount("spend", is_choice=True),
    *_of_amount("purchases", is_choice=False),
    *OF_RETURN,
    COVERAGE,
]
WITHOUT_AMOUNTS = [*_of_amount("purchases", is_choice=True), *OF_RETURN]


def evaluate_backtests(
    purchases: engine.Relation, segments: engine.Relation
) -> pa.Table:
    """Measure every candidate on every split, baselines too.

    Parameters
    ----------
    purchases : engine.Relation
        ``int_prediction__backtests``.
    segments : engine.Relation
        ``int_prediction__segment_backtests``.

    Returns
    -------
    pyarrow.Table
        Of the schema ``EVALUATIONS``, with 95 % bootstrap intervals over customers
        where the split is a test: of the measure, and of how much it differs from that
        of the baseline on the same customers.
    """
    of_purchases = _read(purchases, PURCHASE_BACKTESTS)
    of_segments = _read(segments, SEGMENT_BACKTESTS)
    tasks = (
        delayed(measured)(rows, dict(zip(GROUP, key, strict=True)))
        for table, measured in (
            (of_purchases, _purchases_measured),
            (of_segments, _segments_measured),
        )
        for key, rows in table.groupby(GROUP, sort=True)
    )
    measured = [one for found in spread(tasks) for one in found]
    baselines = {
        (*one.compared_on, one.row["metric"]): one.draws
        for one in measured
        if one.row["is_baseline"]
    }
    return pa.Table.from_pylist(
        [one.beside(baselines) for one in measured], EVALUATIONS
    )


@dataclass(frozen=True)
class _Measured:
    """A row of the table, and what its measure was of customers drawn again."""

    row: Mapping[str, Any]
    draws: np.ndarray

    @property
    def compared_on(self) -> tuple[Any, ...]:
        return tuple(self.row[name] for name in COMPARED_ON)

    def beside(self, baselines: Mapping[tuple[Any, ...], np.ndarray]) -> dict[str, Any]:
        """Return the row with its intervals."""
        baseline = baselines.get((*self.compared_on, self.row["metric"]))
        differences = np.array([]) if baseline is None else self.draws - baseline
        low, high = metrics.interval_of(self.draws)
        difference_low, difference_high = metrics.interval_of(differences)
        ends = {
            "low": low,
            "high": high,
            "difference_low": difference_low,
            "difference_high": difference_high,
        }
        return {**self.row, **{name: _or_null(end) for name, end in ends.items()}}


def _read(relation: engine.Relation, schema: pa.Schema) -> pd.DataFrame:
    rows = engine.read(relation, schema.names)
    # beyond the key, so that sums do not depend on how the rows came
    return rows.sort_values([*_present(rows), "customer_key"], ignore_index=True)


def _present(rows: pd.DataFrame) -> list[str]:
    return [name for name in (*GROUP, "segmentation", "seed") if name in rows]


def _purchases_measured(
    rows: pd.DataFrame, facts: Mapping[str, Any]
) -> list[_Measured]:
    wanted = WITH_AMOUNTS if rows["spend"].notna().all() else WITHOUT_AMOUNTS
    columns = {name: rows[name].to_numpy(dtype=float) for name in NUMBERS}
    found = []
    for metric in wanted:
        of_metric = [columns[name] for name in metric.columns]
        draws = np.array([])
        if facts["part"] == "test":
            draws = metrics.bootstrap_draws(metric.measure, *of_metric, draws=DRAWS)
        row = {
            **facts,
            "metric": metric.name,
            "is_higher_better": metric.is_higher_better,
            "is_choice": metric.is_choice,
            "customers": len(rows),
            "value": _or_null(metric.measure(*of_metric)),
        }
        found.append(_Measured(row, draws))
    return found


def _segments_measured(rows: pd.DataFrame, facts: Mapping[str, Any]) -> list[_Measured]:
    """Return the figures of all customers, and of those who bought again."""
    found = []
    for ending, of_part in (("", rows), (OF_RETURNED, rows[rows["has_returned"]])):
        if of_part.empty:
            continue
        by_seed = [
            Judged.of_columns(
                seeded["segment"],
                seeded["predicted_segment"],
                seeded["segment_probability"],
            )
            for _, seeded in of_part.groupby("seed", sort=True)
        ]
        drawn = quality_draws(by_seed, DRAWS if facts["part"] == "test" else 0)
        for name, value in mean_quality(by_seed).items():
            row = {
                **facts,
                "metric": name + ending,
                "is_higher_better": name != "log_loss",
                "is_choice": not ending and name in CHOICE_OF_SEGMENTS,
                "customers": len(by_seed[0].actual),
                "value": _or_null(value),
            }
            found.append(_Measured(row, drawn[name].to_numpy()))
    return found


def _or_null(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


NUMBERS = sorted({name for metric in WITH_AMOUNTS for name in metric.columns})
