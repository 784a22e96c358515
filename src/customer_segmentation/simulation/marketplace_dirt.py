"""The dirt of the marketplace's raw tables."""

from collections.abc import Callable
from datetime import date, timedelta

import pyarrow as pa

from customer_segmentation.simulation.dirt import (
    DirtKind,
    Row,
    any_row,
    exact_duplicate,
    value_of,
)

# ids beyond those of lookup tables and clean transactions, at any size
_NO_SUCH_ID = "999"
_FIRST_SPOILT_TRANSACTION = 900_000_000


def _day_before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def customer_dirt(customers: int) -> tuple[DirtKind, ...]:
    """Return the dirt of the customers."""

    def with_new_id(row: Row, number: int, **changes: str | None) -> Row:
        # there are fewer spoilt rows than customers, so no two ids are equal
        return row | {"customer_id": str(customers + 1 + number)} | changes

    def without_key(row: Row, number: int) -> Row:
        # two rows without ids could be equal, so their days count up
        day = date(1990, 1, 1) + timedelta(days=number)
        return row | {"customer_id": None, "join_date": day.isoformat()}

    def with_conflict(row: Row, number: int) -> Row:
        # a later day sorts after the clean row, so staging keeps the clean row
        day = date.fromisoformat(value_of(row, "join_date")) + timedelta(days=1)
        return row | {"join_date": day.isoformat()}

    bad_days = ("31/02/2024", "2023-02-30", "soon")
    return (
        exact_duplicate(0.004),
        DirtKind("missing_key", 0.001, without_key),
        DirtKind("duplicate_key", 0.002, with_conflict),
        DirtKind(
            "unreadable_date",
            0.001,
            lambda row, number: with_new_id(
                row, number, join_date=bad_days[number % 3]
            ),
        ),
        DirtKind(
            "orphan_city",
            0.001,
            lambda row, number: with_new_id(row, number, city_id=_NO_SUCH_ID),
        ),
        DirtKind(
            "orphan_gender",
            0.001,
            lambda row, number: with_new_id(row, number, gender_id=_NO_SUCH_ID),
        ),
    )


def transaction_dirt(customers: int) -> tuple[DirtKind, ...]:
    """Return the dirt of the transactions; the rows have the join_date too."""

    def with_new_id(row: Row, number: int, **changes: str | None) -> Row:
        key = str(_FIRST_SPOILT_TRANSACTION + number)
        return row | {"transaction_id": key} | changes

    def is_burned(row: Row) -> bool:
        return row["transaction_status"] == "burned"

    def is_subscribed(row: Row) -> bool:
        return not is_burned(row)

    def without_key(row: Row, number: int) -> Row:
        if number % 2:
            return with_new_id(row, number, customer_id=None)
        return row | {"transaction_id": None}

    def with_bad_date(row: Row, number: int) -> Row:
        if is_burned(row):
            return with_new_id(row, number, burn_date="soon")
        return with_new_id(row, number, transaction_date="31/02/2024")

    def contradicting(row: Row, number: int) -> Row:
        if is_burned(row):
            return with_new_id(row, number, burn_date=None)
        return with_new_id(row, number, burn_date=row["transaction_date"])

    # beyond the ids of spoilt customers
    first_orphan = 3 * customers

    def kind(
        reason: str,
        spoil: Callable[[Row, int], Row],
        fits: Callable[[Row], bool] = any_row,
        minimum: int = 2,
    ) -> DirtKind:
        return DirtKind(reason, 0.0006, spoil, fits, minimum)

    return (
        exact_duplicate(0.003),
        kind("missing_key", without_key),
        # a longer text with the same start sorts after the clean row
        kind(
            "duplicate_key",
            lambda row, number: row | {"coupon_name": f"{row['coupon_name']}-B"},
        ),
        kind("unreadable_date", with_bad_date, minimum=4),
        kind(
            "unreadable_number",
            lambda row, number: with_new_id(row, number, amount="ten"),
            is_burned,
        ),
        kind(
            "unknown_status",
            lambda row, number: with_new_id(row, number, transaction_status="pending"),
            is_subscribed,
        ),
        kind(
            "orphan_customer",
            lambda row, number: with_new_id(
                row, number, customer_id=str(first_orphan + number)
            ),
        ),
        kind(
            "orphan_branch",
            lambda row, number: with_new_id(row, number, branch_id=_NO_SUCH_ID),
        ),
        kind(
            "burn_before_claim",
            lambda row, number: with_new_id(
                row, number, burn_date=_day_before(value_of(row, "transaction_date"))
            ),
            is_burned,
        ),
        kind(
            "transaction_before_joining",
            lambda row, number: with_new_id(
                row, number, transaction_date=_day_before(value_of(row, "join_date"))
            ),
        ),
        kind("status_contradicts_burn_date", contradicting, minimum=4),
        kind(
            "negative_amount",
            lambda row, number: with_new_id(row, number, amount=f"-{row['amount']}"),
            is_burned,
        ),
    )


def lookup_dirt(table: pa.Table) -> tuple[DirtKind, ...]:
    """Return the dirt of a lookup table with a key and one other column."""
    key, other = table.column_names
    kinds = [
        exact_duplicate(0, minimum=1),
        DirtKind("missing_key", 0, lambda row, number: row | {key: None}, minimum=1),
    ]
    if other != "merchant_id":
        # a hyphen sorts after the quote that ends the clean row's text
        kinds.append(
            DirtKind(
                "duplicate_key",
                0,
                lambda row, number: row | {other: f"{row[other]}-copy"},
                minimum=1,
            )
        )
        return tuple(kinds)
    # the other merchant must exist, and sort after the merchant of the clean row
    last_merchant = max(table[other].to_pylist())
    return (
        *kinds,
        DirtKind(
            "duplicate_key",
            0,
            lambda row, number: row | {other: last_merchant},
            lambda row: row[other] < last_merchant,
            minimum=1,
        ),
        DirtKind(
            "orphan_merchant",
            0,
            lambda row, number: row | {key: "900", other: _NO_SUCH_ID},
            minimum=1,
        ),
    )
