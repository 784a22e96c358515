"""Which landed version a build reads: one from its start to its end, which stays.

A landing puts a new version in the place of the old one in one step. A build looks once
which version that is, and leaves a lease beside it: a file that it keeps locked. The
lock ends with its process, also if that is killed. A landing removes no version with a
lease.

It stands outside of ``landing``, so that a build need not import what lands.
"""

import atexit
import fcntl
import os
import platform
import re
import time
from functools import cache
from pathlib import Path
from threading import Lock
from uuid import uuid4

from customer_segmentation.private_files import file_mode

__all__ = ["VERSIONS", "VERSION_ID", "folder_in_build", "leased_versions"]

VERSIONS = ".versions"
VERSION_ID = "[0-9a-f]{12}"
LEASE = ".lease"
# of dbt: those that read what has landed for longer than one statement
LEASING = ("build", "run", "test", "retry")
# a file system may hide locks from other machines: their leases count for a day
SECONDS_OF_OTHER_MACHINES = 24 * 60 * 60


class Lease:
    """A file beside a version that says that this process reads the version.

    Parameters
    ----------
    version : Path
        The folder of the version.
    """

    def __init__(self, version: Path) -> None:
        self._path = version.with_name(f"{version.name}.{uuid4().hex[:12]}{LEASE}")
        self._handle = os.open(
            self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, file_mode()
        )
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX)
            # until then it is taken for one of another machine
            os.write(self._handle, machine().encode())
        except OSError:
            self.end()
            raise

    def end(self) -> None:
        """Let landings remove the version."""
        self._path.unlink(missing_ok=True)
        os.close(self._handle)


_folders: dict[tuple[str, str, str], str] = {}
_leases: list[Lease] = []
_looking = Lock()


def folder_in_build(zone: str, source_system: str, build: str, command: str) -> str:
    """Return the folder that a build reads a source system from, the same each time.

    Parameters
    ----------
    zone : str
        The landing zone. This machine need not see it: then Spark reads what is there.
    source_system : str
        The source system.
    build : str
        What is the same in a build, and different in the next: dbt's invocation id. Its
        versions stay until the process ends, or asks for the next build.
    command : str
        The command of dbt, such as ``build``.

    Returns
    -------
    str
        The folder of a version; or that of the source system, if no landing made it. If
        nothing has landed, a folder that never exists.
    """
    key = (build, zone, source_system)
    with _looking:
        if any(known != build for known, *_ in _folders):
            _end_leases()
        if key not in _folders:
            is_leased = command in LEASING
            _folders[key] = _find_folder(zone, source_system, is_leased=is_leased)
        return _folders[key]


def leased_versions(landing_zone: Path, source_system: str) -> set[str]:
    """Return the names of versions that builds may read; leases of ended ones go.

    Parameters
    ----------
    landing_zone : Path
        The landing zone.
    source_system : str
        The source system.
    """
    name = re.compile(rf"({source_system}-{VERSION_ID})\.{VERSION_ID}\{LEASE}")
    found = set()
    for path in (landing_zone / VERSIONS).iterdir():
        if lease := name.fullmatch(path.name):
            if _is_held(path):
                found.add(lease[1])
            else:
                path.unlink(missing_ok=True)
    return found


@cache
def machine() -> str:
    """Return what all processes of this machine share, in containers too."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return platform.node()


def _find_folder(zone: str, source_system: str, *, is_leased: bool) -> str:
    while True:
        name = _current_version(zone, source_system)
        if name is None:
            is_missing = os.path.isdir(zone) and not os.path.lexists(
                f"{zone}/{source_system}"
            )
            # what lands during the build must not appear
            place = f"{VERSIONS}/{source_system}-missing"
            return f"{zone}/{place if is_missing else source_system}"
        folder = f"{zone}/{VERSIONS}/{name}"
        lease = _lease(Path(folder)) if is_leased else None
        # a landing may have removed it before it could see the lease
        if _current_version(zone, source_system) == name:
            if lease is not None:
                _leases.append(lease)
            return folder
        if lease is not None:
            lease.end()


def _current_version(zone: str, source_system: str) -> str | None:
    try:
        target = os.readlink(f"{zone}/{source_system}")
    except OSError:  # nothing is there, or a folder that a person put there
        return None
    named = re.fullmatch(
        rf"{re.escape(VERSIONS)}/({source_system}-{VERSION_ID})", target
    )
    return named[1] if named else None


def _lease(version: Path) -> Lease | None:
    try:
        return Lease(version)
    except OSError:
        # who may only read the zone reads one version or, when it is gone, none
        return None


@atexit.register
def _end_leases() -> None:
    while _leases:
        _leases.pop().end()
    _folders.clear()


def _is_held(lease: Path) -> bool:
    try:
        with lease.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            if file.read().decode() == machine():
                return False
    except FileNotFoundError:
        return False
    except OSError:
        pass  # another person's, whose lock cannot be asked for
    try:
        age = time.time() - lease.stat().st_mtime
    except FileNotFoundError:
        return False
    return age < SECONDS_OF_OTHER_MACHINES
