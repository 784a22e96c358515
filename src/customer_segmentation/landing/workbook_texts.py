"""How much text a workbook holds once each cell has its own copy of it.

Excel writes a text once and refers to it. A reader copies it into each cell, so 4 KB
with one long text and many cells could ask for all memory.
"""

import zipfile
from array import array
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from xml.parsers import expat

from customer_segmentation.errors import InputError

__all__ = ["SHARED_TEXTS", "check_texts"]

MAX_CHARACTERS = 1 << 30
MAX_TEXTS = 1 << 25
SHARED_TEXTS = "xl/sharedstrings.xml"

# reads a member of the workbook in chunks
Reader = Callable[[zipfile.ZipInfo], Iterator[bytes]]


def check_texts(
    path: Path,
    members: Iterable[zipfile.ZipInfo],
    text_cells: dict[str, int],
    read: Reader,
) -> None:
    """Check that the texts of all cells fit into memory.

    Parameters
    ----------
    path : Path
        The workbook, for messages.
    members : iterable of ZipInfo
        Its members.
    text_cells : dict of str to int
        By the name of a member in lower case, how many of its cells refer to a text.
    read : callable
        Reads a member in chunks.

    Raises
    ------
    InputError
        If they do not fit.
    """
    if not any(text_cells.values()):
        return
    by_name = {member.filename.lower(): member for member in members}
    if SHARED_TEXTS not in by_name:
        return
    lengths = _lengths(path, read(by_name[SHARED_TEXTS]))
    longest = max(lengths, default=0)
    left = MAX_CHARACTERS
    if sum(text_cells.values()) * longest <= left:
        return
    for name, cells in text_cells.items():
        if cells:
            left -= _characters(read(by_name[name]), lengths, left)
            if left < 0:
                raise _too_much(path)


def _lengths(path: Path, chunks: Iterator[bytes]) -> "array[int]":
    """Return the length of each shared text."""
    lengths: array[int] = array("Q")

    def start(name: str, _: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "si":
            if len(lengths) == MAX_TEXTS:
                raise _too_much(path)
            lengths.append(0)

    def characters(text: str) -> None:
        if lengths:
            lengths[-1] += len(text)

    _parse(chunks, start, characters)
    return lengths


def _characters(chunks: Iterator[bytes], lengths: "array[int]", most: int) -> int:
    """Return how many characters the cells of a sheet copy, to no more than needed."""
    total = 0
    is_reference = False
    digits = ""

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal total, is_reference, digits
        if name.rpartition(":")[2] == "c":
            if digits.strip().isdecimal() and int(digits) < len(lengths):
                total += lengths[int(digits)]
            is_reference = attributes.get("t") == "s"
            digits = ""

    def characters(text: str) -> None:
        nonlocal digits
        if is_reference and len(digits) < 32:
            digits += text

    def until_known() -> Iterator[bytes]:
        for chunk in chunks:
            if total > most:
                return
            yield chunk

    _parse(until_known(), start, characters, is_final=False)
    start("c", {})
    return total


def _parse(
    chunks: Iterator[bytes],
    start: Callable[[str, dict[str, str]], None],
    characters: Callable[[str], None],
    *,
    is_final: bool = True,
) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.CharacterDataHandler = characters
    for chunk in chunks:
        parser.Parse(chunk, False)
    if is_final:
        parser.Parse(b"", True)


def _too_much(path: Path) -> InputError:
    return InputError(
        f"{path}: the texts of its cells have more than {MAX_CHARACTERS:,} characters; "
        "shorten them, or save its sheets as CSV files, and land these"
    )
