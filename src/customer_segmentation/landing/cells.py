"""Cells of an Excel sheet as text."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from python_calamine import CalamineSheet

# a float holds whole numbers exactly up to here
LARGEST_WHOLE_NUMBER = 2**53


def rows_from_header(sheet: CalamineSheet) -> Iterator[list[str | None]]:
    """Read a sheet's rows from the first that is not blank.

    Parameters
    ----------
    sheet : CalamineSheet
        The sheet.

    Yields
    ------
    list of str or None
        What the cells of a row say, None for an empty one.
    """
    has_begun = False
    for row in sheet.iter_rows():
        texts = [_text_of(value) for value in row]
        has_begun = has_begun or any(text is not None for text in texts)
        if has_begun:
            yield texts


def _text_of(value: Any) -> str | None:
    """Return what a cell says, None for an empty one."""
    match value:
        case None | "":
            return None
        case bool():
            return "TRUE" if value else "FALSE"
        case float() if value.is_integer() and abs(value) <= LARGEST_WHOLE_NUMBER:
            return str(int(value))
        case datetime():
            # Excel keeps a moment as a fraction of days, which misses the second by a
            # hair
            rounded = value + timedelta(microseconds=500_000)
            return rounded.replace(microsecond=0).isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case float():
            return repr(value)
        case _:
            return str(value)
