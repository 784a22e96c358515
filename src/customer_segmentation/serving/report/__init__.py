"""The report: one HTML file of the published tables, for people with a browser."""

import os
from pathlib import Path

from customer_segmentation.errors import InputError
from customer_segmentation.private_files import create_file, make_folder, sync
from customer_segmentation.serving.report.assemble import assemble
from customer_segmentation.serving.report.page import render, render_index
from customer_segmentation.serving.report.pictures import write_pictures
from customer_segmentation.serving.report.published import opened

__all__ = ["write_index", "write_report"]


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
        make_folder(output.parent)
        _replace(output, page)
        if pictures is not None:
            write_pictures(report, pictures)
    except OSError as error:
        raise InputError(
            f"cannot write {error.filename or output}: {error.strerror}; name another "
            "place with --output or --pictures"
        ) from error


def write_index(report: Path) -> Path:
    """Write ``index.html`` beside the report, which leads to it and to the docs."""
    index = report.with_name("index.html")
    docs = report.with_name("docs.html")
    _replace(index, render_index(report.name, docs.name if docs.exists() else ""))
    return index


def _replace(file: Path, text: str) -> None:
    """Write a file aside, and put it in its place in one step."""
    new = file.with_name(f".{file.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    create_file(new)
    new.write_text(text, encoding="utf-8")
    sync(new)
    new.replace(file)
