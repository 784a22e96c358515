"""What a CSV file must be before DuckDB can read it without losing rows."""

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from customer_segmentation.errors import InputError
from customer_segmentation.landing.files import kind_of, kind_of_bytes, open_file

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


def check_text(path: Path, head: bytes) -> None:
    """Refuse a file whose first bytes are UTF-16 or binary, or of another kind.

    Parameters
    ----------
    path : Path
        The file, for messages.
    head : bytes
        Its first bytes, unpacked.

    Raises
    ------
    InputError
        If they are UTF-16 or binary, or packed once more.
    """
    kind = kind_of_bytes(head)
    if kind == "gzip":
        raise InputError(
            f"{path}: is gzipped twice; unpack it once with: gzip -cd {path.name} > "
            f"new_{path.name}"
        )
    if kind != "CSV":
        raise InputError(f"{path}: unpacks to {kind}, CSV is expected")
    if head.startswith(UTF_16_MARKS) or b"\0" in head:
        encoding = "UTF-16" if head.startswith(UTF_16_MARKS) else "binary or UTF-16"
        raise InputError(
            f"{path}: is {encoding}, UTF-8 is expected; convert it with: "
            f"iconv -f UTF-16 -t UTF-8 {path.name} > new_{path.name}"
        )


def check_utf_8(path: Path) -> None:
    """Read a CSV file once, to check that it is UTF-8 text and, if gzipped, complete.

    DuckDB checks neither the checksum of a gzip file nor the encoding of columns that
    a query does not select.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    InputError
        If the file is not UTF-8, has a NUL byte, is damaged or cut off.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    for chunk in text_chunks(path):
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            raise _not_utf_8(path, line + chunk[: error.start].count(b"\n")) from error
        if (position := chunk.find(b"\0")) >= 0:
            raise _has_nul(path, line + chunk[:position].count(b"\n"))
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
        If a quote is not closed, or a value is too long to be one.
    """
    if not any(b'"' in chunk for chunk in text_chunks(path)):
        return
    with (
        _unpacked(path) as file,
        io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text,
    ):
        # a quote after spaces opens a value for DuckDB, and so it must here
        reader = csv.reader(
            text, delimiter=delimiter, strict=True, skipinitialspace=True
        )
        row_ends = 0
        try:
            for _ in reader:
                row_ends = reader.line_num
        except csv.Error as error:
            if "field limit" in str(error):
                raise _too_long(path, row_ends + 1) from error
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


def _has_nul(path: Path, line: int) -> InputError:
    return InputError(
        f"{path}: line {line}: has a NUL byte, which no text has; write the file "
        f"again, or remove it with: tr -d '\\000' < {path.name} > new_{path.name}"
    )


def _too_long(path: Path, line: int) -> InputError:
    return InputError(
        f"{path}: line {line}: the row that begins here has a value of more than "
        f"{csv.field_size_limit():,} characters; shorten it, or close its quote if one "
        "was left open"
    )


def _not_utf_8(path: Path, line: int) -> InputError:
    return InputError(
        f"{path}: line {line}: is not UTF-8, which is expected; if it is Latin-1, "
        f"convert it with: iconv -f LATIN1 -t UTF-8 {path.name} > new_{path.name}"
    )
