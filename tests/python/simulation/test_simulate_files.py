"""The simulation writes complete files, and the same bytes for the same seed."""

from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from simulated import contents, marketplace_reasons, rows_of, simulate, usable_lines

from customer_segmentation.cli import cli
from customer_segmentation.errors import InputError
from customer_segmentation.raw_tables import SOURCE_SYSTEMS
from customer_segmentation.simulation import SIMULATED


def test_same_seed_gives_the_same_bytes(simulated: Path, tmp_path: Path) -> None:
    again = contents(simulate(tmp_path / "again"))
    assert again == contents(simulated)
    seven, eight = (
        contents(simulate(tmp_path / str(seed), seed=seed, customers=100))
        for seed in (7, 8)
    )
    assert seven.keys() == eight.keys() == again.keys()
    lines = "online_retail/invoice_lines.csv"
    assert seven[lines] != eight[lines]


def test_headers_are_known_to_the_raw_tables(simulated: Path) -> None:
    for system in map(SOURCE_SYSTEMS.get, SIMULATED):
        for table in system.tables:
            path = simulated / system.name / f"{table.name}.csv"
            headers = path.read_text("utf-8").splitlines()[0].split(",")
            known = [column.is_called for column in table.columns]
            assert len(headers) == len(known)
            assert all(map(lambda is_called, header: is_called(header), known, headers))


def test_small_chunks_give_unique_ids(tmp_path: Path) -> None:
    output = simulate(tmp_path / "chunks", customers=300, chunk_customers=64)
    _, usable = marketplace_reasons(output)
    numbers = [int(row["transaction_id"]) for row in usable["transactions"]]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    invoices = defaultdict(set)
    for row in usable_lines(output):
        invoices[row["InvoiceNo"].lstrip("CA")].add(
            (row["InvoiceNo"], row["CustomerID"])
        )
    assert max(map(len, invoices.values())) == 1


def test_parquet_holds_the_rows_of_the_csv(tmp_path: Path) -> None:
    size = {"customers": 200, "chunk_customers": 64}
    csv = simulate(tmp_path / "csv", **size)
    parquet = simulate(tmp_path / "parquet", file_format="parquet", **size)
    for system in map(SOURCE_SYSTEMS.get, SIMULATED):
        for table in system.tables:
            path = parquet / system.name / table.name
            if not path.is_dir():
                path = path.with_suffix(".parquet")
            rows = [
                {name: value or "" for name, value in row.items()}
                for row in pq.read_table(path).to_pylist()
            ]
            assert rows == rows_of(csv / system.name / f"{table.name}.csv")
    transactions = parquet / "marketplace" / "transactions"
    assert (transactions / "part-00000.parquet").is_file()
    assert (parquet / "marketplace" / "merchants.parquet").is_file()


def test_number_of_lines_is_about_what_was_asked_for(tmp_path: Path) -> None:
    output = simulate(tmp_path / "lines", customers=100, lines=60_000)
    lines = rows_of(output / "online_retail" / "invoice_lines.csv")
    assert len(lines) == pytest.approx(60_000, rel=0.15)
    assert len(rows_of(output / "truth" / "mall_customers.csv")) == 100


def test_a_new_simulation_replaces_the_old_one_only(tmp_path: Path) -> None:
    output = simulate(tmp_path, customers=100, lines=1_000)
    (tmp_path / "notes.txt").write_text("mine")
    simulate(output, customers=100, lines=1_000, file_format="parquet")
    names = {path.name for path in output.iterdir()}
    simulated = {"marketplace", "online_retail", "mall", "campaigns", "truth"}
    assert names == simulated | {"notes.txt"}
    assert not (output / "mall" / "customers.csv").exists()


def test_a_failed_simulation_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = simulate(tmp_path, customers=100, lines=1_000)
    before = contents(output)

    def broken(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("customer_segmentation.simulation.simulate_mall", broken)
    with pytest.raises(InputError, match="No space left"):
        simulate(output, customers=100, lines=1_000, seed=9)
    assert contents(output) == before


def test_real_files_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "mall").mkdir()
    (tmp_path / "mall" / "customers.csv").write_text("real")
    with pytest.raises(InputError, match="was not simulated"):
        simulate(tmp_path)
    assert (tmp_path / "mall" / "customers.csv").read_text() == "real"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": -1}, "seed"),
        ({"customers": 99}, "too few"),
        ({"lines": 999}, "too few"),
        ({"file_format": "xlsx"}, "Unknown format"),
    ],
)
def test_arguments_out_of_range_are_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        simulate(tmp_path / "raw", **changes)
    assert not (tmp_path / "raw").exists()


def test_an_output_under_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for output in (tmp_path / "file", tmp_path / "file" / "raw"):
        with pytest.raises(InputError, match="file"):
            simulate(output)


def test_command_simulates_and_says_so(tmp_path: Path) -> None:
    arguments = ["simulate", "--output", str(tmp_path / "raw"), "--customers", "100"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "raw rows" in result.stderr
