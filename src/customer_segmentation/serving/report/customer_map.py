"""The map of the customers: their first two principal components."""

from customer_segmentation.serving.report.choice import NO_STRUCTURE, choice_of
from customer_segmentation.serving.report.contents import Figure, Section
from customer_segmentation.serving.report.maps import scatter
from customer_segmentation.serving.report.published import PublishedTables
from customer_segmentation.serving.report.segments import segment_names
from customer_segmentation.serving.report.words import count

__all__ = ["map_section"]

POINTS = 1500
# a sample that the order of the rows does not change; all features of a hover
SAMPLED = """
    select customer_clusters.customer_key as customer, segment_id, pca_x, pca_y,
        confidence, recency_days, frequency, monetary, age, annual_income,
        spending_score
    from (
        select * from customer_clusters
        where segmentation = ? and pca_x is not null and segment_id is not null
        order by md5(customer_key), customer_key limit ?
    ) as customer_clusters
    left join customer_features using (customer_key)
    order by segment_id, customer
"""
HOVER = {
    "confidence": ("confidence", ".2f"),
    "recency_days": ("recency (days)", ",d"),
    "frequency": ("frequency", ",d"),
    "monetary": ("money", ",.0f"),
    "age": ("age", ",d"),
    "annual_income": ("annual income", ",.0f"),
    "spending_score": ("spending score", ",d"),
}


def _rounded(confidence: float | None) -> float | None:
    """Return a confidence as a hover shows it; a fit without refits has none."""
    return None if confidence is None else round(confidence, 2)


def map_section(tables: PublishedTables, segmentation: str) -> Section | None:
    """Return the map, with at most ``POINTS`` customers."""
    [known] = tables.rows(
        "select count(*) as customers from customer_clusters"
        " where segmentation = ? and pca_x is not null and segment_id is not null",
        segmentation,
    )
    if not known["customers"]:
        return None
    names = segment_names(tables, segmentation)
    rows = [
        row
        | {
            "x": round(row["pca_x"], 3),
            "y": round(row["pca_y"] or 0.0, 3),
            "confidence": _rounded(row["confidence"]),
            "segment": names.get(row["segment_id"], f"{row['segment_id']}"),
        }
        for row in tables.rows(SAMPLED, segmentation, POINTS)
    ]
    columns = {
        "customer": ("customer", ""),
        "segment": ("segment", ""),
    } | {
        field: column
        for field, column in HOVER.items()
        if any(row[field] is not None for row in rows)
    }
    choice = choice_of(tables, segmentation)
    drawn = [name for name in names.values() if any(r["segment"] == name for r in rows)]
    note = (
        f"A random sample of {count(len(rows))} of {count(known['customers'])} "
        "customers. "
        if len(rows) < known["customers"]
        else f"All {count(len(rows))} customers. "
    )
    figure = Figure(
        "map",
        "Map of the customers",
        f"Scatter plot of {count(len(rows))} customers by the first two principal "
        f"components, in the colours of {len(drawn)} segments.",
        scatter(rows, drawn, columns),
        note + "Customers near each other are alike in the declared features. Hover "
        "for a customer; click a name to show its segment.",
        is_main=True,
    )
    warning = NO_STRUCTURE if choice.get("verdict") == "none" else ""
    return Section("map", "Map of the customers", (), warning, [figure])
