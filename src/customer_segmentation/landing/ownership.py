"""What in a landing zone is landing's own: nothing else is replaced or removed."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from customer_segmentation.errors import InputError
from customer_segmentation.landed import VERSION_ID, VERSIONS
from customer_segmentation.raw_tables import RawTable, SourceSystem

PART = re.compile(r"part-\d{5,}\.parquet")
# stands in the metadata of each part, which may be renamed and copied by hand
MARK = {"customer_segmentation": "landed"}
# file browsers put these into any folder
CLUTTER = (".DS_Store", "Thumbs.db", "desktop.ini")
REMEDY = "move it out of the landing zone, and land again"


def landing_schema(table: RawTable) -> pa.Schema:
    """Return the schema of a table's part files: every column is text."""
    return pa.schema([(name, pa.string()) for name in table.column_names])


def check_outside(landing_zone: Path, sources: Iterator[Path]) -> None:
    """Refuse raw files that lie in the landing zone, which a landing may remove.

    Parameters
    ----------
    landing_zone : Path
        The landing zone; need not exist.
    sources : iterator of Path
        The raw files.

    Raises
    ------
    InputError
        If a file lies in the landing zone, also by way of a link.
    """
    zone = landing_zone.resolve()
    for source in sources:
        if source.resolve().is_relative_to(zone):
            raise InputError(
                f"{source}: lies in the landing zone {landing_zone}, where a landing "
                f"would remove it; {REMEDY} from there"
            )


def check_replaceable(
    landing_zone: Path, source_system: SourceSystem, *, append: bool
) -> None:
    """Check that a landing would remove nothing but part files of landings.

    Parameters
    ----------
    landing_zone : Path
        The landing zone.
    source_system : SourceSystem
        The source system that will be replaced.
    append : bool
        Whether the Parquet files of its tables are kept, under whatever name.

    Raises
    ------
    InputError
        If anything else stands in the folder of the source system, or in its place.
    """
    current = landing_zone / source_system.name
    is_version = current.is_symlink()
    if is_version and not _is_version(current.resolve(), landing_zone, source_system):
        return  # a link to another place is replaced, and what is there stays
    if not is_version and current.exists() and not current.is_dir():
        raise InputError(
            f"{current}: is a file, where the folder of {source_system.name} lands; "
            f"{REMEDY}"
        )
    tables = {table.name: table for table in source_system.tables}
    for entry in _listed(current):
        table = tables.get(entry.name)
        if table is None or entry.is_symlink() or not entry.is_dir():
            raise _not_ours(entry)
        for part in _listed(entry):
            is_kept = append and part.suffix == ".parquet" and part.is_file()
            if not is_kept and not _is_part(part, table, is_version=is_version):
                raise _not_ours(part)


def own_entries(landing_zone: Path, source_system: str) -> list[Path]:
    """Return what landings of a source system made in the folder of versions."""
    name = re.compile(rf"{source_system}-{VERSION_ID}(\.scratch|\.link|\.replaced)?")
    return sorted(
        path
        for path in (landing_zone / VERSIONS).iterdir()
        if name.fullmatch(path.name)
    )


def remove_own(path: Path) -> None:
    """Remove an entry of the folder of versions, but nothing that landing never makes.

    Parameters
    ----------
    path : Path
        A version, a folder that was moved aside, a scratch folder or a link. If it
        holds anything but part files in the folders of tables, that stays.
    """
    if path.is_symlink():
        path.unlink()
    elif path.suffix == ".scratch":
        shutil.rmtree(path, ignore_errors=True)
    elif path.is_dir():
        for table in path.iterdir():
            if table.is_dir() and not table.is_symlink():
                for part in table.iterdir():
                    if part.suffix == ".parquet" or part.name in CLUTTER:
                        part.unlink()
                _remove_empty(table)
            elif table.name in CLUTTER:
                table.unlink()
        _remove_empty(path)


def _is_version(folder: Path, landing_zone: Path, source_system: SourceSystem) -> bool:
    versions = (landing_zone / VERSIONS).resolve()
    name = rf"{source_system.name}-{VERSION_ID}"
    return folder.parent == versions and bool(re.fullmatch(name, folder.name))


def _is_part(path: Path, table: RawTable, *, is_version: bool) -> bool:
    """Whether a file is a part file; a damaged one of a version is one, too."""
    if path.is_symlink() or not path.is_file():
        return False
    has_name = bool(PART.fullmatch(path.name))
    if is_version and has_name:
        return True
    try:
        metadata = pq.read_metadata(path)
        has_columns = metadata.schema.to_arrow_schema().equals(landing_schema(table))
    except (OSError, ValueError):
        return False
    marks = metadata.metadata or {}
    is_marked = all(marks.get(k.encode()) == v.encode() for k, v in MARK.items())
    return is_marked or (has_name and has_columns)


def _listed(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.name not in CLUTTER)


def _not_ours(path: Path) -> InputError:
    return InputError(
        f"{path}: no landing wrote it, and this one would remove it; {REMEDY}"
    )


def _remove_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:  # what is left is not ours
        return
