"""Published files: each version is written aside, and takes its place in one step.

A reader opens the last version that was published, also while the next one is written,
and after a build that failed or was killed.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self

from customer_segmentation.errors import InputError
from customer_segmentation.private_files import (
    folder_mode,
    make_folder,
    set_mode,
    sync,
)

__all__ = ["Publisher"]

LOCK = ".publishing"
CURRENT = "current"
# the places may hold files of other people: only what has such a name is removed
VERSION = r"\d{8}T\d{6}_[0-9a-f]{8}"
# versions of the folder that stay: a reader of the one before may still be at work
KEPT_VERSIONS = 3
REMEDY = "or name another file in CUSTOMER_SEGMENTATION_PUBLISHED"


class Publisher:
    """Puts a database file and a folder of Parquet in the place of the last version.

    Only one process publishes to a file at a time.

    Parameters
    ----------
    database : Path
        The file that BI tools open. Its folder is made if it is missing.
    folder : Path
        Holds a folder for each version, and a link ``current`` to the last one. What
        else is there stays.
    version : str
        A name that no other version has, and that sorts after those before: a time and
        eight hexadecimal digits, as in ``20261126T093000_1f2e3d4c``.
    built : Path, optional
        The database of the build, which nothing may replace.

    Raises
    ------
    InputError
        If the file is the database of the build, another process is publishing, or the
        folder cannot be written.
    """

    def __init__(
        self, database: Path, folder: Path, version: str, built: Path | None = None
    ) -> None:
        if not re.fullmatch(VERSION, version):
            raise ValueError(f"{version} is no name of a version")
        self.database, self.folder, self.version = database, folder, version
        self.built = built
        self._lock: BinaryIO | None = None
        self._umask: int | None = None

    @property
    def new_database(self) -> Path:
        """Where the database file of this version is written."""
        return self.database.with_name(f"{self.database.name}.{self.version}.new")

    @property
    def new_folder(self) -> Path:
        """Where the Parquet files of this version are written."""
        return self.folder / f"{self.version}.new"

    def begin(self) -> Self:
        """Make the places to write to, and remove what killed builds left there.

        Until the end of this version, new files of the process have the permissions of
        files that hold customers: DuckDB creates its files itself.
        """
        if self.built and self.built.resolve() == self.database.resolve():
            raise InputError(
                f"{self.database} is the database of the build, and would be replaced "
                "by the published tables: name another file in "
                "CUSTOMER_SEGMENTATION_PUBLISHED"
            )
        with self._explained():
            for parent in (self.database.parent, self.folder):
                make_folder(parent)
            self._lock = (self.folder / LOCK).open("ab")
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InputError(
                    f"another build is publishing to {self.folder}: wait for its end, "
                    f"{REMEDY}"
                ) from error
            self._remove_leftovers()
            self._link()
            make_folder(self.new_folder)
            self._umask = os.umask(0o777 & ~folder_mode())
        return self

    def finish(self) -> None:
        """Put this version in the place of the last one.

        All bytes are on the disk before the names change. The folder comes first: its
        version is complete beside the others until the link moves.
        """
        with self._explained():
            for file in sorted(self.new_folder.iterdir()):
                set_mode(file)
                sync(file)
            sync(self.new_folder)
            set_mode(self.new_database)
            sync(self.new_database)
            self.new_folder.rename(self.folder / self.version)
            self._new_link.replace(self.folder / CURRENT)
            sync(self.folder)
            self.new_database.replace(self.database)
            sync(self.database.parent)
            self._forget_old_versions()
        self.close()

    def close(self) -> None:
        """Let others publish; what is not finished is removed by the next one."""
        if self._umask is not None:
            os.umask(self._umask)
            self._umask = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def _new_link(self) -> Path:
        return self.folder / f"{CURRENT}.{self.version}"

    def _link(self) -> None:
        """Make the link to this version first: some disks have no links."""
        current = self.folder / CURRENT
        if os.path.lexists(current) and not (
            current.is_symlink() and re.fullmatch(VERSION, os.readlink(current))
        ):
            raise InputError(
                f"{current} leads to no published version: move it away, {REMEDY}"
            )
        try:
            self._new_link.symlink_to(self.version)
        except OSError as error:
            raise InputError(
                f"cannot make a symbolic link in {self.folder}: {error.strerror}; "
                f"publish to a disk that has such links, {REMEDY}"
            ) from error

    def _remove_leftovers(self) -> None:
        name = re.escape(self.database.name)
        for left in _named(self.database.parent, rf"{name}\.{VERSION}\.new.*"):
            left.unlink()
        for left in _named(self.folder, rf"{CURRENT}\.{VERSION}"):
            left.unlink()
        for left in _named(self.folder, rf"{VERSION}\.new"):
            shutil.rmtree(left)

    def _forget_old_versions(self) -> None:
        # after a clock was set back, this version is not the last by name
        others = [
            one for one in _named(self.folder, VERSION) if one.name != self.version
        ]
        for old in others[: 1 - KEPT_VERSIONS]:
            shutil.rmtree(old, ignore_errors=True)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say what a user can do about an error of the disk, and let others publish."""
        try:
            yield
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise InputError(
                    f"cannot publish to {self.folder}: {error.strerror}; see that it "
                    f"can be written and has room, {REMEDY}"
                ) from error
            raise


def _named(folder: Path, pattern: str) -> list[Path]:
    """Return what a folder holds under names of a pattern, sorted."""
    return sorted(
        one for one in folder.iterdir() if re.fullmatch(pattern, one.name, re.DOTALL)
    )
