"""The raw tables of every source system: what their columns are called, and where.

This is the one place that knows the headers met in the wild. Landing reads it to find
the columns of a file, simulation reads it to write files, and the dbt sources under
``models/staging`` name the same tables and columns.
"""

import re
from dataclasses import dataclass, field


def normalized_header(header: str) -> str:
    """Return a header without case, padding and punctuation.

    Examples
    --------
    >>> normalized_header(" Spending Score (1-100)")
    'spendingscore1100'
    """
    return re.sub(r"[^a-z0-9]", "", header.lower())


@dataclass(frozen=True)
class RawColumn:
    """A column of a raw table.

    Parameters
    ----------
    name : str
        What the landing zone calls it.
    aliases : tuple of str
        Other headers it is known by; case, padding and punctuation do not matter.
    is_required : bool
        Whether a file without it is refused. An optional column lands as nulls.
    """

    name: str
    aliases: tuple[str, ...] = ()
    is_required: bool = True

    def is_called(self, header: str) -> bool:
        """Whether a file's header means this column."""
        known = {normalized_header(known) for known in (self.name, *self.aliases)}
        return normalized_header(header) in known


@dataclass(frozen=True)
class RawTable:
    """A raw table of a source system.

    Parameters
    ----------
    name : str
        What the landing zone, and the sheet or file it comes from, call it.
    columns : tuple of RawColumn
        In the order in which they land.
    append_key : str
        The column that says whether a record has landed before, when a further period
        is appended: an invoice line has, if its invoice has.
    """

    name: str
    columns: tuple[RawColumn, ...]
    append_key: str

    @property
    def column_names(self) -> tuple[str, ...]:
        """The landing zone's column names, in order."""
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True)
class SourceSystem:
    """A source system and its raw tables."""

    name: str
    tables: tuple[RawTable, ...] = field(default=())

    def table(self, name: str) -> RawTable:
        """Return the raw table of that name."""
        return next(table for table in self.tables if table.name == name)


def _columns(*names: str) -> tuple[RawColumn, ...]:
    return tuple(RawColumn(name) for name in names)


MARKETPLACE = SourceSystem(
    "marketplace",
    (
        RawTable(
            "customers",
            _columns("customer_id", "join_date", "city_id", "gender_id"),
            append_key="customer_id",
        ),
        RawTable("genders", _columns("gender_id", "gender_name"), "gender_id"),
        RawTable("cities", _columns("city_id", "city_name"), "city_id"),
        RawTable(
            "transactions",
            (
                *_columns(
                    "transaction_id",
                    "customer_id",
                    "transaction_date",
                    "transaction_status",
                    "coupon_name",
                    "burn_date",
                    "branch_id",
                ),
                RawColumn("amount", is_required=False),
            ),
            append_key="transaction_id",
        ),
        RawTable("branches", _columns("branch_id", "merchant_id"), "branch_id"),
        RawTable("merchants", _columns("merchant_id", "merchant_name"), "merchant_id"),
    ),
)

ONLINE_RETAIL = SourceSystem(
    "online_retail",
    (
        RawTable(
            "invoice_lines",
            (
                RawColumn("invoice", ("InvoiceNo",)),
                RawColumn("stock_code"),
                RawColumn("description"),
                RawColumn("quantity"),
                RawColumn("invoice_date"),
                RawColumn("price", ("UnitPrice",)),
                RawColumn("customer_id"),
                RawColumn("country"),
            ),
            append_key="invoice",
        ),
    ),
)

MALL = SourceSystem(
    "mall",
    (
        RawTable(
            "customers",
            (
                RawColumn("customer_id"),
                RawColumn("gender", ("Genre",)),
                RawColumn("age"),
                RawColumn("annual_income", ("Annual Income (k$)", "x")),
                RawColumn("spending_score", ("Spending Score (1-100)", "Score")),
            ),
            append_key="customer_id",
        ),
    ),
)

SOURCE_SYSTEMS = {system.name: system for system in (MARKETPLACE, ONLINE_RETAIL, MALL)}
