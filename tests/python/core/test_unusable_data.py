"""A build says so where a file was read wrongly, or where dates cannot be right."""

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt_project import REPOSITORY, Warehouse

HEADER = (
    *("Invoice", "StockCode", "Description", "Quantity"),
    *("InvoiceDate", "Price", "Customer ID", "Country"),
)
INVOICES = 900
FIRST = date(2010, 12, 1)
LAST = FIRST + timedelta(days=359)
CORE = (
    *("--indirect-selection", "cautious", "--select"),
    *("path:seeds", "path:models/staging", "path:models/core"),
    *("--exclude", "resource_type:unit_test"),
)
ONLY_RETAIL = {"source_systems": ["online_retail"]}
REJECTED = "few_rows_are_rejected_stg_online_retail__invoice_lines"
IMPLAUSIBLE = "assert_last_events_are_plausible"
AS_OF_DATE = "assert_as_of_dates_fit_the_events"
Line = dict[str, object]


def lines() -> list[Line]:
    """Return an invoice line for each of a year's invoices."""
    return [
        {
            "Invoice": number,
            "StockCode": 10,
            "Description": "LAMP",
            "Quantity": 1,
            "InvoiceDate": FIRST + timedelta(days=360 * number // INVOICES),
            "Price": 2.5,
            "Customer ID": number % 90,
            "Country": "UK",
        }
        for number in range(INVOICES)
    ]


@dataclass(frozen=True)
class Built:
    """A build of the shop: how it ended, and what its tests found."""

    warehouse: Warehouse
    returncode: int
    results: list[dict[str, Any]]

    def status(self, test: str) -> str:
        """Return how a test ended."""
        return str(self._result(test)["status"])

    def message(self, test: str) -> str:
        """Return the one message of a test."""
        query = self._result(test)["compiled_code"]
        return str(self.warehouse.value(f"select message from ({query})"))

    def _result(self, test: str) -> dict[str, Any]:
        [result] = [one for one in self.results if test in one["unique_id"]]
        return result


@dataclass(frozen=True)
class Shop:
    """A warehouse of one small shop, which is landed and built anew for each case."""

    warehouse: Warehouse

    def build(
        self, rows: list[Line], variables: Mapping[str, object] | None = None
    ) -> Built:
        """Land rows, and build all that core reads."""
        path = self.warehouse.folder / "lines.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, HEADER)
            writer.writeheader()
            writer.writerows(rows)
        self.warehouse.land("online_retail", path)
        every = ONLY_RETAIL | dict(variables or {})
        finished = self.warehouse.dbt("build", *CORE, variables=every)
        said = (self.warehouse.target(every) / "run_results.json").read_text("utf-8")
        return Built(self.warehouse, finished.returncode, json.loads(said)["results"])


@pytest.fixture(scope="module")
def shop(workshop: Path) -> Shop:
    """Return the shop, before anything has landed."""
    warehouse = Warehouse(workshop / "unusable", workshop)
    warehouse.folder.mkdir()
    return Shop(warehouse)


def first(count: int, **changed: object) -> Callable[[list[Line]], list[Line]]:
    """Return what changes the first lines."""
    return lambda rows: [
        row | (changed if number < count else {}) for number, row in enumerate(rows)
    ]


@pytest.mark.parametrize(
    ("reasons", "severity", "share"),
    [
        ({"": 856, "unreadable_number": 44}, 0, ""),
        ({"": 855, "unreadable_number": 45}, 1, "45 of 900 rows are rejected (5.0 %)"),
        ({"": 451, "missing_key": 449}, 1, "449 of 900 rows are rejected (49.9 %)"),
        ({"": 450, "missing_key": 450}, 2, "450 of 900 rows are rejected (50.0 %)"),
        # all of few
        ({"missing_key": 3}, 2, "3 of 3 rows are rejected (100.0 %)"),
        # three of few
        ({"": 2, "missing_key": 3}, 0, ""),
        # copies say nothing that another row does not say, and are no rows to share in
        ({"": 900, "exact_duplicate": 1_800}, 0, ""),
        (
            {"": 30, "missing_key": 10, "exact_duplicate": 20},
            1,
            "10 of 40 rows are rejected (25.0 %)",
        ),
    ],
)
def test_rows_rejected_in_masses_are_told(
    manifest: dict[str, Any], reasons: dict[str, int], severity: int, share: str
) -> None:
    """The limits, without a build: warn from severity 1, fail from 2."""
    [test] = [node for key, node in manifest["nodes"].items() if REJECTED in key]
    limits = [test["config"][name] for name in ("warn_if", "error_if")]
    assert limits == [">= 1", ">= 2"]
    rows = [reason for reason, count in reasons.items() for _ in range(count)]
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as warehouse; use warehouse")
        connection.execute("create schema main_private")
        connection.execute(
            "create table main_private.stg_online_retail__invoice_lines as"
            " select unnest($1::text[]) as reasons",
            [rows],
        )
        seed = REPOSITORY / "seeds" / "thresholds.csv"
        connection.execute(f"create table thresholds as from '{seed}'")
        found = connection.execute(test["compiled_code"]).fetchall()
    assert [(row[0], row[-1].split(":")[1].strip()) for row in found] == (
        [(severity, share)] if severity else []
    )


def test_a_build_fails_where_most_rows_are_rejected(shop: Shop) -> None:
    built = shop.build(first(450, Price="two")(lines()))
    assert (built.returncode, built.status(REJECTED)) == (1, "fail")


def test_the_leading_reasons_are_told(shop: Shop) -> None:
    rows = first(40, Price="two", InvoiceDate="soon")(lines())
    rows = [
        row | ({"Price": -1} if 40 <= n < 100 else {}) for n, row in enumerate(rows)
    ]
    built = shop.build(rows)
    assert (built.returncode, built.status(REJECTED)) == (0, "warn")
    assert built.message(REJECTED) == (
        "online_retail.invoice_lines: 100 of 900 rows are rejected (11.1 %): 60 "
        "negative_price; 40 unreadable_date, unreadable_number; look at them in "
        "rejected_records, correct the file, and land it again"
    )


def test_one_wrong_date_does_not_make_the_as_of_date(shop: Shop) -> None:
    built = shop.build(first(1, InvoiceDate="2110-12-02")(lines()))
    assert (built.returncode, built.status(IMPLAUSIBLE)) == (1, "fail")
    assert built.message(IMPLAUSIBLE) == (
        # 900 invoices are also 900 purchases, and the first ones of 90 customers
        "online_retail: 2 of 1890 events are dated 2110-12-02 or later, in the future "
        f"(the last one before is of {LAST}); correct these dates and land the file "
        "again, or set the var as_of_date to 2110-12-02 or earlier to ignore them"
    )


@pytest.mark.parametrize(
    ("count", "days", "beyond"),
    [
        (1, 181, "far beyond the others"),
        (1, 180, None),
        # a busy day after a long break is none of typos
        (30, 300, None),
    ],
)
def test_few_events_far_beyond_the_others_are_implausible(
    manifest: dict[str, Any], count: int, days: int, beyond: str | None
) -> None:
    [test] = [node for key, node in manifest["nodes"].items() if IMPLAUSIBLE in key]
    day = LAST + timedelta(days=days)
    dates = [row["InvoiceDate"] for row in first(count, InvoiceDate=day)(lines())]
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as warehouse; use warehouse")
        connection.execute(
            "create table transactions as select 'online_retail' as source_system,"
            " unnest($1::timestamp[]) as transacted_at, transacted_at as completed_at",
            [dates],
        )
        connection.execute(
            "create table customers as select distinct on (transacted_at::date)"
            " source_system, transacted_at as joined_at from transactions limit 90"
        )
        seed = REPOSITORY / "seeds" / "thresholds.csv"
        connection.execute(f"create table thresholds as from '{seed}'")
        found = connection.execute(
            f"select message from ({test['compiled_code']})"
        ).fetchall()
    assert [beyond in message for (message,) in found] == [True] * bool(beyond)


@pytest.mark.parametrize(
    ("as_of_date", "status", "problem"),
    [
        (FIRST, "fail", f"is not after the first event of {FIRST}, so no event counts"),
        (date(2999, 1, 1), "warn", f"is long after the last event of {LAST}, so every"),
        (LAST + timedelta(days=45), "pass", ""),
    ],
)
def test_an_as_of_date_must_fit_the_events(
    shop: Shop, as_of_date: date, status: str, problem: str
) -> None:
    # the as-of date is also the way to ignore a wrong one
    rows = first(1, InvoiceDate="2998-12-02" if status == "pass" else FIRST)(lines())
    variables = {"as_of_date": {"online_retail": str(as_of_date)}}
    built = shop.build(rows, variables)
    assert (built.returncode, built.status(AS_OF_DATE)) == (status == "fail", status)
    if status != "pass":
        said = built.message(AS_OF_DATE)
        assert said.startswith(f"online_retail: the as-of date {as_of_date} {problem}")
