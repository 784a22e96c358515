"""Landing: raw files of any kind become Parquet files of text, one folder per table.

``finding`` says which tables the given paths hold, ``parts`` writes each of them as a
part file, and ``versions`` publishes the result in one step.
"""

import shutil
from pathlib import Path

import click
import pyarrow.parquet as pq

from customer_segmentation.errors import InputError
from customer_segmentation.landing.date_order import DateOrder
from customer_segmentation.landing.files import check_name
from customer_segmentation.landing.finding import find_inputs
from customer_segmentation.landing.forgotten import ForgottenCustomers
from customer_segmentation.landing.ownership import check_outside, landing_schema
from customer_segmentation.landing.parts import land_input
from customer_segmentation.landing.sources import RawSource, open_connection
from customer_segmentation.landing.versions import new_version
from customer_segmentation.private_files import make_folder, set_mode
from customer_segmentation.raw_tables import RawTable, SourceSystem

__all__ = ["land_files"]


def land_files(
    source_system: SourceSystem,
    paths: tuple[Path, ...],
    landing_zone: Path,
    *,
    append: bool,
    dates: DateOrder | None = None,
) -> None:
    """Land raw files as ``<landing_zone>/<source_system>/<table>/<part>.parquet``.

    Every column is text, exactly as in the file: nothing is trimmed or typed. Dates
    whose year comes last are the exception: they land as ISO 8601. One
    atomic rename replaces the whole source system. Readers see the version before a
    landing or the version after it, and nothing in between. Only part files of earlier
    landings are removed. Records of forgotten customers do not land.

    Parameters
    ----------
    source_system : SourceSystem
        The source system that the files come from.
    paths : tuple of Path
        Workbooks, CSV, gzipped CSV or Parquet files, or folders of them. Several files
        of one table are its periods, in this order: a record is skipped if its append
        key has landed from an earlier file.
    landing_zone : Path
        Created if missing, and unchanged if anything fails.
    append : bool
        Keep what has landed before, and add to it.
    dates : {"day-first", "month-first"}, optional
        The order of dates such as ``1/2/2010``. By default all values of a file tell.

    Raises
    ------
    InputError
        If a file is unusable or lies in the landing zone, a table is missing, or the
        landing zone is not writable or holds what no landing wrote.
    """
    check_name(landing_zone)
    inputs = find_inputs(source_system, paths)
    check_outside(
        landing_zone, (source.path for raw in inputs for source in raw.sources)
    )
    if not append:
        _check_all_tables(source_system, {raw.table.name for raw in inputs})
    forgotten = ForgottenCustomers.read(landing_zone)
    with new_version(landing_zone, source_system, append=append) as version:
        carried_over = (
            _carry_over(source_system, version.current, version.folder)
            if append
            else set()
        )
        _check_all_tables(
            source_system, {raw.table.name for raw in inputs} | carried_over
        )
        for raw_input in inputs:
            for source in raw_input.sources:
                _report_ignored_columns(source)
            with open_connection(version.scratch) as connection:
                land_input(
                    connection,
                    raw_input,
                    version.folder / raw_input.table.name,
                    version.scratch,
                    f"{source_system.name}.{raw_input.table.name}",
                    dates,
                    forgotten.condition(source_system.name, raw_input.table),
                )


def _report_ignored_columns(source: RawSource) -> None:
    if source.match.ignored:
        ignored = ", ".join(repr(header) for header in source.match.ignored)
        click.echo(f"{source.name}: unknown columns were ignored: {ignored}", err=True)


def _check_all_tables(source_system: SourceSystem, found: set[str]) -> None:
    missing = [table.name for table in source_system.tables if table.name not in found]
    if missing:
        raise InputError(
            f"{source_system.name}: missing {', '.join(missing)}; looked for sheets, "
            "files or folders with these names"
        )


def _carry_over(source_system: SourceSystem, current: Path, folder: Path) -> set[str]:
    """Link the current parts into the new version; return the names of their tables."""
    carried_over = set()
    for table in source_system.tables:
        parts = sorted((current / table.name).glob("*.parquet"))
        for part in parts:
            _check_part(part, table)
            _link_or_copy(part, folder / table.name / part.name)
            carried_over.add(table.name)
    return carried_over


def _check_part(part: Path, table: RawTable) -> None:
    try:
        schema = pq.read_schema(part)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{part}: is not readable as Parquet; land {table.name} again without "
            "--append"
        ) from error
    if not schema.equals(landing_schema(table)):
        raise InputError(
            f"{part}: its columns are not the text columns "
            f"{', '.join(table.column_names)}; land without --append"
        )


def _link_or_copy(part: Path, target: Path) -> None:
    make_folder(target.parent)
    try:
        target.hardlink_to(part)
    except OSError:  # a file system without hard links
        shutil.copy2(part, target)
    set_mode(target)
