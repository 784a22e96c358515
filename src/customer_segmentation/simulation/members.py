"""The marketplace's planted customers: who they are, and what they claim and redeem."""

from dataclasses import dataclass

import numpy as np

from customer_segmentation.simulation.chunking import Chunk
from customer_segmentation.simulation.marketplace_lookups import MERCHANTS_WITH_BRANCH

FIRST_DAY = np.datetime64("2021-07-18")
DAYS = 1_093


@dataclass(frozen=True)
class MemberSegment:
    """A planted segment of the marketplace.

    Parameters
    ----------
    name : str
        What the truth calls it.
    share : float
        Of the customers.
    yearly_rate : float
        Mean of the gamma that a customer's claims a year are drawn from.
    redemption : float
        Mean of the beta that a customer's share of redeemed claims is drawn from.
    lifetime_days : float
        Mean of the exponential from joining to the end of claiming.
    joined : tuple of float
        Between which shares of the three years they join.
    median_amount : float
        Of a redeemed coupon.
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
        Claims a year, and the share of them that is redeemed.
    join_days, lifetimes : numpy.ndarray
        Day of joining, and days from it to the end of claiming.
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


def drawn_members(chunk: Chunk) -> Members:
    """Draw the customers of a chunk."""
    rng, size = chunk.rng, chunk.size
    shares = np.array([segment.share for segment in SEGMENTS])
    segments = rng.choice(len(SEGMENTS), size, p=shares / shares.sum())

    def of_segment(attribute: str) -> np.ndarray:
        return np.array([getattr(segment, attribute) for segment in SEGMENTS])[segments]

    earliest, latest = of_segment("joined").T
    redemption = of_segment("redemption")
    concentration = np.full((len(SEGMENTS), MERCHANTS_WITH_BRANCH), 0.15)
    for number, segment in enumerate(SEGMENTS):
        concentration[number, list(segment.favourites)] = 2.0
    weights = rng.standard_gamma(concentration[segments]) + 1e-9
    return Members(
        ids=1 + chunk.positions,
        segments=segments,
        yearly_rates=rng.gamma(4, of_segment("yearly_rate") / 4),
        redemption_rates=rng.beta(12 * redemption, 12 * (1 - redemption)),
        join_days=(
            (DAYS - 1) * (earliest + (latest - earliest) * rng.random(size))
        ).astype(np.int64),
        lifetimes=rng.exponential(of_segment("lifetime_days")),
        tastes=weights / weights.sum(axis=1, keepdims=True),
    )
