"""Unusable input gets a message of one line, and the landing zone stays as it was."""

import decimal
import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from raw_files import (
    MALL_CSV,
    MALL_HEADER,
    MARKETPLACE_TABLES,
    land,
    tree,
    write,
    write_workbook,
)

from customer_segmentation import cli
from customer_segmentation.errors import InputError
from customer_segmentation.raw_tables import MARKETPLACE, SOURCE_SYSTEMS

MALL = SOURCE_SYSTEMS["mall"]

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
    "open quote after a space": (
        "m.csv",
        f'{MALL_HEADER}\n1, "Male,3,4,5\n6,7,8,9,0\n',
        "quote is not closed",
    ),
    "open quote after a space, in the last line": (
        "m.csv",
        f'{MALL_CSV} "',
        "quote is not closed",
    ),
    "mixed line ends": ("m.csv", MALL_CSV + "3,4,5,6,7\r\n8,9,1,2,3\n", "line ends"),
    "NUL after a megabyte": (
        "m.csv",
        MALL_CSV + "3,Male,4,5,6\n" * 100_000 + "3,Ma\0le,4,5,6\n",
        "line 100004: has a NUL byte.*tr -d",
    ),
    "gzipped twice": (
        "m.csv.gz",
        gzip.compress(WHOLE_GZIP),
        "is gzipped twice; unpack it once with: gzip -cd",
    ),
    "Parquet in gzip": (
        "m.csv.gz",
        gzip.compress(b"PAR1xxxxPAR1"),
        "unpacks to Parquet, CSV is expected",
    ),
    "long value": (
        "m.csv",
        f'{MALL_CSV}3,"Male\n{"x" * 10_000_000}",4,5,6\n',
        "line 4: the row that begins here has a value of more than 131,072 characters",
    ),
    "encrypted workbook": (
        "m.xlsx",
        b"\xd0\xcf\x11\xe0" + bytes(2_000) + "EncryptedPackage".encode("utf-16-le"),
        "is an encrypted workbook; open it in Excel, remove its password",
    ),
    "old workbook": (
        "m.xlsx",
        b"\xd0\xcf\x11\xe0" + bytes(2_000),
        r"expected Excel, found old Excel \(\.xls\)",
    ),
    "unknown ending": ("m.txt", MALL_CSV, "unknown ending"),
}


@pytest.fixture(scope="module")
def filled_zone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a landing zone that these tests must leave as it is."""
    folder = tmp_path_factory.mktemp("filled")
    land(MALL, folder / "landing", write(folder / "good.csv", MALL_CSV))
    return folder / "landing"


@pytest.mark.parametrize("case", UNUSABLE)
@pytest.mark.parametrize("append", [False, True])
def test_an_unusable_file_is_refused(case, append, tmp_path, filled_zone):
    before = tree(filled_zone)
    name, content, message = UNUSABLE[case]
    path = write(tmp_path / name, content)
    with pytest.raises(InputError, match=message) as caught:
        land(MALL, filled_zone, path, append=append)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert tree(filled_zone) == before


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


@pytest.mark.parametrize("place", ["m.csv", "customers/part-0.csv"])
def test_a_pipe_is_refused_and_not_waited_for(place, tmp_path, zone):
    pipe = tmp_path / place
    pipe.parent.mkdir(exist_ok=True)
    os.mkfifo(pipe)
    path = pipe if pipe.parent == tmp_path else pipe.parent
    with pytest.raises(InputError, match="is a pipe or a device; write its content"):
        land(MALL, zone, path)


@pytest.mark.parametrize("place", [b"m\xff.csv", b"\xff/m.csv", b"customers/\xff.csv"])
def test_a_name_that_is_not_utf_8_is_refused(place, tmp_path, zone):
    path = write(Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + place)), MALL_CSV)
    if place.startswith(b"customers"):
        path = path.parent
    with pytest.raises(InputError, match=r"\\xff.*: its name is not UTF-8; rename it"):
        land(MALL, zone, path)
    assert not zone.exists()


VALUES = {
    "decimal": (
        pa.array([decimal.Decimal("1" * 40)], pa.decimal256(40, 0)),
        r"'CustomerID' of type decimal256\(40, 0\) has more than 38 digits",
    ),
    "list": (pa.array([[1]]), "'CustomerID' of type list.* holds several values"),
    "struct": (pa.array([{"a": 1}]), "type struct.* holds several values in one"),
}


@pytest.mark.parametrize("kind", VALUES)
def test_a_parquet_column_without_a_text_is_refused_if_it_lands(kind, tmp_path, zone):
    values, message = VALUES[kind]
    columns = {name: ["1"] for name in MALL_HEADER.split(",")}
    path = tmp_path / "m.parquet"
    pq.write_table(pa.table(columns | {"Note": values}), path)
    land(MALL, zone, path)
    pq.write_table(pa.table(columns | {"CustomerID": values}), path)
    with pytest.raises(InputError, match=message):
        land(MALL, zone, path)


def test_a_landing_zone_that_is_not_writable_is_refused(tmp_path):
    write(tmp_path / "file", "")
    with pytest.raises(InputError, match="landing zone cannot be written"):
        land(MALL, tmp_path / "file" / "zone", write(tmp_path / "m.csv", MALL_CSV))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_missing_permissions_are_reported(tmp_path, zone):
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
