"""Whatever a sheet holds, each cell lands, or is counted among those that do not.

Errors, formulas, merged cells, hidden sheets and cells far away, as Excel writes them.
"""

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch
from xml.sax.saxutils import escape

from hostile import event, texts
from hypothesis import given
from hypothesis import strategies as st
from landed_or_refused import Landed, land
from raw_files import MALL_HEADER, write_workbook

from customer_segmentation.landing import workbook_checks
from customer_segmentation.raw_tables import SOURCE_SYSTEMS

MALL = SOURCE_SYSTEMS["mall"]
HEADERS = MALL_HEADER.split(",")
LETTERS = "ABCDE"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REASONS = ("errors", "formulas", "merged")


@dataclass(frozen=True)
class Cell:
    """A cell: its type and content in XML, what lands of it, and why nothing does."""

    attributes: str = ""
    content: str = ""
    lands: str | None = None
    lost: str = ""


# what XML can hold, without white space that Excel would have to preserve
plain = texts.map(lambda text: "".join(filter(str.isprintable, text)).strip())
cells = st.one_of(
    st.just(Cell()),
    st.integers(-9999, 9999).map(lambda n: Cell("", f"<v>{n}</v>", str(n))),
    plain.map(
        lambda text: Cell(
            't="inlineStr"',
            f'<is><t xml:space="preserve">{escape(text)}</t></is>',
            text or None,
        )
    ),
    st.sampled_from(["#N/A", "#DIV/0!", "#REF!", "#VALUE!"]).map(
        lambda error: Cell('t="e"', f"<v>{error}</v>", None, "errors")
    ),
    st.just(Cell("", "<f>1+1</f>", None, "formulas")),
    st.just(Cell("", "<f>1+1</f><v></v>", None, "formulas")),
    st.just(Cell("", "<f>1+1</f><v>2</v>", "2")),
    st.booleans().map(
        lambda yes: Cell('t="b"', f"<v>{int(yes)}</v>", str(yes).upper())
    ),
)
Rows = list[tuple[Cell, ...]]
rows = st.lists(st.tuples(*[cells] * len(HEADERS)), min_size=1, max_size=6)


def sheet_xml(rows: Rows, merged: str = "", far: str = "") -> str:
    """Return the XML of a sheet with a header, rows, merged cells and a far cell."""
    header = tuple(Cell('t="str"', f"<v>{escape(one)}</v>") for one in HEADERS)
    lines = []
    for number, row in enumerate([header, *rows], start=1):
        inner = "".join(
            f'<c r="{letter}{number}" {cell.attributes}>{cell.content}</c>'
            for letter, cell in zip(LETTERS, row, strict=True)
        )
        lines.append(f'<row r="{number}">{inner}</row>')
    if far:
        digits = far.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        lines.append(f'<row r="{digits}"><c r="{far}"><v>1</v></c></row>')
    return (
        f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(lines)}</sheetData>'
        f"{merged}</worksheet>"
    )


def write(path: Path, sheet: str, state: str = "") -> Path:
    """Write a workbook with a sheet, which Excel may hide."""
    write_workbook(path, {"customers": [[]], "Notes": [["a note"]]})
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name).decode() for name in book.namelist()}
    parts["xl/worksheets/sheet1.xml"] = sheet
    if state:
        of_sheet = '<sheet name="customers"'
        parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(
            of_sheet, f'{of_sheet} state="{state}"'
        )
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)
    return path


def said_lost(found: Landed) -> dict[str, int]:
    """Return how many cells are said to be lost, by reason."""
    counts = dict.fromkeys(REASONS, 0)
    for part in re.findall(
        r"(?:errors|formulas|cells under)[^;]*?\(.*?\)(?=;)", found.said
    ):
        [reason] = [one for one in REASONS if one in part.partition("(")[0]]
        counts[reason] += sum(
            int(number) for number in re.findall(r"' (\d+)(?=[,)])", part)
        )
    return counts


@given(rows=rows, state=st.sampled_from(["", "hidden", "veryHidden"]))
def test_each_cell_lands_or_is_counted(zones: Path, rows: Rows, state: str) -> None:
    found = land(write(zones / "mall.xlsx", sheet_xml(rows), state), MALL)
    if found is None:
        # nothing is left to land if all rows are blank
        assert not any(cell.lands for row in rows for cell in row)
        return
    expected = [[cell.lands for cell in row] for row in rows]
    landed = [list(row.values()) for row in found.rows]
    assert landed == [row for row in expected if any(row)]
    lost = [cell.lost for row in rows for cell in row]
    assert said_lost(found) == {one: lost.count(one) for one in REASONS}
    blank = len(expected) - len(landed)
    assert (f"skipped {blank:,} blank rows" in found.said) == bool(blank)
    assert ("in Excel, and lands" in found.said) == bool(state)
    event("landed, with counted losses" if any(lost) or blank else "landed whole")


@given(
    rows=st.lists(
        st.tuples(
            *[st.integers(0, 99).map(lambda n: Cell("", f"<v>{n}</v>", str(n)))] * 5
        ),
        min_size=2,
        max_size=6,
    ),
    column=st.integers(0, 4),
    span=st.tuples(st.integers(0, 5), st.integers(1, 4)),
)
def test_cells_under_a_merged_cell_are_counted(
    zones: Path, rows: Rows, column: int, span: tuple[int, int]
) -> None:
    first = span[0] % len(rows)
    covered = range(first + 1, min(first + span[1], len(rows) - 1) + 1)
    rows = [
        tuple(
            Cell() if n in covered and c == column else cell
            for c, cell in enumerate(row)
        )
        for n, row in enumerate(rows)
    ]
    letter = LETTERS[column]
    corners = f"{letter}{first + 2}:{letter}{first + 2 + span[1]}"
    merged = f'<mergeCells><mergeCell ref="{corners}"/></mergeCells>'
    found = land(write(zones / "mall.xlsx", sheet_xml(rows, merged)), MALL)
    assert found is not None
    assert len(found.rows) == len(rows)
    assert said_lost(found) == {"errors": 0, "formulas": 0, "merged": len(covered)}
    event("landed, with counted losses" if covered else "landed whole")


@given(
    rows=rows,
    far=st.sampled_from(["ZZ3", "XFD9", "G1048576", "XFD1048576", "AAAA1", "A0", "F"]),
)
def test_a_cell_far_away_is_refused_or_adds_nothing(
    zones: Path, rows: Rows, far: str
) -> None:
    path = write(zones / "mall.xlsx", sheet_xml(rows, far=far))
    # a million rows below are refused too, which takes no memory
    with patch.object(workbook_checks, "MAX_CELLS", 1 << 16):
        found = land(path, MALL)
    if found is not None:
        full = [row for row in rows if any(cell.lands for cell in row)]
        # the row of the far cell is no blank one
        assert len(found.rows) - len(full) in (0, 1)
        event("landed whole")
