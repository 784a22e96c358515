"""What campaigns can show before they run, and what they did."""

from collections.abc import Callable
from typing import Any

from customer_segmentation.serving.report.contents import Figure, Grid, Section
from customer_segmentation.serving.report.published import PublishedTables
from customer_segmentation.serving.report.uplift import uplift_parts
from customer_segmentation.serving.report.words import (
    UNKNOWN,
    count,
    decimals,
    money,
    percent,
)

__all__ = ["campaigns_section"]

REASONS = {
    "nobody_treated": "no message was sent to a known customer",
    "no_holdout": "nobody was held out before the first message",
    "no_transactions": "there are no transactions",
    "no_amounts": "there are no amounts",
    "holdout_reached": "held-out customers were sent the message",
    "window_open": "the days that count are not over",
    "few_reached": "most customers were not sent the message",
    "too_few_customers": "a side has too few customers",
    "too_few_buyers": "too few customers bought",
    "uneven_sides": "the sides differed before, so they were not drawn at random",
    "too_little_to_learn_from": "too few customers to learn from",
    "interval_holds_zero": "the effect may be 0",
}
STATUSES = {
    "planned": "planned",
    "suppressed": "none: the segments do not exist",
    "no_customers": "none: no customer has the action",
    "no_holdout": "planned without a hold-out",
}


def campaigns_section(tables: PublishedTables, source: str) -> Section | None:
    """Return plans and results; none if the file has no campaigns."""
    parts: list[Figure | Grid] = []
    if tables.has("campaign_results") and (results := _results(tables, source)):
        parts += [results, *uplift_parts(tables, source, REASONS)]
    if tables.has("campaign_plans") and (plans := _plans(tables, source)):
        parts.append(plans)
    if not parts:
        return None
    return Section(
        "campaigns",
        "Campaigns",
        [
            "Customers who were written to stand beside customers who were held out. "
            "An interval that holds 0 tells nothing."
        ],
        parts=parts,
    )


def _results(tables: PublishedTables, source: str) -> Grid | None:
    rows = tables.rows(
        "select campaign, measure, verdict, reason, treated_customers,"
        " control_customers, incremental, incremental_low, incremental_high,"
        " total_incremental, variance_saved from campaign_results"
        " where source_system = ? order by campaign, measure desc",
        source,
    )
    if not rows:
        return None
    columns = (
        *("campaign", "measure", "what is found", "treated", "held out"),
        *("effect per customer, 95 % interval", "in total", "variance saved"),
    )
    return Grid(
        "What each campaign did, once it has run",
        columns,
        [
            [
                row["campaign"],
                row["measure"].replace("_", " "),
                _found(row),
                count(row["treated_customers"]),
                count(row["control_customers"]),
                _effect(row),
                _amount(row, row["total_incremental"]),
                percent(row["variance_saved"]),
            ]
            for row in rows
        ],
    )


def _found(row: dict[str, Any]) -> str:
    if row["verdict"] != "cannot tell":
        return str(row["verdict"])
    return f"cannot tell: {REASONS.get(row['reason'], row['reason'])}"


def _amount(row: dict[str, Any], value: float | None) -> str:
    if value is None:
        return UNKNOWN
    return money(value) if row["measure"] == "spend" else count(value)


def _effect(row: dict[str, Any]) -> str:
    if row["incremental"] is None:
        return UNKNOWN
    form: Callable[[float], str]
    form = decimals if row["measure"] == "spend" else _points
    ends = (form(row[f"incremental_{end}"]) for end in ("low", "high"))
    return f"{form(row['incremental'])} ({' to '.join(ends)})"


def _points(value: float) -> str:
    return f"{decimals(100 * value, 1)} points"


def _plans(tables: PublishedTables, source: str) -> Grid | None:
    rows = tables.rows(
        "select campaign, segmentation, action, status, treated_customers,"
        " control_customers, baseline_rate, detectable_rate from campaign_plans"
        " where source_system = ? order by campaign",
        source,
    )
    if not rows:
        return None
    columns = (
        *("campaign", "audience", "segmentation", "action", "to write to", "held out"),
        *("buy anyway", "smallest effect that shows"),
    )
    return Grid(
        "What planned campaigns can show",
        columns,
        [
            [
                row["campaign"],
                str(STATUSES.get(row["status"], row["status"])),
                row["segmentation"],
                row["action"].replace("_", " "),
                count(row["treated_customers"]),
                count(row["control_customers"]),
                percent(row["baseline_rate"]),
                UNKNOWN
                if row["detectable_rate"] is None
                else _points(row["detectable_rate"]),
            ]
            for row in rows
        ],
    )
