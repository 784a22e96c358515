"""The online retailer's invoice lines as numbers, before they become text.

Sales, fees on top of them, returns of them, and write-offs of stock.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from customer_segmentation.simulation.drawing import draw_by_taste
from customer_segmentation.simulation.online_retail_catalogue import (
    FAMILIES,
    FEES,
    NOTES,
    PRODUCTS_PER_FAMILY,
    QUARTERS,
    Catalogue,
)
from customer_segmentation.simulation.online_retail_shoppers import (
    ALL_YEAR,
    DAYS,
    FIRST_DAY,
    Shoppers,
    day_at,
    purchase_days,
)

PREFIXES = ("", "C", "A")
GUEST = -1
_DAY_SECONDS = 86_400
_GUEST_SHARE = 0.20
_GUEST_BASKET_LINES = 8
_RETURN_SHARE = 0.025
_WRITE_OFF_SHARE = 0.003
_TASTE_OF_GUESTS = np.full(len(FAMILIES), 1 / len(FAMILIES))


@dataclass(frozen=True)
class Lines:
    """Invoice lines; every array has one entry per line.

    Parameters
    ----------
    invoices : numpy.ndarray
        Number of the invoice within these lines, from 0.
    prefixes : numpy.ndarray
        Positions in PREFIXES.
    codes, descriptions : numpy.ndarray
        Positions in the lists of the catalogue; a negative description is blank.
    quantities : numpy.ndarray
        Numbers of pieces.
    seconds : numpy.ndarray
        Seconds since the start of the first day.
    prices : numpy.ndarray
        Thousandths of a pound per piece.
    customers : numpy.ndarray
        Positions in the chunk, or GUEST.
    countries : numpy.ndarray
        Positions in COUNTRIES.
    """

    invoices: np.ndarray
    prefixes: np.ndarray
    codes: np.ndarray
    descriptions: np.ndarray
    quantities: np.ndarray
    seconds: np.ndarray
    prices: np.ndarray
    customers: np.ndarray
    countries: np.ndarray

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.invoices)

    def taken(self, places: np.ndarray) -> "Lines":
        """Return the lines at those places."""
        return Lines(*(getattr(self, item.name)[places] for item in fields(self)))


def draw_lines(
    customers: Shoppers, catalogue: Catalogue, rng: np.random.Generator
) -> Lines:
    """Draw all lines of a chunk's customers, and of guests in proportion."""
    sold = _sales(customers, catalogue, rng)
    charged = _fees(sold, catalogue, rng)
    parts = [
        _concatenated([sold, charged]),
        _returns(sold, rng),
        _write_offs(sold, catalogue, rng),
    ]
    # invoices of two parts are never the same
    ends = np.cumsum([part.invoices.max(initial=-1) + 1 for part in parts])
    starts = [0, *ends[:-1]]
    return _concatenated(
        [
            replace(part, invoices=part.invoices + start)
            for part, start in zip(parts, starts, strict=True)
        ]
    )


def _concatenated(parts: list[Lines]) -> Lines:
    return Lines(
        *(
            np.concatenate([getattr(part, item.name) for part in parts])
            for item in fields(Lines)
        )
    )


def _times_of_day(size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw seconds since midnight: full minutes from 06:00 to 20:58."""
    minutes = rng.normal(12.8 * 60, 150, size).astype(np.int64)
    return 60 * np.clip(minutes, 6 * 60, 20 * 60 + 58)


def _sales(
    customers: Shoppers, catalogue: Catalogue, rng: np.random.Generator
) -> Lines:
    """Draw the purchases of the customers and of guests."""
    buyers, days = purchase_days(customers, rng)
    baskets = customers.of_segment("basket_lines")[buyers]
    guests = round(
        baskets.sum() * _GUEST_SHARE / (1 - _GUEST_SHARE) / _GUEST_BASKET_LINES
    )
    buyers = np.append(buyers, np.full(guests, GUEST))
    days = np.append(days, day_at(ALL_YEAR, DAYS * rng.random(guests)))
    baskets = np.append(baskets, np.full(guests, _GUEST_BASKET_LINES))
    # a gamma mixture of Poisson distributions: a few baskets are very large
    sizes = 1 + rng.poisson(rng.gamma(2, (baskets - 1) / 2))
    invoices, products = _distinct_products(customers, buyers, sizes, catalogue, rng)
    buyer, day = buyers[invoices], days[invoices]
    medians = np.append(customers.of_segment("median_quantity"), 3.0)[buyer]
    quantities = np.exp(np.log(medians) + rng.normal(0, 0.8, len(invoices)))
    quantities = np.maximum(np.rint(quantities), 1).astype(np.int64)
    prices = catalogue.prices[products, day * QUARTERS // DAYS]
    # large quantities have a trade price
    pence = np.where(quantities >= 24, np.maximum(prices * 85 // 100, 1), prices)
    second = rng.random(len(buyers)) < 0.3
    home = np.append(customers.countries, 0)[buyers]
    other = np.append(customers.second_countries, 0)[buyers]
    total = catalogue.products
    variant = rng.random((2, len(invoices)))
    seconds = (days * _DAY_SECONDS + _times_of_day(len(buyers), rng))[invoices]
    return Lines(
        invoices=invoices,
        prefixes=np.zeros(len(invoices), np.int8),
        codes=np.where(variant[0] < 0.004, products + total, products),
        descriptions=np.where(variant[1] < 0.06, products + total, products),
        quantities=quantities,
        seconds=_with_two_timestamps(invoices, seconds),
        prices=10 * pence,
        customers=buyer,
        countries=np.where(second, other, home)[invoices],
    )


def _distinct_products(
    customers: Shoppers,
    buyers: np.ndarray,
    sizes: np.ndarray,
    catalogue: Catalogue,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the invoices and products of the lines, without a product twice."""
    invoices = np.repeat(np.arange(len(buyers)), sizes)
    tastes = np.vstack([customers.tastes, _TASTE_OF_GUESTS])
    buyer = np.where(buyers == GUEST, len(customers.ids), buyers)[invoices]
    families = draw_by_taste(tastes, buyer, rng)
    ranks = np.searchsorted(catalogue.popularity, rng.random(len(buyer)), side="right")
    ranks = np.minimum(ranks, PRODUCTS_PER_FAMILY - 1)
    products = families * PRODUCTS_PER_FAMILY + ranks
    distinct = np.sort(invoices * catalogue.products + products)
    is_first = np.append(True, distinct[1:] != distinct[:-1])
    return np.divmod(distinct[is_first], catalogue.products)


def _with_two_timestamps(invoices: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Move the last line of one invoice with several lines one minute later."""
    is_last = np.append(invoices[1:] != invoices[:-1], True)
    longer = np.flatnonzero(is_last & np.append(False, ~is_last[:-1]))
    seconds[longer[:1]] += 60
    return seconds


def _fees(sold: Lines, catalogue: Catalogue, rng: np.random.Generator) -> Lines:
    """Draw the fees of sold lines, at least one of each kind if an invoice can have it.

    They are on invoices of ``sold``, or on invoices numbered after the last of them.
    """
    is_first = np.append(True, sold.invoices[1:] != sold.invoices[:-1])
    firsts = np.flatnonzero(is_first)
    is_guest = sold.customers[firsts] == GUEST
    can_have = {
        "abroad": ~is_guest & (sold.countries[firsts] != 0),
        "guest": is_guest,
        "customer": ~is_guest,
    }
    next_invoice = int(sold.invoices[-1]) + 1
    parts = []
    for number, fee in enumerate(FEES):
        candidates = firsts[can_have[fee.invoices]]
        size = min(len(candidates), max(1, round(fee.share * len(candidates))))
        lines = sold.taken(np.sort(rng.choice(candidates, size, replace=False)))
        minimum, maximum = fee.pounds
        prices = np.rint(rng.uniform(minimum, maximum, size) * 100) * 10
        if minimum == maximum:
            prices = np.full(size, round(minimum * 1_000))
        position = np.full(size, catalogue.first_fee + number)
        customers, invoices = lines.customers, lines.invoices
        if not fee.keeps_customer:
            customers = np.full(size, GUEST)
        if fee.prefix:
            invoices = next_invoice + np.arange(size)
            next_invoice += size
        parts.append(
            Lines(
                invoices=invoices,
                prefixes=np.full(size, PREFIXES.index(fee.prefix), np.int8),
                codes=position,
                descriptions=position,
                quantities=np.full(size, -1 if fee.prefix == "C" else 1),
                seconds=lines.seconds,
                prices=prices.astype(np.int64),
                customers=customers,
                countries=lines.countries,
            )
        )
    return _concatenated(parts)


def _returns(sold: Lines, rng: np.random.Generator) -> Lines:
    """Draw returns of sold lines, each on an invoice of its own.

    The first of these lines is returned twice in full: more than was bought.
    """
    can_return = np.flatnonzero(
        (sold.customers != GUEST) & (sold.seconds < (DAYS - 40) * _DAY_SECONDS)
    )
    share = _RETURN_SHARE * len(sold) / max(len(can_return), 1)
    picked = can_return[rng.random(len(can_return)) < share]
    if not len(picked):
        picked = can_return[:1]
    picked = np.append(picked, picked[:1])
    whole = rng.random(len(picked)) < 0.5
    whole[:1] = whole[-1:] = True
    part = rng.integers(1, sold.quantities[picked] + 1)
    lines = sold.taken(picked)
    days = lines.seconds // _DAY_SECONDS + rng.integers(1, 30, len(picked))
    is_saturday = ((FIRST_DAY + days).astype(np.int64) + 3) % 7 == 5
    return Lines(
        invoices=np.arange(len(picked)),
        prefixes=np.ones(len(picked), np.int8),
        codes=lines.codes,
        descriptions=lines.descriptions,
        quantities=-np.where(whole, lines.quantities, part),
        seconds=(days + is_saturday) * _DAY_SECONDS + _times_of_day(len(picked), rng),
        prices=lines.prices,
        customers=lines.customers,
        countries=lines.countries,
    )


def _write_offs(sold: Lines, catalogue: Catalogue, rng: np.random.Generator) -> Lines:
    """Draw write-offs of stock: no customer, no price, and a note or nothing."""
    size = max(2, round(_WRITE_OFF_SHARE * len(sold)))
    products = rng.integers(0, catalogue.products, size)
    notes = rng.integers(-3, len(NOTES), size)
    days = day_at(ALL_YEAR, DAYS * rng.random(size))
    return Lines(
        invoices=np.arange(size),
        prefixes=np.zeros(size, np.int8),
        codes=products,
        descriptions=np.where(notes < 0, -1, catalogue.first_note + notes),
        quantities=-rng.integers(1, 200, size),
        seconds=days * _DAY_SECONDS + _times_of_day(size, rng),
        prices=np.zeros(size, np.int64),
        customers=np.full(size, GUEST),
        countries=np.zeros(size, np.int64),
    )
