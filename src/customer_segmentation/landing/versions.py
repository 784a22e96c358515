"""Versions of a landed source system, each built aside and published by one rename.

A version is on the disk before its name changes, and the change of the name is before
the old version goes. So a power loss leaves one of the two, whole. A version that a
build may still read stays until a landing after the end of that build.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from customer_segmentation.errors import InputError
from customer_segmentation.landed import VERSIONS, leased_versions
from customer_segmentation.landing.ownership import (
    check_replaceable,
    own_entries,
    remove_own,
)
from customer_segmentation.private_files import make_folder, sync
from customer_segmentation.raw_tables import SourceSystem


@dataclass(frozen=True)
class Version:
    """A version of a source system that is under construction.

    Parameters
    ----------
    current : Path
        Folder of the published version; need not exist.
    folder : Path
        Folder of the new version.
    scratch : Path
        Folder for temporary files.
    """

    current: Path
    folder: Path
    scratch: Path


@contextmanager
def new_version(
    landing_zone: Path, source_system: SourceSystem, *, append: bool
) -> Iterator[Version]:
    """Build a version of a source system, and publish it if the block succeeds.

    Parameters
    ----------
    landing_zone : Path
        Folder of all source systems.
    source_system : SourceSystem
        The source system.
    append : bool
        Whether the new version keeps the part files of the current one.

    Yields
    ------
    Version
        The new version, its folder empty.

    Raises
    ------
    InputError
        If another landing of the source system is running, the landing zone is not
        writable, or something would be removed that no landing made.
    """
    name = source_system.name
    current = landing_zone / name
    folder = landing_zone / VERSIONS / f"{name}-{uuid4().hex[:12]}"
    version = Version(current, folder, _beside(folder, ".scratch"))
    with _writing(landing_zone), _locked(landing_zone, name):
        _restore_moved_aside(landing_zone, current)
        check_replaceable(landing_zone, source_system, append=append)
        _remove_all_but(landing_zone, current)
        try:
            make_folder(folder)
            make_folder(version.scratch)
            yield version
            _publish(landing_zone, current, folder)
        except BaseException:
            # the old version stays, also if the disk failed after the rename
            _remove_failed(version)
            raise
        _remove_all_but(landing_zone, current)


def remove_earlier_versions(landing_zone: Path, source_system: SourceSystem) -> None:
    """Remove what landings replaced or left, but nothing that a build may still read.

    Parameters
    ----------
    landing_zone : Path
        Folder of all source systems.
    source_system : SourceSystem
        The source system.

    Raises
    ------
    InputError
        If a landing of the source system is running, or nothing can be removed.
    """
    name = source_system.name
    with _writing(landing_zone), _locked(landing_zone, name):
        _restore_moved_aside(landing_zone, landing_zone / name)
        _remove_all_but(landing_zone, landing_zone / name)


@contextmanager
def _writing(landing_zone: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{landing_zone}: the landing zone cannot be written: "
            f"{error.strerror or error}"
        ) from error


@contextmanager
def _locked(landing_zone: Path, source_system: str) -> Iterator[None]:
    make_folder(landing_zone / VERSIONS)
    lock = landing_zone / VERSIONS / f"{source_system}.lock"
    # appending keeps what a file of that name may hold
    with lock.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                f"{landing_zone}: another landing of {source_system} is running; try "
                "again when it has finished"
            ) from error
        yield


def _publish(landing_zone: Path, current: Path, folder: Path) -> None:
    for table in sorted(folder.iterdir()):
        for part in sorted(table.iterdir()):
            sync(part)
        sync(table)
    sync(folder)
    link = _beside(folder, ".link")
    # relative, so that the landing zone can be moved
    link.symlink_to(Path(VERSIONS) / folder.name)
    sync(landing_zone / VERSIONS)
    if not current.is_dir() or current.is_symlink():
        os.replace(link, current)
    else:
        # to replace a folder that a person put there takes two steps
        moved_aside = _beside(folder, ".replaced")
        os.replace(current, moved_aside)
        try:
            os.replace(link, current)
        except OSError:
            os.replace(moved_aside, current)
            raise
    sync(landing_zone)


def _restore_moved_aside(landing_zone: Path, current: Path) -> None:
    """Put back a folder that a landing moved aside before it was killed."""
    if not os.path.lexists(current):
        for path in own_entries(landing_zone, current.name):
            if path.suffix == ".replaced":
                os.replace(path, current)
                return


def _remove_all_but(landing_zone: Path, current: Path) -> None:
    """Remove all versions but the published one: old, failed, or left by a crash.

    Those that builds may still read stay, too.
    """
    published = current.resolve()
    leased = leased_versions(landing_zone, current.name)
    for path in own_entries(landing_zone, current.name):
        is_published = not path.is_symlink() and path.resolve() == published
        if not is_published and path.name not in leased:
            remove_own(path)


def _remove_failed(version: Version) -> None:
    remove_own(version.scratch)
    remove_own(_beside(version.folder, ".link"))
    if version.current.resolve() != version.folder.resolve():
        remove_own(version.folder)


def _beside(folder: Path, ending: str) -> Path:
    return folder.with_name(folder.name + ending)
