"""What data there are, of which period, and what could not be used."""

from customer_segmentation.serving.report.charts import bars
from customer_segmentation.serving.report.contents import Figure, Grid, Section
from customer_segmentation.serving.report.published import PublishedTables
from customer_segmentation.serving.report.words import count

__all__ = ["data_section", "published_words"]

REASONS = 12
# public tables with a row for each raw one, and what their rows are
COUNTED = ("customers", "transactions", "transaction_lines", "products")


def data_section(tables: PublishedTables, source: str) -> Section:
    """Return rows, period, rejects and their reasons."""
    [system] = tables.rows(
        "select first_event_at, last_event_at, as_of_date, has_transactions,"
        " has_amounts from source_systems where source_system = ?",
        source,
    )
    rows = {
        name: tables.rows(
            f"select count(*) as n from {name} where source_system = ?", source
        )[0]["n"]
        for name in COUNTED
        if name in tables.tables
    }
    rejects = tables.rows(
        "select trim(reason) as reason, source_table, count(*) as raw_rows from ("
        " select source_table, unnest(string_split(reasons, ',')) as reason"
        " from rejected_records where source_system = ?)"
        " group by all order by raw_rows desc, reason, source_table",
        source,
    )
    [all_rejects] = tables.rows(
        "select count(*) as n from rejected_records where source_system = ?", source
    )
    sentences = [_period(system)]
    if not system["has_transactions"]:
        sentences.append(
            "This source system records no transactions: there is no recency, no "
            "frequency and no money, only what is known of the customers."
        )
    elif not system["has_amounts"]:
        sentences.append(
            "This source system records no amounts: purchases are counted, money is "
            "not known."
        )
    sentences.append(_rejected(all_rejects["n"]))
    grid = Grid(
        "Rows that are used",
        ["table", "rows"],
        [[name, count(n)] for name, n in rows.items() if n],
    )
    parts: list[Figure | Grid] = [grid]
    if rejects:
        is_one_table = len({row["source_table"] for row in rejects}) == 1
        shown = [
            row
            | {
                "what": row["reason"]
                if is_one_table
                else f"{row['reason']}, {row['source_table']}"
            }
            for row in rejects[:REASONS]
        ]
        columns = {"what": ("reason", ""), "raw_rows": ("raw rows", ",d")}
        parts.append(
            Figure(
                "rejects",
                "Why raw rows could not be used",
                "Bars: raw rows by reason of rejection. The most frequent is "
                f"{shown[0]['what']} with {count(shown[0]['raw_rows'])} rows.",
                bars(shown, "what", "raw_rows", columns),
                "A row can have several reasons. All are in rejected_records"
                + (
                    f"; the {REASONS} most frequent." if len(rejects) > REASONS else "."
                ),
            )
        )
    return Section("data", "The data, and how good they are", sentences, parts=parts)


def _period(system: dict[str, object]) -> str:
    if system["first_event_at"] is None:
        return "The record has no dates."
    first, last = (str(system[f"{end}_event_at"])[:10] for end in ("first", "last"))
    return (
        f"The record runs from {first} to {last}. All is measured as of "
        f"{system['as_of_date']}; later events are ignored."
    )


def _rejected(rows: int) -> str:
    if not rows:
        return "Every raw row could be used."
    return f"{count(rows)} raw rows could not be used, and are kept with their reasons."


def published_words(tables: PublishedTables) -> str:
    """Return from which build the tables are, and what its tests said."""
    if "published_tables" not in tables.tables:
        return "It is not known when these tables were published."
    [row] = tables.rows(
        "select min(published_at) as at, min(version) as version,"
        " min(tests_passed) as passed, max(tests_warned) as warned"
        " from published_tables"
    )
    if row["at"] is None:
        return "It is not known when these tables were published."
    return (
        f"Published {row['at'][:16]} UTC, version {row['version']}: "
        f"{count(row['passed'])} tests passed, {count(row['warned'])} warned."
    )
