"""Dates whose year comes last: one order for all dates of a file, landed as ISO 8601.

The values say whether ``1/2/2010`` is the second of January: in a file that also has
``13/12/2010``, the day comes first. A file that does not say it needs to be told.
"""

from dataclasses import dataclass
from typing import Literal

import click
import duckdb

from customer_segmentation.errors import InputError
from customer_segmentation.landing.sources import RawSource, sql_name, sql_text

__all__ = ["ORDERS", "DateOrder", "select_iso_dates"]

DateOrder = Literal["day-first", "month-first"]

# what strptime calls the two numbers before the year
ORDERS: dict[DateOrder, str] = {"day-first": "%d/%m/%Y", "month-first": "%m/%d/%Y"}
TIMES = ("", " %H:%M", " %H:%M:%S")
YEAR_LAST = r"(\d{1,2})[-/.](\d{1,2})[-/.]\d{4}( \d{1,2}:\d{2}(:\d{2})?)?"


def select_iso_dates(
    connection: duckdb.DuckDBPyConnection, source: RawSource, order: DateOrder | None
) -> str:
    """Return the query of a source, with the dates whose year comes last as ISO 8601.

    A date that does not exist in the order of its file stays as it is, and staging
    rejects it.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The connection that will run the query. It reads the source once more.
    source : RawSource
        A file or sheet.
    order : {"day-first", "month-first"} or None
        The order of its dates; None to learn it from all values of the source.

    Raises
    ------
    InputError
        If no value tells the order, values contradict each other, or the source cannot
        be read.
    """
    query = source.select(connection)
    columns = [column.name for column in source.table.columns if column.is_date]
    if not columns:
        return query
    found = _Found.in_source(connection, source, query, columns)
    if not found.has_any:
        return query
    order = order or found.order(source.name)
    _report(source.name, order, found)
    names = ", ".join(
        f"{_as_iso(name, order)} as {sql_name(name)}"
        if name in columns
        else sql_name(name)
        for name in source.table.column_names
    )
    return f"select {names} from ({query}) as written"


@dataclass(frozen=True)
class _Found:
    """The dates of a source whose year comes last.

    Parameters
    ----------
    counts : mapping of DateOrder to int
        Dates that exist in this order only.
    examples : mapping of DateOrder to str or None
        One of them each.
    undecided : int
        Dates that are another day in the other order.
    example : str or None
        One of those.
    has_any : bool
        Whether there are dates whose year comes last, those of ``3/3/2010`` too.
    """

    counts: dict[DateOrder, int]
    examples: dict[DateOrder, str | None]
    undecided: int
    example: str | None
    has_any: bool

    @classmethod
    def in_source(
        cls,
        connection: duckdb.DuckDBPyConnection,
        source: RawSource,
        query: str,
        columns: list[str],
    ) -> "_Found":
        """Count the dates in all date columns of a source."""
        values = ", ".join(map(sql_name, columns))
        kinds = {
            "day-first": "one > 12 and two <= 12",
            "month-first": "two > 12 and one <= 12",
            "undecided": "one <= 12 and two <= 12 and one <> two",
        }
        measures = ", ".join(
            f"count(*) filter (where {kind}), min(written) filter (where {kind})"
            for kind in kinds.values()
        )
        try:
            [row] = connection.execute(
                f"""
                with dates as (
                    select trim(unnest([{values}])) as written from ({query}) as raw
                ),
                numbers as (
                    select
                        written,
                        regexp_extract(written, {sql_text(YEAR_LAST)}, 1)::int as one,
                        regexp_extract(written, {sql_text(YEAR_LAST)}, 2)::int as two
                    from dates
                    where regexp_full_match(written, {sql_text(YEAR_LAST)})
                )
                select {measures}, count(*) > 0 from numbers
                """
            ).fetchall()
        except duckdb.Error as error:
            raise source.input_error(error) from error
        days, day, months, month, undecided, example, has_any = row
        return cls(
            {"day-first": days, "month-first": months},
            {"day-first": day, "month-first": month},
            undecided,
            example,
            has_any,
        )

    def order(self, where: str) -> DateOrder:
        """Return the order that all values agree on."""
        fitting = [order for order, count in self.counts.items() if count]
        way_out = "say which they are with --dates day-first or --dates month-first"
        if len(fitting) == 2:
            of_both = " and ".join(
                f"{self.counts[order]:,} {_words(order)} ({self.examples[order]!r})"
                for order in fitting
            )
            raise InputError(
                f"{where}: its dates contradict each other, {of_both}; {way_out}, and "
                "the others will be rejected"
            )
        if not fitting and self.undecided:
            raise InputError(
                f"{where}: {self.undecided:,} dates such as {self.example!r} can be "
                f"day first or month first, and no value tells; {way_out}"
            )
        # without either, day and month are the same number
        return fitting[0] if fitting else "day-first"


def _report(where: str, order: DateOrder, found: _Found) -> None:
    other: DateOrder = "month-first" if order == "day-first" else "day-first"
    message = f"{where}: dates are read {_words(order)}"
    if found.counts[other]:
        message += (
            f"; {found.counts[other]:,} such as {found.examples[other]!r} do not exist "
            "in this order, and will be rejected"
        )
    click.echo(message, err=True)


def _words(order: DateOrder) -> str:
    return order.replace("-", " ")


def _as_iso(column: str, order: DateOrder) -> str:
    """Return a column in SQL, with its dates whose year comes last as ISO 8601."""
    name = sql_name(column)
    formats = ", ".join(sql_text(ORDERS[order] + time) for time in TIMES)
    return f"""case
        when regexp_full_match(trim({name}), {sql_text(YEAR_LAST)})
        then coalesce(
            try_strptime(translate(trim({name}), '.-', '//'), [{formats}])::varchar,
            {name}
        )
        else {name}
    end"""
