"""Guests only, or nobody with a purchase: tests say so, and none of them fails.

The SQL of the tests runs on tables by hand.
"""

from typing import Any

import duckdb
import pytest

SHOP = "online_retail"
CHOICE = "assert_every_segmentation_has_a_choice"
PREDICTIONS = "assert_every_source_system_has_predictions"
SUMS = "assert_transactions_add_up_to_customers"


def rows_of(
    manifest: dict[str, Any], test: str, tables: dict[str, str]
) -> list[dict[str, Any]]:
    """Return the rows that a test finds in tables, each the text of a query."""
    code = manifest["nodes"][f"test.customer_segmentation.{test}"]["compiled_code"]
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as warehouse; use warehouse")
        for name, query in tables.items():
            connection.execute(f"create table {name} as {query}")
        return connection.execute(code).to_arrow_table().to_pylist()


def customers(*purchases: int) -> str:
    """Return a query for customers of the shop, with these numbers of purchases."""
    rows = [f"('{SHOP}', {count}, 5.0)" for count in (*purchases, -1)]
    return (
        f"select * from (values {', '.join(rows)})"
        " as t(source_system, lifetime_purchases, lifetime_spent)"
        " where lifetime_purchases >= 0"
    )


def predictions_of(
    manifest: dict[str, Any], *purchases: int, predicted: bool = False
) -> list[str]:
    tables = {
        "source_systems": (
            f"select '{SHOP}' as source_system, date '2010-01-01' as"
            " first_purchase_date, date '2010-12-01' as as_of_date,"
            " true as has_transactions"
        ),
        "customer_predictions": (
            f"select '{SHOP}' as source_system, 'a' as customer_key where {predicted}"
        ),
        "customers": customers(*purchases),
    }
    return [row["message"] for row in rows_of(manifest, PREDICTIONS, tables)]


def test_guests_only_have_no_predictions_and_the_reason_is_said(
    manifest: dict[str, Any],
) -> None:
    [message] = predictions_of(manifest)
    assert message.startswith(f"{SHOP}: no transaction names a customer, so there are")


def test_nobody_with_a_purchase_has_predictions_and_the_reason_is_said(
    manifest: dict[str, Any],
) -> None:
    [message] = predictions_of(manifest, 0, 0)
    assert message.startswith(f"{SHOP}: no customer has a purchase before 2010-12-01")


def test_a_short_record_is_still_the_reason_where_customers_buy(
    manifest: dict[str, Any],
) -> None:
    [message] = predictions_of(manifest, 0, 2)
    assert message.startswith(f"{SHOP}: the first purchase was on 2010-01-01, too late")
    assert predictions_of(manifest, 0, 2, predicted=True) == []


@pytest.mark.parametrize(
    ("purchases", "reason"),
    [((), f"{SHOP} has no customers"), ((1,), "no algorithm finds two clusters")],
)
def test_a_segmentation_without_customers_says_so(
    manifest: dict[str, Any], purchases: tuple[int, ...], reason: str
) -> None:
    tables = {
        "cluster_choices": "select '' as segmentation",
        "customers": customers(*purchases),
    }
    found = {
        row["segmentation"]: row["message"] for row in rows_of(manifest, CHOICE, tables)
    }
    assert found["online_retail_value"].startswith(f"online_retail_value: {reason}")


@pytest.mark.parametrize(
    ("guest_amount", "customer_amount", "purchases", "is_right"),
    [
        (10, None, (), True),
        (10, 5, (1,), True),
        (10, 6, (1,), False),
        (10, 6, (), False),
    ],
)
def test_amounts_of_guests_need_no_customers(
    manifest: dict[str, Any],
    guest_amount: int,
    customer_amount: int | None,
    purchases: tuple[int, ...],
    is_right: bool,
) -> None:
    of_customers = "" if customer_amount is None else f", ('a', {customer_amount}.0)"
    tables = {
        "transactions": (
            f"select '{SHOP}' as source_system, * from (values"
            f" (null, {guest_amount}.0){of_customers}) as t(customer_key, amount)"
        ),
        "customers": customers(*purchases),
    }
    assert (rows_of(manifest, SUMS, tables) == []) == is_right
