"""Files that hold customers: the owner alone reads them, and they survive power loss.

A module of its own, so that landing and publishing make their files alike.
"""

import os
from pathlib import Path

from customer_segmentation.errors import InputError

__all__ = [
    "ACCESS_VARIABLE",
    "FILE_MODES",
    "create_file",
    "file_mode",
    "folder_mode",
    "make_folder",
    "set_mode",
    "sync",
]

ACCESS_VARIABLE = "CUSTOMER_SEGMENTATION_FILE_ACCESS"
FILE_MODES = {"owner": 0o600, "group": 0o640, "everyone": 0o644}


def file_mode() -> int:
    """Return the permissions of a file that holds customers, whatever the umask says.

    Raises
    ------
    InputError
        If ``CUSTOMER_SEGMENTATION_FILE_ACCESS`` has an unknown value.

    Examples
    --------
    >>> oct(file_mode())
    '0o600'
    """
    access = os.environ.get(ACCESS_VARIABLE) or "owner"
    if access not in FILE_MODES:
        raise InputError(
            f"{ACCESS_VARIABLE} is {access!r}: set it to one of "
            f"{', '.join(FILE_MODES)}, or unset it"
        )
    return FILE_MODES[access]


def folder_mode() -> int:
    """Return the permissions of a folder of such files: who may read may enter.

    Examples
    --------
    >>> oct(folder_mode())
    '0o700'
    """
    mode = file_mode()
    return mode | (mode & 0o444) >> 2


def set_mode(path: Path) -> None:
    """Give a file or a folder the permissions of what holds customers."""
    path.chmod(folder_mode() if path.is_dir() else file_mode())


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing; they survive power loss.

    A folder that is there keeps its permissions.

    Parameters
    ----------
    folder : Path
        The folder.
    """
    if folder.is_dir():
        return
    if folder.parent != folder:
        make_folder(folder.parent)
    try:
        folder.mkdir(mode=folder_mode())
    except FileExistsError:
        if not folder.is_dir():
            raise
        return  # another process was faster
    set_mode(folder)
    sync(folder.parent)


def create_file(path: Path) -> None:
    """Create an empty file; nobody else can open it before its rows are written.

    Parameters
    ----------
    path : Path
        A path where nothing is.
    """
    mode = file_mode()
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    try:
        os.fchmod(handle, mode)
    finally:
        os.close(handle)


def sync(path: Path) -> None:
    """Wait until a file, or the list of a folder's entries, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
