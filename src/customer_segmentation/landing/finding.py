"""Which raw tables the given files and folders hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from customer_segmentation.errors import InputError
from customer_segmentation.landing.csv_source import csv_source
from customer_segmentation.landing.notices import report
from customer_segmentation.landing.parquet_source import parquet_source
from customer_segmentation.landing.recognising import kind_of, require_kind, stem_of
from customer_segmentation.landing.sources import RawSource
from customer_segmentation.landing.workbook import workbook_sources
from customer_segmentation.raw_tables import (
    RawTable,
    SourceSystem,
    normalized_header,
)


@dataclass(frozen=True)
class RawInput:
    """A period of a raw table: a file, a sheet, or a folder of part files.

    Parameters
    ----------
    name : str
        What messages call it.
    table : RawTable
        The table.
    sources : tuple of RawSource
        Its files in order; no record of one is looked for in another.
    """

    name: str
    table: RawTable
    sources: tuple[RawSource, ...]


def find_inputs(source_system: SourceSystem, paths: Sequence[Path]) -> list[RawInput]:
    """Find the raw tables of a source system in files and folders.

    Parameters
    ----------
    source_system : SourceSystem
        Whose tables to find.
    paths : sequence of Path
        Files, folders named after a table, or folders of either.

    Returns
    -------
    list of RawInput
        In the order of the paths, a folder's files by name.

    Raises
    ------
    InputError
        If a file is missing, unusable, or of no table.
    """
    return [
        raw_input for path in paths for raw_input in _inputs_of(source_system, path)
    ]


def _inputs_of(source_system: SourceSystem, path: Path) -> list[RawInput]:
    if path.is_dir():
        return _inputs_of_folder(source_system, path)
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder")
    if require_kind(path) == "Excel":
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
        report(f"{folder}: what is no raw table was ignored: {', '.join(unused)}")
    return [
        raw_input for entry in usable for raw_input in _inputs_of(source_system, entry)
    ]


def _parts_input(folder: Path, entries: list[Path], table: RawTable) -> RawInput:
    """Take the files of a folder as the parts of one table, as engines write it."""
    for entry in entries:
        if entry.is_dir() or require_kind(entry) == "Excel":
            raise InputError(
                f"{entry}: is neither CSV nor Parquet, in a folder that is taken for "
                f"the part files of {table.name}"
            )
    if not entries:
        raise InputError(f"{folder}: the folder holds no files to land")
    sources = tuple(_file_source(entry, table) for entry in entries)
    return RawInput(f"{folder.absolute().name}/", table, sources)


def _file_source(path: Path, table: RawTable) -> RawSource:
    find_table = parquet_source if require_kind(path) == "Parquet" else csv_source
    return find_table(path, table)


def _entries(folder: Path) -> list[Path]:
    """List a folder by name, without what engines and file browsers hide in it."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {error.strerror}") from error
    hidden = (
        ".",
        "_SUCCESS",
        "_committed",
        "_started",
        "_metadata",
        "_common_metadata",
    )
    return [entry for entry in entries if not entry.name.startswith(hidden)]


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
            f"{path}: its name is no table of {source_system.name}, which are: {names}"
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
