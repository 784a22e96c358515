"""However a file of lines is written, its rows land, or it is refused with one message.

Dates, ids and amounts are written as shops write them, and lines as no program would.
"""

import csv
import gzip
import io
from pathlib import Path

import pytest
from hostile import event, texts
from hypothesis import given
from hypothesis import strategies as st
from landed_or_refused import land

from customer_segmentation.raw_tables import ONLINE_RETAIL

HEADERS = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country"
DATES = (
    "2010-12-01 08:26:00",
    "1/12/2010",
    "12/1/2010 8:26",
    "13.12.2010",
    "31/31/2010",
)
NUMBERS = ("1", "2,5", "1.000,50", "-3", "17850.0", " 7", "\t7", "1e3")

usual = st.tuples(
    st.sampled_from(["536365", "C536365", "1:2", "536365.0", ""]),
    *(texts, texts),
    st.sampled_from(NUMBERS),
    st.one_of(st.sampled_from(DATES), st.dates().map(lambda day: f"{day:%d/%m/%Y}")),
    st.sampled_from(NUMBERS),
    *(st.sampled_from(NUMBERS), texts),
)
# a line as it stands in the file: cells that are quoted or not, and any number of them
raw_lines = st.one_of(
    st.lists(st.one_of(texts, texts.map(lambda one: f'"{one}"')), max_size=10).map(
        ",".join
    ),
    st.text(',;"\t|\r\n ab', max_size=12),
)
odd_headers = st.sampled_from(
    [
        *(HEADERS, HEADERS.lower(), HEADERS.replace(",", " , "), f"Note,{HEADERS}"),
        *(f"{HEADERS},Country", f"{HEADERS},,", HEADERS.replace("Price", "UnitPrice")),
    ]
)


def quoted(rows: list[tuple[str, ...]]) -> str:
    """Return rows as a program writes them."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("ending", ["csv", "csv.gz"])
@given(rows=st.lists(usual, min_size=1, max_size=6), header=odd_headers)
def test_lines_of_shops_land_whole(
    zones: Path, ending: str, rows: list[tuple[str, ...]], header: str
) -> None:
    width = len(header.split(",")) - len(rows[0])
    before = width if header.startswith("Note") else 0
    padded = [("",) * before + row + ("",) * (width - before) for row in rows]
    content = f"{header}\n{quoted(padded)}".encode()
    path = zones / f"lines.{ending}"
    path.write_bytes(gzip.compress(content) if ending == "csv.gz" else content)
    found = land(path, ONLINE_RETAIL)
    if found is None:
        return
    assert len(found.rows) == len(rows)
    for row, landed in zip(rows, found.rows, strict=True):
        for name, written in zip(landed, row, strict=True):
            # a date is another text, and says so
            if name != "invoice_date":
                assert (landed[name] or "") == written
    event("landed whole")


@given(
    lines=st.lists(raw_lines, max_size=6),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_no_line_is_lost(zones: Path, lines: list[str], line_end: str) -> None:
    text = line_end.join([HEADERS, "1,a,b,1,2010-12-01,1,1,UK", *lines, ""])
    path = zones / "lines.csv"
    path.write_bytes(text.encode(errors="replace"))
    found = land(path, ONLINE_RETAIL)
    if found is None:
        return
    # Python's reader is another one; it too knows quotes with line ends in them
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    rows = [row for row in reader if row]
    assert len(found.rows) == len(rows) - 1
    event("landed whole")
