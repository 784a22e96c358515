"""The raw tables of each source system, with their columns and the headers of files.

This is the one place that knows which headers real files have. Landing uses it to find
the columns of a file. The var ``source_system_catalog`` registers the source systems,
and the dbt sources in ``models/staging`` list the same tables and columns; a test
compares all three.
"""

import re
from dataclasses import dataclass


def normalized_header(header: str) -> str:
    """Return a header in lower case, without spaces and punctuation.

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
        Its name in the landing zone.
    aliases : tuple of str
        Other headers that mean it. Case, spaces and punctuation do not matter.
    is_required : bool
        Whether a file must have it. A missing optional column lands as nulls.
    is_date : bool
        Whether it holds dates or times, which land as ISO 8601.

    Examples
    --------
    >>> RawColumn("invoice", ("InvoiceNo",)).is_called("Invoice No")
    True
    """

    name: str
    aliases: tuple[str, ...] = ()
    is_required: bool = True
    is_date: bool = False

    def is_called(self, header: str) -> bool:
        """Whether the header of a file means this column."""
        known = {normalized_header(name) for name in (self.name, *self.aliases)}
        return normalized_header(header) in known


@dataclass(frozen=True)
class RawTable:
    """A raw table of a source system.

    Parameters
    ----------
    name : str
        Its name in the landing zone; sheets and files have this name too.
    columns : tuple of RawColumn
        Its columns, in the order in which they land.
    append_key : tuple of str
        The columns that tell, when a further period is appended, whether a record has
        landed before. An invoice line has, if any line of its invoice has.
    """

    name: str
    columns: tuple[RawColumn, ...]
    append_key: tuple[str, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns in the landing zone, in order."""
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True)
class SourceSystem:
    """A source system and its raw tables."""

    name: str
    tables: tuple[RawTable, ...]

    def table(self, name: str) -> RawTable:
        """Return the raw table with that name."""
        return next(table for table in self.tables if table.name == name)


def _columns(*names: str) -> tuple[RawColumn, ...]:
    return tuple(RawColumn(name) for name in names)


def _date(name: str) -> RawColumn:
    return RawColumn(name, is_date=True)


MARKETPLACE = SourceSystem(
    "marketplace",
    (
        RawTable(
            "customers",
            (
                RawColumn("customer_id"),
                _date("join_date"),
                *_columns("city_id", "gender_id"),
            ),
            append_key=("customer_id",),
        ),
        RawTable("genders", _columns("gender_id", "gender_name"), ("gender_id",)),
        RawTable("cities", _columns("city_id", "city_name"), ("city_id",)),
        RawTable(
            "transactions",
            (
                *_columns("transaction_id", "customer_id"),
                _date("transaction_date"),
                *_columns("transaction_status", "coupon_name"),
                _date("burn_date"),
                RawColumn("branch_id"),
                RawColumn("amount", is_required=False),
            ),
            append_key=("transaction_id",),
        ),
        RawTable("branches", _columns("branch_id", "merchant_id"), ("branch_id",)),
        RawTable(
            "merchants", _columns("merchant_id", "merchant_name"), ("merchant_id",)
        ),
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
                _date("invoice_date"),
                RawColumn("price", ("UnitPrice",)),
                RawColumn("customer_id"),
                RawColumn("country"),
            ),
            append_key=("invoice",),
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
            append_key=("customer_id",),
        ),
    ),
)

SOURCE_SYSTEMS = {system.name: system for system in (MARKETPLACE, ONLINE_RETAIL, MALL)}

# what was sent to whom: it lands like a source system, but a project can do without it
CAMPAIGNS = SourceSystem(
    "campaigns",
    (
        RawTable(
            "sends",
            (
                *_columns("campaign", "source_system", "customer_id"),
                _date("sent_at"),
                RawColumn("is_treated", is_required=False),
            ),
            append_key=("campaign", "source_system", "customer_id"),
        ),
    ),
)

LANDED_BY_NAME = SOURCE_SYSTEMS | {CAMPAIGNS.name: CAMPAIGNS}
