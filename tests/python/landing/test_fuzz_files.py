"""Whatever a file holds, it lands whole, or is refused with one message.

``make fuzz`` tries many more files, other ones each time, and counts the outcomes.
"""

import contextlib
import csv
import io
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hostile import event, refused_or, texts
from hypothesis import given
from hypothesis import strategies as st
from raw_files import write_workbook

from customer_segmentation.landing import land_files
from customer_segmentation.raw_tables import SOURCE_SYSTEMS

MALL = SOURCE_SYSTEMS["mall"]

[TABLE] = MALL.tables
HEADERS = ("CustomerID", "Gender", "Age", "Annual Income (k$)", "Spending Score")
Rows = Sequence[Sequence[str]]

rows = st.lists(
    st.lists(texts, min_size=len(HEADERS), max_size=len(HEADERS)),
    min_size=1,
    max_size=6,
)
headers = st.one_of(
    st.just(HEADERS),
    st.permutations(HEADERS),
    st.lists(st.one_of(st.sampled_from(HEADERS), texts), max_size=8),
)
# where bytes are changed, as a share of the file, and into what
damages = st.lists(
    st.tuples(st.floats(0, 1), st.binary(max_size=3), st.integers(0, 3)), max_size=4
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Return a folder that all examples share; each has a zone of its own."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def land(path: Path) -> list[dict[str, str | None]] | None:
    """Land a file; return what landed, or None if it was refused."""
    with tempfile.TemporaryDirectory(dir=path.parent) as name:
        zone = Path(name) / "zone"

        def accept() -> list[dict[str, str | None]]:
            # what is left out is said on stderr
            with contextlib.redirect_stderr(io.StringIO()):
                land_files(MALL, (path,), zone, append=False)
            landed: list[dict[str, str | None]] = pq.read_table(
                zone / MALL.name / TABLE.name
            ).to_pylist()
            return landed

        found = refused_or(accept)
        if found is None:
            # nothing half landed
            assert not (zone / MALL.name).exists()
        return found


def damaged(content: bytes, changes: Sequence[tuple[float, bytes, int]]) -> bytes:
    """Replace some bytes of a file by others."""
    for share, new, removed in changes:
        at = int(share * len(content))
        content = content[:at] + new + content[at + removed :]
    return content


@given(
    rows=rows,
    headers=headers,
    delimiter=st.sampled_from(",;\t|"),
    line_end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    changes=damages,
)
def test_csv_lands_whole_or_is_refused(
    folder: Path,
    rows: Rows,
    headers: Sequence[str],
    delimiter: str,
    line_end: str,
    encoding: str,
    changes: Sequence[tuple[float, bytes, int]],
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(
        text, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL
    )
    writer.writerow(headers)
    writer.writerows(rows)
    content = text.getvalue().encode(encoding, errors="replace")
    path = folder / "customers.csv"
    path.write_bytes(damaged(content, changes))
    landed = land(path)
    if landed is None:
        return
    is_plain = not changes and encoding.startswith("utf-8")
    event("landed whole" if is_plain else "landed, of a damaged file")
    if is_plain and tuple(headers) == HEADERS:
        found = [[one or "" for one in row.values()] for row in landed]
        assert found == [list(row) for row in rows]


@given(
    rows=rows,
    headers=headers,
    sheet=st.sampled_from(["customers", "Customers ", "Sheet1"]),
    member=st.sampled_from(["", "xl/worksheets/sheet1.xml", "xl/workbook.xml"]),
    changes=damages,
)
def test_workbooks_land_whole_or_are_refused(
    folder: Path,
    rows: Rows,
    headers: Sequence[str],
    sheet: str,
    member: str,
    changes: Sequence[tuple[float, bytes, int]],
) -> None:
    path = folder / "customers.xlsx"
    write_workbook(path, {sheet: [list(headers), *map(list, rows)]})
    if member:
        damage_member(path, member, changes)
    else:
        path.write_bytes(damaged(path.read_bytes(), changes))
    landed = land(path)
    if landed is None:
        return
    event("landed whole" if not changes else "landed, of a damaged file")
    if not changes and tuple(headers) == HEADERS:
        # a row without cells is none; one of blanks may be either
        filled = [row for row in rows if any(row)]
        spoken = [row for row in filled if any(map(str.strip, row))]
        assert len(spoken) <= len(landed) <= len(filled)


def damage_member(
    path: Path, name: str, changes: Sequence[tuple[float, bytes, int]]
) -> None:
    """Replace some bytes within a file of a workbook, which stays a correct zip."""
    with zipfile.ZipFile(path) as book:
        members = {one: book.read(one) for one in book.namelist()}
    with zipfile.ZipFile(path, "w") as book:
        for one, content in members.items():
            book.writestr(one, damaged(content, changes) if one == name else content)
