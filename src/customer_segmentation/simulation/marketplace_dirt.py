"""How the marketplace's raw tables are spoilt."""

from collections.abc import Callable
from datetime import date, timedelta

import pyarrow as pa

from customer_segmentation.simulation.dirt import (
    DirtKind,
    Row,
    any_row,
    exact_duplicate,
)

# ids that no lookup table and no clean transaction has, whatever the size
_NO_SUCH_ID = "999"
_FIRST_SPOILT_TRANSACTION = 900_000_000


def _day_before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def customer_dirt(customers: int) -> tuple[DirtKind, ...]:
    """Return the dirt of the customers."""

    def fresh(row: Row, number: int, **changes: str | None) -> Row:
        # spoilt rows are fewer than customers, so these ids stay apart
        return row | {"customer_id": str(customers + 1 + number)} | changes

    def without_key(row: Row, number: int) -> Row:
        # without its id a row could be like another one but for the day
        day = date(1990, 1, 1) + timedelta(days=number)
        return row | {"customer_id": None, "join_date": day.isoformat()}

    def with_conflict(row: Row, number: int) -> Row:
        # a later day sorts after the clean row, so that staging keeps the clean one
        day = date.fromisoformat(row["join_date"]) + timedelta(days=1)
        return row | {"join_date": day.isoformat()}

    bad_days = ("31/02/2024", "2023-02-30", "soon")
    return (
        exact_duplicate(0.004),
        DirtKind("missing_key", 0.001, without_key),
        DirtKind("duplicate_key", 0.002, with_conflict),
        DirtKind(
            "unreadable_date",
            0.001,
            lambda row, number: fresh(row, number, join_date=bad_days[number % 3]),
        ),
        DirtKind(
            "orphan_city",
            0.001,
            lambda row, number: fresh(row, number, city_id=_NO_SUCH_ID),
        ),
        DirtKind(
            "orphan_gender",
            0.001,
            lambda row, number: fresh(row, number, gender_id=_NO_SUCH_ID),
        ),
    )


def transaction_dirt(customers: int) -> tuple[DirtKind, ...]:
    """Return the dirt of the transactions; rows have their customer's join_date."""

    def fresh(row: Row, number: int, **changes: str | None) -> Row:
        key = str(_FIRST_SPOILT_TRANSACTION + number)
        return row | {"transaction_id": key} | changes

    def is_burned(row: Row) -> bool:
        return row["transaction_status"] == "burned"

    def is_subscribed(row: Row) -> bool:
        return not is_burned(row)

    def without_key(row: Row, number: int) -> Row:
        if number % 2:
            return fresh(row, number, customer_id=None)
        return row | {"transaction_id": None}

    def with_bad_date(row: Row, number: int) -> Row:
        if is_burned(row):
            return fresh(row, number, burn_date="soon")
        return fresh(row, number, transaction_date="31/02/2024")

    def contradicting(row: Row, number: int) -> Row:
        if is_burned(row):
            return fresh(row, number, burn_date=None)
        return fresh(row, number, burn_date=row["transaction_date"])

    # orphans start past the ids that spoilt customer rows can have
    first_orphan = 3 * customers

    def kind(
        reason: str,
        spoil: Callable[[Row, int], Row],
        fits: Callable[[Row], bool] = any_row,
        least: int = 2,
    ) -> DirtKind:
        return DirtKind(reason, 0.0006, spoil, fits, least)

    return (
        exact_duplicate(0.003),
        kind("missing_key", without_key),
        # longer text after the same beginning sorts after the clean row
        kind(
            "duplicate_key",
            lambda row, number: row | {"coupon_name": f"{row['coupon_name']}-B"},
        ),
        kind("unreadable_date", with_bad_date, least=4),
        kind(
            "unreadable_number",
            lambda row, number: fresh(row, number, amount="ten"),
            is_burned,
        ),
        kind(
            "unknown_status",
            lambda row, number: fresh(row, number, transaction_status="pending"),
            is_subscribed,
        ),
        kind(
            "orphan_customer",
            lambda row, number: fresh(
                row, number, customer_id=str(first_orphan + number)
            ),
        ),
        kind(
            "orphan_branch",
            lambda row, number: fresh(row, number, branch_id=_NO_SUCH_ID),
        ),
        kind(
            "burn_before_claim",
            lambda row, number: fresh(
                row, number, burn_date=_day_before(row["transaction_date"])
            ),
            is_burned,
        ),
        kind(
            "transaction_before_joining",
            lambda row, number: fresh(
                row, number, transaction_date=_day_before(row["join_date"])
            ),
        ),
        kind("status_contradicts_burn_date", contradicting, least=4),
        kind(
            "negative_amount",
            lambda row, number: fresh(row, number, amount=f"-{row['amount']}"),
            is_burned,
        ),
    )


def lookup_dirt(table: pa.Table) -> tuple[DirtKind, ...]:
    """Return the dirt of a small table of a key and one other column."""
    key, other = table.column_names
    kinds = [
        exact_duplicate(0, least=1),
        DirtKind("missing_key", 0, lambda row, number: row | {key: None}, least=1),
    ]
    if other != "merchant_id":
        # a space would sort before the quote that ends the clean row's text
        kinds.append(
            DirtKind(
                "duplicate_key",
                0,
                lambda row, number: row | {other: f"{row[other]}-copy"},
                least=1,
            )
        )
        return tuple(kinds)
    # the conflicting merchant has to exist, and to sort after the clean row's
    last_merchant = max(table[other].to_pylist())
    return (
        *kinds,
        DirtKind(
            "duplicate_key",
            0,
            lambda row, number: row | {other: last_merchant},
            lambda row: row[other] < last_merchant,
            least=1,
        ),
        DirtKind(
            "orphan_merchant",
            0,
            lambda row, number: row | {key: "900", other: _NO_SUCH_ID},
            least=1,
        ),
    )
