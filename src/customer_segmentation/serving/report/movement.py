"""How customers move: between segments, in cohorts, along the lifecycle.

Each part is there if its table is in the published file.
"""

from typing import Any

from customer_segmentation.serving.report.charts import bars, heat_map
from customer_segmentation.serving.report.contents import Figure, Section
from customer_segmentation.serving.report.published import PublishedTables
from customer_segmentation.serving.report.words import count, percent

__all__ = ["movement_section"]

COHORTS = 18


def movement_section(tables: PublishedTables, source: str) -> Section | None:
    """Return migrations, cohorts and stages; none if the file has none of them."""
    parts = [
        figure
        for table, make in (
            ("segment_migrations", _migrations),
            ("customer_cohorts", _cohorts),
            ("customer_lifecycle", _lifecycle),
        )
        if tables.has(table)
        for figure in make(tables, source)
    ]
    if not parts:
        return None
    return Section("movement", "How customers move", parts=parts)


def _migrations(tables: PublishedTables, source: str) -> list[Figure]:
    rows = tables.rows(
        "select from_segment, to_segment, customers, share_of_from_segment as share,"
        " month_date, from_month_date from segment_migrations"
        " where source_system = ? and segmentation = 'rfm' and month_date = ("
        "  select max(month_date) from segment_migrations"
        "  where source_system = ? and segmentation = 'rfm')"
        " order by from_segment, to_segment",
        *(source, source),
    )
    if not rows:
        return []
    columns = {
        "to_segment": ("segment after", ""),
        "from_segment": ("segment before", ""),
        "share": ("share of the segment before", ".0%"),
        "customers": ("customers", ",d"),
    }
    # one order for both: who stayed is on the diagonal
    names = sorted({row[end] for row in rows for end in ("from_segment", "to_segment")})
    moved = sum(r["customers"] for r in rows if r["from_segment"] != r["to_segment"])
    total = sum(r["customers"] for r in rows)
    return [
        Figure(
            "migrations",
            f"From segment to segment, {rows[0]['from_month_date'][:7]} to "
            f"{rows[0]['month_date'][:7]}",
            "Heat map: which share of each RFM segment (down) came to which segment "
            f"(across). {count(moved)} of {count(total)} customers changed.",
            heat_map(
                rows,
                *("to_segment", "from_segment", "share", columns),
                text="customers",
                order_across=names,
                order_down=names,
                slanted=True,
            ),
            "Numbers are customers. Each row sums to all customers of the segment "
            "before.",
            is_main=True,
        )
    ]


def _cohorts(tables: PublishedTables, source: str) -> list[Figure]:
    rows = tables.rows(
        "select strftime(cohort_month_date, '%Y-%m') as cohort, months_since,"
        " retention, active_customers, customers from customer_cohorts"
        " where source_system = ? and is_complete and months_since > 0"
        " and cohort_month_date >= ("
        "  select max(cohort_month_date) - to_months(?) from customer_cohorts"
        "  where source_system = ?)"
        " and months_since <= ? order by cohort, months_since",
        *(source, COHORTS, source, COHORTS),
    )
    if not rows:
        return []
    columns = {
        "months_since": ("months since the first purchase", ""),
        "cohort": ("month of the first purchase", ""),
        "retention": ("share who bought", ".0%"),
        "active_customers": ("bought", ",d"),
        "customers": ("customers of the cohort", ",d"),
    }
    first = [row for row in rows if row["months_since"] == 1]
    bought = sum(row["active_customers"] for row in first)
    share = bought / max(sum(row["customers"] for row in first), 1)
    return [
        Figure(
            "cohorts",
            "Who comes back, by month of the first purchase",
            "Heat map: share of each cohort (down) that bought again, by months since "
            f"the first purchase (across). {percent(share)} bought in the month after.",
            heat_map(rows, "months_since", "cohort", "retention", columns),
            "In the first months of a record, many customers only look new.",
            is_main=True,
        )
    ]


def _lifecycle(tables: PublishedTables, source: str) -> list[Figure]:
    rows: list[dict[str, Any]] = tables.rows(
        "select lifecycle_stage as stage, count(*) as customers,"
        " avg(return_probability) as probability from customer_lifecycle"
        " where source_system = ? group by all order by customers desc, stage",
        source,
    )
    if not rows:
        return []
    columns = {
        "stage": ("stage", ""),
        "customers": ("customers", ",d"),
        "probability": ("mean probability of return", ".0%"),
    }
    return [
        Figure(
            "lifecycle",
            "Where customers stand, by their own rhythm",
            f"Bars: customers by stage. The largest is {rows[0]['stage']} with "
            f"{count(rows[0]['customers'])}.",
            bars(rows, "stage", "customers", columns),
        )
    ]
