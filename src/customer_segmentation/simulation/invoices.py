"""The online retailer's invoice lines as numbers, before they become text."""

from dataclasses import dataclass, fields

import numpy as np

from customer_segmentation.simulation.catalogue import (
    FAMILIES,
    NOTES,
    PRODUCTS_PER_FAMILY,
    QUARTERS,
    Catalogue,
)
from customer_segmentation.simulation.shoppers import (
    ALL_YEAR,
    DAYS,
    FIRST_DAY,
    SEGMENTS,
    Shoppers,
    day_at,
    purchase_days,
)

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
        Numbers that mean one invoice within these lines, from 0.
    prefixes : numpy.ndarray
        Positions in ``("", "C", "A")``.
    codes, descriptions : numpy.ndarray
        Positions in the catalogue's lists; a negative description is a blank.
    quantities : numpy.ndarray
        Pieces.
    seconds : numpy.ndarray
        Since the start of the first day.
    prices : numpy.ndarray
        Thousandths of a pound a piece.
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


def joined(parts: list[Lines]) -> Lines:
    """Return the lines of all parts, their invoices kept apart."""
    offsets = np.cumsum([0, *(part.invoices.max(initial=-1) + 1 for part in parts)])
    columns = {
        item.name: np.concatenate([getattr(part, item.name) for part in parts])
        for item in fields(Lines)
    }
    columns["invoices"] = np.concatenate(
        [part.invoices + start for part, start in zip(parts, offsets, strict=False)]
    )
    return Lines(**columns)


def time_of_day(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw seconds since midnight: full minutes from 06:00 to 20:58."""
    minutes = rng.normal(12.8 * 60, 150, size).astype(np.int64)
    return 60 * np.clip(minutes, 6 * 60, 20 * 60 + 58)


def sales(customers: Shoppers, catalogue: Catalogue, rng: np.random.Generator) -> Lines:
    """Draw the purchases of a chunk's customers, and of guests in proportion."""
    buyers, days = purchase_days(customers, rng)
    baskets = customers.of_segment("basket_lines")[buyers]
    guests = round(
        baskets.sum() * _GUEST_SHARE / (1 - _GUEST_SHARE) / _GUEST_BASKET_LINES
    )
    buyers = np.append(buyers, np.full(guests, GUEST))
    days = np.append(days, day_at(ALL_YEAR, DAYS * rng.random(guests)))
    baskets = np.append(baskets, np.full(guests, _GUEST_BASKET_LINES))
    # a gamma mixture of Poissons: some baskets are much larger than the others
    sizes = 1 + rng.poisson(rng.gamma(2, (baskets - 1) / 2))
    invoices, products = _distinct_products(customers, buyers, sizes, catalogue, rng)
    buyer, day = buyers[invoices], days[invoices]
    medians = np.append(customers.of_segment("median_quantity"), 3.0)[buyer]
    quantities = np.exp(np.log(medians) + rng.normal(0, 0.8, len(invoices)))
    quantities = np.maximum(np.rint(quantities), 1).astype(np.int64)
    prices = catalogue.prices[products, day * QUARTERS // DAYS]
    # large lines are sold at the trade price
    pence = np.where(quantities >= 24, np.maximum(prices * 85 // 100, 1), prices)
    second = rng.random(len(buyers)) < 0.3
    home = np.append(customers.countries, 0)[buyers]
    other = np.append(customers.second_countries, 0)[buyers]
    total = catalogue.products
    variant = rng.random((2, len(invoices)))
    seconds = (days * _DAY_SECONDS + time_of_day(rng, len(buyers)))[invoices]
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
    """Draw the products of the invoices, no product twice in one of them."""
    invoices = np.repeat(np.arange(len(buyers)), sizes)
    # one sorted row of cumulative tastes after the other makes all of them one sorted
    # array, so that one search finds the families of all lines
    tastes = np.vstack([customers.tastes, _TASTE_OF_GUESTS])
    cumulated = np.cumsum(tastes, axis=1)
    cumulated[:, -1] = 1
    rows = np.where(buyers == GUEST, len(customers.ids), buyers)[invoices]
    stacked = (cumulated + np.arange(len(tastes))[:, None]).ravel()
    found = np.searchsorted(stacked, rows + rng.random(len(rows)), side="right")
    families = np.clip(found - rows * len(FAMILIES), 0, len(FAMILIES) - 1)
    ranks = np.searchsorted(catalogue.popularity, rng.random(len(rows)), side="right")
    ranks = np.minimum(ranks, PRODUCTS_PER_FAMILY - 1)
    products = families * PRODUCTS_PER_FAMILY + ranks
    distinct = np.sort(invoices * catalogue.products + products)
    is_first = np.append(True, distinct[1:] != distinct[:-1])
    return np.divmod(distinct[is_first], catalogue.products)


def _with_two_timestamps(invoices: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Return the seconds with the last line of one longer invoice a minute later."""
    is_last = np.append(invoices[1:] != invoices[:-1], True)
    longer = np.flatnonzero(is_last & np.append(False, ~is_last[:-1]))
    seconds[longer[:1]] += 60
    return seconds


def returns(sold: Lines, rng: np.random.Generator) -> Lines:
    """Draw returns of sold lines, each an invoice of its own.

    The first line is returned twice in full: more than what remained.
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
        seconds=(days + is_saturday) * _DAY_SECONDS + time_of_day(rng, len(picked)),
        prices=lines.prices,
        customers=lines.customers,
        countries=lines.countries,
    )


def write_offs(sold: Lines, catalogue: Catalogue, rng: np.random.Generator) -> Lines:
    """Draw write-offs of stock: no customer, no price, a note or no description."""
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
        seconds=days * _DAY_SECONDS + time_of_day(rng, size),
        prices=np.zeros(size, np.int64),
        customers=np.full(size, GUEST),
        countries=np.zeros(size, np.int64),
    )


def segment_names(customers: Shoppers) -> np.ndarray:
    """Return the name of each customer's segment."""
    return np.array([segment.name for segment in SEGMENTS])[customers.segments]
