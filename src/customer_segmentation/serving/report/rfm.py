"""RFM: how recently and how often customers buy, and the named segments."""

from typing import Any

from customer_segmentation.serving.report.charts import bars, heat_map
from customer_segmentation.serving.report.contents import Figure, Grid, Section
from customer_segmentation.serving.report.published import PublishedTables
from customer_segmentation.serving.report.segment_map import segment_map
from customer_segmentation.serving.report.words import count, listed, money, percent

__all__ = ["cells_of", "customers_section", "rfm_section"]

SCORES = [1, 2, 3, 4, 5]
# one row per combination that exists, however many customers there are
CELLS = """
    select segmentation, customer_segments.segment_id as id,
        coalesce(segment_name, 'Not segmented') as segment,
        coalesce(customer_rfm.rfm_segment, 'Not scored') as rfm,
        recency_score as recency, frequency_score as frequency,
        count(*) as customers, sum(customer_rfm.frequency)::bigint as purchases,
        sum(monetary) as revenue
    from customers
    left join customer_rfm using (customer_key)
    left join customer_segments using (customer_key)
    where customers.source_system = ?
    group by all order by all
"""
CELLS_WITHOUT_SEGMENTS = CELLS.replace(
    "left join customer_segments using (customer_key)",
    "cross join (select null as segmentation, null as segment_id,"
    " null as segment_name) as customer_segments",
)


def cells_of(tables: PublishedTables, source: str) -> list[dict[str, Any]]:
    """Return customers, purchases and revenue by segment and scores."""
    has_segments = "customer_segments" in tables.tables
    return tables.rows(CELLS if has_segments else CELLS_WITHOUT_SEGMENTS, source)


def one_division(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the cells of one segmentation, in which every customer counts once."""
    return [cell for cell in cells if cell["segmentation"] == cells[0]["segmentation"]]


def customers_section(cells: list[dict[str, Any]]) -> Section:
    """Return the numbers that the filters change, and the heat map that they change."""
    scored = _by_scores(one_division(cells))
    parts = []
    if scored:
        parts = [_heat_map(scored, "customers", ",d", "heat-map", data_name="cells")]
    return Section(
        "customers",
        "The customers in numbers",
        ["Choose a segment of the segmentation, an RFM segment, or both."],
        parts=parts,
        has_filter=True,
    )


def rfm_section(tables: PublishedTables, cells: list[dict[str, Any]]) -> Section | None:
    """Return the scores, and customers and revenue of each named segment."""
    cells = one_division(cells)
    scored = _by_scores(cells)
    if not scored:
        return None
    named = _by_segment(cells)
    described = {
        row["rfm_segment"]: row
        for row in tables.rows(
            "select rfm_segment, any_value(description) as description"
            " from rfm_segments group by all"
        )
    }
    total = sum(row["customers"] for row in named)
    has_money = any(row["revenue"] is not None for row in scored)
    parts: list[Figure | Grid] = [_segment_map(tables, named)]
    if has_money:
        parts.append(_heat_map(scored, "revenue", ",.3s", "revenue-map"))
    columns = {
        "rfm": ("RFM segment", ""),
        "customers": ("customers", ",d"),
        "revenue": ("revenue", ",.0f"),
    }
    if has_money:
        parts.append(
            Figure(
                "rfm-revenue",
                "Revenue of the RFM segments",
                f"Bars: revenue by RFM segment; {named[0]['rfm']} brings "
                f"{money(named[0]['revenue'])}.",
                bars(named, "rfm", "revenue", columns),
            )
        )
    parts.append(
        Grid(
            "RFM segments",
            ["segment", "who they are", "customers", "share", "revenue"],
            [
                [
                    row["rfm"],
                    described.get(row["rfm"], {}).get("description") or "",
                    count(row["customers"]),
                    percent(row["customers"] / total),
                    money(row["revenue"]),
                ]
                for row in named
            ],
        )
    )
    sentences = [
        "Score 5 is the most recent, or the most frequent, fifth of the customers; "
        "equal customers have equal scores."
    ]
    for measure in ("recency", "frequency"):
        nobody = set(SCORES) - {row[measure] for row in scored}
        if nobody:
            sentences.append(
                f"Nobody has the {measure} score "
                f"{listed(map(str, sorted(nobody)))}: more than a fifth of the "
                "customers are equal, and share one score."
            )
    if not has_money:
        sentences.append("There are no amounts, so there is no monetary score.")
    return Section("rfm", "RFM segments", sentences, parts=parts)


def _heat_map(
    rows: list[dict[str, Any]], value: str, form: str, name: str, data_name: Any = None
) -> Figure:
    best = max(rows, key=lambda row: row[value] or 0)
    columns = {
        "frequency": ("frequency score", ""),
        "recency": ("recency score", ""),
        "customers": ("customers", ",d"),
        "revenue": ("revenue", form if value == "revenue" else ",.0f"),
    }
    return Figure(
        name,
        f"{value.capitalize()} by recency and frequency score",
        f"Heat map of {value} by recency score (down, 5 is the most recent) and "
        f"frequency score (across). Most are at recency {best['recency']} and "
        f"frequency {best['frequency']}: {count(best[value])}.",
        heat_map(
            rows,
            *("frequency", "recency", value, columns),
            text=value,
            order_across=SCORES,
            order_down=SCORES[::-1],
            data_name=data_name,
        ),
        is_main=True,
    )


def _segment_map(tables: PublishedTables, named: list[dict[str, Any]]) -> Figure:
    """Return the grid of the scores, with the names of its segments."""
    places = tables.rows(
        "select rfm_segment as rfm, recency_score_from as r1, recency_score_to as r2,"
        " frequency_score_from as f1, frequency_score_to as f2 from rfm_segments"
        " where recency_score_from > 0 order by all"
    )
    customers = {row["rfm"]: row for row in named}
    shown = [
        place
        | {
            "customers": customers.get(place["rfm"], {}).get("customers", 0),
            "revenue": customers.get(place["rfm"], {}).get("revenue"),
        }
        for place in places
    ]
    largest = max(named, key=lambda row: row["customers"])
    return Figure(
        "segment-map",
        "Where the RFM segments are",
        "Map of the named segments over recency score (up) and frequency score "
        f"(right); darker ones have more customers. The largest is {largest['rfm']} "
        f"with {count(largest['customers'])} customers.",
        segment_map(shown),
        is_main=True,
    )


def _by_scores(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    scored = [cell for cell in cells if cell["recency"]]
    return _summed(scored, ("recency", "frequency"))


def _by_segment(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = _summed(cells, ("rfm",))
    return sorted(
        rows, key=lambda row: (-(row["revenue"] or 0), -row["customers"], row["rfm"])
    )


def _summed(cells: list[dict[str, Any]], keys: tuple[str, ...]) -> list[dict[str, Any]]:
    sums: dict[tuple[Any, ...], dict[str, Any]] = {}
    for cell in cells:
        place = tuple(cell[key] for key in keys)
        row = sums.setdefault(
            place,
            dict(zip(keys, place, strict=True)) | {"customers": 0, "revenue": None},
        )
        row["customers"] += cell["customers"]
        if cell["revenue"] is not None:
            row["revenue"] = (row["revenue"] or 0) + cell["revenue"]
    return [sums[place] for place in sorted(sums)]
