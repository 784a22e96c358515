"""Wrong environment variables are named, with their value and what would do."""

import os
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from dbt_project import BIN, REPOSITORY

from customer_segmentation.settings import (
    ENVIRONMENT,
    check_database,
    check_environment,
)

PREFIX = "CUSTOMER_SEGMENTATION_"
WRONG_VARS = "{history_month: 3, source_systems: null}"
# docs/spark.md describes these
OF_SPARK = ("SPARK", "SCHEMA", "SHUFFLE_PARTITIONS")


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("THREADS", "0", "is 0: give a whole number of at least 1"),
        ("THREADS", "-1", "is -1: give a whole number of at least 1"),
        ("THREADS", "", "is empty: give a whole number"),
        ("MEMORY", "lots", "is lots: give a number and its unit, such as 4GB"),
        ("MEMORY", "4", "is 4: give a number and its unit"),
        ("MEMORY", "0GB", "is 0GB: give a number and its unit"),
        ("ACCESS", "readonly", "is readonly: write automatic or read_only"),
        ("DATABASE", "", "is empty: name a DuckDB file"),
        ("DATABASE", "data/o'brien.duckdb", "is data/o'brien.duckdb, with a quote"),
        ("LANDING", "", "is empty: name a folder"),
        ("SCHEMA", "my schema", "is my schema: give letters"),
        ("SHUFFLE_PARTITIONS", "many", "is many: give a whole number"),
        ("THREAD", "4", "given as 4, is unknown: did you mean CUSTOMER_SEG"),
        ("COLOUR", "red", "given as red, is unknown: "),
    ],
)
def test_a_wrong_variable_is_one_sentence(name: str, value: str, problem: str) -> None:
    [sentence] = check_environment({f"{PREFIX}{name}": value})
    assert re.match(f"{PREFIX}{name},? {problem}", sentence)


def test_loky_needs_a_process() -> None:
    [sentence] = check_environment({"LOKY_MAX_CPU_COUNT": "0"})
    assert sentence == "LOKY_MAX_CPU_COUNT is 0: give a whole number of at least 1."


@pytest.mark.parametrize("memory", ["4GB", "0.5 gb", "500MiB", "4g", ".5TB"])
def test_memory_that_duckdb_knows_is_right(memory: str) -> None:
    assert check_environment({f"{PREFIX}MEMORY": memory}) == []


def test_memory_of_spark_is_whole() -> None:
    [sentence] = check_environment({f"{PREFIX}MEMORY": "1.5GB"}, "spark")
    assert sentence.startswith(f"{PREFIX}MEMORY is 1.5GB: give a whole number of GB")
    assert check_environment({f"{PREFIX}MEMORY": "4 GiB"}, "spark") == []


def test_the_folder_of_the_database_must_exist(tmp_path: Path) -> None:
    name = f"{PREFIX}DATABASE"
    [sentence] = check_database({name: "here/x.duckdb"}, tmp_path)
    assert sentence.startswith(f"{name} is here/x.duckdb, and the folder {tmp_path}/he")
    [sentence] = check_database({name: str(tmp_path)}, Path())
    assert f"{name} is {tmp_path}, is a folder" in sentence
    assert check_database({name: "x.duckdb"}, tmp_path) == []
    assert check_database({name: ":memory:"}, tmp_path / "nowhere") == []


@contextmanager
def opened(database: Path) -> Iterator[int]:
    """Open a database in another process; yield the id of the process."""
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        process.stdout.readline()
        yield process.pid
        process.stdin.close()


def test_the_process_that_has_the_database_open_is_named(tmp_path: Path) -> None:
    database = tmp_path / "x.duckdb"
    values = {f"{PREFIX}DATABASE": str(database)}
    with opened(database) as process:
        [sentence] = check_database(values, Path())
        assert f"(process {process}): close it there, or wait" in sentence
        assert "\n" not in sentence
    assert check_database(values, Path()) == []


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.duckdb").write_text("customer,amount\n" * 1_000)
    [sentence] = check_database({f"{PREFIX}DATABASE": "x.duckdb"}, tmp_path)
    assert sentence == (
        f"The database {tmp_path}/x.duckdb is no DuckDB file: move it away, or name "
        "another file."
    )


def checksum(block: bytes) -> int:
    """Return the checksum that DuckDB stores before a block of whole words."""
    result = 5381
    for (word,) in struct.iter_unpack("<Q", block):
        result ^= word * 0xBF58476D1CE4E5B9 % 2**64
    return result


@pytest.mark.parametrize("version", [63, 99])
def test_a_file_of_another_duckdb_is_one_line(version: int, tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    duckdb.connect(path).close()
    content = bytearray(path.read_bytes())
    assert struct.unpack("<Q", content[:8]) == (checksum(content[8:4096]),)
    content[12:20] = struct.pack("<Q", version)
    content[:8] = struct.pack("<Q", checksum(content[8:4096]))
    path.write_bytes(content)
    [sentence] = check_database({f"{PREFIX}DATABASE": "x.duckdb"}, tmp_path)
    written = (
        f"has the format {version}, written by DuckDB v{duckdb.__version__}; DuckDB"
    )
    assert sentence.startswith(f"The database {path} {written}")
    assert "\n" not in sentence
    heading = sentence.partition("under '")[2].partition("'")[0]
    operations = (REPOSITORY / "docs/operations.md").read_text(encoding="utf-8")
    assert f"\n## {heading}\n" in operations


def test_a_damaged_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    duckdb.connect(path).close()
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    [sentence] = check_database({f"{PREFIX}DATABASE": "x.duckdb"}, tmp_path)
    assert "restore it from a backup" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("storage", ["v0.10.0", "v1.2.0", "latest"])
def test_a_file_of_an_older_duckdb_opens(storage: str, tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            f"attach '{tmp_path}/x.duckdb' as x (storage_version '{storage}');"
            " create table x.t as select 1 as a"
        )
    assert check_database({f"{PREFIX}DATABASE": "x.duckdb"}, tmp_path) == []


def test_a_database_of_this_process_may_be_open(tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "x.duckdb", config={"threads": 1}):
        assert check_database({f"{PREFIX}DATABASE": "x.duckdb"}, tmp_path) == []


def test_a_locked_database_stops_dbt_with_one_line(tmp_path: Path) -> None:
    database = tmp_path / "x.duckdb"
    with opened(database) as process:
        finished = subprocess.run(
            [
                *(str(BIN / "dbt"), "--no-use-colors", "build"),
                *("--project-dir", str(REPOSITORY), "--profiles-dir", str(REPOSITORY)),
                *("--target-path", str(tmp_path), "--log-path", str(tmp_path)),
            ],
            env=os.environ | {f"{PREFIX}DATABASE": str(database)},
            capture_output=True,
            text=True,
            check=False,
        )
    said = f"The database {database} is open in "
    assert finished.stdout.count(said) == 1, finished.stdout
    assert f"(process {process})" in finished.stdout
    assert "Traceback" not in finished.stdout


def test_the_docs_have_each_variable() -> None:
    docs = REPOSITORY / "docs"
    operations = (docs / "operations.md").read_text(encoding="utf-8")
    spark = (docs / "spark.md").read_text(encoding="utf-8")
    table = operations.partition("| environment variable |")[2].partition("\n\n")[0]
    rows = table.splitlines()[2:]
    assert rows == [one.row for one in ENVIRONMENT if one.row in rows]
    others = [one.name for one in ENVIRONMENT if one.row not in rows]
    assert others == [f"{PREFIX}{name}" for name in OF_SPARK]
    assert all(f"| `{name}` |" in spark for name in others)


@pytest.mark.parametrize(
    "command", [["dbt", "build"], ["customer-segmentation", "build"]]
)
def test_a_wrong_setting_stops_dbt_before_it_parses(
    command: list[str], tmp_path: Path
) -> None:
    finished = subprocess.run(
        [
            *(str(BIN / command[0]), *command[1:], "--vars", WRONG_VARS),
            *("--project-dir", str(REPOSITORY), "--profiles-dir", str(REPOSITORY)),
            *("--target-path", str(tmp_path), "--log-path", str(tmp_path)),
        ],
        env=os.environ
        | {
            f"{PREFIX}THREADS": "abc",
            f"{PREFIX}DATABASE": str(tmp_path / "nowhere" / "x.duckdb"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 2, finished.stdout
    for said in (
        f"{PREFIX}THREADS is abc: give a whole number of at least 1.",
        "The var source_systems is null: give a list of at least one of marketplace",
        "The var history_month, given as 3, is unknown: did you mean history_months?",
        f"and the folder {tmp_path}/nowhere does not exist: create it",
    ):
        assert finished.stdout.count(said) == 1, finished.stdout
    assert "Traceback" not in finished.stdout + finished.stderr
    assert not (tmp_path / "manifest.json").exists()
