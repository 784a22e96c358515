"""A campaign of the online retailer with a known effect.

Who was written to is drawn last, so that no invoice changes. By Bayes' rule, a side
drawn given what a customer did has the same distribution as a purchase drawn given a
random side: half of the customers are written to, and their purchases are more likely.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from customer_segmentation.simulation.drawing import generator
from customer_segmentation.simulation.online_retail_invoices import GUEST, Lines
from customer_segmentation.simulation.online_retail_shoppers import (
    DAYS,
    FIRST_DAY,
    Shoppers,
)
from customer_segmentation.simulation.writing import (
    amount_text,
    integer_text,
    text_at,
)

__all__ = [
    "SENDS",
    "TRUTH",
    "CampaignSends",
    "sends_as_text",
    "sends_of",
    "truth_as_text",
]

CAMPAIGN = "autumn_reminder"
SENDS = ("campaign", "source_system", "customer_id", "sent_at", "is_treated")
TRUTH = ("campaign", "group", "customers", "buyers", "effect")
WINDOW_DAYS = 30
# the first day of the campaign: two months before the end of the record
SENT_DAY = DAYS - 61
# customers without a purchase for longer are lapsed
LAPSED_DAYS = 120
# how much more likely a purchase is of a customer who was written to
EFFECTS = {"active": 0.0, "lapsed": 0.1}
_DAY_SECONDS = 86_400


@dataclass(frozen=True)
class CampaignSends:
    """Who was written to, and what is known of the effect.

    Parameters
    ----------
    ids : numpy.ndarray
        Customers of the campaign.
    is_treated : numpy.ndarray
        Whether each was written to.
    groups : tuple of (str, int, int, float)
        Name, customers, buyers in the window and effect of each group.
    """

    ids: np.ndarray
    is_treated: np.ndarray
    groups: tuple[tuple[str, int, int, float], ...]


def sends_of(planted: Shoppers, lines: Lines, seed: int, chunk: int) -> CampaignSends:
    """Draw who was written to, among customers who bought before the campaign."""
    rng = generator(seed, "campaigns", chunk)
    sold = (lines.customers != GUEST) & (lines.prefixes == 0)
    customers, days = lines.customers[sold], lines.seconds[sold] // _DAY_SECONDS
    size = len(planted.ids)
    is_before = days < SENT_DAY
    last = np.full(size, -1)
    np.maximum.at(last, customers[is_before], days[is_before])
    is_within = ~is_before & (days < SENT_DAY + WINDOW_DAYS)
    buys = np.bincount(customers[is_within], minlength=size) > 0
    is_lapsed = SENT_DAY - last > LAPSED_DAYS
    is_treated = np.zeros(size, bool)
    groups = []
    for name, members in (
        ("active", (last >= 0) & ~is_lapsed),
        ("lapsed", (last >= 0) & is_lapsed),
    ):
        rate = float(buys[members].mean()) if members.any() else 0.0
        # a purchase is never less likely than 0 or more than 1
        effect = min(EFFECTS[name], 2 * rate, 2 * (1 - rate))
        odds = np.where(
            buys[members],
            1 + effect / (2 * rate) if rate else 1,
            1 - effect / (2 * (1 - rate)) if rate < 1 else 1,
        )
        is_treated[members] = rng.random(int(members.sum())) < odds / 2
        groups.append((name, int(members.sum()), int(buys[members].sum()), effect))
    chosen = np.flatnonzero(last >= 0)
    return CampaignSends(planted.ids[chosen], is_treated[chosen], tuple(groups))


def sends_as_text(sends: CampaignSends) -> pa.Table:
    """Return the raw rows; customers who are held out have no date."""
    size = len(sends.ids)
    day = str(FIRST_DAY + SENT_DAY)
    treated = sends.is_treated.astype(np.int64)
    columns = (
        pa.array([CAMPAIGN] * size, pa.string()),
        pa.array(["online_retail"] * size, pa.string()),
        integer_text(sends.ids),
        pa.array([f"{day} 09:00:00" if one else None for one in treated], pa.string()),
        text_at(["false", "true"], treated),
    )
    return pa.table(dict(zip(SENDS, columns, strict=True)))


def truth_as_text(sends: CampaignSends) -> pa.Table:
    """Return the true effect on the share of customers with a purchase."""
    names, customers, buyers, effects = zip(*sends.groups, strict=True)
    columns = (
        pa.array([CAMPAIGN] * len(names), pa.string()),
        pa.array(names, pa.string()),
        integer_text(np.array(customers)),
        integer_text(np.array(buyers)),
        amount_text(np.rint(100 * np.array(effects)).astype(np.int64)),
    )
    return pa.table(dict(zip(TRUTH, columns, strict=True)))
