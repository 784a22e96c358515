"""The online retailer: two years of invoice lines of a gift shop."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from customer_segmentation.simulation.campaigns import (
    SENDS,
    TRUTH,
    sends_as_text,
    sends_of,
    truth_as_text,
)
from customer_segmentation.simulation.dirt import (
    Dirt,
    DirtKind,
    Ledger,
    Row,
    exact_duplicate,
    value_of,
)
from customer_segmentation.simulation.drawing import chunks, generator
from customer_segmentation.simulation.online_retail_catalogue import (
    FAMILIES,
    Catalogue,
    draw_catalogue,
)
from customer_segmentation.simulation.online_retail_invoices import (
    GUEST,
    PREFIXES,
    Lines,
    draw_lines,
)
from customer_segmentation.simulation.online_retail_shoppers import (
    COUNTRIES,
    DAYS,
    FIRST_DAY,
    SEGMENTS,
    Shoppers,
    draw_shoppers,
)
from customer_segmentation.simulation.writing import (
    CsvWriter,
    amount_text,
    date_text,
    formatted_text,
    integer_text,
    table_writer,
    text_at,
    time_text,
)

HEADERS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
TRUTH_HEADERS = (
    "customer_id",
    "segment",
    "yearly_rate",
    "basket_lines",
    "first_purchase_date",
    "lifetime_days",
    "churn_date",
    "favourite_family",
    "favourite_share",
    "country",
)
LINES_PER_CUSTOMER = 33
FIRST_INVOICE = 489_434
# spoilt lines have invoices far above those of clean lines, at any size
_FIRST_SPOILT_INVOICE = 60_000_000
_UNREADABLE_DATES = ("2011-13-45 10:00:00", None, "yesterday")
_UNREADABLE_NUMBERS = (
    {"Quantity": "many"},
    {"UnitPrice": "free"},
    {"UnitPrice": None},
)


def simulate_online_retail(
    folder: Path,
    truth_folder: Path,
    ledger: Ledger,
    *,
    seed: int,
    customers: int,
    file_format: str,
    chunk_customers: int,
) -> None:
    """Write the invoice lines, a campaign, and the truth about their customers."""
    catalogue = draw_catalogue(generator(seed, "catalogue"))
    dirt = Dirt("online_retail", "invoice_lines", _dirt_kinds(), ledger)
    first_invoice = FIRST_INVOICE
    with (
        table_writer(
            folder, "invoice_lines", HEADERS, file_format, is_large=True
        ) as writer,
        CsvWriter(truth_folder / "online_retail_customers.csv", TRUTH_HEADERS) as truth,
        table_writer(folder.parent / "campaigns", "sends", SENDS, file_format) as sent,
        CsvWriter(truth_folder / "campaigns.csv", TRUTH) as effects,
    ):
        for number, chunk in enumerate(
            chunks(seed, "online_retail", customers, chunk_customers)
        ):
            planted = draw_shoppers(chunk)
            drawn = draw_lines(planted, catalogue, chunk.rng)
            lines, numbers = _numbered(drawn, first_invoice)
            first_invoice = int(numbers.max()) + 1
            clean = _as_text(lines, numbers, planted, catalogue)
            writer.write(dirt.added_to(clean, chunk.rng))
            truth.write(_truth(planted))
            sends = sends_of(planted, drawn, seed, number)
            sent.write(sends_as_text(sends))
            effects.write(truth_as_text(sends))


def _numbered(lines: Lines, first_invoice: int) -> tuple[Lines, np.ndarray]:
    """Return the lines in the order of time, and the numbers of their invoices."""
    started = np.full(lines.invoices.max() + 1, np.iinfo(np.int64).max)
    np.minimum.at(started, lines.invoices, lines.seconds)
    ranks = np.empty(len(started), np.int64)
    ranks[np.argsort(started, kind="stable")] = np.arange(len(started))
    numbers = ranks[lines.invoices]
    order = np.argsort(numbers, kind="stable")
    return lines.taken(order), first_invoice + numbers[order]


def _as_text(
    lines: Lines, numbers: np.ndarray, planted: Shoppers, catalogue: Catalogue
) -> pa.Table:
    is_guest = lines.customers == GUEST
    columns = (
        _invoice_numbers(lines.prefixes, numbers),
        text_at(catalogue.stock_codes, lines.codes),
        text_at(catalogue.descriptions, lines.descriptions),
        formatted_text(lines.quantities, str),
        time_text(FIRST_DAY.astype("datetime64[s]") + lines.seconds),
        formatted_text(lines.prices, _pounds),
        integer_text(planted.ids[lines.customers], is_blank=is_guest, suffix=".0"),
        text_at(list(COUNTRIES), lines.countries),
    )
    return pa.table(dict(zip(HEADERS, columns, strict=True)))


def _invoice_numbers(prefixes: np.ndarray, numbers: np.ndarray) -> pa.Array:
    def as_text(code: int) -> str:
        return PREFIXES[code % 3] + str(code // 3)

    return formatted_text(3 * numbers + prefixes, as_text)


def _pounds(thousandths: int) -> str:
    whole, rest = divmod(abs(thousandths), 1_000)
    digits = f"{rest:03d}" if rest % 10 else f"{rest // 10:02d}"
    return f"{'-' * (thousandths < 0)}{whole}.{digits}"


def _truth(planted: Shoppers) -> pa.Table:
    families = [family.name for family in FAMILIES]
    start = FIRST_DAY + planted.start_days
    lifetimes = planted.lifetimes.astype(np.int64)
    columns = (
        integer_text(planted.ids),
        text_at([segment.name for segment in SEGMENTS], planted.segments),
        amount_text(np.rint(100 * planted.yearly_rates).astype(np.int64)),
        integer_text(planted.of_segment("basket_lines").astype(np.int64)),
        date_text(start),
        integer_text(lifetimes),
        date_text(start + lifetimes, is_blank=planted.start_days + lifetimes >= DAYS),
        text_at(families, planted.tastes.argmax(axis=1)),
        amount_text(np.rint(100 * planted.tastes.max(axis=1)).astype(np.int64)),
        text_at(list(COUNTRIES), planted.countries),
    )
    return pa.table(dict(zip(TRUTH_HEADERS, columns, strict=True)))


def _is_sale_to_customer(row: Row) -> bool:
    return (
        value_of(row, "InvoiceNo").isdigit()
        and row["CustomerID"] is not None
        and value_of(row, "StockCode")[:5].isdigit()
    )


def _with_new_invoice(row: Row, number: int, **changes: str | None) -> Row:
    return row | {"InvoiceNo": str(_FIRST_SPOILT_INVOICE + number)} | changes


def _without_key(row: Row, number: int) -> Row:
    if number % 2:
        return _with_new_invoice(row, number, StockCode=None)
    # two lines without invoices could be equal, so their quantities count up
    return row | {"InvoiceNo": None, "Quantity": str(1_000 + number)}


def _dirt_kinds() -> tuple[DirtKind, ...]:
    def with_bad_date(row: Row, number: int) -> Row:
        bad = _UNREADABLE_DATES[number % len(_UNREADABLE_DATES)]
        return _with_new_invoice(row, number, InvoiceDate=bad)

    def with_bad_number(row: Row, number: int) -> Row:
        bad = _UNREADABLE_NUMBERS[number % len(_UNREADABLE_NUMBERS)]
        return _with_new_invoice(row, number, **bad)

    def with_negative_price(row: Row, number: int) -> Row:
        return _with_new_invoice(row, number, UnitPrice=f"-{row['UnitPrice']}")

    return (
        exact_duplicate(0.005),
        DirtKind("missing_key", 0.0002, _without_key, _is_sale_to_customer),
        DirtKind(
            "unreadable_date", 0.0002, with_bad_date, _is_sale_to_customer, minimum=3
        ),
        DirtKind(
            "unreadable_number",
            0.0002,
            with_bad_number,
            _is_sale_to_customer,
            minimum=3,
        ),
        DirtKind("negative_price", 0.0001, with_negative_price, _is_sale_to_customer),
    )
