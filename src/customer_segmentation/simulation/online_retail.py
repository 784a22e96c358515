"""The online retailer: two years of invoice lines of a gift wholesaler."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow as pa

from customer_segmentation.simulation import text
from customer_segmentation.simulation.catalogue import FAMILIES, Catalogue, catalogue
from customer_segmentation.simulation.chunking import chunks, generator
from customer_segmentation.simulation.dirt import (
    Dirt,
    DirtKind,
    Ledger,
    Row,
    exact_duplicate,
)
from customer_segmentation.simulation.fees import fees
from customer_segmentation.simulation.invoices import (
    GUEST,
    Lines,
    joined,
    returns,
    sales,
    segment_names,
    write_offs,
)
from customer_segmentation.simulation.shoppers import (
    COUNTRIES,
    DAYS,
    FIRST_DAY,
    Shoppers,
    shoppers,
)
from customer_segmentation.simulation.writing import CsvWriter, table_writer

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
# invoices of spoilt lines: far above those of clean ones, whatever the size
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
    """Write the invoice lines, and the truth about their customers."""
    products = catalogue(generator(seed, "catalogue"))
    dirt = Dirt("online_retail", "invoice_lines", _dirt_kinds(), ledger)
    first_invoice = FIRST_INVOICE
    with (
        table_writer(
            folder, "invoice_lines", HEADERS, file_format, is_large=True
        ) as writer,
        CsvWriter(truth_folder / "online_retail_customers.csv", TRUTH_HEADERS) as truth,
    ):
        for chunk in chunks(seed, "online_retail", customers, chunk_customers):
            planted = shoppers(chunk)
            lines, numbers = _numbered(
                _lines(planted, products, chunk.rng), first_invoice
            )
            first_invoice = int(numbers.max()) + 1
            clean = _as_text(lines, numbers, planted, products)
            writer.write(dirt.added_to(clean, chunk.rng))
            truth.write(_truth(planted))


def _lines(planted: Shoppers, products: Catalogue, rng: np.random.Generator) -> Lines:
    sold = sales(planted, products, rng)
    charged = fees(sold, products, rng)
    sold_and_charged = Lines(
        *(
            np.concatenate([getattr(sold, item.name), getattr(charged, item.name)])
            for item in fields(Lines)
        )
    )
    return joined(
        [sold_and_charged, returns(sold, rng), write_offs(sold, products, rng)]
    )


def _numbered(lines: Lines, first_invoice: int) -> tuple[Lines, np.ndarray]:
    """Return the lines in order of time, and their invoices' numbers."""
    started = np.full(lines.invoices.max() + 1, np.iinfo(np.int64).max)
    np.minimum.at(started, lines.invoices, lines.seconds)
    ranks = np.empty(len(started), np.int64)
    ranks[np.argsort(started, kind="stable")] = np.arange(len(started))
    numbers = ranks[lines.invoices]
    order = np.argsort(numbers, kind="stable")
    return lines.taken(order), first_invoice + numbers[order]


def _as_text(
    lines: Lines, numbers: np.ndarray, planted: Shoppers, products: Catalogue
) -> pa.Table:
    is_guest = lines.customers == GUEST
    columns = (
        _invoice_numbers(lines.prefixes, numbers),
        text.picked(products.stock_codes, lines.codes),
        text.picked(products.descriptions, lines.descriptions),
        text.formatted(lines.quantities, str),
        text.timestamps(FIRST_DAY.astype("datetime64[s]") + lines.seconds),
        text.formatted(lines.prices, _pounds),
        text.whole_numbers(planted.ids[lines.customers], blank=is_guest, suffix=".0"),
        text.picked(list(COUNTRIES), lines.countries),
    )
    return pa.table(dict(zip(HEADERS, columns, strict=True)))


def _invoice_numbers(prefixes: np.ndarray, numbers: np.ndarray) -> pa.Array:
    def as_text(code: int) -> str:
        return ("", "C", "A")[code % 3] + str(code // 3)

    return text.formatted(3 * numbers + prefixes, as_text)


def _pounds(thousandths: int) -> str:
    whole, rest = divmod(abs(thousandths), 1_000)
    digits = f"{rest:03d}" if rest % 10 else f"{rest // 10:02d}"
    return f"{'-' * (thousandths < 0)}{whole}.{digits}"


def _truth(planted: Shoppers) -> pa.Table:
    families = [family.name for family in FAMILIES]
    start = FIRST_DAY + planted.start_days
    lifetimes = planted.lifetimes.astype(np.int64)
    columns = (
        text.whole_numbers(planted.ids),
        pa.array(segment_names(planted)),
        text.amounts(np.rint(100 * planted.yearly_rates).astype(np.int64)),
        text.whole_numbers(planted.of_segment("basket_lines").astype(np.int64)),
        text.dates(start),
        text.whole_numbers(lifetimes),
        text.dates(start + lifetimes, blank=planted.start_days + lifetimes >= DAYS),
        text.picked(families, planted.tastes.argmax(axis=1)),
        text.amounts(np.rint(100 * planted.tastes.max(axis=1)).astype(np.int64)),
        text.picked(list(COUNTRIES), planted.countries),
    )
    return pa.table(dict(zip(TRUTH_HEADERS, columns, strict=True)))


def _is_sale_to_customer(row: Row) -> bool:
    return (
        row["InvoiceNo"].isdigit()
        and row["CustomerID"] is not None
        and row["StockCode"][:5].isdigit()
    )


def _with_fresh_invoice(row: Row, number: int, **changes: str | None) -> Row:
    return row | {"InvoiceNo": str(_FIRST_SPOILT_INVOICE + number)} | changes


def _without_key(row: Row, number: int) -> Row:
    if number % 2:
        return _with_fresh_invoice(row, number, StockCode=None)
    # without its invoice a line could be like another one but for the quantity
    return row | {"InvoiceNo": None, "Quantity": str(1_000 + number)}


def _dirt_kinds() -> tuple[DirtKind, ...]:
    def with_bad_date(row: Row, number: int) -> Row:
        bad = _UNREADABLE_DATES[number % len(_UNREADABLE_DATES)]
        return _with_fresh_invoice(row, number, InvoiceDate=bad)

    def with_bad_number(row: Row, number: int) -> Row:
        bad = _UNREADABLE_NUMBERS[number % len(_UNREADABLE_NUMBERS)]
        return _with_fresh_invoice(row, number, **bad)

    def with_negative_price(row: Row, number: int) -> Row:
        return _with_fresh_invoice(row, number, UnitPrice=f"-{row['UnitPrice']}")

    return (
        exact_duplicate(0.005),
        DirtKind("missing_key", 0.0002, _without_key, _is_sale_to_customer),
        DirtKind(
            "unreadable_date", 0.0002, with_bad_date, _is_sale_to_customer, least=3
        ),
        DirtKind(
            "unreadable_number", 0.0002, with_bad_number, _is_sale_to_customer, least=3
        ),
        DirtKind("negative_price", 0.0001, with_negative_price, _is_sale_to_customer),
    )
