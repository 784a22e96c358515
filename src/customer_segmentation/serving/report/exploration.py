"""What customers do on the whole: months, concentration, and who leads."""

from typing import Any

from customer_segmentation.serving.report.charts import bars
from customer_segmentation.serving.report.contents import Figure, Section
from customer_segmentation.serving.report.curves import line_chart, months
from customer_segmentation.serving.report.published import PublishedTables
from customer_segmentation.serving.report.words import count, money, percent

__all__ = ["exploration_section"]

# of customers sorted by what they spent; cut in SQL, so that a million are 100 rows
CONCENTRATION = """
    with spent as (
        select lifetime_spent as spent,
            row_number() over (order by lifetime_spent desc, customer_key) as place,
            count(*) over () as customers, sum(lifetime_spent) over () as total,
            sum(lifetime_spent) over (order by lifetime_spent desc, customer_key) as sum
        from customers where source_system = ? and lifetime_spent > 0
    )
    select ceil(100.0 * place / customers)::int as top_percent,
        max(sum) / any_value(total) as revenue_share, any_value(customers) as customers
    from spent group by 1 order by 1
"""
MONTHS = """
    select date_trunc('month', completed_at)::date as month, count(*) as purchases,
        sum(amount) as revenue,
        date_trunc('month', completed_at) = date_trunc('month', last_event_at)
            or date_trunc('month', completed_at) = date_trunc('month', first_event_at)
            as is_partial
    from transactions join source_systems using (source_system)
    where source_system = ? and is_completed and completed_at < as_of_date
    group by all order by month
"""
PLACES = 10


def exploration_section(tables: PublishedTables, source: str) -> Section | None:
    """Return sales by month, and how the revenue is concentrated."""
    [system] = tables.rows(
        "select has_transactions, has_amounts from source_systems"
        " where source_system = ?",
        source,
    )
    if not system["has_transactions"]:
        return None
    by_month = tables.rows(MONTHS, source)
    parts, sentences = [], []
    if by_month:
        value = "revenue" if system["has_amounts"] else "purchases"
        parts.append(_months(by_month, value))
    if system["has_amounts"]:
        spent = tables.rows(CONCENTRATION, source)
        if len(spent) > 1:
            parts.append(_concentration(spent))
            top = next(row for row in spent if row["top_percent"] >= 20)
            sentences.append(
                f"The top 20 % of the customers bring "
                f"{percent(top['revenue_share'])} of the revenue."
            )
    parts += _leaders(tables, source)
    return Section("exploration", "Sales and their concentration", sentences, "", parts)


def _months(rows: list[dict[str, Any]], value: str) -> Figure:
    columns = {
        "month": ("month", ""),
        "purchases": ("purchases", ",d"),
        "revenue": ("revenue of purchases", ",.0f"),
    }
    if value == "purchases":
        del columns["revenue"]
    best = max(rows, key=lambda row: (row[value] or 0, row["month"]))
    peak = money(best[value]) if value == "revenue" else count(best[value])
    return Figure(
        "months",
        f"{value.capitalize()} by month",
        f"Columns: {value} of each month from {rows[0]['month'][:7]} to "
        f"{rows[-1]['month'][:7]}. The highest is {best['month'][:7]} with {peak}.",
        months(rows, value, columns),
        "Pale months may be on record in part. Returns are not deducted.",
        is_main=True,
    )


def _concentration(rows: list[dict[str, Any]]) -> Figure:
    first = {"top_percent": 0, "revenue_share": 0.0}
    shown = [
        row | {"series": "customers"}
        for row in (first, *rows)
        if row["top_percent"] % 5 == 0
    ]
    columns = {
        "top_percent": ("top % of customers", ",d"),
        "revenue_share": ("share of revenue", ".0%"),
    }
    spec = line_chart(
        shown, "top_percent", "revenue_share", "series", columns | {"series": ("", "")}
    )
    return Figure(
        "concentration",
        "How few customers bring how much",
        "Line: the share of the revenue that the top customers bring, from the top 5 % "
        f"({percent(shown[1]['revenue_share'])}) to all.",
        spec,
        f"{count(rows[0]['customers'])} customers who spent more than they returned.",
    )


def _leaders(tables: PublishedTables, source: str) -> list[Figure]:
    """Return the leading products, cities and countries, if the file has them."""
    if not tables.has("top_entities"):
        return []
    figures = []
    for entity in ("product", "country", "city", "merchant"):
        rows = tables.rows(
            "select coalesce(entity_name, entity_key) as name, entity_rank,"
            " coalesce(revenue_share, purchase_share) as share, purchases,"
            " revenue from top_entities where source_system = ? and entity = ?"
            " and entity_rank <= ? order by entity_rank",
            *(source, entity, PLACES),
        )
        if len(rows) < 2:
            continue
        what = "purchases" if rows[0]["revenue"] is None else "revenue"
        shown = [row | {"name": f"{row['entity_rank']}. {row['name']}"} for row in rows]
        columns = {
            "name": (entity, ""),
            "share": (f"share of {what}", ".1%"),
            "purchases": ("purchases", ",d"),
        }
        figures.append(
            Figure(
                f"top-{entity}",
                f"What leads: {entity}",
                f"Bars: the {len(rows)} leading names by share of {what}; the first is "
                f"{rows[0]['name']} with {percent(rows[0]['share'])}.",
                bars(shown, "name", "share", columns),
            )
        )
    return figures
