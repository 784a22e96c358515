"""What all charts are made of: data, hovers, axes of names, and their size."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from customer_segmentation.serving.report.style import (
    BARE,
    CONFIG,
)

__all__ = [
    "STEP",
    "Columns",
    "Rows",
    "centred",
    "domain_of",
    "finished",
    "height_of",
    "inline",
    "names_down",
    "tooltips",
]

Rows = Sequence[Mapping[str, Any]]
# the field of a chart, and its title; a third word is the format of the numbers
Columns = Mapping[str, tuple[str, str]]
STEP, HEIGHT = 30, 280


def inline(
    rows: Rows, fields: Sequence[str], name: str | None = None
) -> alt.InlineData:
    """Return the fields of rows as the data of a chart."""
    values = [{field: row.get(field) for field in fields} for row in rows]
    return alt.InlineData(values, name=name) if name else alt.InlineData(values)


def tooltips(columns: Columns) -> list[alt.Tooltip]:
    """Return what a hover shows; numbers have a format."""
    return [
        alt.Tooltip(field, type="quantitative", title=title, format=form)
        if form
        else alt.Tooltip(field, type="nominal", title=title)
        for field, (title, form) in columns.items()
    ]


def finished(chart: Any, height: int = HEIGHT) -> dict[str, Any]:
    """Return the specification, as wide as its place."""
    spec: dict[str, Any] = chart.properties(width="container", height=height).to_dict()
    spec["config"] = CONFIG
    return spec


def centred(has_lines: str) -> Any:
    """Return where the first line of a label stands, so that all are in the middle."""
    return alt.condition(has_lines, alt.value("bottom"), alt.value("middle"))


def height_of(rows: Rows, down: str) -> int:
    """Return the height of one line for each name."""
    return STEP * max(len({row[down] for row in rows}), 1)


def domain_of(order: Sequence[Any] | None) -> alt.Scale:
    """Return a scale that shows all names, also those without a row."""
    return alt.Scale() if order is None else alt.Scale(domain=list(order))


def names_down(
    field: str, title: str | None = None, order: Sequence[Any] | None = None
) -> alt.Y:
    """Return an axis of names; a list has one line for each item."""
    # names of segments are lists: one line for each item
    axis = alt.Axis(
        title=title,
        **BARE,
        labelPadding=6,
        labelExpr="split(datum.label, ', ')",
        labelBaseline=centred("length(split(datum.value, ', ')) > 1"),
    )
    sort = None if order is None else list(order)
    return alt.Y(field, type="nominal", sort=sort, scale=domain_of(order), axis=axis)
