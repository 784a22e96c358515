"""Cells of a sheet that land as missing although Excel shows something there."""

from collections import Counter
from collections.abc import Mapping, Sequence

import click
from python_calamine import CalamineSheet

from customer_segmentation.landing.headers import HeaderMatch
from customer_segmentation.landing.workbook_checks import SheetScan

__all__ = ["merged_rows", "say_what_is_lost"]


def merged_rows(
    sheet: CalamineSheet, positions: Sequence[int | None]
) -> dict[int, set[int]]:
    """Return the rows whose cell is covered by a merged cell, by position of a column.

    Parameters
    ----------
    sheet : CalamineSheet
        The sheet.
    positions : sequence of int or None
        The positions of the columns that land, counted from the first used column.

    Returns
    -------
    dict of int to set of int
        Rows counted from 0; columns without such rows are left out.
    """
    if not sheet.merged_cell_ranges or sheet.start is None or sheet.end is None:
        return {}
    found: dict[int, set[int]] = {}
    _, first_column = sheet.start
    last_row, _ = sheet.end
    for position in positions:
        if position is None:
            continue
        column = position + first_column
        rows: set[int] = set()
        reached = -1
        for (top, left), (bottom, right) in sorted(sheet.merged_cell_ranges):
            if left <= column <= right:
                # the cell in the top left corner holds the value
                first = max(top + (column == left), reached + 1)
                rows.update(range(first, min(bottom, last_row) + 1))
                reached = max(reached, min(bottom, last_row))
        if rows:
            found[position] = rows
    return found


def say_what_is_lost(
    name: str,
    headers: Sequence[str],
    match: HeaderMatch,
    sheet: CalamineSheet,
    scan: SheetScan,
    covered: Mapping[int, int],
) -> None:
    """Say in one line how many cells land as missing, and why, by column.

    Parameters
    ----------
    name : str
        The workbook and its sheet.
    headers : sequence of str
        The headers, from the first used column on.
    match : HeaderMatch
        Which of them land.
    sheet : CalamineSheet
        The sheet.
    scan : SheetScan
        Its errors and its formulas without a saved value.
    covered : mapping of int to int
        How many missing cells a merged cell covers, by position of the column.
    """
    first_column = sheet.start[1] if sheet.start else 0
    lost = {
        "errors such as #N/A": scan.errors,
        "formulas whose value was not saved": scan.formulas,
        "cells under a merged cell": Counter(
            {position + first_column + 1: n for position, n in covered.items()}
        ),
    }
    reasons = []
    for reason, counts in lost.items():
        columns = [
            f"{headers[position]!r} {counts[position + first_column + 1]:,}"
            for position in sorted(p for p in match.positions if p is not None)
            if counts[position + first_column + 1]
        ]
        if columns:
            reasons.append(f"{reason} ({', '.join(columns)})")
    if reasons:
        click.echo(
            f"{name}: these cells land as missing: {'; '.join(reasons)}; mend them in "
            "Excel, save, and land again",
            err=True,
        )
