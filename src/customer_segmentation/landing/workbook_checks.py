"""What a workbook must be before it is read whole, and which of its cells are lost.

A workbook is a zip file of XML, and a reader asks for memory by the corner cells of
each sheet. So a small file can ask for all of it. Here the XML is read as a stream.
"""

import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import normpath
from xml.parsers import expat

from customer_segmentation.errors import InputError
from customer_segmentation.landing.workbook_texts import SHARED_TEXTS, check_texts

__all__ = ["SheetScan", "column_letters", "scan_workbook"]

# two full sheets of ten columns take about one gigabyte
MAX_UNPACKED_BYTES = 2 << 30
# a full sheet of 32 columns; the reader needs 32 bytes for each
MAX_CELLS = 1 << 25
CHUNK_BYTES = 1 << 18
MAX_COLUMNS = 16_384
MAX_SHEETS = 4_096
MAX_MERGED_CELLS = 1 << 20
# Excel takes 65,530 hyperlinks in a sheet
MAX_RELATIONS = 1 << 17
WORKBOOK = "xl/workbook.xml"
# an unknown compression or a password is a runtime error
ZIP_ERRORS = (
    *(OSError, EOFError, ValueError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)
RELATIONS = "xl/_rels/workbook.xml.rels"


@dataclass
class SheetScan:
    """The cells of a sheet, as its XML has them.

    Parameters
    ----------
    first_row, last_row, first_column, last_column : int
        The corners of its cells with a value, from 1 on.
    texts : int
        Cells that refer to a text which the workbook holds once.
    errors : Counter
        Cells with an error such as ``#N/A``, by column.
    formulas : Counter
        Formulas whose value was not saved, by column.
    """

    first_row: int = 1 << 30
    last_row: int = 0
    first_column: int = 1 << 30
    last_column: int = 0
    texts: int = 0
    errors: Counter[int] = field(default_factory=Counter)
    formulas: Counter[int] = field(default_factory=Counter)

    @property
    def cells(self) -> int:
        """The number of cells between the corners."""
        rows = self.last_row - self.first_row + 1
        return max(0, rows) * max(0, self.last_column - self.first_column + 1)


def scan_workbook(path: Path) -> dict[str, SheetScan]:
    """Check the size of a workbook, and scan the cells of its sheets.

    Parameters
    ----------
    path : Path
        The workbook.

    Returns
    -------
    dict of str to SheetScan
        By the name of the sheet.

    Raises
    ------
    InputError
        If it is no workbook, or unpacks to more than is read into memory.
    """
    parts: dict[str, _Part] = {}
    left = MAX_UNPACKED_BYTES
    try:
        with zipfile.ZipFile(path) as file:
            for member in file.infolist():
                part = _Part()
                if parts.setdefault(member.filename.lower(), part) is not part:
                    raise ValueError(f"it holds {member.filename} twice")
                for chunk in _unpacked(file, member):
                    left -= len(chunk)
                    if left < 0:
                        raise _too_large(path)
                    part.feed(chunk)
                    if part.scan.cells > MAX_CELLS:
                        raise _too_wide(path, member.filename, part.scan)
                part.end()
            members = _sheet_members(parts)
            for name in (WORKBOOK, RELATIONS, SHARED_TEXTS, *(m for _, m in members)):
                if name in parts and parts[name].error:
                    raise ValueError(parts[name].error)
            check_texts(
                path,
                file.infolist(),
                {m: parts[m].scan.texts for _, m in members if m in parts},
                lambda member: _unpacked(file, member),
            )
    except (*ZIP_ERRORS, expat.ExpatError) as error:
        raise InputError(
            f"{path}: cannot be read as an Excel workbook: {error or 'it is damaged'}"
        ) from error
    # a sheet that is not found counts as the largest, and one named twice counts twice
    largest = max((part.scan.cells for part in parts.values()), default=0)
    cells = sum(
        parts[member].scan.cells if member in parts else largest
        for _, member in members
    )
    if cells > MAX_CELLS:
        raise _too_many(path, cells)
    return {name: parts[member].scan for name, member in members if member in parts}


class _Part:
    """A part of a workbook; nothing is kept of a part that is not XML."""

    def __init__(self) -> None:
        self.scan = SheetScan()
        # why it is no XML of a sheet; drawings and notes need not be
        self.error = ""
        self.sheets: list[tuple[str, str]] = []
        self.targets: dict[str, str] = {}
        self._begins = b""
        self._parser: expat.XMLParserType | None = None
        self._row = self._column = 0
        self._digits = ""
        self._merged_cells = 0
        self._columns: dict[str, int] = {}
        self._has_formula = self._has_value = self._is_text = False

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        if not self._begins:
            self._begins = chunk[:64]
            if self._begins.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n").startswith(b"<"):
                self._parser = expat.ParserCreate()
                self._parser.StartElementHandler = self._start
            else:
                self.error = "a part of it is no XML"
        self._parse(chunk, is_final=False)

    def end(self) -> None:
        """Take note that there are no more bytes."""
        self._parse(b"", is_final=True)
        self._end_of_cell()

    def _parse(self, chunk: bytes, *, is_final: bool) -> None:
        if self._parser is not None:
            try:
                self._parser.Parse(chunk, is_final)
            except (expat.ExpatError, ValueError) as error:
                self.error = str(error)
                self._parser = None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        kind = name.rpartition(":")[2] if ":" in name else name
        if kind == "c":
            if self._has_formula:
                self._end_of_cell()
            self._start_of_cell(attributes)
        elif kind in ("v", "is"):
            self._value()
        elif kind == "f":
            self._has_formula = True
        elif kind == "row":
            self._end_of_cell()
            self._row = int(attributes.get("r") or self._row + 1)
            self._column = 0
            self._digits = ""
        elif kind == "mergeCell":
            self._merged_cells += 1
            _check_number("merged cells", self._merged_cells, MAX_MERGED_CELLS)
        elif kind == "sheet":
            ids = (v for k, v in attributes.items() if k.rpartition(":")[2] == "id")
            self.sheets.append((attributes.get("name", ""), next(ids, "")))
            _check_number("sheets", len(self.sheets), MAX_SHEETS)
        elif kind == "Relationship":
            self.targets[attributes.get("Id", "")] = attributes.get("Target", "")
            _check_number("relations", len(self.targets), MAX_RELATIONS)

    def _start_of_cell(self, attributes: dict[str, str]) -> None:
        self._has_value = False
        self._column += 1
        if reference := attributes.get("r"):
            letters = reference.rstrip("0123456789")
            if letters not in self._columns:
                self._remember_column(letters)
            self._column = self._columns[letters]
            digits = reference[len(letters) :]
            # most cells of a row say its number again
            if digits != self._digits:
                self._digits, self._row = digits, int(digits)
        kind = attributes.get("t")
        self._is_text = kind == "str"
        if kind == "s":
            self.scan.texts += 1
        elif kind == "e" and self._column <= MAX_COLUMNS:
            self.scan.errors[self._column] += 1

    def _remember_column(self, letters: str) -> None:
        # what a reader makes of other letters cannot be known
        if not re.fullmatch("[A-Za-z]{1,3}", letters):
            raise ValueError(f"a cell stands in a column {letters[:20]!r}")
        self._columns[letters] = _column_number(letters)

    def _value(self) -> None:
        scan, row, column = self.scan, self._row, self._column
        if row > scan.last_row:
            scan.last_row = row
        if row < scan.first_row:
            scan.first_row = row
        if column > scan.last_column:
            scan.last_column = column
        if column < scan.first_column:
            scan.first_column = column
        if self._has_formula and not self._is_text and self._parser is not None:
            # an empty value is none; a text may be empty
            self._parser.CharacterDataHandler = self._characters
        else:
            self._has_value = True

    def _characters(self, text: str) -> None:
        self._has_value = self._has_value or bool(text.strip())

    def _end_of_cell(self) -> None:
        if self._has_formula:
            if not self._has_value and self._column <= MAX_COLUMNS:
                self.scan.formulas[self._column] += 1
            self._has_formula = False
            if self._parser is not None:
                self._parser.CharacterDataHandler = None


def _unpacked(file: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Read a member to its true end, which may not be where its header says."""
    whole = copy(member)
    whole.file_size = MAX_UNPACKED_BYTES + 1
    with file.open(whole) as content:
        while chunk := content.read(CHUNK_BYTES):
            yield chunk


def _sheet_members(parts: dict[str, _Part]) -> list[tuple[str, str]]:
    """Return the name of each sheet, and its member in lower case."""
    if WORKBOOK not in parts or RELATIONS not in parts:
        return []
    targets = parts[RELATIONS].targets
    members = []
    for name, key in parts[WORKBOOK].sheets:
        target = targets.get(key, "").lower()
        place = target if target.startswith(("/", "xl/")) else f"xl/{target}"
        members.append((name, normpath(place).lstrip("/")))
    return members


def _check_number(what: str, number: int, most: int) -> None:
    if number > most:
        raise ValueError(f"it has more than {most:,} {what}")


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def column_letters(number: int) -> str:
    """Return the letters of a column, counted from 1.

    Examples
    --------
    >>> column_letters(28)
    'AB'
    """
    letters = ""
    while number:
        number, letter = divmod(number - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def _too_large(path: Path) -> InputError:
    return InputError(
        f"{path}: unpacks to more than {MAX_UNPACKED_BYTES >> 20:,} MB; save its "
        "sheets as CSV files, and land these"
    )


def _too_wide(path: Path, member: str, scan: SheetScan) -> InputError:
    rows = scan.last_row - scan.first_row + 1
    columns = scan.last_column - scan.first_column + 1
    corner = f"{column_letters(scan.last_column)}{scan.last_row}"
    return InputError(
        f"{path}: {member}: its cells span {rows:,} rows and {columns:,} columns, "
        f"to {corner}, more than {MAX_CELLS:,} cells; delete what stands outside of "
        "the table, or save the sheet as a CSV file and land that"
    )


def _too_many(path: Path, cells: int) -> InputError:
    return InputError(
        f"{path}: its sheets span {cells:,} cells together, more than {MAX_CELLS:,}; "
        "delete sheets that are no raw tables, or save the sheets as CSV files"
    )
