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

__all__ = ["SheetScan", "column_letters", "scan_workbook"]

# two full sheets of ten columns take about one gigabyte
MAX_UNPACKED_BYTES = 2 << 30
# a full sheet of 32 columns; the reader needs 32 bytes for each
MAX_CELLS = 1 << 25
CHUNK_BYTES = 1 << 18
MAX_COLUMNS = 16_384
# of sheets, and of names of elements: more are not kept
MAX_NAMES = 4_096
WORKBOOK = "xl/workbook.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"
REFERENCE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")


@dataclass
class SheetScan:
    """The cells of a sheet, as its XML has them.

    Parameters
    ----------
    first_row, last_row, first_column, last_column : int
        The corners of its cells with a value, from 1 on.
    errors : Counter
        Cells with an error such as ``#N/A``, by column.
    formulas : Counter
        Formulas whose value was not saved, by column.
    """

    first_row: int = 1 << 30
    last_row: int = 0
    first_column: int = 1 << 30
    last_column: int = 0
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
                for chunk in _unpacked(file, member):
                    left -= len(chunk)
                    if left < 0:
                        raise _too_large(path)
                    part.feed(chunk)
                    if part.scan.cells > MAX_CELLS:
                        raise _too_wide(path, member.filename, part.scan)
                part.end()
                parts[member.filename.lower()] = part
    except (*_ZIP_ERRORS, expat.ExpatError) as error:
        raise InputError(
            f"{path}: cannot be read as an Excel workbook: {error or 'it is damaged'}"
        ) from error
    return {
        name: parts[member].scan
        for name, member in _sheet_members(parts).items()
        if member in parts
    }


_ZIP_ERRORS = (
    *(OSError, EOFError, ValueError, NotImplementedError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)


class _Part:
    """A part of a workbook; nothing is kept of a part that is not XML."""

    def __init__(self) -> None:
        self.scan = SheetScan()
        self.sheets: dict[str, str] = {}
        self.targets: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        self._begins = b""
        self._parser: expat.XMLParserType | None = None
        self._row = self._column = 0
        self._has_formula = self._has_value = self._is_text = False

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        if not self._begins:
            self._begins = chunk[:64]
            if self._begins.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n").startswith(b"<"):
                self._parser = expat.ParserCreate()
                self._parser.StartElementHandler = self._start
        if self._parser is not None:
            self._parser.Parse(chunk, False)

    def end(self) -> None:
        """Take note that there are no more bytes."""
        if self._parser is not None:
            self._parser.Parse(b"", True)
            self._end_of_cell()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        kind = self._kinds.get(name)
        if kind is None:
            kind = name.rpartition(":")[2]
            if len(self._kinds) < MAX_NAMES:
                self._kinds[name] = kind
        if kind == "c":
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
        elif kind == "sheet" and len(self.sheets) < MAX_NAMES:
            ids = (v for k, v in attributes.items() if k.rpartition(":")[2] == "id")
            self.sheets[attributes.get("name", "")] = next(ids, "")
        elif kind == "Relationship" and len(self.targets) < MAX_NAMES:
            self.targets[attributes.get("Id", "")] = attributes.get("Target", "")

    def _start_of_cell(self, attributes: dict[str, str]) -> None:
        self._column += 1
        if reference := REFERENCE.fullmatch(attributes.get("r", "")):
            self._column = _column_number(reference[1])
            self._row = int(reference[2])
        kind = attributes.get("t")
        self._is_text = kind == "str"
        if kind == "e" and self._column <= MAX_COLUMNS:
            self.scan.errors[self._column] += 1

    def _value(self) -> None:
        scan = self.scan
        scan.first_row = min(scan.first_row, self._row)
        scan.last_row = max(scan.last_row, self._row)
        scan.first_column = min(scan.first_column, self._column)
        scan.last_column = max(scan.last_column, self._column)
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
        self._has_value = False


def _unpacked(file: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Read a member to its true end, which may not be where its header says."""
    whole = copy(member)
    whole.file_size = MAX_UNPACKED_BYTES + 1
    with file.open(whole) as content:
        while chunk := content.read(CHUNK_BYTES):
            yield chunk


def _sheet_members(parts: dict[str, _Part]) -> dict[str, str]:
    """Return the member of each sheet by the name of the sheet, in lower case."""
    if WORKBOOK not in parts or RELATIONS not in parts:
        return {}
    targets = parts[RELATIONS].targets
    members = {}
    for name, key in parts[WORKBOOK].sheets.items():
        target = targets.get(key, "").lower()
        place = target if target.startswith("/") else f"/xl/{target}"
        members[name] = normpath(place).lstrip("/")
    return members


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
