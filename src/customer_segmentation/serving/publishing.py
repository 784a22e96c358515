"""Published files: each version is written aside, and takes its place in one step.

A reader opens the last version that was published, also while the next one is written,
and after a build that failed or was killed.
"""

import fcntl
import os
import shutil
from pathlib import Path
from typing import Self

from customer_segmentation.errors import InputError

__all__ = ["Publisher"]

LOCK = ".publishing"
CURRENT = "current"
# versions of the folder that stay: a reader of the one before may still be at work
KEPT_VERSIONS = 3


class Publisher:
    """Puts a database file and a folder of Parquet in the place of the last version.

    Only one process publishes to a file at a time.

    Parameters
    ----------
    database : Path
        The file that BI tools open. Its folder is made if it is missing.
    folder : Path
        Holds a folder for each version, and a link ``current`` to the last one.
    version : str
        A name that no other version has, and that sorts after those before.

    Raises
    ------
    InputError
        If another process is publishing, or the folder cannot be written.
    """

    def __init__(self, database: Path, folder: Path, version: str) -> None:
        self.database, self.folder, self.version = database, folder, version
        self._lock = -1

    @property
    def new_database(self) -> Path:
        """Where the database file of this version is written."""
        return self.database.with_name(f"{self.database.name}.{self.version}.new")

    @property
    def new_folder(self) -> Path:
        """Where the Parquet files of this version are written."""
        return self.folder / f"{self.version}.new"

    def begin(self) -> Self:
        """Make the places to write to, and remove what killed builds left there."""
        try:
            for parent in (self.database.parent, self.folder):
                parent.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(
                self.folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666
            )
        except OSError as error:
            raise InputError(
                f"cannot publish to {self.folder}: {error.strerror}; make the folder "
                "writable, or name another one in CUSTOMER_SEGMENTATION_PUBLISHED"
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._unlock()
            raise InputError(
                f"another build is publishing to {self.folder}: wait for its end, or "
                "name another folder in CUSTOMER_SEGMENTATION_PUBLISHED"
            ) from error
        files = self.database.parent.glob(f"{self.database.name}.*.new*")
        for left in (*files, *self.folder.glob(f"{CURRENT}.*")):
            left.unlink()
        for left in self.folder.glob("*.new"):
            shutil.rmtree(left)
        self.new_folder.mkdir()
        return self

    def finish(self) -> None:
        """Put this version in the place of the last one.

        All bytes are on the disk before the names change. The folder comes first: its
        version is complete beside the others until the link moves.
        """
        try:
            for file in sorted(self.new_folder.iterdir()):
                _sync(file)
            _sync(self.new_folder)
            _sync(self.new_database)
            version = self.folder / self.version
            self.new_folder.rename(version)
            link = self.folder / f"{CURRENT}.{self.version}"
            link.symlink_to(self.version)
            link.replace(self.folder / CURRENT)
            _sync(self.folder)
            self.new_database.replace(self.database)
            _sync(self.database.parent)
            self._forget_old_versions()
        finally:
            self._unlock()

    def _forget_old_versions(self) -> None:
        versions = sorted(
            one
            for one in self.folder.iterdir()
            if one.is_dir() and not one.is_symlink() and one.suffix != ".new"
        )
        for old in versions[:-KEPT_VERSIONS]:
            shutil.rmtree(old, ignore_errors=True)

    def _unlock(self) -> None:
        os.close(self._lock)
        self._lock = -1


def _sync(path: Path) -> None:
    """Wait until a file or a folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
