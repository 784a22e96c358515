"""The kinds of charts, as Vega-Lite specifications as wide as the page."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from customer_segmentation.serving.report.style import (
    BLUE,
    CONFIG,
    GREY,
    ORANGE,
    SMALL,
    scale_of,
)

__all__ = [
    "Columns",
    "bars",
    "calibration",
    "dendrogram",
    "heat_map",
    "line_chart",
    "months",
    "scatter",
]

Rows = Sequence[Mapping[str, Any]]
# the field of a chart, and its title; a third word is the format of the numbers
Columns = Mapping[str, tuple[str, str]]
STEP, HEIGHT = 30, 280


def _data(rows: Rows, fields: Sequence[str], name: str | None = None) -> alt.InlineData:
    values = [{field: row.get(field) for field in fields} for row in rows]
    return alt.InlineData(values, name=name) if name else alt.InlineData(values)


def _tooltips(columns: Columns) -> list[alt.Tooltip]:
    return [
        alt.Tooltip(field, type="quantitative", title=title, format=form)
        if form
        else alt.Tooltip(field, type="nominal", title=title)
        for field, (title, form) in columns.items()
    ]


def _finished(chart: Any, height: int = HEIGHT) -> dict[str, Any]:
    spec: dict[str, Any] = chart.properties(width="container", height=height).to_dict()
    spec["config"] = CONFIG
    return spec


def _height(rows: Rows, down: str) -> int:
    """Return the height of one line for each name."""
    return STEP * max(len({row[down] for row in rows}), 1)


def _domain(order: Sequence[Any] | None) -> alt.Scale:
    """Return a scale that shows all names, also those without a row."""
    return alt.Scale() if order is None else alt.Scale(domain=list(order))


def _names(
    field: str, title: str | None = None, order: Sequence[Any] | None = None
) -> alt.Y:
    # names of segments are lists: one line for each item
    axis = alt.Axis(
        title=title,
        **{"grid": False, "ticks": False, "domain": False, "labelPadding": 6},
        labelExpr="split(datum.label, ', ')",
    )
    sort = None if order is None else list(order)
    return alt.Y(field, type="nominal", sort=sort, scale=_domain(order), axis=axis)


def bars(
    rows: Rows, name: str, value: str, columns: Columns, *, colour: str = BLUE
) -> dict[str, Any]:
    """Return horizontal bars in the order of the rows, each with its number."""
    _, form = columns[value]
    numbers = [row[value] or 0 for row in rows]
    # a quarter of the width is for the number beside the longest bar
    reach = [min(0, *numbers, 0) * 1.3, max(*numbers, 0, 0) * 1.3 or 1]
    lines = max(str(row[name]).count(", ") + 1 for row in rows)
    base = alt.Chart(_data(rows, list(columns))).encode(
        y=_names(name),
        x=alt.X(
            value,
            type="quantitative",
            axis=None,
            scale=alt.Scale(domain=reach, nice=False),
        ),
        tooltip=_tooltips(columns),
    )
    drawn = base.mark_bar(color=colour, height={"band": 0.7})
    text = base.mark_text(align="left", dx=4, fontSize=12).encode(
        text=alt.Text(value, type="quantitative", format=form)
    )
    return _finished(alt.layer(drawn, text), max(STEP, 15 * lines) * len(rows))


def heat_map(
    rows: Rows,
    across: str,
    down: str,
    value: str,
    columns: Columns,
    *,
    text: str | None = None,
    order_across: Sequence[Any] | None = None,
    order_down: Sequence[Any] | None = None,
    middle: float | None = None,
    slanted: bool = False,
    data_name: str | None = None,
) -> dict[str, Any]:
    """Return a heat map in viridis, or in two colours around a middle.

    Parameters
    ----------
    rows : sequence of mapping
        One row per cell.
    across, down, value : str
        Fields of the cell's place and colour.
    columns : mapping
        Title and format of each field, for axes and hover.
    text : str, optional
        The field that is written into the cell.
    order_across, order_down : sequence, optional
        The order of the names.
    middle : float, optional
        The value without a colour: blue is below, orange above.
    slanted : bool, optional
        Whether names across are long.
    data_name : str, optional
        The name by which the page may change the data.
    """
    title, form = columns[value]
    height = STEP * len(order_down) if order_down else _height(rows, down)
    dark = f"luminance(scale('color', datum['{value}'])) < 0.3"
    if middle is None:
        scale = alt.Scale(scheme="viridis", reverse=True, zero=True)
    else:
        extreme = max((abs(row[value] or 0) for row in rows), default=1) or 1
        scale = alt.Scale(
            scheme="blueorange", domain=[-extreme, extreme], domainMid=middle
        )
    base = alt.Chart(_data(rows, list(columns), data_name)).encode(
        x=alt.X(
            across,
            type="nominal",
            sort=None if order_across is None else list(order_across),
            scale=_domain(order_across),
            axis=alt.Axis(
                title=columns[across][0],
                labelAngle=-40 if slanted else 0,
                labelLimit=190 if slanted else 220,
                grid=False,
                ticks=False,
                domain=False,
            ),
        ),
        y=_names(down, columns[down][0], order_down),
        tooltip=_tooltips(columns),
    )
    legend = alt.Legend(
        title=title, format=form, direction="horizontal", gradientLength=160
    )
    cells = base.mark_rect(stroke="white", strokeWidth=2).encode(
        color=alt.Color(value, type="quantitative", scale=scale, legend=legend)
    )
    if text is None:
        return _finished(cells, height)
    words = base.mark_text(fontSize=alt.ExprRef(SMALL)).encode(
        text=alt.Text(text, type="quantitative", format=columns[text][1]),
        color=alt.condition(dark, alt.value("white"), alt.value("#22272e")),
    )
    return _finished(alt.layer(cells, words), height)


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
    base = alt.Chart(_data(rows, list(columns)))
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
        tooltip=_tooltips(columns),
    )
    if marked is None:
        return _finished(drawn)
    rule = (
        alt.Chart(alt.InlineData([{across: marked}]))
        .mark_rule(color=GREY, strokeDash=[5, 4], strokeWidth=2)
        .encode(x=place)
    )
    return _finished(alt.layer(rule, drawn))


def months(rows: Rows, value: str, columns: Columns) -> dict[str, Any]:
    """Return a column for each month; months on record in part are pale."""
    title, form = columns[value]
    chart = (
        alt.Chart(_data(rows, [*columns, "is_partial"]))
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
            tooltip=_tooltips(columns),
        )
    )
    return _finished(chart, 220)


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
        alt.Chart(_data(rows, ["x", "y", *columns]))
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
            tooltip=_tooltips(columns),
        )
        .transform_filter(shown)
        .add_params(picked, chosen)
    )
    return _finished(chart, 420)


def dendrogram(lines: Rows, leaves: Sequence[str]) -> dict[str, Any]:
    """Return a tree of segments: the shorter the way between two, the more alike."""
    height = 40 * max(len(leaves), 2)
    spoken = " : ".join(
        f"datum.value == {place} ? split(leaves[{place}], ', ')"
        for place in range(len(leaves))
    )
    chart = (
        alt.Chart(_data(lines, ["x", "y", "x2", "y2"]))
        .mark_rule(color=BLUE, strokeWidth=2)
        .encode(
            x=alt.X("x", type="quantitative", title="distance (Ward)"),
            x2="x2",
            y=alt.Y(
                "y",
                type="quantitative",
                scale=alt.Scale(domain=[-0.5, len(leaves) - 0.5], reverse=True),
                axis=alt.Axis(
                    title=None,
                    values=list(range(len(leaves))),
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
    return _finished(chart, height)


def calibration(rows: Rows, columns: Columns) -> dict[str, Any]:
    """Return what was predicted beside what came, by decile of the prediction."""
    base = alt.Chart(_data(rows, list(columns))).encode(
        x=alt.X(
            "decile",
            type="ordinal",
            axis=alt.Axis(title=columns["decile"][0], labelAngle=0, grid=False),
        ),
        tooltip=_tooltips(columns),
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
    return _finished(drawn)
