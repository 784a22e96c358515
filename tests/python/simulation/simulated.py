"""Simulated raw files, and the rows that staging would reject from them."""

import csv
import json
from collections import Counter
from datetime import date, datetime
from pathlib import Path

from customer_segmentation.simulation import simulate_files

Row = dict[str, str]
CUSTOMERS = 1_200


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
    """Return the text by which staging picks one of several rows with a key."""
    return json.dumps({name: value or None for name, value in row.items()})


def surplus(rows: list[Row]) -> int:
    """Return the number of rows that repeat another row."""
    return len(rows) - len({tuple(row.values()) for row in rows})


def marketplace_reasons(
    raw: Path,
) -> tuple[Counter[tuple[str, str]], dict[str, list[Row]]]:
    """Return the rejected rows by table and reason, and the usable rows by table."""
    tables = {path.stem: rows_of(path) for path in (raw / "marketplace").iterdir()}
    found: Counter[tuple[str, str]] = Counter()
    usable: dict[str, list[Row]] = {}
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
                others[0] == merchant["merchant_id"] for merchant in usable["merchants"]
            ):
                reasons.append("orphan_merchant")
            if table == "customers":
                if not is_date(row["join_date"]):
                    reasons.append("unreadable_date")
                for owner, other in (("cities", "city"), ("genders", "gender")):
                    ids = {entry[f"{other}_id"] for entry in usable[owner]}
                    if row[f"{other}_id"] not in ids:
                        reasons.append(f"orphan_{other}")
            if not reasons and key in kept:
                reasons.append("duplicate_key")
            assert len(reasons) <= 1, (table, row, reasons)
            found.update((table, reason) for reason in reasons)
            if not reasons:
                kept[key] = row
        usable[table] = list(kept.values())
    joined = {row["customer_id"]: row["join_date"] for row in usable["customers"]}
    branches = {row["branch_id"] for row in usable["branches"]}
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
    usable["transactions"] = list(kept.values())
    return found, usable


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


def usable_lines(raw: Path) -> list[Row]:
    """Return the invoice lines without those that staging rejects."""
    rows = rows_of(raw / "online_retail" / "invoice_lines.csv")
    distinct = {tuple(row.values()): row for row in rows}.values()
    return [row for row in distinct if not line_reasons(row)]
