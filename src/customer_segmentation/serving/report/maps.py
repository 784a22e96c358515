"""The map of the customers, and the tree of their segments."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from customer_segmentation.serving.report.chart_parts import (
    Columns,
    Rows,
    centred,
    finished,
    inline,
    tooltips,
)
from customer_segmentation.serving.report.style import BLUE, scale_of

__all__ = [
    "dendrogram",
    "scatter",
]


def scatter(rows: Rows, names: list[str], columns: Columns) -> dict[str, Any]:
    """Return points ``x``, ``y`` in the colours and shapes of their segments.

    A click on the legend, or the parameter ``chosen`` of the page, shows one segment.
    """
    picked = alt.selection_point(fields=["segment"], bind="legend", name="picked")
    chosen = alt.param(name="chosen", value="")
    shown = "(chosen === '' || datum.segment === chosen)"
    shape = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"]
    plain = alt.Axis(labels=False, ticks=False, grid=False, domainColor="#e4e7eb")
    chart = (
        alt.Chart(inline(rows, ["x", "y", *columns]))
        .mark_point(filled=True, size=26, aria=False)
        .encode(
            x=alt.X(
                "x",
                type="quantitative",
                axis=plain,
                title="first principal component",
                scale=alt.Scale(zero=False, nice=False),
            ),
            y=alt.Y(
                "y",
                type="quantitative",
                axis=plain,
                title="second principal component",
                scale=alt.Scale(zero=False, nice=False),
            ),
            color=alt.Color(
                "segment",
                type="nominal",
                scale=alt.Scale(**scale_of(names)),
                legend=alt.Legend(title=None, columns=1, symbolSize=90),
            ),
            shape=alt.Shape(
                "segment",
                type="nominal",
                scale=alt.Scale(
                    domain=names,
                    range=[shape[i % len(shape)] for i in range(len(names))],
                ),
            ),
            opacity=alt.condition(picked, alt.value(0.75), alt.value(0.06)),
            tooltip=tooltips(columns),
        )
        .transform_filter(shown)
        .add_params(picked, chosen)
    )
    return finished(chart, 420)


def dendrogram(lines: Rows, leaves: Sequence[str]) -> dict[str, Any]:
    """Return a tree of segments: the shorter the way between two, the more alike."""
    listed = [str(place) for place, name in enumerate(leaves) if ", " in name]
    height = 46 * max(len(leaves), 2)
    spoken = " : ".join(
        f"datum.value == {place} ? split(leaves[{place}], ', ')"
        for place in range(len(leaves))
    )
    chart = (
        alt.Chart(inline(lines, ["x", "y", "x2", "y2"]))
        .mark_rule(color=BLUE, strokeWidth=2)
        .encode(
            x=alt.X(
                "x",
                type="quantitative",
                axis=alt.Axis(title="distance (Ward)", tickCount=4),
            ),
            x2="x2",
            y=alt.Y(
                "y",
                type="quantitative",
                scale=alt.Scale(domain=[-0.5, len(leaves) - 0.5], reverse=True),
                axis=alt.Axis(
                    title=None,
                    values=list(range(len(leaves))),
                    labelBaseline=centred(
                        f"indexof([{','.join(listed)}], datum.value) >= 0"
                    ),
                    labelExpr=f"{spoken} : ''",
                    grid=False,
                    ticks=False,
                    domain=False,
                ),
            ),
            y2="y2",
        )
        .add_params(alt.param(name="leaves", value=list(leaves)))
    )
    return finished(chart, height)
