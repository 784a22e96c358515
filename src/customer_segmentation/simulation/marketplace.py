"""The marketplace: a coupon platform whose customers claim and redeem coupons.

Here are its planted customers, its lookup tables, and the claims drawn from them.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from customer_segmentation.raw_tables import MARKETPLACE
from customer_segmentation.simulation.dirt import Dirt, Ledger
from customer_segmentation.simulation.drawing import (
    Chunk,
    chunks,
    draw_by_taste,
    draw_segments,
    draw_tastes,
    of_segment,
)
from customer_segmentation.simulation.marketplace_dirt import (
    customer_dirt,
    lookup_dirt,
    transaction_dirt,
)
from customer_segmentation.simulation.writing import (
    CsvWriter,
    amount_text,
    date_text,
    formatted_text,
    integer_text,
    table_writer,
    text_at,
)

FIRST_DAY = np.datetime64("2021-07-18")
DAYS = 1_093
MAX_DAYS_TO_REDEEM = 90
CITIES = (
    "Cairo", "Alexandria", "Giza", "Port Said", "Suez", "Luxor", "Mansoura", "Tanta",
    "Asyut", "Ismailia", "Fayyum", "Zagazig", "Aswan", "Damietta", "Damanhur", "Minya",
    "Beni Suef", "Qena", "Sohag", "Hurghada",
)  # fmt: skip
MERCHANTS = (
    "Nile Electronics", "Delta Fashion", "Pyramid Sports", "Lotus Pharmacy",
    "Sphinx Books", "Oasis Cafe", "Papyrus Stationery", "Cleo Cosmetics",
    "Horus Optics", "Amber Jewellers", "Corniche Grill", "Felucca Travel",
    "Sultan Sweets", "Citadel Shoes", "Jasmine Flowers", "Karnak Kitchens",
    "Scarab Toys", "Marina Pets", "Sinai Outdoors", "Zamalek Records",
)  # fmt: skip
MERCHANTS_WITH_BRANCH = 14
BRANCHES = 20
# the ids of merchants are not in the order of their branches
_FIRST_MERCHANT = 7
CUSTOMERS = MARKETPLACE.table("customers").column_names
TRANSACTIONS = MARKETPLACE.table("transactions").column_names
TRUTH_HEADERS = (
    *("customer_id", "segment", "yearly_rate", "redemption_rate", "lifetime_days"),
    *("churn_date", "favourite_merchant_id", "favourite_share"),
)


@dataclass(frozen=True)
class MemberSegment:
    """A planted segment of the marketplace.

    Parameters
    ----------
    name : str
        Its name in the truth.
    share : float
        Share of the customers.
    yearly_rate : float
        Mean of the gamma distribution of a customer's claims per year.
    redemption : float
        Mean of the beta distribution of a customer's share of redeemed claims.
    lifetime_days : float
        Mean of the exponential distribution of the days from joining to the last claim.
    joined : tuple of float
        When its customers join, as minimum and maximum share of the three years.
    median_amount : float
        Median amount of a redeemed coupon.
    favourites : tuple of int
        Positions of the merchants that its customers prefer.
    """

    name: str
    share: float
    yearly_rate: float
    redemption: float
    lifetime_days: float
    joined: tuple[float, float]
    median_amount: float
    favourites: tuple[int, ...]


SEGMENTS = (
    MemberSegment("loyal redeemer", 0.25, 8, 0.85, 1_500, (0, 0.8), 240, (0, 1, 2, 3)),
    MemberSegment("window shopper", 0.30, 7, 0.10, 1_000, (0, 0.85), 120, (4, 5, 6, 7)),
    MemberSegment("lapsed", 0.22, 12, 0.50, 110, (0, 0.5), 160, (8, 9, 10)),
    MemberSegment("bargain newcomer", 0.20, 14, 0.65, 900, (0.72, 1), 70, (11, 12, 13)),
    MemberSegment("never active", 0.03, 0, 0.50, 1, (0, 1), 100, ()),
)


@dataclass(frozen=True)
class Members:
    """The customers of a chunk; every array has one entry per customer.

    Parameters
    ----------
    ids, segments : numpy.ndarray
        Customer ids, and positions in SEGMENTS.
    yearly_rates, redemption_rates : numpy.ndarray
        Claims per year, and the share of them that is redeemed.
    join_days, lifetimes : numpy.ndarray
        Day of joining, and days from it to the last claim.
    tastes : numpy.ndarray
        Share of every merchant with a branch, shape (customers, merchants).
    """

    ids: np.ndarray
    segments: np.ndarray
    yearly_rates: np.ndarray
    redemption_rates: np.ndarray
    join_days: np.ndarray
    lifetimes: np.ndarray
    tastes: np.ndarray


def simulate_marketplace(
    folder: Path,
    truth_folder: Path,
    ledger: Ledger,
    *,
    seed: int,
    customers: int,
    file_format: str,
    chunk_customers: int,
) -> None:
    """Write the six raw tables, and the truth about their customers."""
    customer_rows = Dirt("marketplace", "customers", customer_dirt(customers), ledger)
    claim_rows = Dirt(
        "marketplace", "transactions", transaction_dirt(customers), ledger
    )
    first_claim = 1
    with (
        table_writer(folder, "customers", CUSTOMERS, file_format) as members_writer,
        table_writer(
            folder, "transactions", TRANSACTIONS, file_format, is_large=True
        ) as claims_writer,
        CsvWriter(truth_folder / "marketplace_customers.csv", TRUTH_HEADERS) as truth,
    ):
        for chunk in chunks(seed, "marketplace", customers, chunk_customers):
            members = _draw_members(chunk)
            profiles = _profiles(members, chunk.rng)
            members_writer.write(customer_rows.added_to(profiles, chunk.rng))
            claims = _claims(members, first_claim, chunk.rng)
            first_claim += claims.num_rows
            # only the dirt needs the day of joining, and it is not written
            spoilt = claim_rows.added_to(claims, chunk.rng)
            claims_writer.write(spoilt.select(list(TRANSACTIONS)))
            truth.write(_truth(members))
            if chunk.first == 0:
                _write_lookups(folder, file_format, ledger, chunk.rng)


def _write_lookups(
    folder: Path, file_format: str, ledger: Ledger, rng: np.random.Generator
) -> None:
    branches = tuple(str(merchant) for merchant in _merchant_ids(np.arange(BRANCHES)))
    for name, values in (
        ("genders", ("Male", "Female")),
        ("cities", CITIES),
        ("branches", branches),
        ("merchants", MERCHANTS),
    ):
        ids = tuple(str(number) for number in range(1, len(values) + 1))
        headers = MARKETPLACE.table(name).column_names
        table = pa.table(dict(zip(headers, (ids, values), strict=True)))
        dirt = Dirt("marketplace", name, lookup_dirt(table), ledger)
        with table_writer(folder, name, headers, file_format) as writer:
            writer.write(dirt.added_to(table, rng))


def _merchant_ids(branches: np.ndarray) -> np.ndarray:
    """Return the merchant ids of branches given by position, from 0."""
    ranks = branches % MERCHANTS_WITH_BRANCH
    return 1 + (ranks + _FIRST_MERCHANT) % len(MERCHANTS)


def _draw_members(chunk: Chunk) -> Members:
    rng, size = chunk.rng, chunk.size
    segments = draw_segments(SEGMENTS, size, rng)
    earliest, latest = of_segment(SEGMENTS, segments, "joined").T
    redemption = of_segment(SEGMENTS, segments, "redemption")
    concentrations = np.full((len(SEGMENTS), MERCHANTS_WITH_BRANCH), 0.15)
    for number, segment in enumerate(SEGMENTS):
        concentrations[number, list(segment.favourites)] = 2.0
    # in the order of the draws, which the same seed repeats
    tastes = draw_tastes(concentrations[segments], rng)
    yearly_rates = rng.gamma(4, of_segment(SEGMENTS, segments, "yearly_rate") / 4)
    redemption_rates = rng.beta(12 * redemption, 12 * (1 - redemption))
    joined = earliest + (latest - earliest) * rng.random(size)
    return Members(
        ids=1 + chunk.positions,
        segments=segments,
        yearly_rates=yearly_rates,
        redemption_rates=redemption_rates,
        join_days=((DAYS - 1) * joined).astype(np.int64),
        lifetimes=rng.exponential(of_segment(SEGMENTS, segments, "lifetime_days")),
        tastes=tastes,
    )


def _profiles(members: Members, rng: np.random.Generator) -> pa.Table:
    size = len(members.ids)
    # a few large cities, many small ones
    weights = 1 / np.arange(1, len(CITIES) + 1)
    cities = 1 + rng.choice(len(CITIES), size, p=weights / weights.sum())
    columns = (
        integer_text(members.ids),
        date_text(FIRST_DAY + members.join_days),
        integer_text(cities),
        integer_text(rng.integers(1, 3, size)),
    )
    return pa.table(dict(zip(CUSTOMERS, columns, strict=True)))


def _claims(members: Members, first_claim: int, rng: np.random.Generator) -> pa.Table:
    """Draw the claims in the order of their days, with the day of joining as extra."""
    active = np.minimum(members.lifetimes, DAYS - 1 - members.join_days)
    counts = rng.poisson(members.yearly_rates * active / 365.25)
    who = np.repeat(np.arange(len(members.ids)), counts)
    days = members.join_days[who] + (rng.random(len(who)) * active[who]).astype(int)
    order = np.argsort(days, kind="stable")
    who, days = who[order], days[order]
    size = len(who)
    is_burned = rng.random(size) < members.redemption_rates[who]
    burn_days = days + rng.integers(0, MAX_DAYS_TO_REDEEM, size)
    merchants = draw_by_taste(members.tastes, who, rng)
    # each merchant has one of the first branches; the first merchants have a second
    has_second = merchants + MERCHANTS_WITH_BRANCH < BRANCHES
    second = has_second & (rng.random(size) < 0.4)
    branches = 1 + merchants + MERCHANTS_WITH_BRANCH * second
    medians = of_segment(SEGMENTS, members.segments[who], "median_amount")
    amounts = medians * np.exp(rng.normal(0, 0.5, size))
    numbers = first_claim + np.arange(size)
    columns = (
        integer_text(numbers),
        integer_text(members.ids[who]),
        date_text(FIRST_DAY + days),
        text_at(["subscribed", "burned"], is_burned * 1),
        formatted_text(numbers, lambda number: f"CPN-{number:08d}"),
        date_text(FIRST_DAY + burn_days, is_blank=~is_burned),
        integer_text(branches),
        amount_text(np.rint(100 * amounts).astype(np.int64), is_blank=~is_burned),
        date_text(FIRST_DAY + members.join_days[who]),
    )
    return pa.table(dict(zip((*TRANSACTIONS, "join_date"), columns, strict=True)))


def _truth(members: Members) -> pa.Table:
    joined = FIRST_DAY + members.join_days
    lifetimes = members.lifetimes.astype(np.int64)
    merchants = _merchant_ids(members.tastes.argmax(axis=1))
    columns = (
        integer_text(members.ids),
        text_at([segment.name for segment in SEGMENTS], members.segments),
        amount_text(np.rint(100 * members.yearly_rates).astype(np.int64)),
        amount_text(np.rint(100 * members.redemption_rates).astype(np.int64)),
        integer_text(lifetimes),
        date_text(joined + lifetimes, is_blank=members.join_days + lifetimes >= DAYS),
        integer_text(merchants),
        amount_text(np.rint(100 * members.tastes.max(axis=1)).astype(np.int64)),
    )
    return pa.table(dict(zip(TRUTH_HEADERS, columns, strict=True)))
