"""Versions of a landed source system, each built aside and published by one rename."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from customer_segmentation.errors import InputError

VERSIONS = ".versions"


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
def new_version(landing_zone: Path, source_system: str) -> Iterator[Version]:
    """Build a version of a source system, and publish it if the block succeeds.

    Parameters
    ----------
    landing_zone : Path
        Folder of all source systems.
    source_system : str
        Name of the source system.

    Yields
    ------
    Version
        The new version, its folder empty.

    Raises
    ------
    InputError
        If another landing of the source system is running, or the landing zone is not
        writable.
    """
    versions = landing_zone / VERSIONS
    current = landing_zone / source_system
    folder = versions / f"{source_system}-{uuid4().hex[:12]}"
    version = Version(current, folder, _beside(folder, ".scratch"))
    with _writing(landing_zone), _locked(landing_zone, source_system):
        try:
            _restore_moved_aside(versions, current)
            _remove_stale(versions, current)
            folder.mkdir()
            yield version
            _publish(current, folder)
        finally:
            # all but the current version go: the old one, or the new one that failed
            _remove_stale(versions, current)


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
    (landing_zone / VERSIONS).mkdir(parents=True, exist_ok=True)
    lock = landing_zone / VERSIONS / f"{source_system}.lock"
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                f"{landing_zone}: another landing of {source_system} is running; try "
                "again when it has finished"
            ) from error
        yield


def _publish(current: Path, folder: Path) -> None:
    link = _beside(folder, ".link")
    # relative, so that the landing zone can be moved
    link.symlink_to(Path(VERSIONS) / folder.name)
    if not current.is_dir() or current.is_symlink():
        os.replace(link, current)
        return
    # to replace a folder that a person put there takes two steps
    moved_aside = _beside(folder, ".replaced")
    os.replace(current, moved_aside)
    try:
        os.replace(link, current)
    except OSError:
        os.replace(moved_aside, current)
        raise


def _restore_moved_aside(versions: Path, current: Path) -> None:
    """Put back a folder that a landing moved aside before it was killed."""
    if not os.path.lexists(current):
        for moved_aside in versions.glob(f"{current.name}-*.replaced"):
            os.replace(moved_aside, current)
            return


def _remove_stale(versions: Path, current: Path) -> None:
    """Remove all versions but the published one: old, failed, or left by a crash."""
    published = current.resolve()
    for path in versions.glob(f"{current.name}-*"):
        if path.is_symlink():
            path.unlink()
        elif path.resolve() != published:
            shutil.rmtree(path, ignore_errors=True)


def _beside(folder: Path, ending: str) -> Path:
    return folder.with_name(folder.name + ending)
