"""Which columns of a file are the columns of a raw table."""

from collections.abc import Sequence
from dataclasses import dataclass

from customer_segmentation.errors import InputError
from customer_segmentation.raw_tables import RawTable


@dataclass(frozen=True)
class HeaderMatch:
    """Where a file has the columns of a raw table.

    Parameters
    ----------
    positions : tuple of int or None
        For each column of the table, in order, its position in the file; None for an
        optional column that the file does not have.
    ignored : tuple of str
        Headers of the file that mean no column of the table.
    """

    positions: tuple[int | None, ...]
    ignored: tuple[str, ...]


def match_headers(table: RawTable, headers: Sequence[str], where: str) -> HeaderMatch:
    """Find the columns of a raw table among the headers of a file.

    Parameters
    ----------
    table : RawTable
        Whose columns to find.
    headers : sequence of str
        As they stand in the file.
    where : str
        The file, and sheet if any, for messages.

    Raises
    ------
    InputError
        If a required column is missing, or two headers mean the same column.
    """
    found = _found(table, headers)
    for column, positions in zip(table.columns, found, strict=True):
        if len(positions) > 1:
            same = " and ".join(repr(headers[position]) for position in positions)
            raise InputError(f"{where}: {same} both mean the column {column.name}")
    missing = missing_columns(table, headers)
    if missing:
        raise InputError(
            f"{where}: missing {_counted('column', missing)} of {table.name}; its "
            f"headers are: {', '.join(repr(header) for header in headers)}"
        )
    taken = {position for positions in found for position in positions}
    return HeaderMatch(
        tuple(positions[0] if positions else None for positions in found),
        tuple(
            header
            for position, header in enumerate(headers)
            if position not in taken and header.strip()
        ),
    )


def missing_columns(table: RawTable, headers: Sequence[str]) -> list[str]:
    """Return the required columns that none of the headers means."""
    return [
        column.name
        for column, positions in zip(table.columns, _found(table, headers), strict=True)
        if column.is_required and not positions
    ]


def _found(table: RawTable, headers: Sequence[str]) -> list[list[int]]:
    return [
        [
            position
            for position, header in enumerate(headers)
            if column.is_called(header)
        ]
        for column in table.columns
    ]


def _counted(noun: str, names: list[str]) -> str:
    return f"{noun}{'s' if len(names) > 1 else ''} {', '.join(names)}"
