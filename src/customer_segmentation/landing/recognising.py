"""What kind a raw file is: what its name ends in, and what its first bytes say."""

import codecs
import csv
import gzip
import io
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
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
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
CHUNK = 1 << 20


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


def require_whole_text(path: Path) -> None:
    """Read a CSV through once, to see that it is UTF-8 and, if gzipped, whole.

    DuckDB checks neither a gzip file's checksum nor the encoding of columns that are
    not asked for.

    Raises
    ------
    InputError
        If it is not.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    for chunk in text_chunks(path):
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            raise _not_utf_8(path, line + chunk[: error.start].count(b"\n")) from error
        line += chunk.count(b"\n")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _not_utf_8(path, line) from error


def require_closed_quotes(path: Path, delimiter: str) -> None:
    """Read a CSV's quotes through once, to see that each of them is closed.

    DuckDB, when it reads in one thread, silently drops what follows an open quote.

    Raises
    ------
    InputError
        If one is not closed.
    """
    if not any(b'"' in chunk for chunk in text_chunks(path)):
        return
    with opened(path) as file:
        binary = gzip.GzipFile(fileobj=file) if kind_of(path) == "gzip" else file
        with io.TextIOWrapper(binary, encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(text, delimiter=delimiter, strict=True)
            try:
                deque(reader, maxlen=0)
            except csv.Error as error:
                raise InputError(
                    f"{path}: line {reader.line_num}: a quote is not closed, or "
                    f"stands inside a quoted value without being doubled ({error})"
                ) from error


def text_chunks(path: Path) -> Iterator[bytes]:
    """Read a CSV file in chunks, unpacked if it is gzipped.

    Raises
    ------
    InputError
        If it cannot be read, or a gzip file is damaged or cut off.
    """
    with opened(path) as file:
        if kind_of(path) != "gzip":
            while chunk := file.read(CHUNK):
                yield chunk
            return
        try:
            with gzip.GzipFile(fileobj=file) as unpacked:
                while chunk := unpacked.read(CHUNK):
                    yield chunk
        except (zlib.error, EOFError, gzip.BadGzipFile) as error:
            raise InputError(
                f"{path}: is damaged or cut off: it does not unpack ({error})"
            ) from error


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a raw file for reading.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    with file:
        yield file


def require_not_utf_16(path: Path, head: bytes) -> None:
    """Refuse a text file whose first bytes are UTF-16, or no text at all.

    Raises
    ------
    InputError
        If they are.
    """
    if head.startswith(UTF_16_MARKS) or b"\0" in head:
        encoding = "UTF-16" if head.startswith(UTF_16_MARKS) else "binary or UTF-16"
        raise InputError(
            f"{path}: is {encoding}, UTF-8 is expected; convert it with: "
            f"iconv -f UTF-16 -t UTF-8 {path.name} > new_{path.name}"
        )


def _not_utf_8(path: Path, line: int) -> InputError:
    return InputError(
        f"{path}: line {line}: is not UTF-8, which is expected; if it is Latin-1, "
        f"convert it with: iconv -f LATIN1 -t UTF-8 {path.name} > new_{path.name}"
    )


def _last_bytes(file: BinaryIO) -> bytes:
    size = file.seek(0, 2)
    file.seek(max(0, size - 4))
    return file.read(4)


def _kind_of_bytes(head: bytes) -> str:
    return next(
        (kind for mark, kind in KIND_OF_FIRST_BYTES.items() if head.startswith(mark)),
        "CSV",
    )
