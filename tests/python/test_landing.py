"""Landing raw files as Parquet."""

import fcntl
import gzip
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from customer_segmentation import cli
from customer_segmentation.errors import InputError
from customer_segmentation.landing import land_files
from customer_segmentation.landing.notices import RowProgress
from customer_segmentation.raw_tables import MALL, MARKETPLACE, ONLINE_RETAIL

REPOSITORY = Path(__file__).parents[2]
SHARED = Path(
    os.environ.get("CUSTOMER_SEGMENTATION_SHARED", REPOSITORY.parent / "shared")
)
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


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    return tmp_path / "landing"


def land(system, zone: Path, *paths: Path, append: bool = False) -> None:
    land_files(system, paths, zone, append=append)


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


def shared(path: str) -> Path:
    found = SHARED / "data" / path
    if not found.exists():
        pytest.skip(f"{found} is absent; set CUSTOMER_SEGMENTATION_SHARED")
    return found


# 1. kinds of files, and how they name tables


@pytest.mark.parametrize("kind", ["folder", "files", "gzip", "parquet", "workbook"])
def test_every_kind_of_file_lands_the_same_text(kind, tmp_path, zone):
    folder = write_marketplace(tmp_path / "raw")
    paths = sorted(folder.iterdir())
    if kind == "folder":
        paths = [folder]
    if kind == "gzip":
        paths = [
            write(tmp_path / f"{p.stem}.csv.gz", gzip.compress(p.read_bytes()))
            for p in paths
        ]
    if kind == "parquet":
        for path in paths:
            duckdb.read_csv(str(path)).write_parquet(
                str(tmp_path / f"{path.stem}.parquet")
            )
        paths = [tmp_path / f"{path.stem}.parquet" for path in paths]
    if kind == "workbook":
        sheets = {
            f" {name.title()}!": MARKETPLACE_TABLES[name] for name in MARKETPLACE_TABLES
        }
        paths = [write_workbook(tmp_path / "any name.xlsx", sheets)]
    land(MARKETPLACE, zone, *paths)
    assert landed(zone, "marketplace/cities") == [("1", "Cairo")]
    assert landed(zone, "marketplace/transactions") == [
        ("1", "1", "2024-05-11", "subscribed", "uNY-568", None, "7", None)
    ]
    for table in MARKETPLACE.tables:
        (part,) = (zone / "marketplace" / table.name).iterdir()
        schema = pa.schema([(name, pa.string()) for name in table.column_names])
        assert pq.read_schema(part).equals(schema)


def test_a_system_with_one_table_takes_every_sheet_with_its_columns(tmp_path, zone):
    def rows(*invoices):
        return [LINE_HEADER, *([i, 1, "d", 1, "", 1, 1, "UK"] for i in invoices)]

    sheets = {"2009": rows("a", "b"), "Notes": [["hello"]], "2010": rows("b", "c")}
    land(ONLINE_RETAIL, zone, write_workbook(tmp_path / "book.xlsx", sheets))
    invoices = [row[0] for row in landed(zone, "online_retail/invoice_lines")]
    assert invoices == ["a", "b", "c"]


def test_the_sheet_named_as_the_table_is_preferred(tmp_path, zone):
    header = MALL_HEADER.split(",")
    sheets = {
        "old": [header, [1, "F", 2, 3, 4]],
        "Customers": [header, [9, "", 2, 3, 4]],
    }
    land(MALL, zone, write_workbook(tmp_path / "book.xlsx", sheets))
    assert landed(zone, "mall/customers") == [("9", None, "2", "3", "4")]


# 2. headers


@pytest.mark.parametrize(
    "header",
    [
        "customer_id,gender,age,annual_income,spending_score",
        " CUSTOMER ID ,Genre,age,x,Score",
        '"CustomerID","Gender","Age","Annual Income (k$)","Spending\nScore"',
    ],
)
def test_headers_match_whatever_their_case_padding_and_punctuation(
    header, tmp_path, zone
):
    land(MALL, zone, write(tmp_path / "m.csv", MALL_CSV.replace(MALL_HEADER, header)))
    assert landed(zone, "mall/customers") == MALL_ROWS


def test_columns_land_in_order_and_unknown_ones_are_told_of(tmp_path, zone, capsys):
    content = "Note,Score,Age,CustomerID,x,Gender\nhi,39,19,1,15,Male\n"
    land(MALL, zone, write(tmp_path / "m.csv", content))
    assert landed(zone, "mall/customers") == MALL_ROWS[:1]
    (notice,) = [
        line for line in capsys.readouterr().err.splitlines() if "Note" in line
    ]
    assert "m.csv" in notice
    assert "ignored" in notice


# 3. raw text stays raw text


def test_cells_of_a_workbook_are_text(tmp_path, zone):
    rows = [
        MALL_HEADER.split(","),
        [1, "  padded ", 2.5, "@40513.351388888888", "@40513"],
        ["", "", "", "", ""],
        [536365, True, 1e300, "", "007"],
    ]
    land(MALL, zone, write_workbook(tmp_path / "m.xlsx", {"customers": rows}))
    assert landed(zone, "mall/customers") == [
        ("1", "  padded ", "2.5", "2010-12-01 08:26:00", "2010-12-01"),
        ("536365", "TRUE", "1e+300", None, "007"),
    ]


def test_csv_values_are_not_trimmed_or_typed(tmp_path, zone):
    content = f"{MALL_HEADER}\n 01 , NA ,NULL,1e3,\n#2,x,?,-0.0,\n"
    land(MALL, zone, write(tmp_path / "m.csv", content))
    assert landed(zone, "mall/customers") == [
        (" 01 ", " NA ", "NULL", "1e3", None),
        ("#2", "x", "?", "-0.0", None),
    ]


def test_parquet_columns_are_cast_to_text(tmp_path, zone):
    path = tmp_path / "m.parquet"
    duckdb.sql(
        "select 17850.0::double as CustomerID, 'a'::blob as gender, 2::tinyint as age, "
        "timestamptz '2020-01-01 00:00:00+00' as x, null::int as score"
    ).write_parquet(str(path))
    land(MALL, zone, path)
    assert landed(zone, "mall/customers") == [
        ("17850.0", "a", "2", "2020-01-01 00:00:00+00", None)
    ]


# 4. no row is dropped or split


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_delimiters_line_ends_and_byte_order_marks(
    delimiter, line_end, mark, tmp_path, zone
):
    content = mark + MALL_CSV.replace(",", delimiter).replace("\n", line_end)
    land(MALL, zone, write(tmp_path / "m.csv", content))
    assert landed(zone, "mall/customers") == MALL_ROWS


@pytest.mark.parametrize("ending", ["csv", "csv.gz"])
def test_rows_inside_quotes_are_no_rows(ending, tmp_path, zone):
    n_rows = 400_000
    value = "x\n1,2,3,4,5\n1,2,3,4,5\r\n, and " + "z" * 60
    quoted = value.replace('"', '""')
    content = (
        MALL_HEADER + "\n" + "".join(f'{i},"{quoted}",1,2,3\n' for i in range(n_rows))
    )
    data = content.encode()
    if ending == "csv.gz":
        data = gzip.compress(data, compresslevel=1)
    land(MALL, zone, write(tmp_path / f"m.{ending}", data))
    (part,) = (zone / "mall/customers").iterdir()
    table = pq.read_table(part)
    assert table["customer_id"].to_pylist() == [str(i) for i in range(n_rows)]
    assert table["gender"].unique().to_pylist() == [value]
    groups = pq.read_metadata(part)
    assert groups.num_row_groups > 1


# 5. what the terminal is told


def test_progress_is_shown_on_a_terminal_only(monkeypatch, capsys):
    RowProgress("mall.customers").update(1_000)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    progress = RowProgress("mall.customers")
    for n_rows in (1_000, 1_001, 1_002):
        progress.update(n_rows)
    assert capsys.readouterr().err == "\rmall.customers: 1,000 rows"


def test_a_line_per_table_says_how_many_rows(tmp_path, zone, capsys):
    land(MALL, zone, write(tmp_path / "m.csv", MALL_CSV))
    assert capsys.readouterr().err == "mall.customers: 2 rows from m.csv\n"


# 6. replaced as a whole, or not at all


def test_the_link_is_relative_and_the_old_version_goes(tmp_path, zone):
    path = write(tmp_path / "m.csv", MALL_CSV)
    land(MALL, zone, path)
    first = os.readlink(zone / "mall")
    crashed = zone / ".versions" / "mall-crashed"
    write(crashed / "customers" / "part.parquet", b"half")
    other = write(zone / ".versions" / "online_retail-x" / "a.parquet", b"not mine")
    land(MALL, zone, path)
    assert os.readlink(zone / "mall") != first
    assert not (zone / first).exists()
    assert not crashed.exists()
    assert other.exists()
    moved = zone.rename(tmp_path / "moved")
    assert landed(moved, "mall/customers") == MALL_ROWS


@pytest.mark.parametrize("append", [False, True])
def test_a_folder_put_there_by_hand_is_replaced(append, tmp_path, zone):
    path = write(tmp_path / "m.csv", MALL_CSV)
    land(MALL, tmp_path / "other", path)
    by_hand = zone / "mall" / "customers"
    by_hand.mkdir(parents=True)
    (source,) = (tmp_path / "other" / "mall" / "customers").iterdir()
    (by_hand / "mine.parquet").write_bytes(source.read_bytes())
    land(MALL, zone, path, append=append)
    assert (zone / "mall").is_symlink()
    assert landed(zone, "mall/customers") == MALL_ROWS
    names = [part.name for part in (zone / "mall" / "customers").iterdir()]
    assert names == (["mine.parquet"] if append else ["part-00000.parquet"])
    assert len(list((zone / ".versions").iterdir())) == 2  # the version and the lock


def test_a_folder_moved_aside_by_a_killed_landing_is_put_back(tmp_path, zone):
    path = write(tmp_path / "m.csv", MALL_CSV)
    land(MALL, zone, path)
    version = (zone / "mall").resolve()
    (zone / "mall").unlink()
    version.rename(zone / ".versions" / "mall-1.replaced")
    more = write(tmp_path / "more.csv", f"{MALL_HEADER}\n3,Male,1,2,3\n")
    land(MALL, zone, more, append=True)
    assert [row[0] for row in landed(zone, "mall/customers")] == ["1", "2", "3"]


def test_only_one_landing_of_a_source_system_at_a_time(tmp_path, zone):
    path = write(tmp_path / "m.csv", MALL_CSV)
    land(MALL, zone, path)
    before = tree(zone)
    with (zone / ".versions" / "mall.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another landing of mall is running"):
            land(MALL, zone, path)
    assert tree(zone) == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left")])
def test_a_landing_cut_short_leaves_nothing(error, tmp_path, zone, monkeypatch):
    path = write(tmp_path / "m.csv", MALL_CSV)
    land(MALL, zone, path)
    before = tree(zone)

    def replace(*_: object) -> None:
        raise error

    monkeypatch.setattr("customer_segmentation.landing.versions.os.replace", replace)
    expected = KeyboardInterrupt if error is KeyboardInterrupt else InputError
    with pytest.raises(expected):
        land(MALL, zone, path)
    assert tree(zone) == before


# 7. all tables, and further periods


@pytest.mark.parametrize("append", [False, True])
def test_a_first_landing_needs_every_table(append, tmp_path, zone):
    folder = write_marketplace(tmp_path / "raw")
    (folder / "cities.csv").unlink()
    with pytest.raises(InputError, match="missing cities; looked for"):
        land(MARKETPLACE, zone, folder, append=append)


def test_appending_adds_a_part_and_leaves_out_what_has_landed(tmp_path, zone, capsys):
    land(ONLINE_RETAIL, zone, write(tmp_path / "a.csv", lines("1", "1", "2", None)))
    first = zone / "online_retail/invoice_lines/part-00000.parquet"
    inode = first.stat().st_ino
    capsys.readouterr()
    more = write(tmp_path / "b.csv", lines("3", "2", "2", None, "3", "1"))
    land(ONLINE_RETAIL, zone, more, append=True)
    assert first.stat().st_ino == inode
    rows = landed(zone, "online_retail/invoice_lines")
    assert [row[:2] for row in rows[4:]] == [("3", "0"), (None, "3"), ("3", "4")]
    assert capsys.readouterr().err == (
        "online_retail.invoice_lines: 3 rows from b.csv; 3 rows of 2 invoices had "
        "landed before and were left out\n"
    )


def test_files_of_one_call_are_periods_too(tmp_path, zone):
    files = [
        write(tmp_path / "b.csv", lines("1", "2")),
        write(tmp_path / "a.csv", lines("2", "3")),
    ]
    land(ONLINE_RETAIL, zone, *files)
    rows = landed(zone, "online_retail/invoice_lines")
    assert [row[0] for row in rows] == ["1", "2", "3"]


def test_appending_one_table_keeps_the_others(tmp_path, zone):
    land(MARKETPLACE, zone, write_marketplace(tmp_path / "raw"))
    cities = write(tmp_path / "cities.csv", "city_id,city_name\n1,X\n2,Giza\n")
    land(MARKETPLACE, zone, cities, append=True)
    assert landed(zone, "marketplace/cities") == [("1", "Cairo"), ("2", "Giza")]
    assert landed(zone, "marketplace/merchants") == [("1", "Rivas Group")]


def test_appending_to_parts_that_are_not_landed_ones_is_refused(tmp_path, zone):
    part = zone / "mall" / "customers" / "part.parquet"
    part.parent.mkdir(parents=True)
    duckdb.sql("select 1 as customer_id").write_parquet(str(part))
    with pytest.raises(InputError, match="land without --append"):
        land(MALL, zone, write(tmp_path / "m.csv", MALL_CSV), append=True)


@pytest.mark.parametrize(("n_landed", "n_new"), [(10, 300_000), (300_000, 10)])
def test_order_is_kept_whichever_side_is_larger(n_landed, n_new, tmp_path, zone):
    land(
        ONLINE_RETAIL,
        zone,
        write(tmp_path / "a.csv", lines(*(f"a{i}" for i in range(n_landed)), "x")),
    )
    new = ["x", *(f"b{i * 7919 % n_new}" for i in range(n_new))]
    land(ONLINE_RETAIL, zone, write(tmp_path / "b.csv", lines(*new)), append=True)
    rows = landed(zone, "online_retail/invoice_lines")
    assert [row[0] for row in rows[n_landed + 1 :]] == new[1:]


@pytest.mark.parametrize(("folder", "n_rows"), [("invoice_lines", 4), ("export", 4)])
def test_part_files_of_a_folder_are_one_input(folder, n_rows, tmp_path, zone):
    for number, content in enumerate([lines("1", "2"), lines("2", "3")]):
        csv = write(tmp_path / f"{number}.csv", content)
        part = tmp_path / folder / f"part-{number}.parquet"
        part.parent.mkdir(exist_ok=True)
        duckdb.read_csv(str(csv)).write_parquet(str(part))
    write(tmp_path / folder / "_SUCCESS", b"")
    write(tmp_path / folder / ".part-0.parquet.crc", b"x")
    land(ONLINE_RETAIL, zone, tmp_path / folder)
    assert len(landed(zone, "online_retail/invoice_lines")) == n_rows
    assert len(list((zone / "online_retail/invoice_lines").iterdir())) == 1


def test_a_file_name_may_look_like_a_pattern(tmp_path, zone):
    write(tmp_path / "it's m1.csv", MALL_CSV)
    path = write(tmp_path / "it's m[1]*.csv", MALL_CSV.replace("Male", "M"))
    land(MALL, tmp_path / "land[ing]*", path)
    assert landed(tmp_path / "land[ing]*", "mall/customers")[0][1] == "M"


# 8. what cannot be used is said in one line, and nothing changes

ZIPPED = b"PK\x03\x04" + bytes(40)
WHOLE_GZIP = gzip.compress(MALL_CSV.encode() * 2000)
UNUSABLE: dict[str, tuple[str, str | bytes, str]] = {
    "missing column": ("m.csv", "CustomerID,Age\n1,2\n", "gender.*'Age'"),
    "same column twice": (
        "m.csv",
        MALL_CSV.replace("Age", "Genre", 1),
        "'Gender' and 'Genre' both mean the column gender",
    ),
    "zero bytes": ("m.csv", "", "is empty"),
    "zero bytes of Parquet": ("m.parquet", "", "is empty"),
    "header only": ("m.csv", MALL_HEADER + "\n\n", "no rows"),
    "empty gzip": ("m.csv.gz", gzip.compress(b""), "is empty"),
    "latin-1": (
        "m.csv",
        MALL_CSV.replace("Male", "Mâle").encode("latin-1"),
        "line 2: is not UTF-8.*iconv",
    ),
    "latin-1 in an unknown column": (
        "m.csv",
        f"{MALL_HEADER},Note\n1,2,3,4,5,é\n".encode("latin-1"),
        "line 2: is not UTF-8",
    ),
    "latin-1 header": (
        "m.csv",
        f"é{MALL_CSV}".encode("latin-1"),
        "line 1: is not UTF-8",
    ),
    "cut in a character": ("m.csv", MALL_CSV.encode() + b"3,\xc3", "is not UTF-8"),
    "UTF-16": ("m.csv", MALL_CSV.encode("utf-16"), "UTF-16, UTF-8 is expected.*iconv"),
    "UTF-16 without mark": ("m.csv", MALL_CSV.encode("utf-16-le"), "UTF-8 is expected"),
    "gzip called CSV": ("m.csv", WHOLE_GZIP, "expected CSV, found gzip"),
    "workbook called CSV": ("m.csv", ZIPPED, "expected CSV, found zip or Excel"),
    "Parquet called CSV": ("m.csv", b"PAR1xxxxPAR1", "expected CSV, found Parquet"),
    "text called Parquet": ("m.parquet", MALL_CSV, "expected Parquet, found CSV"),
    "Parquet cut off": ("m.parquet", b"PAR1xxxxxxxxx", "is cut off"),
    "Parquet damaged": ("m.parquet", b"PAR1" + b"x" * 40 + b"PAR1", "as Parquet"),
    "text called gzip": ("m.csv.gz", MALL_CSV, "expected gzipped CSV, found CSV"),
    "gzip cut off": ("m.csv.gz", WHOLE_GZIP[:-20], "cut off"),
    "gzip without checksum": ("m.csv.gz", WHOLE_GZIP[:-8], "cut off"),
    "gzip wrong checksum": (
        "m.csv.gz",
        WHOLE_GZIP[:-8] + bytes(4) + WHOLE_GZIP[-4:],
        "damaged",
    ),
    "text called workbook": ("m.xlsx", MALL_CSV, "expected Excel, found CSV"),
    "zip called workbook": ("m.xlsx", ZIPPED, "as an Excel workbook"),
    "row too short": ("m.csv", MALL_CSV + "3,4\n", "line 4: has 2 values.*has 5"),
    "row too long": ("m.csv", MALL_CSV + "3,4,5,6,7,8\n", "line 4: has 6 values"),
    "open quote": ("m.csv", MALL_CSV + '3,"4,5,6,7\n', "quote is not closed"),
    "open quote before more rows": (
        "m.csv",
        f'{MALL_HEADER}\n1,"2,3,4,5\n6,7,8,9,0\n',
        "quote is not closed",
    ),
    "mixed line ends": ("m.csv", MALL_CSV + "3,4,5,6,7\r\n8,9,1,2,3\n", "line ends"),
    "unknown ending": ("m.txt", MALL_CSV, "unknown ending"),
}


@pytest.mark.parametrize("case", UNUSABLE)
@pytest.mark.parametrize("append", [False, True])
def test_an_unusable_file_is_refused(case, append, tmp_path, zone):
    land(MALL, zone, write(tmp_path / "good.csv", MALL_CSV))
    before = tree(zone)
    name, content, message = UNUSABLE[case]
    path = write(tmp_path / name, content)
    with pytest.raises(InputError, match=message) as caught:
        land(MALL, zone, path, append=append)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert tree(zone) == before


WRONG_BOOKS: dict[str, tuple[dict[str, list[list[object]]], str]] = {
    "no sheet of a table": (
        {"Sheet1": [["a"], [1]]},
        "no sheet of marketplace.*Sheet1",
    ),
    "sheet twice": (
        {"cities": MARKETPLACE_TABLES["cities"], "Cities ": []},
        "two sheets are named cities",
    ),
    "sheet without rows": (MARKETPLACE_TABLES | {"cities": []}, "'cities': is empty"),
    "sheet with a header only": (
        MARKETPLACE_TABLES | {"cities": MARKETPLACE_TABLES["cities"][:1]},
        "'cities': is empty",
    ),
    "sheet without a column": (
        MARKETPLACE_TABLES | {"cities": [["city_id", "town"], [1, "x"]]},
        "'cities': missing column city_name of cities.*'town'",
    ),
    "missing sheet": (
        {k: v for k, v in MARKETPLACE_TABLES.items() if k != "cities"},
        "missing cities",
    ),
}


@pytest.mark.parametrize("case", WRONG_BOOKS)
def test_an_unusable_workbook_is_refused(case, tmp_path, zone):
    sheets, message = WRONG_BOOKS[case]
    with pytest.raises(InputError, match=message):
        land(MARKETPLACE, zone, write_workbook(tmp_path / "book.xlsx", sheets))
    assert not (zone / "marketplace").exists()


def no_file(folder: Path) -> Path:
    return folder / "missing.csv"


def empty_folder(folder: Path) -> Path:
    (folder / "cities").mkdir()
    return folder / "cities"


def folder_of_other_things(folder: Path) -> Path:
    return write(folder / "raw" / "README.md", "hello").parent


def no_table(folder: Path) -> Path:
    return write(folder / "towns.csv", "city_id,city_name\n1,Cairo\n")


def folder_in_a_table_folder(folder: Path) -> Path:
    return write(folder / "cities" / "_delta_log" / "0.json", "{}").parent.parent


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (no_file, "no such file"),
        (empty_folder, "holds no files"),
        (folder_of_other_things, "holds no files"),
        (no_table, "towns.csv.*no table of marketplace.*cities"),
        (folder_in_a_table_folder, "_delta_log: is neither CSV nor Parquet"),
    ],
)
def test_an_unusable_path_is_refused(
    make: Callable[[Path], Path], message, tmp_path, zone
):
    with pytest.raises(InputError, match=message):
        land(MARKETPLACE, zone, make(tmp_path))
    assert not zone.exists()


def test_a_landing_zone_that_cannot_be_written_is_said(tmp_path):
    write(tmp_path / "file", "")
    with pytest.raises(InputError, match="landing zone cannot be written"):
        land(MALL, tmp_path / "file" / "zone", write(tmp_path / "m.csv", MALL_CSV))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_no_permission_is_said(tmp_path, zone):
    path = write(tmp_path / "m.csv", MALL_CSV)
    zone.mkdir(mode=0o500)
    with pytest.raises(InputError, match="landing zone cannot be written"):
        land(MALL, zone, path)
    path.chmod(0)
    with pytest.raises(InputError, match=r"m\.csv: cannot be read"):
        land(MALL, zone, path)


def test_the_command_ends_with_status_2_and_one_line(tmp_path, zone):
    result = subprocess.run(
        [
            *(sys.executable, "-m", "customer_segmentation"),
            *("land", "mall", str(tmp_path / "missing.csv")),
        ],
        env=os.environ | {cli.LANDING_VARIABLE: str(zone)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        f"Error: {tmp_path / 'missing.csv'}: there is no such file or folder"
    ]


# the real files


def test_online_retail_has_as_many_lines_either_way(tmp_path, capsys):
    year_1 = shared("online-retail-ii/online_retail_II_2009-2010.parquet")
    year_2 = shared("online-retail/online_retail.csv.gz")
    land(ONLINE_RETAIL, tmp_path / "one", year_2, year_1)
    land(ONLINE_RETAIL, tmp_path / "two", year_1)
    land(ONLINE_RETAIL, tmp_path / "two", year_2, append=True)
    left_out = "22,523 rows of 1,088 invoices had landed before and were left out"
    assert capsys.readouterr().err.count(left_out) == 2
    for zone in ("one", "two"):
        parts = (tmp_path / zone / "online_retail" / "invoice_lines").iterdir()
        assert sum(pq.read_metadata(p).num_rows for p in parts) == 1_044_847


def test_the_workbook_and_its_csv_files_land_the_same(tmp_path):
    land(MARKETPLACE, tmp_path / "x", shared("ecommerce-coupons/E-commerce_data.xlsx"))
    land(MARKETPLACE, tmp_path / "c", shared("ecommerce-coupons/csv"))
    n_rows = {}
    for table in MARKETPLACE.tables:
        rows = landed(tmp_path / "x", f"marketplace/{table.name}")
        assert rows == landed(tmp_path / "c", f"marketplace/{table.name}")
        n_rows[table.name] = len(rows)
    assert n_rows["customers"] == 1_000
    assert n_rows["transactions"] == 5_000


def test_mall_customers_of_windows_land(tmp_path):
    land(MALL, tmp_path, shared("mall-customers/Mall_Customers.csv"))
    rows = landed(tmp_path, "mall/customers")
    assert len(rows) == 200
    assert rows[0] == ("1", "Male", "19", "15", "39")
