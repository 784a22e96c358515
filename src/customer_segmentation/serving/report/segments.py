"""The segments of a segmentation: sizes, revenue, profiles, rules, likeness."""

from itertools import pairwise
from typing import Any

import numpy as np
from scipy.cluster.hierarchy import dendrogram as tree_of
from scipy.cluster.hierarchy import linkage

from customer_segmentation.serving.report.charts import bars, heat_map
from customer_segmentation.serving.report.contents import Figure, Grid, Section
from customer_segmentation.serving.report.maps import dendrogram
from customer_segmentation.serving.report.published import PublishedTables
from customer_segmentation.serving.report.words import count, decimals, money, percent

__all__ = ["profiles_section", "segment_names", "segments_section"]

FEATURES = 14
RULES_PER_SEGMENT = 3


def segment_names(tables: PublishedTables, segmentation: str) -> dict[int, str]:
    """Return the name of each segment, with its id where two have one name."""
    rows = tables.rows(
        "select segment_id, segment_name from segments where segmentation = ?"
        " order by segment_id",
        segmentation,
    )
    names = [row["segment_name"] for row in rows]
    return {
        row["segment_id"]: row["segment_name"]
        if names.count(row["segment_name"]) == 1
        else f"{row['segment_name']} ({row['segment_id']})"
        for row in rows
    }


def segments_section(tables: PublishedTables, segmentation: str) -> Section:
    """Return how large the segments are, what they are worth, and the rules."""
    names = segment_names(tables, segmentation)
    rows = [
        row | {"segment": names[row["segment_id"]]}
        for row in tables.rows(
            "select segment_id, customers, share, revenue, revenue_share from segments"
            " where segmentation = ? order by segment_id",
            segmentation,
        )
    ]
    title = "Segments: size, revenue and rules"
    if not rows:
        return Section("segments", title, ["There are no segments."])
    has_revenue = any(row["revenue"] is not None for row in rows)
    columns = {
        "segment": ("segment", ""),
        "customers": ("customers", ",d"),
        "share": ("share of customers", ".0%"),
    }
    if has_revenue:
        columns |= {
            "revenue": ("revenue", ",.0f"),
            "revenue_share": ("share of revenue", ".0%"),
        }
    largest = max(rows, key=lambda row: row["customers"])
    parts: list[Figure | Grid] = [
        Figure(
            "sizes",
            "Customers of each segment",
            f"Bars: customers by segment. The largest is {largest['segment']} with "
            f"{count(largest['customers'])}.",
            bars(rows, "segment", "customers", columns),
        )
    ]
    sentences = []
    if len(rows) == 1:
        sentences.append(
            "There is one segment: all customers are in it, and nothing tells them "
            "apart."
        )
    if has_revenue:
        best = max(rows, key=lambda row: row["revenue"] or 0)
        parts.append(
            Figure(
                "revenue",
                "Share of the revenue",
                f"Bars: share of revenue by segment. {best['segment']} brings "
                f"{percent(best['revenue_share'])}.",
                bars(rows, "segment", "revenue_share", columns),
                "Of the customers in a segment.",
            )
        )
    else:
        sentences.append("There are no amounts, so the revenue is not known.")
    parts.append(
        Grid(
            "Segments",
            [
                *("segment", "customers", "share"),
                *(("revenue", "share of revenue") if has_revenue else ()),
            ],
            [
                [
                    *(row["segment"], count(row["customers"]), percent(row["share"])),
                    *(
                        (money(row["revenue"]), percent(row["revenue_share"]))
                        if has_revenue
                        else ()
                    ),
                ]
                for row in rows
            ],
        )
    )
    if tables.has("segment_rules"):
        parts += _rules(tables, segmentation, names)
    return Section("segments", title, sentences, parts=parts)


def profiles_section(tables: PublishedTables, segmentation: str) -> Section:
    """Return how the segments differ from all customers, and who is like whom."""
    names = segment_names(tables, segmentation)
    rows = [
        row | {"segment": names.get(row["segment_id"], f"{row['segment_id']}")}
        for row in tables.rows(
            "select segment_id, feature, is_declared, mean, population_mean, lift,"
            " difference from segment_profiles where segmentation = ?"
            " and difference is not null order by segment_id, importance_rank, feature",
            segmentation,
        )
    ]
    title = "What makes the segments different"
    if len(names) < 2 or not rows:
        return Section(
            "profiles", title, ["With one segment there is nothing to compare."]
        )
    declared = _ranked([row for row in rows if row["is_declared"]])
    others = _ranked([row for row in rows if not row["is_declared"]])
    features = [*declared, *others][:FEATURES]
    parts: list[Figure | Grid] = [_differences(rows, features, list(names.values()))]
    if tree := _likeness(rows, declared):
        parts.append(tree)
    return Section(
        "profiles",
        title,
        [
            "Blue is below all customers, orange above. Differences count in standard "
            "deviations; hover for means and lift."
        ],
        parts=parts,
    )


def _ranked(rows: list[dict[str, Any]]) -> list[str]:
    """Return features by their largest difference."""
    largest: dict[str, float] = {}
    for row in rows:
        feature = row["feature"]
        largest[feature] = max(largest.get(feature, 0), abs(row["difference"]))
    return sorted(largest, key=lambda feature: (-largest[feature], feature))


def _differences(
    rows: list[dict[str, Any]], features: list[str], segments: list[str]
) -> Figure:
    shown = [row for row in rows if row["feature"] in features]
    far = max(shown, key=lambda row: abs(row["difference"]))
    columns = {
        "segment": ("segment", ""),
        "feature": ("feature", ""),
        "difference": ("difference (sd)", "+.1f"),
        "mean": ("mean", ",.2f"),
        "population_mean": ("mean of all", ",.2f"),
        "lift": ("lift", ",.2f"),
    }
    return Figure(
        "profiles",
        "Profiles of the segments",
        "Heat map: difference of each segment from all customers, by feature. The "
        f"largest is {far['feature']} of {far['segment']}: "
        f"{far['difference']:+.1f} standard deviations.",
        heat_map(
            shown,
            *("segment", "feature", "difference", columns),
            text="difference",
            order_across=segments,
            order_down=features,
            middle=0,
            slanted=True,
        ),
        f"The {len(features)} features that differ most; those that the customers "
        "were compared by come first.",
        is_main=True,
    )


def _likeness(rows: list[dict[str, Any]], declared: list[str]) -> Figure | None:
    """Return the dendrogram of the segments, in the features they were made of."""
    values: dict[str, dict[str, float]] = {}
    for row in rows:
        values.setdefault(row["segment"], {})[row["feature"]] = row["difference"]
    if len(values) < 3 or not declared:
        return None
    names = list(values)
    places = np.array(
        [[values[name].get(feature, 0.0) for feature in declared] for name in names]
    )
    tree = tree_of(linkage(places, "ward"), no_plot=True, labels=names)
    lines = []
    for xs, ys in zip(tree["dcoord"], tree["icoord"], strict=True):
        corners = [(float(x), (float(y) - 5) / 10) for x, y in zip(xs, ys, strict=True)]
        lines += [
            {"x": one[0], "y": one[1], "x2": other[0], "y2": other[1]}
            for one, other in pairwise(corners)
        ]
    return Figure(
        "dendrogram",
        "Which segments are alike",
        "Dendrogram of the segments. Those that join further left are more alike: "
        f"{'; '.join(tree['ivl'])}.",
        dendrogram(lines, tree["ivl"]),
        "Ward linkage of the mean differences in the declared features.",
    )


def _rules(
    tables: PublishedTables, segmentation: str, names: dict[int, str]
) -> list[Grid]:
    rows = tables.rows(
        "select segment_id, rule, customers, precision, coverage, fidelity"
        " from segment_rules where segmentation = ?"
        " qualify row_number() over (partition by segment_id order by rule_number) <= ?"
        " order by segment_id, rule_number",
        *(segmentation, RULES_PER_SEGMENT),
    )
    if not rows:
        return []
    fidelity = rows[0].get("fidelity")
    return [
        Grid(
            "Rules that say who is in a segment"
            + (f" (they are right for {percent(fidelity)})" if fidelity else ""),
            ["segment", "rule", "customers", "precision", "coverage"],
            [
                [
                    names.get(row["segment_id"], decimals(row["segment_id"], 0)),
                    row["rule"],
                    count(row["customers"]),
                    percent(row["precision"]),
                    percent(row["coverage"]),
                ]
                for row in rows
            ],
        )
    ]
