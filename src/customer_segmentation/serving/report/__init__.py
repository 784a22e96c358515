"""The report: one HTML file of the published tables, for people with a browser."""

import os
from pathlib import Path

from customer_segmentation.errors import InputError
from customer_segmentation.serving.report.assemble import assemble
from customer_segmentation.serving.report.page import render
from customer_segmentation.serving.report.pictures import write_pictures
from customer_segmentation.serving.report.published import opened

__all__ = ["write_report"]


def write_report(published: Path, output: Path, pictures: Path | None = None) -> None:
    """Write the report, and its main charts as pictures.

    Parameters
    ----------
    published : Path
        The published DuckDB file.
    output : Path
        The HTML file, which takes the place of the last one in one step.
    pictures : Path, optional
        A folder for SVG and PNG files.

    Raises
    ------
    InputError
        If the published file cannot be read, or a file cannot be written.
    """
    with opened(published) as tables:
        report = assemble(tables)
    page = render(report)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        new = output.with_name(f".{output.name}.{os.getpid()}.new")
        new.write_text(page, encoding="utf-8")
        new.replace(output)
        if pictures is not None:
            write_pictures(report, pictures)
    except OSError as error:
        raise InputError(
            f"cannot write {error.filename or output}: {error.strerror}; name another "
            "place with --output or --pictures"
        ) from error
