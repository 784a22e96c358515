"""Raw files for the tests of landing, and what has landed of them."""

import os
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import pyarrow.parquet as pq

from customer_segmentation.landing import land_files
from customer_segmentation.landing.date_order import DateOrder
from customer_segmentation.raw_tables import SourceSystem

MALL_HEADER = "CustomerID,Gender,Age,Annual Income (k$),Spending Score (1-100)"
MALL_CSV = f"{MALL_HEADER}\n1,Male,19,15,39\n2,Female,,16,81\n"
MALL_ROWS = [("1", "Male", "19", "15", "39"), ("2", "Female", None, "16", "81")]
MARKETPLACE_TABLES = {
    "customers": [["customer_id", "join_date", "city_id", "gender_id"], [1, 2, 3, 4]],
    "genders": [["gender_id", "gender_name"], [1, "Male"]],
    "cities": [["city_id", "city_name"], [1, "Cairo"]],
    "transactions": [
        [
            *("transaction_id", "customer_id", "transaction_date"),
            *("transaction_status", "coupon_name", "burn_date", "branch_id"),
        ],
        [1, 1, "2024-05-11", "subscribed", "uNY-568", "", 7],
    ],
    "branches": [["branch_id", "merchant_id"], [7, 1]],
    "merchants": [["merchant_id", "merchant_name"], [1, "Rivas Group"]],
}
LINE_HEADER = [
    *("Invoice", "StockCode", "Description", "Quantity"),
    *("InvoiceDate", "Price", "Customer ID", "Country"),
]


def land(
    system: SourceSystem,
    zone: Path,
    *paths: Path,
    append: bool = False,
    dates: DateOrder | None = None,
) -> None:
    land_files(system, paths, zone, append=append, dates=dates)


def landed(zone: Path, table: str) -> list[tuple[str | None, ...]]:
    parts = sorted((zone / table).glob("*.parquet"))
    return [
        tuple(row.values()) for part in parts for row in pq.read_table(part).to_pylist()
    ]


def tree(folder: Path) -> dict[str, bytes | str]:
    """Everything in a folder but the lock files, byte for byte."""
    return {
        str(path.relative_to(folder)): os.readlink(path)
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else "folder"
        for path in sorted(folder.rglob("*"))
        if path.suffix != ".lock"
    }


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def as_csv(rows: list[list[object]]) -> str:
    return "".join(",".join(map(str, row)) + "\n" for row in rows)


def lines(*invoices: str | None) -> str:
    rows = [
        [i or "", n, "d", 1, "2010-12-01", 2.5, 7, "UK"] for n, i in enumerate(invoices)
    ]
    return as_csv([LINE_HEADER, *rows])


def write_marketplace(folder: Path, **replaced: str) -> Path:
    for name, rows in MARKETPLACE_TABLES.items():
        write(folder / f"{name}.csv", replaced.get(name, as_csv(rows)))
    return folder


def write_numbered(folder: Path, number: int) -> Path:
    """Write a row of each table of the marketplace, with a number as all values."""
    rows = {
        name: as_csv([header, [number] * len(header)])
        for name, (header, _) in MARKETPLACE_TABLES.items()
    }
    return write_marketplace(folder / str(number), **rows)


def cell(value: object) -> str:
    if value == "":
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, str) and value.startswith("@"):  # a date's serial number
        return f'<c s="1"><v>{value[1:]}</v></c>'
    if isinstance(value, str):
        text = escape(value)
        return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
    return f"<c><v>{value}</v></c>"


def write_workbook(path: Path, sheets: dict[str, list[list[object]]]) -> Path:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    numbered = list(enumerate(sheets, start=1))
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{package}"><Relationship Id="r" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        + "".join(
            f'<sheet name="{escape(name)}" sheetId="{i}" r:id="r{i}"/>'
            for i, name in numbered
        )
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}">'
        + "".join(
            f'<Relationship Id="r{i}" Type="{office}/worksheet" '
            f'Target="worksheets/sheet{i}.xml"/>'
            for i, _ in numbered
        )
        + f'<Relationship Id="s" Type="{office}/styles" Target="styles.xml"/>'
        "</Relationships>",
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><cellXfs count="2">'
        '<xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>',
    }
    for i, name in numbered:
        rows = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in sheets[name])
        parts[f"xl/worksheets/sheet{i}.xml"] = (
            f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'
        )
    with zipfile.ZipFile(path, "w") as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return path
