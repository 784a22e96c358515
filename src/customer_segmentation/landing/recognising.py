"""What kind a raw file is: what its name ends in, and what its first bytes say."""

from pathlib import Path
from typing import BinaryIO

from customer_segmentation.errors import InputError

KIND_OF_ENDING = {
    ".csv": "CSV",
    ".csv.gz": "gzip",
    ".parquet": "Parquet",
    ".xlsx": "Excel",
    ".xlsm": "Excel",
}
KIND_OF_FIRST_BYTES = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip or Excel",
    b"PAR1": "Parquet",
    b"\xd0\xcf\x11\xe0": "old Excel (.xls)",
    b"(\xb5/\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
}


def kind_of(path: Path) -> str | None:
    """Return the kind that a file's ending stands for, None for an unknown ending."""
    name = path.name.lower()
    return next(
        (kind for ending, kind in KIND_OF_ENDING.items() if name.endswith(ending)),
        None,
    )


def stem_of(path: Path) -> str:
    """Return a file's name without its ending.

    Examples
    --------
    >>> stem_of(Path("raw/transactions.csv.gz"))
    'transactions'
    """
    name = path.name
    ending = next(end for end in KIND_OF_ENDING if name.lower().endswith(end))
    return name[: -len(ending)]


def require_kind(path: Path) -> str:
    """Return the kind of a file, once its first bytes agree with its ending.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        One of the values of ``KIND_OF_ENDING``.

    Raises
    ------
    InputError
        If the ending is unknown, or the file is empty, unreadable or something else.
    """
    kind = kind_of(path)
    if kind is None:
        endings = ", ".join(KIND_OF_ENDING)
        raise InputError(f"{path}: unknown ending; known are {endings}")
    with opened(path) as file:
        head = file.read(8)
        if not head:
            raise InputError(f"{path}: is empty (no bytes)")
        tail = _last_bytes(file) if kind == "Parquet" else b""
    found = _kind_of_bytes(head)
    if found != kind and not (kind == "Excel" and found == "zip or Excel"):
        expected = {"gzip": "gzipped CSV"}.get(kind, kind)
        raise InputError(
            f"{path}: is not what its ending says: expected {expected}, found {found}"
        )
    if kind == "Parquet" and tail != b"PAR1":
        raise InputError(f"{path}: is cut off: a Parquet file ends in the mark PAR1")
    return kind


def opened(path: Path) -> BinaryIO:
    """Open a raw file for reading.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    BinaryIO
        To be closed by the caller.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def _last_bytes(file: BinaryIO) -> bytes:
    size = file.seek(0, 2)
    file.seek(max(0, size - 4))
    return file.read(4)


def _kind_of_bytes(head: bytes) -> str:
    return next(
        (kind for mark, kind in KIND_OF_FIRST_BYTES.items() if head.startswith(mark)),
        "CSV",
    )
