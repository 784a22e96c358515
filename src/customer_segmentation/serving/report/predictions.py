"""How good the predictions are: beside the baseline, and on average right or not."""

from typing import Any

from customer_segmentation.serving.report.contents import Figure, Grid, Section
from customer_segmentation.serving.report.curves import calibration
from customer_segmentation.serving.report.published import PublishedTables
from customer_segmentation.serving.report.words import count, decimals, money, percent

__all__ = ["METRICS", "predictions_section", "tests_of"]

# what a reader can do something with; model_evaluations has all
METRICS = {
    "spend_mae": "mean absolute error of spend",
    "spend_spearman": "rank correlation of spend",
    "spend_decile_mape": "decile error of spend (MAPE)",
    "purchases_mae": "mean absolute error of purchases",
    "purchases_spearman": "rank correlation of purchases",
    "return_auc": "AUC of returning",
    "interval_coverage": "inside the 80 % interval",
    "interval_score": "interval score of spend (width, and what is missed)",
    "hit_at_3": "main category among the first three",
    "mrr": "mean reciprocal rank",
    "log_loss": "log loss",
    "macro_f1": "macro F1",
    "accuracy": "accuracy",
}
# other tasks are segments to come
TASKS = {"next_purchases": "next purchases", "interests": "next category"}
# of several baselines, the best one in the metric
TESTS = """
    select population, task, horizon_days, metric, is_higher_better,
        any_value(is_cross_validated) as is_cross_validated,
        any_value(customers) filter (is_champion) as customers,
        any_value(algorithm) filter (is_champion) as algorithm,
        any_value(value) filter (is_champion) as value,
        any_value(low) filter (is_champion) as low,
        any_value(high) filter (is_champion) as high,
        case
            when is_higher_better then arg_max(algorithm, value) filter (is_baseline)
            else arg_min(algorithm, value) filter (is_baseline)
        end as baseline,
        case
            when is_higher_better then max(value) filter (is_baseline)
            else min(value) filter (is_baseline)
        end as baseline_value
    from model_evaluations
    where source_system = ? and split = 'test'
    group by population, task, horizon_days, metric, is_higher_better
    having any_value(value) filter (is_champion) is not null
"""
CALIBRATION = """
    select outcome, population, horizon_days, decile, customers, predicted, actual,
        is_champion, is_baseline
    from prediction_calibration
    where source_system = ? and split = 'test' and task = 'next_purchases'
        and (is_champion or is_baseline) and outcome in ('spend', 'purchases')
    order by population, horizon_days, outcome, decile
"""


def tests_of(tables: PublishedTables, source: str) -> list[dict[str, Any]]:
    """Return the tests of the champions, beside their baselines."""
    order = list(METRICS)
    return sorted(
        tables.rows(TESTS, source),
        key=lambda row: (
            *(row["task"], row["population"], -row["horizon_days"]),
            order.index(row["metric"]) if row["metric"] in order else len(order),
            row["metric"],
        ),
    )


def predictions_section(tables: PublishedTables, source: str) -> Section:
    """Return predicted beside actual, and champion beside baseline."""
    title = "Predictions, and how far to trust them"
    tests = [row for row in tests_of(tables, source) if row["metric"] in METRICS]
    if not tests:
        return Section(
            "predictions",
            title,
            ["There are no predictions: the record has no dates, or is too short."],
        )
    parts: list[Figure | Grid] = [*_calibrations(tables, source)]
    for population, task in dict.fromkeys((t["population"], t["task"]) for t in tests):
        of_one = [
            row
            for row in tests
            if (row["population"], row["task"]) == (population, task)
        ]
        parts.append(_grid(of_one, population, task))
    return Section("predictions", title, _expected(tables, source), parts=parts)


def _expected(tables: PublishedTables, source: str) -> list[str]:
    rows = tables.rows(
        "select population, horizon_days, count(*) as customers,"
        " sum(expected_purchases) as purchases, sum(expected_spend) as spend"
        " from customer_predictions where source_system = ? group by all order by all",
        source,
    )
    sentences = [
        f"The {count(row['customers'])} {row['population']} customers are expected to "
        f"make {count(row['purchases'])} purchases in the next "
        f"{count(row['horizon_days'])} days"
        + (f", and to spend {money(row['spend'])}." if row["spend"] else ".")
        for row in rows
    ]
    return [
        *sentences,
        "Each number below was measured on customers whose outcome is known, and that "
        "the model had not learned from.",
    ]


def _calibrations(tables: PublishedTables, source: str) -> list[Figure]:
    rows = tables.rows(CALIBRATION, source)
    figures = []
    for population in dict.fromkeys(row["population"] for row in rows):
        of_one = [row for row in rows if row["population"] == population]
        horizon = max(row["horizon_days"] for row in of_one)
        outcomes = {row["outcome"] for row in of_one if row["actual"] is not None}
        if not outcomes:
            continue
        outcome = "spend" if "spend" in outcomes else "purchases"
        shown = [
            row
            for row in of_one
            if (row["horizon_days"], row["outcome"]) == (horizon, outcome)
        ]
        figures.append(_calibration(shown, population, horizon, outcome))
    return figures


def _calibration(
    rows: list[dict[str, Any]], population: str, horizon: int, outcome: str
) -> Figure:
    points = []
    for row in rows:
        place = {"decile": row["decile"], "customers": row["customers"]}
        if row["is_champion"]:
            points += [
                place | {"what": "predicted", "value": row["predicted"]},
                place | {"what": "actual", "value": row["actual"]},
            ]
        elif row["predicted"] is not None:
            points.append(place | {"what": "baseline", "value": row["predicted"]})
    columns = {
        "decile": ("decile of the prediction", ""),
        "value": (f"mean {outcome}", ",.3~s"),
        "what": ("", ""),
        "customers": ("customers", ",d"),
    }
    top = next(
        (row for row in reversed(rows) if row["is_champion"] and row["decile"] == 10),
        None,
    )
    said = (
        f" In the top decile {money(top['predicted'])} was predicted and "
        f"{money(top['actual'])} came."
        if top
        else ""
    )
    return Figure(
        f"calibration-{population}",
        f"Predicted and actual {outcome}, {population} customers",
        f"Lines: mean {outcome} of the next {horizon} days by decile of the prediction:"
        f" actual, predicted, and the baseline in its own deciles.{said}",
        calibration(points, columns),
        "The closer predicted and actual, the more a prediction means what it says. "
        "The axis is that of square roots.",
        is_main=True,
    )


def _grid(rows: list[dict[str, Any]], population: str, task: str) -> Grid:
    segmentation = task.removeprefix("segment:")
    what = TASKS.get(task, f"segment to come ({segmentation})")
    return Grid(
        f"{population.capitalize()} customers, {what}: model and baseline",
        ["metric", "horizon", "model", "95 % interval", "baseline", "customers"],
        [
            [
                METRICS[row["metric"]],
                f"{count(row['horizon_days'])} days",
                f"{_metric(row['metric'], row['value'])} ({row['algorithm']})",
                f"{_metric(row['metric'], row['low'])} to "
                f"{_metric(row['metric'], row['high'])}",
                f"{_metric(row['metric'], row['baseline_value'])} "
                f"({row['baseline'] or 'none'})",
                count(row["customers"])
                + (" (cross-validated)" if row["is_cross_validated"] else ""),
            ]
            for row in rows
        ],
    )


def _metric(metric: str, value: float | None) -> str:
    if metric in ("interval_coverage", "spend_decile_mape"):
        return percent(value)
    in_money = metric in ("spend_mae", "interval_score")
    return money(value) if in_money else decimals(value)
