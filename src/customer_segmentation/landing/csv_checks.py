"""What a CSV file must be before DuckDB can read it without losing rows."""

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
from customer_segmentation.landing.files import kind_of, open_file

UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
CHUNK_BYTES = 1 << 20


def text_chunks(path: Path) -> Iterator[bytes]:
    """Read a CSV file in chunks, unpacked if it is gzipped.

    Parameters
    ----------
    path : Path
        The file.

    Yields
    ------
    bytes
        The next chunk.

    Raises
    ------
    InputError
        If the file cannot be read, or a gzip file is damaged or cut off.
    """
    with _unpacked(path) as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def check_not_utf_16(path: Path, head: bytes) -> None:
    """Refuse a file whose first bytes are UTF-16 or binary.

    Parameters
    ----------
    path : Path
        The file, for messages.
    head : bytes
        Its first bytes.

    Raises
    ------
    InputError
        If they are UTF-16 or binary.
    """
    if head.startswith(UTF_16_MARKS) or b"\0" in head:
        encoding = "UTF-16" if head.startswith(UTF_16_MARKS) else "binary or UTF-16"
        raise InputError(
            f"{path}: is {encoding}, UTF-8 is expected; convert it with: "
            f"iconv -f UTF-16 -t UTF-8 {path.name} > new_{path.name}"
        )


def check_utf_8(path: Path) -> None:
    """Read a CSV file once, to check that it is UTF-8 and, if gzipped, complete.

    DuckDB checks neither the checksum of a gzip file nor the encoding of columns that
    a query does not select.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    InputError
        If the file is not UTF-8, damaged or cut off.
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


def check_quotes(path: Path, delimiter: str) -> None:
    """Read the quotes of a CSV file once, to check that each of them is closed.

    DuckDB, when it reads in one thread, silently drops the rows after an open quote.

    Parameters
    ----------
    path : Path
        The file.
    delimiter : str
        The text between two values.

    Raises
    ------
    InputError
        If a quote is not closed.
    """
    if not any(b'"' in chunk for chunk in text_chunks(path)):
        return
    with (
        _unpacked(path) as file,
        io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text,
    ):
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        try:
            deque(reader, maxlen=0)
        except csv.Error as error:
            raise InputError(
                f"{path}: line {reader.line_num}: a quote is not closed, or a quote "
                f"inside a quoted value is not doubled ({error})"
            ) from error


@contextmanager
def _unpacked(path: Path) -> Iterator[BinaryIO | gzip.GzipFile]:
    with open_file(path) as file:
        if kind_of(path) != "gzip":
            yield file
            return
        try:
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield unpacked
        except (zlib.error, EOFError, gzip.BadGzipFile) as error:
            raise InputError(
                f"{path}: is damaged or cut off: it does not unpack ({error})"
            ) from error


def _not_utf_8(path: Path, line: int) -> InputError:
    return InputError(
        f"{path}: line {line}: is not UTF-8, which is expected; if it is Latin-1, "
        f"convert it with: iconv -f LATIN1 -t UTF-8 {path.name} > new_{path.name}"
    )
