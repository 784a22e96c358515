"""The online retailer's planted customers: who they are and when they buy."""

from dataclasses import dataclass

import numpy as np

from customer_segmentation.simulation.drawing import (
    Chunk,
    draw_segments,
    draw_tastes,
    of_segment,
)
from customer_segmentation.simulation.online_retail_catalogue import FAMILIES

FIRST_DAY = np.datetime64("2009-12-01")
DAYS = 739
FIRST_CUSTOMER_ID = 10_001
COUNTRIES = (
    "United Kingdom", "Germany", "France", "EIRE", "Spain", "Netherlands", "Belgium",
    "Switzerland", "Portugal", "Australia", "Norway", "Italy", "Unspecified",
)  # fmt: skip
_UK_SHARE = 0.91
# only frequent buyers show that they have moved to another country
_FREQUENT_YEARLY_RATE = 3
_MINIMUM_MOVERS = 5


@dataclass(frozen=True)
class ShopperSegment:
    """A planted segment of the online retailer.

    Parameters
    ----------
    name : str
        Its name in the truth.
    share : float
        Share of the customers.
    yearly_rate : float
        Mean of the gamma distribution of a customer's purchases per year.
    lifetime_days : float
        Mean of the exponential distribution of the days from the first purchase to
        churn.
    basket_lines : float
        Mean number of lines per purchase.
    median_quantity : float
        Median quantity of a line.
    starts : tuple of float
        When its customers first buy, as minimum and maximum share of the two years.
    favourites : tuple of str
        Families that its customers prefer.
    is_seasonal : bool
        Whether its customers buy before Christmas only.
    """

    name: str
    share: float
    yearly_rate: float
    lifetime_days: float
    basket_lines: float
    median_quantity: float
    starts: tuple[float, float]
    favourites: tuple[str, ...]
    is_seasonal: bool = False


SEGMENTS = (
    ShopperSegment(
        "wholesaler", 0.04, 11, 1_500, 16, 24, (0, 0.6), ("bags", "candles", "garden")
    ),
    ShopperSegment(
        "regular", 0.28, 4.5, 900, 7, 6, (0, 0.9), ("kitchen", "tableware", "baking")
    ),
    ShopperSegment(
        "seasonal gift buyer",
        *(0.20, 2.4, 800, 6, 3, (0, 1), ("christmas", "stationery", "toys"), True),
    ),
    ShopperSegment(
        "one-time buyer", 0.26, 0, 30, 6, 3, (0, 1), ("jewellery", "clocks", "lighting")
    ),
    ShopperSegment(
        "lapsed", 0.12, 6, 90, 7, 5, (0, 0.45), ("lighting", "garden", "clocks")
    ),
    ShopperSegment(
        "newcomer", 0.10, 5, 900, 6, 4, (0.85, 1), ("tableware", "bags", "stationery")
    ),
)


def _intensity(day_weights: np.ndarray) -> np.ndarray:
    """Return the cumulative weights of the days, scaled to DAYS, shape (DAYS,)."""
    days = FIRST_DAY + np.arange(DAYS)
    is_saturday = (days.astype(np.int64) + 3) % 7 == 5
    cumulated = np.cumsum(np.where(is_saturday, 0, day_weights))
    scaled: np.ndarray = cumulated * (DAYS / cumulated[-1])
    return scaled


def _month_weights(weights: tuple[float, ...]) -> np.ndarray:
    months = (FIRST_DAY + np.arange(DAYS)).astype("datetime64[M]").astype(np.int64)
    of_days: np.ndarray = np.asarray(weights)[months % 12]
    return of_days


ALL_YEAR = _intensity(
    _month_weights((0.8, 0.8, 0.9, 0.9, 1, 1, 0.9, 0.9, 1.2, 1.4, 1.7, 1.1))
)
BEFORE_CHRISTMAS = _intensity(_month_weights((0.05,) * 8 + (0.6, 2.5, 5, 3)))


def day_at(intensity: np.ndarray, elapsed: np.ndarray) -> np.ndarray:
    """Return the trading days (0 to DAYS - 1) on which that intensity is reached."""
    days = np.searchsorted(intensity, elapsed, side="right")
    # the last day is a trading day, so the end of the intensity falls on it
    return np.minimum(days, DAYS - 1)


@dataclass(frozen=True)
class Shoppers:
    """The customers of a chunk; every array has one entry per customer.

    Parameters
    ----------
    ids : numpy.ndarray
        Customer ids.
    segments : numpy.ndarray
        Positions in SEGMENTS.
    yearly_rates : numpy.ndarray
        Purchases per year before churn, without the first.
    start_days, lifetimes : numpy.ndarray
        Day of the first purchase, and days from it to churn.
    tastes : numpy.ndarray
        Share of each family, shape (customers, families).
    countries, second_countries : numpy.ndarray
        Positions in COUNTRIES; equal for nearly all customers.
    """

    ids: np.ndarray
    segments: np.ndarray
    yearly_rates: np.ndarray
    start_days: np.ndarray
    lifetimes: np.ndarray
    tastes: np.ndarray
    countries: np.ndarray
    second_countries: np.ndarray

    def of_segment(self, attribute: str) -> np.ndarray:
        """Return an attribute of each customer's segment."""
        return of_segment(SEGMENTS, self.segments, attribute)


def draw_shoppers(chunk: Chunk) -> Shoppers:
    """Draw the customers of a chunk."""
    rng, size = chunk.rng, chunk.size
    segments = draw_segments(SEGMENTS, size, rng)
    is_seasonal = of_segment(SEGMENTS, segments, "is_seasonal")
    earliest, latest = of_segment(SEGMENTS, segments, "starts").T
    starts = DAYS * (earliest + (latest - earliest) * rng.random(size))
    rates = of_segment(SEGMENTS, segments, "yearly_rate")
    concentrations = np.array(
        [
            [2.5 if family.name in segment.favourites else 0.25 for family in FAMILIES]
            for segment in SEGMENTS
        ]
    )
    tastes = draw_tastes(concentrations[segments], rng)
    countries = np.where(
        rng.random(size) < _UK_SHARE, 0, rng.integers(1, len(COUNTRIES), size)
    )
    second = countries.copy()
    frequent = np.flatnonzero(rates > _FREQUENT_YEARLY_RATE)
    movers = rng.permutation(frequent)[: max(_MINIMUM_MOVERS, size // 400)]
    second[movers] = (countries[movers] + 1) % len(COUNTRIES)
    return Shoppers(
        ids=FIRST_CUSTOMER_ID + chunk.positions,
        segments=segments,
        yearly_rates=rng.gamma(3, rates / 3),
        start_days=np.where(
            is_seasonal, day_at(BEFORE_CHRISTMAS, starts), day_at(ALL_YEAR, starts)
        ),
        lifetimes=rng.exponential(of_segment(SEGMENTS, segments, "lifetime_days")),
        tastes=tastes,
        countries=countries,
        second_countries=second,
    )


def purchase_days(
    customers: Shoppers, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the purchases: the positions of their customers, and their days.

    Every customer buys on the first day. Further purchases are a Poisson process on the
    seasonal intensity, up to churn or the end of the data.
    """
    is_seasonal = customers.of_segment("is_seasonal")
    end_days = np.minimum(customers.start_days + customers.lifetimes, DAYS - 1)
    whole_days = end_days.astype(np.int64)
    buyers, days = [np.arange(len(customers.ids))], [customers.start_days]
    for intensity, members in (
        (ALL_YEAR, np.flatnonzero(~is_seasonal)),
        (BEFORE_CHRISTMAS, np.flatnonzero(is_seasonal)),
    ):
        first = intensity[customers.start_days[members]]
        length = np.maximum(intensity[whole_days[members]] - first, 0)
        counts = rng.poisson(customers.yearly_rates[members] * length / 365.25)
        buyer = np.repeat(members, counts)
        elapsed = np.repeat(first, counts) + rng.random(len(buyer)) * np.repeat(
            length, counts
        )
        buyers.append(buyer)
        days.append(day_at(intensity, elapsed))
    return np.concatenate(buyers), np.concatenate(days)
