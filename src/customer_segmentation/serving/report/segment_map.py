"""The map of RFM segments: rectangles over the scores, with their names."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from customer_segmentation.serving.report.style import BARE, CONFIG, SMALL

__all__ = ["segment_map"]


def segment_map(places: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the map.

    Parameters
    ----------
    places : sequence of mapping
        A rectangle: ``rfm``, its scores from ``r1`` to ``r2`` and from ``f1`` to
        ``f2``, and its ``customers`` and ``revenue``.
    """
    rows = [
        {
            **{field: place[field] for field in ("rfm", "customers", "revenue")},
            "left": place["f1"] - 0.5,
            "right": place["f2"] + 0.5,
            "low": place["r1"] - 0.5,
            "high": place["r2"] + 0.5,
            "x": (place["f1"] + place["f2"]) / 2,
            "y": (place["r1"] + place["r2"]) / 2,
            "words": place["rfm"].split(" "),
        }
        for place in places
    ]
    scores = alt.Scale(domain=[0.5, 5.5], nice=False)
    axis: dict[str, Any] = BARE | {"values": [1, 2, 3, 4, 5], "format": "d"}
    base = alt.Chart(alt.InlineData(rows)).encode(
        tooltip=[
            alt.Tooltip("rfm", type="nominal", title="RFM segment"),
            alt.Tooltip(
                "customers", type="quantitative", title="customers", format=",d"
            ),
            alt.Tooltip("revenue", type="quantitative", title="revenue", format=",.0f"),
        ]
    )
    drawn = base.mark_rect(stroke="white", strokeWidth=3).encode(
        x=alt.X(
            "left",
            type="quantitative",
            scale=scores,
            axis=alt.Axis(title="frequency score", **axis),
        ),
        x2="right",
        y=alt.Y(
            "low",
            type="quantitative",
            scale=scores,
            axis=alt.Axis(title="recency score", **axis),
        ),
        y2="high",
        color=alt.Color(
            "customers",
            type="quantitative",
            scale=alt.Scale(scheme="viridis", reverse=True, zero=True),
            legend=alt.Legend(format=",d", direction="horizontal", gradientLength=160),
        ),
    )
    text = base.mark_text(
        fontSize=alt.ExprRef(SMALL), lineHeight=12, baseline="middle"
    ).encode(
        x=alt.X("x", type="quantitative", scale=scores),
        y=alt.Y("y", type="quantitative", scale=scores),
        text=alt.Text("words", type="nominal"),
        color=alt.condition(
            "luminance(scale('color', datum.customers)) < 0.22",
            alt.value("white"),
            alt.value("#22272e"),
        ),
    )
    spec: dict[str, Any] = (
        alt.layer(drawn, text).properties(width="container", height=320).to_dict()
    )
    spec["config"] = CONFIG
    return spec
