"""The marketplace: a coupon platform whose customers claim and redeem coupons."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from customer_segmentation.simulation import text
from customer_segmentation.simulation.chunking import chunks
from customer_segmentation.simulation.dirt import Dirt, Ledger
from customer_segmentation.simulation.marketplace_dirt import (
    customer_dirt,
    lookup_dirt,
    transaction_dirt,
)
from customer_segmentation.simulation.marketplace_lookups import (
    BRANCHES,
    CITIES,
    MERCHANTS_WITH_BRANCH,
    lookups,
    merchant_of_branch,
)
from customer_segmentation.simulation.members import (
    DAYS,
    FIRST_DAY,
    SEGMENTS,
    Members,
    drawn_members,
)
from customer_segmentation.simulation.writing import CsvWriter, table_writer

CUSTOMERS = ("customer_id", "join_date", "city_id", "gender_id")
TRANSACTIONS = (
    "transaction_id",
    "customer_id",
    "transaction_date",
    "transaction_status",
    "coupon_name",
    "burn_date",
    "branch_id",
    "amount",
)
TRUTH_HEADERS = (
    "customer_id",
    "segment",
    "yearly_rate",
    "redemption_rate",
    "lifetime_days",
    "churn_date",
    "favourite_merchant_id",
    "favourite_share",
)
_LONGEST_LAG = 90


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
    """Write the six tables, and the truth about their customers."""
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
            members = drawn_members(chunk)
            profiles = _profiles(members, chunk.rng)
            members_writer.write(customer_rows.added_to(profiles, chunk.rng))
            claims = _claims(members, first_claim, chunk.rng)
            first_claim += claims.num_rows
            # the day of joining is for the dirt only, and not written
            spoilt = claim_rows.added_to(claims, chunk.rng)
            claims_writer.write(spoilt.select(list(TRANSACTIONS)))
            truth.write(_truth(members))
            if chunk.first == 0:
                _write_lookups(folder, file_format, ledger, chunk.rng)


def _write_lookups(
    folder: Path, file_format: str, ledger: Ledger, rng: np.random.Generator
) -> None:
    for name, table in lookups().items():
        dirt = Dirt("marketplace", name, lookup_dirt(table), ledger)
        with table_writer(
            folder, name, tuple(table.column_names), file_format
        ) as writer:
            writer.write(dirt.added_to(table, rng))


def _profiles(members: Members, rng: np.random.Generator) -> pa.Table:
    size = len(members.ids)
    # a few large cities, many small ones
    weights = 1 / np.arange(1, len(CITIES) + 1)
    cities = 1 + rng.choice(len(CITIES), size, p=weights / weights.sum())
    columns = (
        text.whole_numbers(members.ids),
        text.dates(FIRST_DAY + members.join_days),
        text.whole_numbers(cities),
        text.whole_numbers(rng.integers(1, 3, size)),
    )
    return pa.table(dict(zip(CUSTOMERS, columns, strict=True)))


def _claims(members: Members, first_claim: int, rng: np.random.Generator) -> pa.Table:
    """Draw the claims, in order of their days, with the day of joining beside them."""
    active = np.minimum(members.lifetimes, DAYS - 1 - members.join_days)
    counts = rng.poisson(members.yearly_rates * active / 365.25)
    who = np.repeat(np.arange(len(members.ids)), counts)
    days = members.join_days[who] + (rng.random(len(who)) * active[who]).astype(int)
    order = np.argsort(days, kind="stable")
    who, days = who[order], days[order]
    size = len(who)
    is_burned = rng.random(size) < members.redemption_rates[who]
    burn_days = days + rng.integers(0, _LONGEST_LAG, size)
    cumulated = np.cumsum(members.tastes, axis=1)
    cumulated[:, -1] = 1
    stacked = (cumulated + np.arange(len(cumulated))[:, None]).ravel()
    found = np.searchsorted(stacked, who + rng.random(size), side="right")
    merchants = np.clip(
        found - who * MERCHANTS_WITH_BRANCH, 0, MERCHANTS_WITH_BRANCH - 1
    )
    # the first branches are one a merchant; further ones belong to the first merchants
    has_second = merchants + MERCHANTS_WITH_BRANCH < BRANCHES
    second = has_second & (rng.random(size) < 0.4)
    branches = 1 + merchants + MERCHANTS_WITH_BRANCH * second
    medians = np.array([segment.median_amount for segment in SEGMENTS])
    amounts = medians[members.segments[who]] * np.exp(rng.normal(0, 0.5, size))
    numbers = first_claim + np.arange(size)
    columns = (
        text.whole_numbers(numbers),
        text.whole_numbers(members.ids[who]),
        text.dates(FIRST_DAY + days),
        text.picked(["subscribed", "burned"], is_burned * 1),
        text.formatted(numbers, lambda number: f"CPN-{number:08d}"),
        text.dates(FIRST_DAY + burn_days, blank=~is_burned),
        text.whole_numbers(branches),
        text.amounts(np.rint(100 * amounts).astype(np.int64), blank=~is_burned),
        text.dates(FIRST_DAY + members.join_days[who]),
    )
    return pa.table(dict(zip((*TRANSACTIONS, "join_date"), columns, strict=True)))


def _truth(members: Members) -> pa.Table:
    joined = FIRST_DAY + members.join_days
    lifetimes = members.lifetimes.astype(np.int64)
    merchants = merchant_of_branch(members.tastes.argmax(axis=1))
    names = [segment.name for segment in SEGMENTS]
    columns = (
        text.whole_numbers(members.ids),
        text.picked(names, members.segments),
        text.amounts(np.rint(100 * members.yearly_rates).astype(np.int64)),
        text.amounts(np.rint(100 * members.redemption_rates).astype(np.int64)),
        text.whole_numbers(lifetimes),
        text.dates(joined + lifetimes, blank=members.join_days + lifetimes >= DAYS),
        text.whole_numbers(merchants),
        text.amounts(np.rint(100 * members.tastes.max(axis=1)).astype(np.int64)),
    )
    return pa.table(dict(zip(TRUTH_HEADERS, columns, strict=True)))
