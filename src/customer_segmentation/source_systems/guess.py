"""Guess what raw files are: orders and customers, and what their columns mean.

A guess goes by the header and by the values. It is sure if both agree.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from customer_segmentation.errors import InputError
from customer_segmentation.raw_tables import normalized_header
from customer_segmentation.source_systems.columns import ColumnProfile, FileProfile

__all__ = ["OF_CUSTOMERS", "Guess", "GuessedFile", "guess_files", "kind_of_status"]

# what a column may mean: its header without spaces and punctuation, and its kinds; the
# first pattern that fits counts
NUMBERS = ("number", "whole")
ANY = ("text", "whole", "number")
ROLES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "order_id": (
        r"(sales|purchase)?(order|invoice|transaction|receipt|basket|sale)"
        r"(id|no|nr|number|num|key|code)?|ordername",
        ANY,
    ),
    "customer_id": (
        r"(customer|client|user|buyer|member|shopper|account|household|contact|cust)"
        r"(id|no|nr|number|num|key|code|ref)?",
        ANY,
    ),
    "order_date": (
        r"(order|invoice|transaction|purchase|sale|created|placed|paid|processed)?"
        r"(date|datetime|day|time|timestamp|at|on)(utc)?|ordered|purchased",
        ("date",),
    ),
    "joined_at": (
        r"(join|joined|signup|signedup|register|registered|registration|member|created|"
        r"customer)(date|at|on|since)?|since|created",
        ("date",),
    ),
    "amount": (
        r"(order|invoice|grand|net|gross|basket)?"
        r"(total|amount|value|revenue|sales|spend|spent|paid)(price|amount|paid|gbp|eur|usd)?",
        NUMBERS,
    ),
    "status": (r"(order|payment|financial|fulfillment)?(status|state)", ("text",)),
    "currency": (r"currency(code)?", ("text",)),
    "gender": (r"gender|sex", ANY),
    "age": (r"age(years)?", ("whole",)),
    "annual_income": (r"(annual|yearly|household)?income", NUMBERS),
    "city": (r"(billing|shipping|customer)?(city|town)", ("text",)),
    "country": (
        r"(billing|shipping|customer)?country(code|region)?",
        ("text",),
    ),
}
OF_ORDERS = ("order_id", "customer_id", "order_date", "amount", "status", "currency")
OF_CUSTOMERS = (
    *("customer_id", "joined_at", "gender", "age", "annual_income", "city", "country"),
)
REQUIRED = ("order_id", "customer_id", "order_date")
# a column that another one is unlikely to be confused with
UNIQUE = 0.999
STATUS_WORDS = {
    "purchase": (
        r"sold|paid|complete|fulfil|ship|deliver|success|closed|processed|captured"
    ),
    "return": r"return|refund|chargeback|voided",
    "neither": r"pending|cancel|fail|hold|draft|expired|unpaid|open|authori|abandon",
}


@dataclass(frozen=True)
class Guess:
    """What a column means.

    Parameters
    ----------
    role : str
        Such as ``order_id``.
    column : ColumnProfile
        The column.
    is_sure : bool
        Whether nothing else fits as well.
    """

    role: str
    column: ColumnProfile
    is_sure: bool


@dataclass(frozen=True)
class GuessedFile:
    """What a file is.

    Parameters
    ----------
    role : str
        ``orders`` or ``customers``; empty for a file that is not used.
    file : FileProfile
        The file.
    guesses : tuple of Guess
        What is used of it, the key first.
    """

    role: str
    file: FileProfile
    guesses: tuple[Guess, ...]

    def column(self, role: str) -> ColumnProfile | None:
        """Return the column with a role, if there is one."""
        return next((one.column for one in self.guesses if one.role == role), None)


def guess_files(files: Sequence[FileProfile]) -> list[GuessedFile]:
    """Guess which file has the orders, which the customers, and their columns.

    Parameters
    ----------
    files : sequence of FileProfile
        The files of a shop.

    Returns
    -------
    list of GuessedFile
        The orders first; files that are not used last.

    Raises
    ------
    InputError
        If no file has orders, or orders have several rows each.
    """
    as_orders = [_guess(file, "orders", OF_ORDERS) for file in files]
    complete = [one for one in as_orders if all(map(one.column, REQUIRED))]
    if not complete:
        lacking = {
            str(one.file.path): [role for role in REQUIRED if not one.column(role)]
            for one in as_orders
        }
        said = "; ".join(
            f"{name} lacks {', '.join(roles)}" for name, roles in lacking.items()
        )
        raise InputError(
            f"no file has orders, with their id, customer and date: {said}. Rename the "
            "columns so, or declare the source system by hand"
        )
    orders = max(complete, key=lambda one: (len(one.guesses), one.file.rows))
    key = orders.column("order_id")
    assert key is not None
    if key.distinct < UNIQUE:
        raise InputError(
            f"{orders.file.path}: has several rows for a {key.header}, so its rows are "
            "lines. A mapping cannot sum them yet: export one row per order, or write "
            "the models by hand, as docs/contributing.md shows"
        )
    others = [file for file in files if file is not orders.file]
    customers = [
        one
        for one in (_guess(file, "customers", OF_CUSTOMERS) for file in others)
        if (known := one.column("customer_id")) and known.distinct >= UNIQUE
    ]
    best = max(customers, key=lambda one: len(one.guesses), default=None)
    if best is None:
        orders = _guess(orders.file, "orders", (*OF_ORDERS, *OF_CUSTOMERS[2:]))
    found = [orders, *([best] if best else [])]
    used = [one.file for one in found]
    return found + [GuessedFile("", one, ()) for one in files if one not in used]


def kind_of_status(word: str) -> str | None:
    """Return whether a status is a purchase, a return or neither; None if unknown.

    Examples
    --------
    >>> kind_of_status("Refunded"), kind_of_status("unpaid"), kind_of_status("blue")
    ('return', 'neither', None)
    """
    for kind in ("neither", "return", "purchase"):
        if re.search(STATUS_WORDS[kind], word.lower()):
            return kind
    return None


def _guess(file: FileProfile, kind: str, roles: Sequence[str]) -> GuessedFile:
    guesses: list[Guess] = []
    for role in roles:
        taken = [one.column for one in guesses]
        fitting = [one for one in file.columns if one not in taken and _fits(one, role)]
        if fitting:
            best = max(fitting, key=lambda one: (_is_named_so(one, role), one.filled))
            guesses.append(Guess(role, best, len(fitting) == 1))
    return GuessedFile(kind, file, tuple(guesses))


def _fits(column: ColumnProfile, role: str) -> bool:
    pattern, kinds = ROLES[role]
    header = normalized_header(column.header)
    if role == "customer_id" and header == "id" and column.distinct >= UNIQUE:
        return True
    return column.kind in kinds and bool(re.fullmatch(pattern, header))


def _is_named_so(column: ColumnProfile, role: str) -> bool:
    """Whether a header says what it is in full: `order_id` rather than `order`."""
    return normalized_header(column.header) == role.replace("_", "")
