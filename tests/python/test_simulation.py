"""The simulated raw files are what their truth says they are."""

import csv
import json
from collections import Counter, defaultdict
from datetime import date, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from customer_segmentation.cli import cli
from customer_segmentation.errors import InputError
from customer_segmentation.raw_tables import MALL, MARKETPLACE, ONLINE_RETAIL
from customer_segmentation.simulation import simulate_files

Row = dict[str, str]
CUSTOMERS = 1_200
KEYS = {"customers": "customer_id", "transactions": "transaction_id"}


def simulate(output: Path, **changes: object) -> Path:
    arguments = {
        "seed": 7,
        "customers": CUSTOMERS,
        "lines": None,
        "file_format": "csv",
        "chunk_customers": 500,
    }
    simulate_files(output, **(arguments | changes))
    return output


def rows_of(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(tmp_path_factory.mktemp("simulated") / "raw")


@pytest.fixture(scope="module")
def planted(sample: Path) -> dict[tuple[str, str, str], int]:
    return {
        (row["source_system"], row["source_table"], row["reason"]): int(row["rows"])
        for row in rows_of(sample / "truth" / "planted_dirt.csv")
    }


def is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def raw_record(row: Row) -> str:
    """Return the text by which staging picks one of the rows of a key."""
    return json.dumps({name: value or None for name, value in row.items()})


def surplus(rows: list[Row]) -> int:
    return len(rows) - len({tuple(row.values()) for row in rows})


def marketplace_reasons(sample: Path) -> tuple[Counter, dict[str, list[Row]]]:
    """Judge the marketplace's rows anew: counts by table and reason, and clean rows."""
    tables = {path.stem: rows_of(path) for path in (sample / "marketplace").iterdir()}
    found: Counter = Counter()
    clean: dict[str, list[Row]] = {}
    for table in ("genders", "cities", "merchants", "branches", "customers"):
        kept: dict[str, Row] = {}
        found[table, "exact_duplicate"] = surplus(tables[table])
        distinct = {tuple(row.values()): row for row in tables[table]}.values()
        for row in sorted(distinct, key=raw_record):
            key, *others = row.values()
            reasons = []
            if not key:
                reasons.append("missing_key")
            if table == "branches" and not any(
                others[0] == merchant["merchant_id"] for merchant in clean["merchants"]
            ):
                reasons.append("orphan_merchant")
            if table == "customers":
                if not is_date(row["join_date"]):
                    reasons.append("unreadable_date")
                for owner, other in (("cities", "city"), ("genders", "gender")):
                    ids = {entry[f"{other}_id"] for entry in clean[owner]}
                    if row[f"{other}_id"] not in ids:
                        reasons.append(f"orphan_{other}")
            if not reasons and key in kept:
                reasons.append("duplicate_key")
            assert len(reasons) <= 1, (table, row, reasons)
            found.update((table, reason) for reason in reasons)
            if not reasons:
                kept[key] = row
        clean[table] = list(kept.values())
    joined = {row["customer_id"]: row["join_date"] for row in clean["customers"]}
    branches = {row["branch_id"] for row in clean["branches"]}
    kept = {}
    distinct = {tuple(row.values()): row for row in tables["transactions"]}.values()
    found["transactions", "exact_duplicate"] = surplus(tables["transactions"])
    for row in sorted(distinct, key=raw_record):
        reasons = transaction_reasons(row, joined, branches)
        if not reasons and row["transaction_id"] in kept:
            reasons = ["duplicate_key"]
        assert len(reasons) <= 1, (row, reasons)
        found.update(("transactions", reason) for reason in reasons)
        if not reasons:
            kept[row["transaction_id"]] = row
    clean["transactions"] = list(kept.values())
    return found, clean


def transaction_reasons(
    row: Row, joined: dict[str, str], branches: set[str]
) -> list[str]:
    claimed, burned = row["transaction_date"], row["burn_date"]
    customer, status = row["customer_id"], row["transaction_status"]
    has_bad_date = not is_date(claimed) or bool(burned and not is_date(burned))
    judged = {
        "missing_key": not row["transaction_id"] or not customer,
        "unreadable_date": has_bad_date,
        "unreadable_number": bool(row["amount"]) and not is_number(row["amount"]),
        "unknown_status": status not in ("subscribed", "burned"),
        "orphan_customer": bool(customer) and customer not in joined,
        "orphan_branch": row["branch_id"] not in branches,
        "burn_before_claim": not has_bad_date and bool(burned) and burned < claimed,
        "transaction_before_joining": is_date(claimed)
        and claimed < joined.get(customer, ""),
        "status_contradicts_burn_date": (status == "burned" and not burned)
        or (status == "subscribed" and bool(burned)),
        "negative_amount": row["amount"].startswith("-"),
    }
    return [reason for reason, holds in judged.items() if holds]


def line_reasons(row: Row) -> list[str]:
    is_bad_debt = row["InvoiceNo"].startswith("A")
    has_bad_number = not (is_number(row["Quantity"]) and is_number(row["UnitPrice"]))
    try:
        datetime.strptime(row["InvoiceDate"], "%Y-%m-%d %H:%M:%S")
        has_bad_date = False
    except ValueError:
        has_bad_date = True
    judged = {
        "missing_key": not row["InvoiceNo"] or not row["StockCode"],
        "unreadable_date": has_bad_date,
        "unreadable_number": has_bad_number,
        "negative_price": row["UnitPrice"].startswith("-") and not is_bad_debt,
    }
    return [reason for reason, holds in judged.items() if holds]


def clean_lines(sample: Path) -> list[Row]:
    rows = rows_of(sample / "online_retail" / "invoice_lines.csv")
    distinct = {tuple(row.values()): row for row in rows}.values()
    return [row for row in distinct if not line_reasons(row)]


def test_same_seed_gives_the_same_bytes(sample: Path, tmp_path: Path) -> None:
    again = contents(simulate(tmp_path / "again"))
    assert again == contents(sample)
    other = contents(simulate(tmp_path / "other", seed=8))
    assert other.keys() == again.keys()
    assert (
        other["online_retail/invoice_lines.csv"]
        != again["online_retail/invoice_lines.csv"]
    )


def test_headers_are_known_to_the_raw_tables(sample: Path) -> None:
    for system in (MARKETPLACE, ONLINE_RETAIL, MALL):
        for table in system.tables:
            path = sample / system.name / f"{table.name}.csv"
            headers = path.read_text("utf-8").splitlines()[0].split(",")
            known = [column.is_called for column in table.columns]
            assert len(headers) == len(known)
            assert all(map(lambda is_called, header: is_called(header), known, headers))


def test_planted_marketplace_dirt_is_what_is_found(
    sample: Path, planted: dict[tuple[str, str, str], int]
) -> None:
    found, clean = marketplace_reasons(sample)
    assert found == {
        key[1:]: n for key, n in planted.items() if key[0] == "marketplace"
    }
    totals = rows_of(sample / "truth" / "planted_totals.csv")
    names = {row["gender_name"] for row in clean["genders"]}
    assert names == {"Male", "Female"}
    assert not any(row["city_name"].endswith("-copy") for row in clean["cities"])
    assert not any(row["coupon_name"].endswith("-B") for row in clean["transactions"])
    assert {
        row["source_table"]: int(row["clean_rows"])
        for row in totals
        if row["source_system"] == "marketplace"
    } == {table: len(rows) for table, rows in clean.items()}


def test_planted_line_dirt_is_what_is_found(
    sample: Path, planted: dict[tuple[str, str, str], int]
) -> None:
    rows = rows_of(sample / "online_retail" / "invoice_lines.csv")
    distinct = {tuple(row.values()): row for row in rows}.values()
    reasons = [line_reasons(row) for row in distinct]
    assert max(map(len, reasons)) == 1
    found = Counter(reason for of_row in reasons for reason in of_row)
    found["exact_duplicate"] = surplus(rows)
    assert found == {
        key[2]: count for key, count in planted.items() if key[0] == "online_retail"
    }


def test_planted_mall_dirt_is_what_is_found(
    sample: Path, planted: dict[tuple[str, str, str], int]
) -> None:
    bounds = {
        "Age": (0, 120),
        "Annual Income (k$)": (0, 1_000),
        "Spending Score (1-100)": (1, 100),
    }
    rows = rows_of(sample / "mall" / "customers.csv")
    found = Counter(exact_duplicate=surplus(rows))
    seen = set()
    distinct = {tuple(row.values()): row for row in rows}.values()
    for row in sorted(distinct, key=raw_record):
        values = {column: row[column] for column in bounds if row[column] != "?"}
        reasons = []
        if not row["CustomerID"]:
            reasons.append("missing_key")
        if not all(map(is_number, values.values())):
            reasons.append("unreadable_number")
        elif any(
            not bounds[column][0] <= int(value) <= bounds[column][1]
            for column, value in values.items()
        ):
            reasons.append("impossible_value")
        if not reasons and row["CustomerID"] in seen:
            reasons.append("duplicate_key")
        assert len(reasons) <= 1
        found.update(reasons)
        seen.add(row["CustomerID"])
    assert found == {
        key[2]: count for key, count in planted.items() if key[0] == "mall"
    }


@pytest.mark.parametrize("customers", [100, 501])
def test_every_kind_of_dirt_is_planted_at_every_size(
    tmp_path: Path, customers: int, planted: dict[tuple[str, str, str], int]
) -> None:
    output = simulate(tmp_path / "small", customers=customers, lines=1_000)
    rows = rows_of(output / "truth" / "planted_dirt.csv")
    assert len(rows) == len(planted)
    assert all(int(row["rows"]) > 0 for row in rows)


def test_totals_are_the_rows_of_the_files(sample: Path) -> None:
    planted: Counter = Counter()
    for row in rows_of(sample / "truth" / "planted_dirt.csv"):
        planted[row["source_system"], row["source_table"]] += int(row["rows"])
    for row in rows_of(sample / "truth" / "planted_totals.csv"):
        system, table = row["source_system"], row["source_table"]
        rows = len(rows_of(sample / system / f"{table}.csv"))
        assert int(row["rows"]) == rows
        assert int(row["clean_rows"]) == rows - planted[system, table]


def test_truth_covers_every_customer_once(sample: Path) -> None:
    def truth(name: str) -> list[str]:
        rows = rows_of(sample / "truth" / f"{name}_customers.csv")
        return [row["customer_id"] for row in rows]

    _, clean = marketplace_reasons(sample)
    buyers = {row["CustomerID"] for row in clean_lines(sample)} - {""}
    mall_ids = {row["CustomerID"] for row in rows_of(sample / "mall" / "customers.csv")}
    for name in (MARKETPLACE.name, ONLINE_RETAIL.name, MALL.name):
        assert len(truth(name)) == len(set(truth(name))) == CUSTOMERS
    assert {f"{number}.0" for number in truth("online_retail")} == buyers
    ids = {row["customer_id"] for row in clean["customers"]}
    assert set(truth("marketplace")) == ids
    assert set(truth("mall")) <= mall_ids


def test_marketplace_segments_redeem_as_planted(sample: Path) -> None:
    _, clean = marketplace_reasons(sample)
    truth = {
        row["customer_id"]: row
        for row in rows_of(sample / "truth" / "marketplace_customers.csv")
    }
    burned, expected = defaultdict(list), defaultdict(list)
    for row in clean["transactions"]:
        segment = truth[row["customer_id"]]["segment"]
        burned[segment].append(row["transaction_status"] == "burned")
        expected[segment].append(float(truth[row["customer_id"]]["redemption_rate"]))
    shares = {segment: sum(is_in) / len(is_in) for segment, is_in in burned.items()}
    for segment, share in shares.items():
        mean = sum(expected[segment]) / len(expected[segment])
        assert share == pytest.approx(mean, abs=0.05)
    assert shares["loyal redeemer"] > 0.75
    assert shares["window shopper"] < 0.2
    assert {row["segment"] for row in truth.values()} - set(shares) == {"never active"}


def test_shoppers_buy_while_they_live_and_at_their_rates(sample: Path) -> None:
    truth = {
        f"{row['customer_id']}.0": row
        for row in rows_of(sample / "truth" / "online_retail_customers.csv")
    }
    days = defaultdict(set)
    invoices = defaultdict(set)
    for row in clean_lines(sample):
        if row["CustomerID"] and row["InvoiceNo"].isdigit():
            days[row["CustomerID"]].add(row["InvoiceDate"][:10])
            invoices[row["CustomerID"]].add(row["InvoiceNo"])
    counts = defaultdict(list)
    for customer, planted in truth.items():
        assert min(days[customer]) == planted["first_purchase_date"]
        if planted["churn_date"]:
            assert max(days[customer]) <= planted["churn_date"]
        counts[planted["segment"]].append(len(invoices[customer]))
    means = {segment: sum(many) / len(many) for segment, many in counts.items()}
    assert means["wholesaler"] > 2 * means["regular"] > 4 * means["one-time buyer"]
    assert means["one-time buyer"] < 1.1


def test_invoice_lines_have_the_traits_of_the_real_ones(sample: Path) -> None:
    rows = clean_lines(sample)
    guests = sum(not row["CustomerID"] for row in rows)
    home = sum(row["Country"] == "United Kingdom" for row in rows)
    assert 0.15 < guests / len(rows) < 0.25
    assert 0.84 < home / len(rows) < 0.97
    customers_of, times_of = defaultdict(set), defaultdict(set)
    countries_of = defaultdict(set)
    for row in rows:
        moment = datetime.fromisoformat(row["InvoiceDate"])
        assert moment.weekday() != 5
        assert 6 <= moment.hour <= 20
        assert "2009-12-01" <= row["InvoiceDate"][:10] <= "2011-12-09"
        customers_of[row["InvoiceNo"]].add(row["CustomerID"])
        times_of[row["InvoiceNo"]].add(moment)
        countries_of[row["CustomerID"]].add(row["Country"])
        if row["InvoiceNo"].startswith("C"):
            assert int(row["Quantity"]) < 0
    assert max(map(len, customers_of.values())) == 1
    assert max(map(len, times_of.values())) == 2
    movers = [who for who, where in countries_of.items() if who and len(where) > 1]
    assert 1 <= len(movers) < CUSTOMERS / 20
    codes = {row["StockCode"] for row in rows}
    assert {"POST", "DOT", "M", "D", "C2", "BANK CHARGES", "B"} <= codes
    assert any(row["Description"].endswith(" ") for row in rows)
    assert any(code[:5].isdigit() and code != code.upper() for code in codes)
    assert any(row["UnitPrice"] == "0.00" and not row["Description"] for row in rows)


def test_returns_are_of_earlier_purchases_and_some_exceed_them(sample: Path) -> None:
    bought, returned = Counter(), Counter()
    first_bought: dict[tuple[str, str], str] = {}
    for row in sorted(clean_lines(sample), key=lambda row: row["InvoiceDate"]):
        key = (row["CustomerID"], row["StockCode"])
        if not row["CustomerID"] or not row["StockCode"][:5].isdigit():
            continue
        if row["InvoiceNo"].startswith("C"):
            assert first_bought[key] < row["InvoiceDate"]
            returned[key] -= int(row["Quantity"])
        else:
            first_bought.setdefault(key, row["InvoiceDate"])
            bought[key] += int(row["Quantity"])
    assert any(pieces > bought[key] for key, pieces in returned.items())


def test_small_chunks_give_unique_ids(tmp_path: Path) -> None:
    output = simulate(tmp_path / "chunks", customers=300, chunk_customers=64)
    _, clean = marketplace_reasons(output)
    numbers = [int(row["transaction_id"]) for row in clean["transactions"]]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    invoices = defaultdict(set)
    for row in clean_lines(output):
        invoices[row["InvoiceNo"].lstrip("CA")].add(
            (row["InvoiceNo"], row["CustomerID"])
        )
    assert max(map(len, invoices.values())) == 1


def test_parquet_holds_the_rows_of_the_csv(sample: Path, tmp_path: Path) -> None:
    output = simulate(tmp_path / "parquet", file_format="parquet")
    for system, tables in {
        "online_retail": ["invoice_lines"],
        "mall": ["customers"],
    }.items():
        for table in tables:
            of_csv = rows_of(sample / system / f"{table}.csv")
            path = output / system / table
            if not path.is_dir():
                path = path.with_suffix(".parquet")
            of_parquet = pq.read_table(path).to_pylist()
            assert [
                {name: value or "" for name, value in row.items()} for row in of_parquet
            ] == of_csv
    assert (output / "marketplace" / "transactions" / "part-00000.parquet").is_file()
    assert (output / "marketplace" / "merchants.parquet").is_file()


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
    assert names == {"marketplace", "online_retail", "mall", "truth", "notes.txt"}
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
