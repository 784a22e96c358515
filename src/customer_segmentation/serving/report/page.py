"""The page: one HTML file with everything in it."""

import json
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined

from customer_segmentation.serving.report.contents import (
    Figure,
    Report,
    Section,
    SourceReport,
)

__all__ = ["figures_of", "json_for_script", "render", "render_index"]

# the filters read lists, which are half as long as mappings
CELL_FIELDS = (
    *("segmentation", "segment", "rfm", "recency", "frequency"),
    *("customers", "purchases", "revenue"),
)


def render(report: Report) -> str:
    """Return the page."""
    environment = _environment()
    environment.tests["figure"] = lambda part: isinstance(part, Figure)
    figures = {
        key: figure.spec
        for number, source in enumerate(report.sources)
        for key, figure in figures_of(source, number)
    }
    data = {
        "figures": figures,
        "cells": [
            [[cell[field] for field in CELL_FIELDS] for cell in source.cells]
            for source in report.sources
        ],
    }
    return environment.get_template("report.html.j2").render(
        report=report,
        data=json_for_script(data),
        library=_library() if figures else "",
        key_of=key_of,
    )


def render_index(report: str, docs: str) -> str:
    """Return a page that leads to the report and to the docs, if there are any."""
    template = _environment().get_template("index.html.j2")
    return template.render(report=report, docs=docs)


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("customer_segmentation.serving.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def key_of(source: int, segmentation: int | None, section: str, figure: str) -> str:
    """Return the name of a chart's place in the page."""
    middle = "" if segmentation is None else f"{segmentation}-"
    return f"s{source}-{middle}{section}-{figure}"


def figures_of(source: SourceReport, number: int) -> Iterator[tuple[str, Figure]]:
    """Yield the charts of a source system with their places in the page."""

    def of(
        sections: Iterable[Section], segmentation: int | None
    ) -> Iterator[tuple[str, Figure]]:
        for section in sections:
            for figure in section.figures:
                yield (
                    key_of(number, segmentation, section.name, figure.name),
                    figure,
                )

    yield from of((*source.before, *source.after), None)
    for position, sections in enumerate(source.segmentations.values()):
        yield from of(sections, position)


def json_for_script(value: Any) -> str:
    r"""Return JSON that no text in it can end the script, or begin markup.

    Examples
    --------
    >>> json_for_script({"name": "</script>"})
    '{"name":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@cache
def _library() -> str:
    """Return the JavaScript of Vega, Vega-Lite and Vega-Embed, bundled offline."""
    # without a snippet, the names of its libraries are global; its types ask for one
    library: str = vl_convert.javascript_bundle()  # type: ignore[call-arg]
    # no text of the library may end the script that holds it
    return library.replace("</script", "<\\/script").replace("<!--", "<\\!--")
