"""Write a mapping from what was guessed, with questions where a person must look."""

from collections.abc import Iterator, Sequence
from functools import cache

import duckdb

from customer_segmentation.raw_tables import normalized_header
from customer_segmentation.source_systems.columns import ColumnProfile
from customer_segmentation.source_systems.guess import (
    OF_CUSTOMERS,
    GuessedFile,
    kind_of_status,
)
from customer_segmentation.source_systems.names import TAKEN

__all__ = ["described_guesses", "scaffold"]

TYPES = {
    **dict.fromkeys(("order_id", "customer_id"), "id"),
    **dict.fromkeys(("order_date", "joined_at"), "date"),
    **dict.fromkeys(("amount", "annual_income"), "money"),
    "age": "whole",
}
MEANINGS = {
    "order_id": "Id of the order.",
    "customer_id": "Id of the customer.",
    "order_date": "Time of the order.",
    "joined_at": "When the customer joined.",
    "amount": "Amount of the order; negative for a return.",
    "status": "State of the order.",
    "currency": "Currency of the amount.",
    "gender": "Gender of the customer.",
    "age": "Age of the customer in years.",
    "annual_income": "Annual income of the customer.",
    "city": "City of the customer.",
    "country": "Country of the customer.",
}
# a linter takes these for types, which a name must not be
TYPE_NAMES = {"date", "time", "timestamp", "user", "interval"}


def described_guesses(found: Sequence[GuessedFile]) -> Iterator[str]:
    """Yield a line for each file, and for each column that is used."""
    for one in found:
        what = one.role or "not used: it has neither orders nor customers"
        yield f"{one.file.path}: {what}, {one.file.rows:,} rows"
        for guess in one.guesses:
            sure = "" if guess.is_sure else "  (other columns fit as well: look)"
            yield f"  {guess.column.header} is the {guess.role}{sure}"


def scaffold(name: str, found: Sequence[GuessedFile]) -> str:
    """Return the text of ``source_systems/<name>.yml``.

    Parameters
    ----------
    name : str
        The source system.
    found : sequence of GuessedFile
        The orders, and the customers if there is a file of them.
    """
    orders = found[0]
    customers = next((one for one in found if one.role == "customers"), None)
    lines = [
        "# Guessed by `customer-segmentation new-source`: look at the lines with a ?.",
        f"# `customer-segmentation generate-source {name}` writes the models.",
        f"source_system: {name}",
        f"description: The orders of {name}.",
        "# ? sample, if the files hold a part of the shop's customers",
        "record: census",
        "# ? the shop's time zone, such as Europe/London, if times have an offset",
        "time_zone: UTC",
        *_currency(orders),
        "",
        "tables:",
        *_table(orders, "order_id", customers),
        *(_table(customers, "customer_id", None) if customers else ()),
        "",
        "relations:",
        *_customers(orders, customers),
        *_transactions(orders),
    ]
    return "\n".join(lines) + "\n"


@cache
def _reserved() -> frozenset[str]:
    """Return the words that SQL keeps for itself."""
    words = duckdb.execute(
        "select keyword_name from duckdb_keywords() where keyword_category = 'reserved'"
    ).fetchall()
    return frozenset({word for (word,) in words} | TYPE_NAMES | TAKEN)


def _name(column: ColumnProfile) -> str:
    return f"{column.name}_value" if column.name in _reserved() else column.name


def _currency(orders: GuessedFile) -> list[str]:
    column = orders.column("currency")
    if column is None:
        return []
    first = column.values[0] if column.values else "USD"
    question = []
    if len(column.values) > 1:
        others = ", ".join(column.values[1:])
        question = [f"# ? rows in {others} are rejected; which currency is the shop's?"]
    return [*question, f"currency: {{column: {_name(column)}, is: {first}}}"]


def _table(one: GuessedFile, key: str, customers: GuessedFile | None) -> Iterator[str]:
    known = one.column(key)
    assert known is not None
    yield f"  {one.file.name}:"
    yield f"    description: One row per {key.removesuffix('_id')}."
    yield f"    key: [{_name(known)}]"
    yield "    columns:"
    for guess in one.guesses:
        if not guess.is_sure:
            yield f"      # ? other columns may be the {guess.role} as well"
        yield f"      {_name(guess.column)}: {{{_column(guess.role, guess.column)}}}"
    buyer = one.column("customer_id")
    if customers and buyer:
        yield f"    references: {{{_name(buyer)}: {customers.file.name}}}"
    if age := one.column("age"):
        yield f"    reject: {{impossible_value: {_name(age)} not between 0 and 120}}"
    if (date := one.column("order_date")) and key == "order_id":
        yield f"    freshness: {{column: {_name(date)}, warn_after_days: 45}}"


def _column(role: str, column: ColumnProfile) -> str:
    parts = [f"type: {TYPES.get(role, 'text')}"]
    # a file is found by its header, which differs from the name in other letters only
    if normalized_header(column.header) != normalized_header(_name(column)):
        parts.append(f'aliases: ["{column.header}"]')
    if role in ("order_date", "amount"):
        parts.append("filled: true")
    return ", ".join([*parts, f'description: "{MEANINGS[role]}"'])


def _customers(orders: GuessedFile, customers: GuessedFile | None) -> Iterator[str]:
    source = customers or orders
    yield "  customers:"
    yield f"    from: {source.file.name}"
    date = orders.column("order_date")
    assert date is not None
    if customers is None:
        yield f"    first_by: {_name(date)}"
    yield "    columns:"
    for guess in source.guesses:
        if guess.role in OF_CUSTOMERS:
            yield f"      {guess.role}: {_name(guess.column)}"
    if customers is None:
        yield f"      joined_at: {_name(date)}"


def _transactions(orders: GuessedFile) -> Iterator[str]:
    names = {
        "transaction_id": "order_id",
        "customer_id": "customer_id",
        "transacted_at": "order_date",
        "status": "status",
        "amount": "amount",
    }
    yield "  transactions:"
    yield f"    from: {orders.file.name}"
    yield "    columns:"
    for column, role in names.items():
        if found := orders.column(role):
            yield f"      {column}: {_name(found)}"
        elif column == "status":
            continue
        elif column == "amount":
            yield "      # ? no column looks like an amount: nothing is said of money"
    status = orders.column("status")
    if status is None:
        return
    words: dict[str, list[str]] = {"purchase": [], "return": [], "neither": []}
    unknown = []
    for word in status.values:
        kind = kind_of_status(word)
        words[kind or "neither"].append(word.lower())
        if kind is None:
            unknown.append(word)
    if unknown:
        yield f"    # ? unknown words, taken for neither: {', '.join(unknown)}"
    yield "    statuses:"
    for kind, found_words in words.items():
        if not found_words:
            continue
        listed = ", ".join(f'"{word}"' for word in dict.fromkeys(found_words))
        yield f"      {kind}: [{listed}]"
