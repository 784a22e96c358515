"""Files of every kind land as text, exactly as written."""

import gzip
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from raw_files import (
    LINE_HEADER,
    MALL_CSV,
    MALL_HEADER,
    MALL_ROWS,
    MARKETPLACE_TABLES,
    land,
    landed,
    write,
    write_marketplace,
    write_workbook,
)

from customer_segmentation.landing import parts
from customer_segmentation.landing.parts import RowProgress
from customer_segmentation.raw_tables import MARKETPLACE, ONLINE_RETAIL, SOURCE_SYSTEMS

MALL = SOURCE_SYSTEMS["mall"]


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


# headers


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


def test_columns_land_in_order_and_unknown_ones_are_reported(tmp_path, zone, capsys):
    content = "Note,Score,Age,CustomerID,x,Gender\nhi,39,19,1,15,Male\n"
    land(MALL, zone, write(tmp_path / "m.csv", content))
    assert landed(zone, "mall/customers") == MALL_ROWS[:1]
    (notice,) = [
        line for line in capsys.readouterr().err.splitlines() if "Note" in line
    ]
    assert "m.csv" in notice
    assert "ignored" in notice


# raw text stays raw text


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


# no row is dropped or split


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
def test_lines_inside_quotes_are_not_rows(ending, tmp_path, zone, monkeypatch):
    monkeypatch.setattr(parts, "ROW_GROUP_ROWS", 500)
    # more than 8 MB: DuckDB would give the rest to another scanner, which would begin
    # inside a value and take its lines for rows
    n_rows = 900
    value = "x\n" + 1_000 * "1,2,3,4,5\n" + '1,2,3,4,5\r\n, and "z"'
    quoted = value.replace('"', '""')
    rows = "".join(f'{i},"{quoted}",1,2,3\n' for i in range(n_rows))
    data = f"{MALL_HEADER}\n{rows}".encode()
    assert len(data) > 8_000_000
    if ending == "csv.gz":
        data = gzip.compress(data, compresslevel=1)
    land(MALL, zone, write(tmp_path / f"m.{ending}", data))
    (part,) = (zone / "mall/customers").iterdir()
    table = pq.read_table(part)
    assert table["customer_id"].to_pylist() == [str(i) for i in range(n_rows)]
    assert table["gender"].unique().to_pylist() == [value]
    assert pq.read_metadata(part).num_row_groups > 1


# messages


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
