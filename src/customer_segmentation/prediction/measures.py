"""What is measured of predictions, and what chooses among candidates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from customer_segmentation.prediction import metrics
from customer_segmentation.prediction.interval_metrics import (
    coverage_above_zero,
    interval_score,
    mean_width,
    tenth_coverage,
)

__all__ = [
    "IS_TOP_ONE",
    "IS_TOP_THREE",
    "OF_INTEREST",
    "RANK",
    "WITHOUT_AMOUNTS",
    "WITH_AMOUNTS",
    "Metric",
    "columns_of",
]


@dataclass(frozen=True)
class Metric:
    """A measure of columns of predictions.

    Parameters
    ----------
    name : str
        Its name in the table.
    measure : callable
        Takes the columns, and returns a number.
    columns : tuple of str
        Predictions first.
    is_higher_better : bool or None
        None for a ratio that should be 1.
    is_selection_metric : bool
        Whether the champion is chosen by it.
    is_resampled : bool
        Whether resamples give it an interval.
    """

    name: str
    measure: Callable[..., float]
    columns: tuple[str, ...]
    is_higher_better: bool | None
    is_selection_metric: bool = False
    is_resampled: bool = True


def _amount_metrics(name: str, *, select: bool) -> list[Metric]:
    pair = (f"expected_{name}", name)
    return [
        Metric(f"{name}_spearman", metrics.spearman, pair, True, select),
        Metric(f"{name}_decile_error", metrics.decile_error, pair, False, select),
        Metric(f"{name}_mae", metrics.mean_absolute_error, pair, False, select),
        Metric(f"{name}_gini", metrics.normalised_gini, pair, True),
        Metric(f"{name}_decile_mape", metrics.decile_mape, pair, False),
        Metric(f"{name}_total_ratio", metrics.total_ratio, pair, None),
        Metric(f"{name}_total_error", metrics.total_error, pair, False, select),
    ]


RETURN = ("return_probability", "has_returned")
RETURN_METRICS = [
    Metric("return_auc", metrics.auc, RETURN, True),
    Metric("return_log_loss", metrics.binary_log_loss, RETURN, False, True),
]
ENDS = ("spend_low", "spend_high")
BY_TENTH = (*ENDS, "spend", "expected_spend", "return_probability")
INTERVAL_METRICS = [
    Metric("interval_coverage", metrics.coverage, (*ENDS, "spend"), None),
    Metric("interval_coverage_above_zero", coverage_above_zero, (*ENDS, "spend"), None),
    Metric("interval_width", mean_width, ENDS, None),
    Metric("interval_score", interval_score, (*ENDS, "spend"), False),
    # the extremes of noisy shares: those of resamples are further apart
    *(
        Metric(
            f"interval_coverage_{choose.__name__}",
            partial(tenth_coverage, choose=choose),
            *(BY_TENTH, None),
            is_resampled=False,
        )
        for choose in (min, max)
    ),
]
WITH_AMOUNTS = [
    *_amount_metrics("spend", select=True),
    *_amount_metrics("purchases", select=False),
    *RETURN_METRICS,
    *INTERVAL_METRICS,
]
WITHOUT_AMOUNTS = [*_amount_metrics("purchases", select=True), *RETURN_METRICS]
RANK = ("category_rank",)
# not read, but derived from the rank
IS_TOP_ONE, IS_TOP_THREE = "is_top_one", "is_top_three"
OF_INTEREST = [
    Metric("hit_at_3", metrics.share, (IS_TOP_THREE,), True, True),
    Metric("hit_at_1", metrics.share, (IS_TOP_ONE,), True),
    Metric("mrr", metrics.mean_reciprocal_rank, RANK, True, True),
    Metric("log_loss", metrics.log_loss, ("category_probability",), False, True),
    Metric(
        "calibration_error",
        metrics.calibration_error,
        ("top_three_probability", IS_TOP_THREE),
        False,
    ),
    Metric("any_hit_at_3", metrics.share, ("has_bought_top",), True),
]


def columns_of(measured: Sequence[Metric]) -> list[str]:
    """Return the columns that metrics read."""
    return sorted({name for metric in measured for name in metric.columns})
