"""Curves, and columns over time."""

from typing import Any

import altair as alt

from customer_segmentation.serving.report.chart_parts import (
    Columns,
    Rows,
    finished,
    inline,
    tooltips,
)
from customer_segmentation.serving.report.style import BLUE, GREY, ORANGE, scale_of

__all__ = [
    "calibration",
    "line_chart",
    "months",
]


def line_chart(
    rows: Rows,
    across: str,
    value: str,
    series: str,
    columns: Columns,
    *,
    marked: float | None = None,
    zero: bool = False,
) -> dict[str, Any]:
    """Return lines with points, one for each series; a rule marks one place across."""
    names = list(dict.fromkeys(str(row[series]) for row in rows))
    title, form = columns[value]
    place = alt.X(
        across,
        type="ordinal",
        axis=alt.Axis(
            title=columns[across][0], labelAngle=0, grid=False, labelOverlap=True
        ),
    )
    base = alt.Chart(inline(rows, list(columns)))
    drawn = base.mark_line(point=alt.OverlayMarkDef(size=60), strokeWidth=2).encode(
        x=place,
        y=alt.Y(
            value,
            type="quantitative",
            axis=alt.Axis(title=title, format=form, tickCount=5),
            scale=alt.Scale(zero=zero),
        ),
        color=alt.Color(
            series,
            type="nominal",
            scale=alt.Scale(**scale_of(names)),
            legend=alt.Legend(title=None, columns=2) if len(names) > 1 else None,
        ),
        shape=alt.Shape(series, type="nominal", legend=None),
        tooltip=tooltips(columns),
    )
    if marked is None:
        return finished(drawn)
    rule = (
        alt.Chart(alt.InlineData([{across: marked}]))
        .mark_rule(color=GREY, strokeDash=[5, 4], strokeWidth=2)
        .encode(x=place)
    )
    return finished(alt.layer(rule, drawn))


def months(rows: Rows, value: str, columns: Columns) -> dict[str, Any]:
    """Return a column for each month; months on record in part are pale."""
    title, form = columns[value]
    chart = (
        alt.Chart(inline(rows, [*columns, "is_partial"]))
        .mark_bar(color=BLUE)
        .encode(
            x=alt.X(
                "month",
                type="temporal",
                timeUnit="utcyearmonth",
                axis=alt.Axis(title=None, grid=False, format="%b %Y", labelAngle=-40),
            ),
            y=alt.Y(
                value,
                type="quantitative",
                axis=alt.Axis(title=title, format=form, tickCount=5),
            ),
            opacity=alt.condition("datum.is_partial", alt.value(0.45), alt.value(1.0)),
            tooltip=tooltips(columns),
        )
    )
    return finished(chart, 220)


def calibration(rows: Rows, columns: Columns) -> dict[str, Any]:
    """Return what was predicted beside what came, by decile of the prediction."""
    base = alt.Chart(inline(rows, list(columns))).encode(
        x=alt.X(
            "decile",
            type="ordinal",
            axis=alt.Axis(title=columns["decile"][0], labelAngle=0, grid=False),
        ),
        tooltip=tooltips(columns),
    )
    value, form = columns["value"]
    drawn = base.mark_line(point=alt.OverlayMarkDef(size=60), strokeWidth=2).encode(
        y=alt.Y(
            "value",
            type="quantitative",
            axis=alt.Axis(title=value, format=form, tickCount=5),
            # the tenth decile would press the others to the ground
            scale=alt.Scale(type="sqrt"),
        ),
        color=alt.Color(
            "what",
            type="nominal",
            scale=alt.Scale(
                domain=["actual", "predicted", "baseline"], range=[ORANGE, BLUE, GREY]
            ),
            legend=alt.Legend(title=None, direction="horizontal"),
        ),
        shape=alt.Shape("what", type="nominal", legend=None),
    )
    return finished(drawn)
