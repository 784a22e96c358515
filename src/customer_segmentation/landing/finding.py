"""Which raw tables the given files and folders hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from customer_segmentation.errors import InputError
from customer_segmentation.landing.csv_source import csv_source
from customer_segmentation.landing.files import check_kind, check_name, kind_of, stem_of
from customer_segmentation.landing.sources import RawSource, parquet_source
from customer_segmentation.landing.workbook import workbook_sources
from customer_segmentation.raw_tables import (
    RawTable,
    SourceSystem,
    normalized_header,
)

# files that engines and file browsers put into a folder
HIDDEN = (".", "_SUCCESS", "_committed", "_started", "_metadata", "_common_metadata")


@dataclass(frozen=True)
class RawInput:
    """A period of a raw table: a file, a sheet, or a folder of part files.

    Parameters
    ----------
    name : str
        Its name in messages.
    table : RawTable
        The table.
    sources : tuple of RawSource
        Its files, in order. Records of one file are not compared with those of another.
    """

    name: str
    table: RawTable
    sources: tuple[RawSource, ...]


def find_inputs(source_system: SourceSystem, paths: Sequence[Path]) -> list[RawInput]:
    """Find the raw tables of a source system in files and folders.

    Parameters
    ----------
    source_system : SourceSystem
        The source system.
    paths : sequence of Path
        Files, folders with the name of a table, or folders of either.

    Returns
    -------
    list of RawInput
        In the order of the paths; the files of a folder by name.

    Raises
    ------
    InputError
        If a file is missing or unusable, or does not belong to a table.
    """
    return [
        raw_input for path in paths for raw_input in _inputs_of(source_system, path)
    ]


def _inputs_of(source_system: SourceSystem, path: Path) -> list[RawInput]:
    check_name(path)
    if path.is_dir():
        return _inputs_of_folder(source_system, path)
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder")
    if check_kind(path) == "Excel":
        return [
            RawInput(
                f"{path.name}, sheet {source.sheet.name!r}", source.table, (source,)
            )
            for source in workbook_sources(path, source_system)
        ]
    table = _table_of_file(source_system, path)
    return [RawInput(path.name, table, (_file_source(path, table),))]


def _inputs_of_folder(source_system: SourceSystem, folder: Path) -> list[RawInput]:
    entries = _entries(folder)
    table = _table_named(source_system, folder.absolute().name)
    if table is None and _are_parts(entries) and len(source_system.tables) == 1:
        table = source_system.tables[0]
    if table is not None:
        return [_parts_input(folder, entries, table)]
    usable = [
        entry
        for entry in entries
        if kind_of(entry)
        or (entry.is_dir() and _table_named(source_system, entry.name))
    ]
    if not usable:
        raise InputError(f"{folder}: the folder holds no files to land")
    unused = [repr(entry.name) for entry in entries if entry not in usable]
    if unused:
        click.echo(
            f"{folder}: ignored entries that are not raw tables: {', '.join(unused)}",
            err=True,
        )
    return [
        raw_input for entry in usable for raw_input in _inputs_of(source_system, entry)
    ]


def _parts_input(folder: Path, entries: list[Path], table: RawTable) -> RawInput:
    """Return the files of a folder as the part files of one table."""
    for entry in entries:
        check_name(entry)
        if entry.is_dir() or check_kind(entry) == "Excel":
            raise InputError(
                f"{entry}: is neither CSV nor Parquet, but its folder holds the part "
                f"files of {table.name}"
            )
    if not entries:
        raise InputError(f"{folder}: the folder holds no files to land")
    sources = tuple(_file_source(entry, table) for entry in entries)
    return RawInput(f"{folder.absolute().name}/", table, sources)


def _file_source(path: Path, table: RawTable) -> RawSource:
    find_table = parquet_source if check_kind(path) == "Parquet" else csv_source
    return find_table(path, table)


def _entries(folder: Path) -> list[Path]:
    """List a folder by name, without hidden files."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {error.strerror}") from error
    return [entry for entry in entries if not entry.name.startswith(HIDDEN)]


def _are_parts(entries: list[Path]) -> bool:
    return bool(entries) and all(
        entry.name.startswith("part-") and kind_of(entry) == "Parquet"
        for entry in entries
    )


def _table_of_file(source_system: SourceSystem, path: Path) -> RawTable:
    if len(source_system.tables) == 1:
        return source_system.tables[0]
    table = _table_named(source_system, stem_of(path))
    if table is None:
        names = ", ".join(table.name for table in source_system.tables)
        raise InputError(
            f"{path}: its name is no table of {source_system.name}; the tables are: "
            f"{names}"
        )
    return table


def _table_named(source_system: SourceSystem, name: str) -> RawTable | None:
    wanted = normalized_header(name)
    return next(
        (
            table
            for table in source_system.tables
            if normalized_header(table.name) == wanted
        ),
        None,
    )
