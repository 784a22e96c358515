"""Bars and heat maps."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from customer_segmentation.serving.report.chart_parts import (
    STEP,
    Columns,
    Rows,
    domain_of,
    finished,
    height_of,
    inline,
    names_down,
    tooltips,
)
from customer_segmentation.serving.report.style import BARE, BLUE, SMALL

__all__ = [
    "bars",
    "heat_map",
]


def bars(
    rows: Rows, name: str, value: str, columns: Columns, *, colour: str = BLUE
) -> dict[str, Any]:
    """Return horizontal bars in the order of the rows, each with its number."""
    _, form = columns[value]
    numbers = [row[value] or 0 for row in rows]
    # a quarter of the width is for the number beside the longest bar
    reach = [min(0, *numbers, 0) * 1.35, max(*numbers, 0, 0) * 1.35 or 1]
    lines = max(str(row[name]).count(", ") + 1 for row in rows)
    base = alt.Chart(inline(rows, list(columns))).encode(
        y=names_down(name),
        x=alt.X(
            value,
            type="quantitative",
            axis=None,
            scale=alt.Scale(domain=reach, nice=False),
        ),
        tooltip=tooltips(columns),
    )
    drawn = base.mark_bar(color=colour, height={"band": 0.7})
    text = base.mark_text(align="left", dx=4, fontSize=12).encode(
        text=alt.Text(
            value,
            type="quantitative",
            # 4.18M has room on a phone, too
            format=".3~s" if reach[1] >= 1e6 else form,
        )
    )
    return finished(alt.layer(drawn, text), max(STEP, 17 * lines) * len(rows))


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
    height = STEP * len(order_down) if order_down else height_of(rows, down)
    dark = f"luminance(scale('color', datum['{value}'])) < 0.22"
    if middle is None:
        scale = alt.Scale(scheme="viridis", reverse=True, zero=True)
    else:
        extreme = max((abs(row[value] or 0) for row in rows), default=1) or 1
        scale = alt.Scale(
            scheme="blueorange", domain=[-extreme, extreme], domainMid=middle
        )
    base = alt.Chart(inline(rows, list(columns), data_name)).encode(
        x=alt.X(
            across,
            type="nominal",
            sort=None if order_across is None else list(order_across),
            scale=domain_of(order_across),
            axis=alt.Axis(
                title=columns[across][0],
                labelAngle=-40 if slanted else 0,
                labelLimit=190 if slanted else 220,
                **BARE,
            ),
        ),
        y=names_down(down, columns[down][0], order_down),
        tooltip=tooltips(columns),
    )
    legend = alt.Legend(
        title=title, format=form, direction="horizontal", gradientLength=160
    )
    cells = base.mark_rect(stroke="white", strokeWidth=2).encode(
        color=alt.Color(value, type="quantitative", scale=scale, legend=legend)
    )
    if text is None:
        return finished(cells, height)
    words = base.mark_text(fontSize=alt.ExprRef(SMALL)).encode(
        text=alt.Text(text, type="quantitative", format=columns[text][1]),
        color=alt.condition(dark, alt.value("white"), alt.value("#22272e")),
    )
    return finished(alt.layer(cells, words), height)
