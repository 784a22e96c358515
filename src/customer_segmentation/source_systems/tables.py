"""Raw tables with their columns, and the headers by which files know these.

Landing uses them to find the columns of a file.
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
    customer : str, optional
        The column with the id of a customer. By default ``customer_id``, if it has one.
    is_customer_computed : bool
        Whether a mapping makes the id of more than one column.
    """

    name: str
    columns: tuple[RawColumn, ...]
    append_key: tuple[str, ...]
    customer: str | None = None
    is_customer_computed: bool = False

    @property
    def customer_column(self) -> str | None:
        """The column whose values tell rows of a customer; None if there is none."""
        known = "customer_id" in self.column_names
        return self.customer or ("customer_id" if known else None)

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
