"""The main charts as pictures for slides: SVG and PNG, drawn without a browser."""

import re
from pathlib import Path
from typing import Any

import vl_convert

from customer_segmentation.serving.report.contents import Report
from customer_segmentation.serving.report.page import figures_of

__all__ = ["write_pictures"]

WIDTH, SCALE = 640, 2


def write_pictures(report: Report, folder: Path) -> list[Path]:
    """Write the main charts of all source systems, and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, source in enumerate(report.sources):
        names = list(source.segmentations)
        for key, figure in figures_of(source, number):
            if not figure.is_main:
                continue
            segmentation = re.match(r"s\d+-(\d+)-", key)
            place = names[int(segmentation[1])] if segmentation else source.name
            stem = f"{_file_name(place)}-{figure.name}"
            spec: dict[str, Any] = figure.spec | {
                "width": WIDTH,
                "title": {"text": figure.title, "anchor": "start", "fontSize": 15},
                "padding": 12,
            }
            svg, png = (folder / f"{stem}.{suffix}" for suffix in ("svg", "png"))
            svg.write_text(vl_convert.vegalite_to_svg(spec), encoding="utf-8")
            png.write_bytes(vl_convert.vegalite_to_png(spec, scale=SCALE))
            written += [svg, png]
    return written


def _file_name(text: str) -> str:
    """Return a text without what a file name may not hold."""
    return re.sub(r"[^\w.-]+", "_", text)[:80] or "_"
