"""Audiences and segments as files, from the published tables."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import mkstemp
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from customer_segmentation.errors import InputError

__all__ = ["export_campaign", "export_segment"]

# what a spreadsheet takes for a formula; the last four are full-width signs
FORMULA = r"^[=+\-@\t\r\n\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]"
AUDIENCE_COLUMNS = ("customer_id", "action", "channel", "offer", "priority")
SEGMENT_COLUMNS = ("customer_id", "source_system", "segment_name")
MEMBERS = """
    create temporary view members as
    select customers.*, 'rfm' as segmentation, cast(null as int) as segment_id,
        rfm_segment as segment_name, {is_control} as is_control
    from customers join customer_rfm using (customer_key)
    union all by name
    select customers.*, segmentation, segment_id, segment_name,
        {is_control} as is_control
    from customers join customer_segments using (customer_key)
"""
# whoever is held out of one campaign gets no message of another file either
IS_CONTROL = (
    "customer_key in (select customer_key from campaign_audiences where is_control)"
)


def export_campaign(
    published: Path,
    campaign: str,
    output: Path,
    *,
    columns: Sequence[str] = (),
    holdout: bool = False,
) -> int:
    """Write the customers of a campaign, in the order of their priority.

    Parameters
    ----------
    published : Path
        The published database file.
    campaign : str
        Name of the campaign.
    output : Path
        A file that ends in ``.csv`` or ``.parquet``.
    columns : sequence of str
        The columns of ``campaign_audiences`` to write, in this order. By default, those
        that a mailing needs.
    holdout : bool
        Whether customers who are held out are written too. Then the column
        ``is_control`` is written as well.

    Returns
    -------
    int
        Number of customers.

    Raises
    ------
    InputError
        If the file, the campaign or a column is missing, or the file cannot be written.
    """
    chosen = _chosen(columns or AUDIENCE_COLUMNS, holdout)
    with _open(published) as connection:
        plans: dict[str, str] = dict(
            _rows(connection, published, "select campaign, status from campaign_plans")
        )
        if campaign not in plans:
            raise InputError(
                f"{published}: there is no campaign {campaign!r}; "
                f"{_listed('the campaigns are', plans)}"
            )
        if plans[campaign] in ("suppressed", "no_customers"):
            raise InputError(
                f"the campaign {campaign!r} has no audience: its status in "
                f"campaign_plans is {plans[campaign]}"
            )
        _check_columns(connection, published, "campaign_audiences", chosen)
        table = connection.execute(
            f"select {', '.join(chosen)} from campaign_audiences"
            " where campaign = ? and (not is_control or ?) order by priority",
            [campaign, holdout],
        ).to_arrow_table()
    return _write(table, output)


def export_segment(
    published: Path,
    segmentation: str,
    segment: str,
    output: Path,
    *,
    source_system: str | None = None,
    columns: Sequence[str] = (),
    holdout: bool = False,
) -> int:
    """Write the customers of a segment, in the order of their keys.

    Parameters
    ----------
    published : Path
        The published database file.
    segmentation : str
        ``rfm``, or the name of a segmentation.
    segment : str
        Name of the segment, or its number.
    output : Path
        A file that ends in ``.csv`` or ``.parquet``.
    source_system : str, optional
        The source system of the customers. A segment of ``rfm`` can span several, and
        then one must be named.
    columns : sequence of str
        The columns of ``customers``, ``segmentation``, ``segment_id``,
        ``segment_name`` and ``is_control`` to write, in this order.
    holdout : bool
        Whether customers who are held out of a campaign are written too. Then the
        column ``is_control`` is written as well.

    Returns
    -------
    int
        Number of customers.

    Raises
    ------
    InputError
        If the file, the segment or a column is missing, if the segment spans several
        source systems and none is named, or if the file cannot be written.
    """
    chosen = _chosen(columns or SEGMENT_COLUMNS, holdout)
    with _open(published) as connection:
        _rows(connection, published, "select 1 from customer_rfm limit 0")
        tables = _rows(connection, published, "select table_name from duckdb_tables()")
        planned = ("campaign_audiences",) in tables
        connection.execute(
            MEMBERS.format(is_control=IS_CONTROL if planned else "false")
        )
        known = _rows(
            connection,
            published,
            "select distinct segmentation, segment_name, cast(segment_id as varchar),"
            " source_system from members order by all",
        )
        own = [row[1:] for row in known if row[0] == segmentation]
        if not own:
            raise InputError(
                f"{published}: there is no segmentation {segmentation!r}; "
                f"{_listed('the segmentations are', (row[0] for row in known))}"
            )
        shops = {shop for name, number, shop in own if segment in (name, number)}
        if not shops:
            raise InputError(
                f"{published}: {segmentation} has no segment {segment!r}; "
                f"{_listed('its segments are', (name for name, *_ in own))}"
            )
        shop = source_system or _only_shop(shops, segment)
        if shop not in shops:
            raise InputError(
                f"{published}: the segment {segment!r} has no customers of {shop!r}; "
                f"{_listed('its source systems are', shops)}"
            )
        _check_columns(connection, published, "members", chosen)
        table = connection.execute(
            f"select {', '.join(chosen)} from members"
            " where segmentation = $kind and source_system = $shop"
            " and (segment_name = $name or cast(segment_id as varchar) = $name)"
            " and (not is_control or $holdout)"
            " order by customer_key",
            {"kind": segmentation, "name": segment, "shop": shop, "holdout": holdout},
        ).to_arrow_table()
    return _write(table, output)


def _chosen(columns: Sequence[str], holdout: bool) -> list[str]:
    """Return each column once, and with held-out customers who is one of them."""
    return list(dict.fromkeys([*columns, *(["is_control"] if holdout else [])]))


def _only_shop(shops: set[str], segment: str) -> str:
    """Return the one source system; ids of several can be the same."""
    if len(shops) > 1:
        raise InputError(
            f"the segment {segment!r} spans several source systems: name one of "
            f"{', '.join(sorted(shops))} with --source-system"
        )
    [shop] = shops
    return shop


def _open(published: Path) -> duckdb.DuckDBPyConnection:
    if not published.is_file():
        raise InputError(
            f"{published}: there is no such file; run `customer-segmentation build`, "
            "which publishes it, or name another one in CUSTOMER_SEGMENTATION_PUBLISHED"
        )
    try:
        return duckdb.connect(str(published), read_only=True)
    except duckdb.Error as error:
        raise InputError(f"{published}: is no database that DuckDB can read") from error


def _rows(
    connection: duckdb.DuckDBPyConnection, published: Path, query: str
) -> list[tuple[Any, ...]]:
    try:
        return connection.execute(query).fetchall()
    except duckdb.CatalogException as error:
        raise InputError(
            f"{published}: a table is missing, so an older version published it; run "
            "`customer-segmentation build`"
        ) from error


def _check_columns(
    connection: duckdb.DuckDBPyConnection,
    published: Path,
    table: str,
    columns: Sequence[str],
) -> None:
    """Raise an error for a column that the table does not have."""
    known = [row[0] for row in _rows(connection, published, f"describe {table}")]
    unknown = [repr(name) for name in columns if name not in known]
    if unknown:
        raise InputError(
            f"unknown column {', '.join(unknown)}; {_listed('the columns are', known)}"
        )


def _listed(what: str, names: Iterable[str]) -> str:
    known = ", ".join(sorted(set(names)))
    return f"{what} {known}" if known else "there are none"


def _write(table: pa.Table, output: Path) -> int:
    """Write a file whole or not at all, which its owner alone can read."""
    if output.suffix not in (".csv", ".parquet"):
        raise InputError(f"{output}: the name must end in .csv or .parquet")
    scratch = None
    try:
        # mkstemp lets nobody else read the file
        handle, scratch = mkstemp(prefix=f".{output.name}.", dir=output.parent)
        with os.fdopen(handle, "wb") as file:
            if output.suffix == ".csv":
                pa_csv.write_csv(_without_formulas(table), file)
            else:
                pq.write_table(table, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, output)
        scratch = None
        folder = os.open(output.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise InputError(f"{output}: cannot be written: {error.strerror}") from error
    finally:
        if scratch is not None:
            Path(scratch).unlink(missing_ok=True)
    return int(table.num_rows)


def _without_formulas(table: pa.Table) -> pa.Table:
    """Put an apostrophe before texts that a spreadsheet would run as a formula."""
    for position, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            texts = table.column(position)
            marked = pc.binary_join_element_wise("'", texts, "")
            risky = pc.match_substring_regex(texts, FORMULA)
            safe = pc.if_else(pc.fill_null(risky, False), marked, texts)
            table = table.set_column(position, field, safe)
    return table
