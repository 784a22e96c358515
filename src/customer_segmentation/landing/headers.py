"""Which columns of a file are the columns of a raw table."""

from collections.abc import Sequence
from dataclasses import dataclass

from customer_segmentation.errors import InputError
from customer_segmentation.raw_tables import RawTable


@dataclass(frozen=True)
class HeaderMatch:
    """The positions of a raw table's columns in a file.

    Parameters
    ----------
    positions : tuple of int or None
        For each column of the table, in order, its position in the file. None if the
        column is optional and the file does not have it.
    ignored : tuple of str
        Headers of the file that match no column of the table.
    """

    positions: tuple[int | None, ...]
    ignored: tuple[str, ...]


def match_headers(table: RawTable, headers: Sequence[str], where: str) -> HeaderMatch:
    """Match the headers of a file with the columns of a raw table.

    Parameters
    ----------
    table : RawTable
        The raw table.
    headers : sequence of str
        The headers, as written in the file.
    where : str
        The file, and its sheet if any, for messages.

    Raises
    ------
    InputError
        If a required column is missing, or two headers match the same column.
    """
    found = _matches(table, headers)
    for column, positions in zip(table.columns, found, strict=True):
        if len(positions) > 1:
            same = " and ".join(repr(headers[position]) for position in positions)
            raise InputError(f"{where}: {same} both mean the column {column.name}")
    missing = missing_columns(table, headers)
    if missing:
        raise InputError(
            f"{where}: missing {'columns' if len(missing) > 1 else 'column'} "
            f"{', '.join(missing)} of {table.name}; the headers of the file are: "
            f"{', '.join(repr(header) for header in headers)}"
        )
    matched = {position for positions in found for position in positions}
    return HeaderMatch(
        tuple(positions[0] if positions else None for positions in found),
        tuple(
            header
            for position, header in enumerate(headers)
            if position not in matched and header.strip()
        ),
    )


def missing_columns(table: RawTable, headers: Sequence[str]) -> list[str]:
    """Return the required columns that no header matches."""
    return [
        column.name
        for column, positions in zip(
            table.columns, _matches(table, headers), strict=True
        )
        if column.is_required and not positions
    ]


def _matches(table: RawTable, headers: Sequence[str]) -> list[list[int]]:
    """Return, for each column of the table, the positions of its headers."""
    return [
        [
            position
            for position, header in enumerate(headers)
            if column.is_called(header)
        ]
        for column in table.columns
    ]
