"""For whom campaigns do most: Qini curves by expected uplift, and by value."""

from typing import Any

from customer_segmentation.serving.report.contents import Figure, Grid
from customer_segmentation.serving.report.curves import line_chart
from customer_segmentation.serving.report.published import PublishedTables
from customer_segmentation.serving.report.words import UNKNOWN, count, decimals

__all__ = ["uplift_parts"]

RANKINGS = {
    "uplift_gain": "by expected uplift",
    "value_gain": "by value",
    "random_gain": "at random",
}
VERDICTS = {
    "better": "aim by uplift: better than by value",
    "worse": "aim by value: better than by uplift",
}


def uplift_parts(
    tables: PublishedTables, source: str, reasons: dict[str, str]
) -> list[Figure | Grid]:
    """Return the coefficients of all campaigns, and the curves of the largest one."""
    if not tables.has("campaign_uplift"):
        return []
    rows = tables.rows(
        "select campaign, verdict, reason, customers, uplift_qini, value_qini,"
        " qini_difference, qini_difference_low, qini_difference_high"
        " from campaign_uplift where source_system = ? order by campaign",
        source,
    )
    if not rows:
        return []
    columns = (
        *("campaign", "what is found", "customers", "by uplift"),
        *("by value", "difference, 95 % interval"),
    )
    grid = Grid(
        "Qini coefficients: purchases per 1,000 treated customers above random order",
        columns,
        [
            [
                row["campaign"],
                _found(row, reasons),
                count(row["customers"]),
                _thousand(row["uplift_qini"]),
                _thousand(row["value_qini"]),
                _difference(row),
            ]
            for row in rows
        ],
    )
    learned = [row for row in rows if row["uplift_qini"] is not None]
    if not learned or not tables.has("campaign_uplift_tenths"):
        return [grid]
    largest = max(learned, key=lambda row: (row["customers"], row["campaign"]))
    return [*_curves(tables, source, largest["campaign"]), grid]


def _found(row: dict[str, Any], reasons: dict[str, str]) -> str:
    if row["verdict"] != "cannot tell":
        return VERDICTS[row["verdict"]]
    return f"cannot tell: {reasons.get(row['reason'], row['reason'])}"


def _thousand(value: float | None) -> str:
    return decimals(None if value is None else 1_000 * value, 1)


def _difference(row: dict[str, Any]) -> str:
    if row["qini_difference"] is None:
        return UNKNOWN
    ends = (_thousand(row[f"qini_difference_{end}"]) for end in ("low", "high"))
    return f"{_thousand(row['qini_difference'])} ({' to '.join(ends)})"


def _curves(tables: PublishedTables, source: str, campaign: str) -> list[Figure]:
    tenths = tables.rows(
        "select tenth, uplift_gain, value_gain, random_gain from campaign_uplift_tenths"
        " where source_system = ? and campaign = ? order by tenth",
        *(source, campaign),
    )
    if not tenths:
        return []
    nobody = {"tenth": 0} | dict.fromkeys(RANKINGS, 0.0)
    # shares are numbers: as texts, 100 % would stand before 20 %
    rows = [
        {"share": 10 * row["tenth"], "gain": 1_000 * row[column], "ranking": name}
        for column, name in RANKINGS.items()
        for row in (nobody, *tenths)
    ]
    columns = {
        "share": ("customers who are written to, %", ""),
        "gain": ("purchases gained per 1,000", ",.1f"),
        "ranking": ("order", ""),
    }
    half = tenths[len(tenths) // 2 - 1]
    return [
        Figure(
            "qini",
            f"What {campaign} gains if only a part is written to",
            "Lines: purchases gained per 1,000 treated customers, by share of the "
            "customers who are written to. The first half by expected uplift gains "
            f"{_thousand(half['uplift_gain'])}, the first half by value "
            f"{_thousand(half['value_gain'])}.",
            line_chart(rows, "share", "gain", "ranking", columns, zero=True),
            "Models learned the expected uplift of each customer from other customers.",
        )
    ]
