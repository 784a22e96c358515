"""The simulated raw files hold exactly what their truth says was planted."""

from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path

import pytest
from simulated import (
    CUSTOMERS,
    Row,
    is_number,
    line_reasons,
    raw_record,
    rows_of,
    simulate,
    surplus,
)

from customer_segmentation.simulation import SIMULATED

Planted = dict[tuple[str, str, str], int]
Marketplace = tuple[Counter[tuple[str, str]], dict[str, list[Row]]]


def test_planted_marketplace_dirt_is_what_is_found(
    simulated: Path, planted: Planted, marketplace: Marketplace
) -> None:
    found, usable = marketplace
    assert found == {
        key[1:]: n for key, n in planted.items() if key[0] == "marketplace"
    }
    totals = rows_of(simulated / "truth" / "planted_totals.csv")
    names = {row["gender_name"] for row in usable["genders"]}
    assert names == {"Male", "Female"}
    assert not any(row["city_name"].endswith("-copy") for row in usable["cities"])
    assert not any(row["coupon_name"].endswith("-B") for row in usable["transactions"])
    assert {
        row["source_table"]: int(row["clean_rows"])
        for row in totals
        if row["source_system"] == "marketplace"
    } == {table: len(rows) for table, rows in usable.items()}


def test_planted_line_dirt_is_what_is_found(simulated: Path, planted: Planted) -> None:
    rows = rows_of(simulated / "online_retail" / "invoice_lines.csv")
    distinct = {tuple(row.values()): row for row in rows}.values()
    reasons = [line_reasons(row) for row in distinct]
    assert max(map(len, reasons)) == 1
    found = Counter(reason for of_row in reasons for reason in of_row)
    found["exact_duplicate"] = surplus(rows)
    assert found == {
        key[2]: count for key, count in planted.items() if key[0] == "online_retail"
    }


def test_planted_mall_dirt_is_what_is_found(simulated: Path, planted: Planted) -> None:
    bounds = {
        "Age": (0, 120),
        "Annual Income (k$)": (0, 1_000),
        "Spending Score (1-100)": (1, 100),
    }
    rows = rows_of(simulated / "mall" / "customers.csv")
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
    tmp_path: Path, customers: int, planted: Planted
) -> None:
    output = simulate(tmp_path / "small", customers=customers, lines=1_000)
    rows = rows_of(output / "truth" / "planted_dirt.csv")
    assert len(rows) == len(planted)
    assert all(int(row["rows"]) > 0 for row in rows)


def test_totals_are_the_rows_of_the_files(simulated: Path) -> None:
    planted: Counter = Counter()
    for row in rows_of(simulated / "truth" / "planted_dirt.csv"):
        planted[row["source_system"], row["source_table"]] += int(row["rows"])
    for row in rows_of(simulated / "truth" / "planted_totals.csv"):
        system, table = row["source_system"], row["source_table"]
        rows = len(rows_of(simulated / system / f"{table}.csv"))
        assert int(row["rows"]) == rows
        assert int(row["clean_rows"]) == rows - planted[system, table]


def test_truth_covers_every_customer_once(
    simulated: Path, marketplace: Marketplace, lines: list[Row]
) -> None:
    def truth(name: str) -> list[str]:
        rows = rows_of(simulated / "truth" / f"{name}_customers.csv")
        return [row["customer_id"] for row in rows]

    _, usable = marketplace
    buyers = {row["CustomerID"] for row in lines} - {""}
    mall_ids = {
        row["CustomerID"] for row in rows_of(simulated / "mall" / "customers.csv")
    }
    for name in SIMULATED:
        assert len(truth(name)) == len(set(truth(name))) == CUSTOMERS
    assert {f"{number}.0" for number in truth("online_retail")} == buyers
    ids = {row["customer_id"] for row in usable["customers"]}
    assert set(truth("marketplace")) == ids
    assert set(truth("mall")) <= mall_ids


def test_marketplace_segments_redeem_as_planted(
    simulated: Path, marketplace: Marketplace
) -> None:
    _, usable = marketplace
    truth = {
        row["customer_id"]: row
        for row in rows_of(simulated / "truth" / "marketplace_customers.csv")
    }
    burned, expected = defaultdict(list), defaultdict(list)
    for row in usable["transactions"]:
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


def test_shoppers_buy_before_churn_and_at_their_rates(
    simulated: Path, lines: list[Row]
) -> None:
    truth = {
        f"{row['customer_id']}.0": row
        for row in rows_of(simulated / "truth" / "online_retail_customers.csv")
    }
    days = defaultdict(set)
    invoices = defaultdict(set)
    for row in lines:
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


def test_invoice_lines_have_the_traits_of_real_lines(lines: list[Row]) -> None:
    guests = sum(not row["CustomerID"] for row in lines)
    home = sum(row["Country"] == "United Kingdom" for row in lines)
    assert 0.15 < guests / len(lines) < 0.25
    assert 0.84 < home / len(lines) < 0.97
    customers_of, times_of = defaultdict(set), defaultdict(set)
    countries_of = defaultdict(set)
    for row in lines:
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
    codes = {row["StockCode"] for row in lines}
    assert {"POST", "DOT", "M", "D", "C2", "BANK CHARGES", "B"} <= codes
    assert any(row["Description"].endswith(" ") for row in lines)
    assert any(code[:5].isdigit() and code != code.upper() for code in codes)
    assert any(row["UnitPrice"] == "0.00" and not row["Description"] for row in lines)


def test_returns_follow_purchases_and_some_exceed_them(lines: list[Row]) -> None:
    bought, returned = Counter(), Counter()
    first_bought: dict[tuple[str, str], str] = {}
    for row in sorted(lines, key=lambda row: row["InvoiceDate"]):
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
