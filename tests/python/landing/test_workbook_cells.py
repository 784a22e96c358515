"""Workbooks that ask for all memory are refused; cells that are lost are counted."""

import zipfile
from pathlib import Path

import pytest
from raw_files import MALL_HEADER, land, landed, write_workbook

from customer_segmentation.errors import InputError
from customer_segmentation.landing import workbook_checks, workbook_texts
from customer_segmentation.landing.workbook_checks import scan_workbook
from customer_segmentation.raw_tables import SOURCE_SYSTEMS

MALL = SOURCE_SYSTEMS["mall"]

HEADERS = MALL_HEADER.split(",")
SHEET = "xl/worksheets/sheet1.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"
NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
EMPTY = f"<worksheet {NAMESPACE}>"


def rewrite(path: Path, member: str, content: str) -> Path:
    """Replace a member of a workbook."""
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    parts[member] = content.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, part in parts.items():
            file.writestr(name, part)
    return path


def book(folder: Path, cells: str = "", after: str = "") -> Path:
    """Write a workbook whose table begins at B3, with further rows of XML."""
    path = write_workbook(folder / "m.xlsx", {"customers": [HEADERS]})
    header = "".join(
        f'<c r="{column}3" t="str"><v>{text}</v></c>'
        for column, text in zip("BCDEF", HEADERS, strict=True)
    )
    return rewrite(
        path,
        SHEET,
        f'{EMPTY}<sheetData><row r="3">{header}</row>{cells}</sheetData>{after}'
        "</worksheet>",
    )


def row(number: int, *cells: str) -> str:
    return f'<row r="{number}">{"".join(cells)}</row>'


def value(reference: str, number: int = 1) -> str:
    return f'<c r="{reference}"><v>{number}</v></c>'


# ---------- size


def test_a_cell_in_the_last_corner_is_refused_before_memory_is_asked_for(
    tmp_path, zone
):
    path = book(tmp_path, row(4, value("B4")) + row(1048576, value("XFD1048576")))
    assert path.stat().st_size < 5_000
    message = r"m\.xlsx: .*span 1,048,574 rows and 16,383 columns, to XFD1048576, more"
    with pytest.raises(InputError, match=message) as caught:
        land(MALL, zone, path)
    assert "\n" not in str(caught.value)
    assert not zone.exists()


@pytest.mark.parametrize(
    "cell",
    [
        "<c r='xfd1048576'><v>1</v></c>",
        '<x:c xmlns:x="a" t="n" r="XFD1048576"><x:v>1</x:v></x:c>',
        '<c r="XFD1048576" t="inlineStr"><is><t>a</t></is></c>',
        '<c r="XFD1048576" t="e"><f>1/0</f><v>#DIV/0!</v></c>',
    ],
)
def test_no_spelling_of_a_cell_hides_it(cell, tmp_path, zone):
    with pytest.raises(InputError, match="XFD1048576"):
        land(MALL, zone, book(tmp_path, row(4, value("B4"), cell)))


def test_cells_without_a_value_ask_for_no_memory(tmp_path, zone):
    styled = '<c r="XFD1048576" s="1"/>'
    land(MALL, zone, book(tmp_path, row(4, value("B4")) + row(1048576, styled)))
    assert landed(zone, "mall/customers") == [("1", None, None, None, None)]


@pytest.mark.parametrize("member", [SHEET, "xl/sharedStrings.xml", "docProps/a.bin"])
def test_a_workbook_that_unpacks_to_too_much_is_refused(
    member, tmp_path, zone, monkeypatch
):
    monkeypatch.setattr(workbook_checks, "MAX_UNPACKED_BYTES", 4 << 20)
    path = rewrite(book(tmp_path), member, f"<a><!--{'x' * (5 << 20)}--></a>")
    assert path.stat().st_size < 40_000
    with pytest.raises(InputError, match=r"m\.xlsx: unpacks to more than 4 MB; save"):
        land(MALL, zone, path)


def test_the_size_in_a_header_is_not_believed(tmp_path, zone, monkeypatch):
    monkeypatch.setattr(workbook_checks, "MAX_UNPACKED_BYTES", 4 << 20)
    path = rewrite(book(tmp_path), "xl/media/a.bin", "x" * (5 << 20))
    size = (5 << 20).to_bytes(4, "little")
    content = path.read_bytes()
    assert content.count(size) == 2  # the header of the member, and the directory
    path.write_bytes(content.replace(size, (10).to_bytes(4, "little")))
    with pytest.raises(InputError, match="unpacks to more than 4 MB"):
        land(MALL, zone, path)


def with_shared_texts(path: Path, *texts: str) -> Path:
    """Add texts to which cells refer by number."""
    texts_xml = "".join(f"<si><t>{text}</t></si>" for text in texts)
    rewrite(path, "xl/sharedStrings.xml", f"<sst {NAMESPACE}>{texts_xml}</sst>")
    with zipfile.ZipFile(path) as file:
        relations = file.read(RELATIONS).decode()
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    kind = f"{office}/sharedStrings"
    end = "</Relationships>"
    added = f'<Relationship Id="t" Type="{kind}" Target="sharedStrings.xml"/>{end}'
    return rewrite(path, RELATIONS, relations.replace(end, added))


def text_row(number: int, index: int) -> str:
    return row(number, f'<c r="B{number}" t="s"><v>{index}</v></c>')


def test_one_long_text_in_many_cells_is_refused(tmp_path, zone):
    rows = "".join(text_row(number, 1) for number in range(4, 5_004))
    path = with_shared_texts(book(tmp_path, rows), "short", "x" * 2_000_000)
    assert path.stat().st_size < 40_000
    with pytest.raises(InputError, match=r"m\.xlsx: the texts of its cells have more"):
        land(MALL, zone, path)


@pytest.mark.parametrize("most", [2_004, 2_005])
def test_characters_are_counted_once_for_each_cell(most, tmp_path, zone, monkeypatch):
    monkeypatch.setattr(workbook_texts, "MAX_CHARACTERS", most)
    rows = text_row(4, 0) + text_row(5, 1) + text_row(6, 1)
    path = with_shared_texts(book(tmp_path, rows), "short", "x" * 1_000)
    if most == 2_004:
        with pytest.raises(InputError, match="more than 2,004 characters"):
            land(MALL, zone, path)
    else:
        land(MALL, zone, path)
        rows = landed(zone, "mall/customers")
        assert [len(row[0]) for row in rows] == [5, 1_000, 1_000]


def test_sheets_that_are_named_often_count_as_often(tmp_path, zone):
    path = book(tmp_path, row(4, value("B4")) + row(1048576, value("P1048576")))
    with zipfile.ZipFile(path) as file:
        workbook = file.read("xl/workbook.xml").decode()
    copies = "".join(
        f'<sheet name="{i}" sheetId="{i}" r:id="r1"/>' for i in range(2, 5)
    )
    rewrite(
        path, "xl/workbook.xml", workbook.replace("</sheets>", f"{copies}</sheets>")
    )
    with pytest.raises(InputError, match="sheets span 62,914,440 cells together"):
        land(MALL, zone, path)


@pytest.mark.parametrize("reference", ["AAAAA1", "1", "A1A1", "$A$1", "A1.5"])
def test_a_cell_whose_place_cannot_be_known_is_refused(reference, tmp_path, zone):
    with pytest.raises(InputError, match="cannot be read as an Excel workbook"):
        land(MALL, zone, book(tmp_path, row(4, value("B4"), value(reference))))


def test_more_merged_cells_than_memory_holds_are_refused(tmp_path, zone, monkeypatch):
    monkeypatch.setattr(workbook_checks, "MAX_MERGED_CELLS", 1)
    merged = '<mergeCell ref="B4:C4"/>'
    path = book(tmp_path, row(4, value("B4")), f"<mergeCells>{merged * 2}</mergeCells>")
    with pytest.raises(InputError, match="it has more than 1 merged cells"):
        land(MALL, zone, path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"{EMPTY}<sheetData><row></sheetData>", "mismatched tag"),
        (f"text {EMPTY}</worksheet>", "a part of it is no XML"),
    ],
)
def test_a_sheet_that_is_no_xml_is_refused(content, message, tmp_path, zone):
    path = rewrite(book(tmp_path), SHEET, content)
    with pytest.raises(InputError, match=f"as an Excel workbook: {message}"):
        land(MALL, zone, path)


def test_parts_that_are_no_sheets_may_hold_anything(tmp_path, zone):
    path = book(tmp_path, row(4, value("B4")))
    for member in ("xl/drawings/vmlDrawing1.vml", "customXml/item1.xml"):
        rewrite(path, member, '<xml><br><c r="here"/><row r="there"/></xml>')
    land(MALL, zone, path)
    assert landed(zone, "mall/customers") == [("1", None, None, None, None)]


def test_a_member_that_is_there_twice_is_refused(tmp_path, zone):
    path = book(tmp_path)
    with (
        zipfile.ZipFile(path, "a") as file,
        pytest.warns(UserWarning, match="Duplicate name"),
    ):
        file.writestr(SHEET, EMPTY + "</worksheet>")
    with pytest.raises(InputError, match=r"it holds xl/worksheets/sheet1\.xml twice"):
        land(MALL, zone, path)


def test_sheets_are_told_by_name(tmp_path):
    rows = [HEADERS, [1, "F", 2, 3, 4]]
    path = write_workbook(tmp_path / "m.xlsx", {"A": rows, "B & C": rows * 3})
    scans = scan_workbook(path)
    assert {name: (s.last_row, s.cells) for name, s in scans.items()} == {
        "A": (2, 10),
        "B & C": (6, 30),
    }


# ---------- cells that are lost


def test_lost_cells_are_counted_by_column(tmp_path, zone, capsys):
    path = book(
        tmp_path,
        row(4, value("B4"), '<c r="D4" t="e"><v>#N/A</v></c>', value("E4"), value("F4"))
        + row(5, value("B5"), "<c r='C5'><f>1+1</f></c>", "<c r='D5'><f>1</f><v/></c>")
        + row(6, value("B6"), '<c r="C6" t="str"><f>A1</f><v></v></c>')
        + row(7, value("B7"), '<c r="C7"><f>1+1</f><v>2</v></c>', value("H7")),
        '<mergeCells count="3"><mergeCell ref="E4:F6"/><mergeCell ref="H4:H9"/>'
        '<mergeCell ref="B3:C3"/></mergeCells>',
    )
    land(MALL, zone, path)
    assert landed(zone, "mall/customers") == [
        ("1", None, None, "1", "1"),
        ("1", None, None, None, None),
        ("1", None, None, None, None),
        ("1", "2", None, None, None),
    ]
    said, _ = capsys.readouterr().err.splitlines()
    assert said == (
        f"{path}, sheet 'customers': these cells land as missing: "
        "errors such as #N/A ('Age' 1); "
        "formulas whose value was not saved ('Gender' 1, 'Age' 1); "
        "cells under a merged cell "
        "('Annual Income (k$)' 2, 'Spending Score (1-100)' 2); "
        "mend them in Excel, save, and land again"
    )


def test_nothing_is_said_where_no_cell_is_lost(tmp_path, zone, capsys):
    land(MALL, zone, book(tmp_path, row(4, value("B4"))))
    assert capsys.readouterr().err == (
        "mall.customers: 1 rows from m.xlsx, sheet 'customers'\n"
    )


@pytest.mark.parametrize(
    ("state", "how"), [("hidden", "hidden"), ("veryHidden", "very hidden")]
)
def test_a_hidden_sheet_is_named_before_it_lands(state, how, tmp_path, zone, capsys):
    path = book(tmp_path, row(4, value("B4")))
    with zipfile.ZipFile(path) as file:
        workbook = file.read("xl/workbook.xml").decode()
    rewrite(
        path, "xl/workbook.xml", workbook.replace("<sheet ", f'<sheet state="{state}" ')
    )
    land(MALL, zone, path)
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith(f"{path}, sheet 'customers': is {how} in Excel, and lands;")
    assert second.startswith("mall.customers: 1 rows")
