"""A build says so where a file was read wrongly, or where dates cannot be right."""

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from dbt_project import Warehouse

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
    ("change", "status", "share"),
    [
        (first(5, Price="two"), "pass", ""),
        (first(44, Price="two"), "pass", ""),
        (first(45, Price="two"), "warn", "45 of 900 rows are rejected (5.0 %): 45 unr"),
        (first(449, Price="two"), "warn", "449 of 900 rows are rejected (49.9 %)"),
        (first(450, Price="two"), "fail", "450 of 900 rows are rejected (50.0 %)"),
        # all of few
        (lambda rows: first(3, Price="two")(rows)[:3], "fail", "3 of 3 rows are reje"),
        # three of few
        (lambda rows: first(3, Price="two")(rows)[:5], "pass", ""),
        # copies say nothing that another row does not say, and are no rows to share in
        (lambda rows: [*rows, *rows, *rows], "pass", ""),
        (
            lambda rows: [*rows[:20], *rows[:20], *first(10, Price="two")(rows[20:40])],
            "warn",
            "10 of 40 rows are rejected (25.0 %)",
        ),
    ],
)
def test_rows_rejected_in_masses_are_told(
    shop: Shop, change: Callable[[list[Line]], list[Line]], status: str, share: str
) -> None:
    built = shop.build(change(lines()))
    assert (built.returncode, built.status(REJECTED)) == (status == "fail", status)
    if status != "pass":
        expected = f"online_retail.invoice_lines: {share}"
        assert built.message(REJECTED).startswith(expected)


def test_the_leading_reasons_are_told(shop: Shop) -> None:
    rows = first(40, Price="two", InvoiceDate="soon")(lines())
    rows = [
        row | ({"Price": -1} if 40 <= n < 100 else {}) for n, row in enumerate(rows)
    ]
    assert shop.build(rows).message(REJECTED) == (
        "online_retail.invoice_lines: 100 of 900 rows are rejected (11.1 %): 60 "
        "negative_price; 40 unreadable_date, unreadable_number; look at them in "
        "rejected_records, correct the file, and land it again"
    )


@pytest.mark.parametrize(
    ("day", "beyond"),
    [
        ("2110-12-02", "in the future"),
        (LAST + timedelta(days=181), "far beyond the others"),
        (LAST + timedelta(days=180), None),
    ],
)
def test_one_wrong_date_does_not_make_the_as_of_date(
    shop: Shop, day: object, beyond: str | None
) -> None:
    built = shop.build(first(1, InvoiceDate=day)(lines()))
    status = "fail" if beyond else "pass"
    assert (built.returncode, built.status(IMPLAUSIBLE)) == (bool(beyond), status)
    if beyond:
        assert built.message(IMPLAUSIBLE) == (
            # 900 invoices are also 900 purchases, and the first ones of 90 customers
            f"online_retail: 2 of 1890 events are dated {day} or later, {beyond} (the "
            f"last one before is of {LAST}); correct these dates and land the file "
            f"again, or set the var as_of_date to {day} or earlier to ignore them"
        )


def test_a_busy_day_after_a_long_break_is_none_of_typos(shop: Shop) -> None:
    day = LAST + timedelta(days=300)
    assert shop.build(first(30, InvoiceDate=day)(lines())).returncode == 0


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
