"""Evaluations: how well every candidate predicts, with bootstrap intervals."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from joblib import delayed

from customer_segmentation import engine
from customer_segmentation.parallel import run_parallel
from customer_segmentation.prediction import metrics
from customer_segmentation.prediction.classification import (
    PredictedSegments,
    mean_quality,
    resample_means,
)
from customer_segmentation.prediction.complexity import Complexity
from customer_segmentation.prediction.counted_metrics import Counted, by_counts
from customer_segmentation.prediction.draws import RESAMPLES
from customer_segmentation.prediction.interests import INTEREST_CANDIDATES
from customer_segmentation.prediction.measures import (
    IS_TOP_ONE,
    IS_TOP_THREE,
    OF_INTEREST,
    RANK,
    WITH_AMOUNTS,
    WITHOUT_AMOUNTS,
    Metric,
    columns_of,
)
from customer_segmentation.prediction.purchases import CANDIDATES
from customer_segmentation.prediction.relative_loss import Loss, relative_losses
from customer_segmentation.prediction.resampling import Resampled, resample
from customer_segmentation.prediction.segments import COMPLEXITIES
from customer_segmentation.prediction.splits import SPLIT_COLUMNS

__all__ = ["EVALUATIONS", "evaluate_backtests"]

EVALUATIONS = pa.schema(
    [
        *SPLIT_COLUMNS,
        ("algorithm", pa.string()),
        ("is_baseline", pa.bool_()),
        ("metric", pa.string()),
        ("is_higher_better", pa.bool_()),
        ("is_selection_metric", pa.bool_()),
        ("customers", pa.int64()),
        ("value", pa.float64()),
        ("noise_floor", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("difference_low", pa.float64()),
        ("difference_high", pa.float64()),
        ("complexity", pa.int32()),
        ("is_as_good", pa.bool_()),
    ]
)
SPLIT = [name for name, _ in SPLIT_COLUMNS]
PURPOSE = ["source_system", "task", "population", "horizon_days"]
# the rows that are measured together
GROUP = [*SPLIT, "algorithm", "is_baseline"]
# metrics of returned customers; the others' segment follows from the first purchase
OF_RETURNED = "_of_returned"
NOT_RESAMPLED = (np.array([]), np.array([]))
# of what is published: the probabilities, and the most probable segment
SEGMENT_SELECTION = ("log_loss", "accuracy")
# errors as a share of the outcomes
SHARES = ("decile_error", "total_error")
RELATIVE_LOSS = "relative_loss"
COMPLEXITY: Mapping[str, Complexity] = {
    **{name: one.complexity for name, one in CANDIDATES.items()},
    **{name: one.complexity for name, one in INTEREST_CANDIDATES.items()},
    **COMPLEXITIES,
}


OF_PURCHASES = [*GROUP, "customer_key", *columns_of(WITH_AMOUNTS)]
OF_INTERESTS = [
    *(*GROUP, "customer_key"),
    *sorted({*columns_of(OF_INTEREST), *RANK} - {IS_TOP_ONE, IS_TOP_THREE}),
]
OF_SEGMENTS = [
    *(*GROUP, "segmentation", "seed", "customer_key", "has_returned", "segment"),
    *("predicted_segment", "segment_probability"),
]


@dataclass(frozen=True)
class _Measurement:
    """A row of the table, and its metric on each resample."""

    row: Mapping[str, Any]
    resampled: Resampled

    @property
    def is_selection(self) -> bool:
        """Whether candidates are chosen by it, or by metrics beside it."""
        return bool(self.row["split"] == "selection")

    @property
    def measured_on(self) -> tuple[Any, ...]:
        """The split and the metric, which a candidate shares with its baseline."""
        return tuple(self.row[name] for name in (*SPLIT, "metric"))

    @property
    def chosen_on(self) -> tuple[Any, ...]:
        """The purpose and the metric, which the test shares with the selection."""
        return tuple(self.row[name] for name in (*PURPOSE, "metric"))

    @property
    def loss(self) -> Loss:
        """Lower is better: of a metric of at most 1, what is missing to 1."""
        of, is_higher_better = self.resampled, self.row["is_higher_better"]
        if is_higher_better:
            of = Resampled(1 - of.value, 1 - of.drawn, 1 - of.without)
        return Loss(of, self.row["metric"].endswith(SHARES))

    def is_better_than(self, other: "_Measurement") -> bool:
        """Return whether its value is better than another of the same metric."""
        mine, its = self.row["value"], other.row["value"]
        if mine is None or its is None or self.row["is_higher_better"] is None:
            return False
        return bool((mine > its) == self.row["is_higher_better"] and mine != its)

    def with_intervals(
        self, baselines: Mapping[tuple[Any, ...], Resampled]
    ) -> dict[str, Any]:
        """Return the row with its intervals."""
        baseline = baselines.get(self.measured_on)
        low, high = self.resampled.interval()
        if self.resampled.is_deviation:
            low = max(low, 0.0)
        difference_low, difference_high = np.nan, np.nan
        if baseline is not None:
            difference_low, difference_high = (self.resampled - baseline).interval()
        ends = {
            "low": low,
            "high": high,
            "difference_low": difference_low,
            "difference_high": difference_high,
        }
        return {**self.row, **{name: _or_null(end) for name, end in ends.items()}}


def evaluate_backtests(
    purchases: engine.Relation, segments: engine.Relation, interests: engine.Relation
) -> pa.Table:
    """Measure every candidate on every split, baselines too.

    Parameters
    ----------
    purchases : engine.Relation
        ``int_prediction__backtests``.
    segments : engine.Relation
        ``int_prediction__segment_backtests``.
    interests : engine.Relation
        ``int_prediction__interest_backtests``.

    Returns
    -------
    pyarrow.Table
        Of the schema ``EVALUATIONS``. Tests, and the metrics that choose on selections,
        have 95 % bootstrap intervals over the customers: of the metric, and of its
        difference from that of the baseline on the same customers. Of several
        baselines, it is the one that was best in this metric on the selection: which
        one is best on the test is known only afterwards. The relative loss of a
        candidate, over all horizons of its selection, has a row of the longest one.
    """
    tasks = (
        delayed(measure)(rows, dict(zip(GROUP, key, strict=True)))
        for table, measure in (
            (_read(purchases, OF_PURCHASES), _measure_purchases),
            (_read(segments, OF_SEGMENTS), _measure_segments),
            (_read(interests, OF_INTERESTS), _measure_interests),
        )
        for key, rows in table.groupby(GROUP, sort=True)
    )
    measured = [one for found in run_parallel(tasks) for one in found]
    baselines = _baselines_to_beat(measured)
    rows = [one.with_intervals(baselines) for one in measured]
    return pa.Table.from_pylist([*rows, *_relative_losses(measured)], EVALUATIONS)


def _read(relation: engine.Relation, columns: list[str]) -> pd.DataFrame:
    """Read back-tests in an order that does not depend on how they were written."""
    rows = engine.read(relation, columns)
    keys = [name for name in (*GROUP, "segmentation", "seed") if name in rows]
    return rows.sort_values([*keys, "customer_key"], ignore_index=True)


def _baselines_to_beat(
    measured: Sequence[_Measurement],
) -> dict[tuple[Any, ...], Resampled]:
    """Return the resamples of one baseline of each split and metric.

    It is the best one on the selection. Where there was no selection over the horizon,
    it is the first one.
    """
    baselines = [one for one in measured if one.row["is_baseline"]]
    best: dict[tuple[Any, ...], _Measurement] = {}
    for one in baselines:
        if one.is_selection:
            known = best.get(one.chosen_on)
            if known is None or one.is_better_than(known):
                best[one.chosen_on] = one
    to_beat: dict[tuple[Any, ...], Resampled] = {}
    for one in baselines:
        is_best = one.row["algorithm"] == best.get(one.chosen_on, one).row["algorithm"]
        if is_best:
            to_beat.setdefault(one.measured_on, one.resampled)
    return to_beat


def _relative_losses(measured: Sequence[_Measurement]) -> Iterator[dict[str, Any]]:
    """Yield the relative loss of each candidate on the selection of its purpose."""
    by_purpose: dict[tuple[Any, ...], dict[str, dict[Any, _Measurement]]] = {}
    for one in measured:
        row = one.row
        if one.is_selection and row["is_selection_metric"] and row["value"] is not None:
            purpose = row["source_system"], row["task"], row["population"]
            of_candidate = by_purpose.setdefault(purpose, {})
            key = row["horizon_days"], row["metric"]
            of_candidate.setdefault(row["algorithm"], {})[key] = one
    for candidates in by_purpose.values():
        losses = relative_losses(
            {
                name: {key: one.loss for key, one in own.items()}
                for name, own in candidates.items()
            },
            [name for name in candidates if COMPLEXITY[name] == Complexity.BASELINE],
        )
        for name, loss in losses.items():
            yield {
                **candidates[name][max(candidates[name])].row,
                "metric": RELATIVE_LOSS,
                "is_higher_better": False,
                "is_selection_metric": False,
                "noise_floor": None,
                "complexity": int(COMPLEXITY[name]),
                **asdict(loss),
            }


def _measure_purchases(
    rows: pd.DataFrame, facts: Mapping[str, Any]
) -> list[_Measurement]:
    has_amounts = rows["spend"].notna().all()
    return _measure(rows, facts, WITH_AMOUNTS if has_amounts else WITHOUT_AMOUNTS)


def _measure_interests(
    rows: pd.DataFrame, facts: Mapping[str, Any]
) -> list[_Measurement]:
    rank = rows["category_rank"]
    rows = rows.assign(**{IS_TOP_ONE: rank == 1, IS_TOP_THREE: rank <= 3})
    return _measure(rows, facts, OF_INTEREST)


def _measure(
    rows: pd.DataFrame, facts: Mapping[str, Any], measured_by: Sequence[Metric]
) -> list[_Measurement]:
    columns = {
        name: rows[name].to_numpy(dtype=float) for name in columns_of(measured_by)
    }
    measured = {
        metric: [columns[name] for name in metric.columns] for metric in measured_by
    }
    # the choice asks whether a model beats the best baseline by more than chance
    with_intervals = [
        metric
        for metric in measured_by
        if metric.is_resampled
        and (facts["split"] == "test" or metric.is_selection_metric)
    ]
    by_name: dict[str, Counted] = {}
    for names in {metric.columns for metric in with_intervals}:
        of_names = {
            metric.name: metric.measure
            for metric in with_intervals
            if metric.columns == names
        }
        by_name |= by_counts(of_names, *(columns[name] for name in names))
    resampled = resample(by_name, len(rows))
    found = []
    for metric, of_metric in measured.items():
        value = metric.measure(*of_metric)
        row = {
            **facts,
            "metric": metric.name,
            "is_higher_better": metric.is_higher_better,
            "is_selection_metric": metric.is_selection_metric,
            "customers": len(rows),
            "value": _or_null(value),
            "noise_floor": _or_null(metrics.noise_floor(metric.measure, *of_metric)),
        }
        drawn, without = resampled.get(metric.name, NOT_RESAMPLED)
        is_deviation = metric.measure in metrics.DEVIATIONS
        found.append(_Measurement(row, Resampled(value, drawn, without, is_deviation)))
    return found


def _measure_segments(
    rows: pd.DataFrame, facts: Mapping[str, Any]
) -> list[_Measurement]:
    """Return the metrics of all customers, and those of returned customers."""
    found = []
    for suffix, customers in (("", rows), (OF_RETURNED, rows[rows["has_returned"]])):
        if customers.empty:
            continue
        by_seed = [
            PredictedSegments.of(
                seeded["segment"],
                seeded["predicted_segment"],
                seeded["segment_probability"],
            )
            for _, seeded in customers.groupby("seed", sort=True)
        ]
        resampled = resample_means(by_seed, RESAMPLES)
        for name, value in mean_quality(by_seed).items():
            row = {
                **facts,
                "metric": name + suffix,
                "is_higher_better": name != "log_loss",
                "is_selection_metric": not suffix and name in SEGMENT_SELECTION,
                "customers": len(by_seed[0].actual),
                "value": _or_null(value),
            }
            found.append(_Measurement(row, Resampled(value, *resampled[name])))
    return found


def _or_null(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
