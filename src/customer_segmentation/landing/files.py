"""The kind of a raw file: its ending, checked against its first bytes."""

import mmap
import os
from pathlib import Path
from typing import BinaryIO

from customer_segmentation.errors import InputError

KINDS_BY_ENDING = {
    ".csv": "CSV",
    ".csv.gz": "gzip",
    ".parquet": "Parquet",
    ".xlsx": "Excel",
    ".xlsm": "Excel",
}
KINDS_BY_FIRST_BYTES = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip or Excel",
    b"PAR1": "Parquet",
    b"\xd0\xcf\x11\xe0": "old Excel (.xls)",
    b"(\xb5/\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
}
# the part of an encrypted workbook, in the directory of the file that wraps it
ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")


def kind_of(path: Path) -> str | None:
    """Return the kind that the ending of a file stands for, None if it is unknown.

    Examples
    --------
    >>> kind_of(Path("raw/transactions.CSV.gz"))
    'gzip'
    """
    name = path.name.lower()
    return next(
        (kind for ending, kind in KINDS_BY_ENDING.items() if name.endswith(ending)),
        None,
    )


def stem_of(path: Path) -> str:
    """Return the name of a file without its ending.

    Examples
    --------
    >>> stem_of(Path("raw/transactions.csv.gz"))
    'transactions'
    """
    name = path.name
    ending = next(end for end in KINDS_BY_ENDING if name.lower().endswith(end))
    return name[: -len(ending)]


def check_name(path: Path) -> None:
    """Refuse a path that is not UTF-8: neither messages nor SQL can name it.

    Parameters
    ----------
    path : Path
        A file or a folder.

    Raises
    ------
    InputError
        If the path is not UTF-8.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        shown = os.fsencode(path).decode(errors="backslashreplace")
        raise InputError(f"{shown}: its name is not UTF-8; rename it") from error


def check_kind(path: Path) -> str:
    """Return the kind of a file; its first bytes must agree with its ending.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        One of the values of ``KINDS_BY_ENDING``.

    Raises
    ------
    InputError
        If the ending is unknown, or the file is empty, unreadable or of another kind.
    """
    kind = kind_of(path)
    if kind is None:
        endings = ", ".join(KINDS_BY_ENDING)
        raise InputError(f"{path}: unknown ending; known endings are {endings}")
    if not path.is_file():
        # to open a pipe waits for another process to write to it
        raise InputError(
            f"{path}: is a pipe or a device; write its content to a file, and land that"
        )
    with open_file(path) as file:
        head = file.read(8)
        if not head:
            raise InputError(f"{path}: is empty (no bytes)")
        tail = _last_bytes(file) if kind == "Parquet" else b""
    found = kind_of_bytes(head)
    if kind == "Excel" and found == "old Excel (.xls)" and _is_encrypted(path):
        raise InputError(
            f"{path}: is an encrypted workbook; open it in Excel, remove its password, "
            "save it, and land it again"
        )
    if found != kind and not (kind == "Excel" and found == "zip or Excel"):
        expected = {"gzip": "gzipped CSV"}.get(kind, kind)
        raise InputError(
            f"{path}: its content does not match its ending: expected {expected}, "
            f"found {found}"
        )
    if kind == "Parquet" and tail != b"PAR1":
        raise InputError(f"{path}: is cut off: a Parquet file ends with PAR1")
    return kind


def open_file(path: Path) -> BinaryIO:
    """Open a raw file for reading; the caller closes it.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def _last_bytes(file: BinaryIO) -> bytes:
    size = file.seek(0, 2)
    file.seek(max(0, size - 4))
    return file.read(4)


def _is_encrypted(path: Path) -> bool:
    with (
        open_file(path) as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        return content.find(ENCRYPTED_PACKAGE) >= 0


def kind_of_bytes(head: bytes) -> str:
    """Return the kind of a file from its first bytes; CSV if they say nothing else.

    Examples
    --------
    >>> kind_of_bytes(b"PAR1")
    'Parquet'
    """
    return next(
        (kind for mark, kind in KINDS_BY_FIRST_BYTES.items() if head.startswith(mark)),
        "CSV",
    )
