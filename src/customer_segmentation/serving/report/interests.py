"""What customers buy and may want: categories, interests, products bought together.

Each part is there if its table is in the published file.
"""

from customer_segmentation.serving.report.charts import bars
from customer_segmentation.serving.report.contents import Figure, Grid, Section
from customer_segmentation.serving.report.published import PublishedTables
from customer_segmentation.serving.report.words import count, decimals

__all__ = ["interests_section"]

SHOWN = 15


def interests_section(tables: PublishedTables, source: str) -> Section | None:
    """Return the parts whose tables are there; none if the file has none of them."""
    parts: list[Figure | Grid] = []
    if tables.has("product_categories"):
        parts += _counted(
            tables,
            "select category_name as name, count(*) as n from product_categories"
            " where source_system = ? group by all order by n desc, name",
            source,
            ("categories", "Products by category", "category", "products"),
        )
    if tables.has("customer_interests"):
        parts += _counted(
            tables,
            "select category_name as name, count(*) as n from customer_interests"
            " where source_system = ? and interest_rank = 1"
            " group by all order by n desc, name",
            source,
            ("interests", "What customers will want next", "category", "customers"),
        )
    if tables.has("product_affinities"):
        parts += _affinities(tables, source)
    if not parts:
        return None
    return Section("interests", "Products, interests and baskets", parts=parts)


def _counted(
    tables: PublishedTables, query: str, source: str, words: tuple[str, str, str, str]
) -> list[Figure]:
    rows = tables.rows(query, source)
    if not rows:
        return []
    name, title, what, counted = words
    columns = {"name": (what, ""), "n": (counted, ",d")}
    return [
        Figure(
            name,
            title,
            f"Bars: {counted} by {what}. The first is {rows[0]['name']} with "
            f"{count(rows[0]['n'])}.",
            bars(rows[:SHOWN], "name", "n", columns),
            f"The first {SHOWN} of {len(rows)}." if len(rows) > SHOWN else "",
        )
    ]


def _affinities(tables: PublishedTables, source: str) -> list[Grid]:
    rows = tables.rows(
        "select entity_name, other_entity_name, baskets_together, expected_baskets,"
        " lift from product_affinities where source_system = ?"
        " and segmentation = 'all' and entity = 'product'"
        # a pair may be among the first of one of its products only
        " qualify row_number() over (partition by least(entity_key, other_entity_key),"
        " greatest(entity_key, other_entity_key) order by entity_key) = 1"
        " order by p_value, baskets_together desc, entity_key, other_entity_key"
        " limit ?",
        *(source, SHOWN),
    )
    if not rows:
        return []
    return [
        Grid(
            "Bought together more often than by chance",
            ["product", "other product", "baskets", "expected by chance", "lift"],
            [
                [
                    row["entity_name"] or "",
                    row["other_entity_name"] or "",
                    count(row["baskets_together"]),
                    decimals(row["expected_baskets"], 1),
                    decimals(row["lift"], 1),
                ]
                for row in rows
            ],
        )
    ]
