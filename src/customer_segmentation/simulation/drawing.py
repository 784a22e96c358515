"""Random draws: chunks of customers with random numbers of their own, segments, tastes.

Customers are drawn and written in chunks, so memory does not grow with their number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

CHUNK_CUSTOMERS = 20_000

# Each source system draws from its own stream: the size of one does not change the
# others. The catalogue has a stream too, as it belongs to no chunk.
STREAMS = {
    "marketplace": 0,
    "online_retail": 1,
    "mall": 2,
    "catalogue": 3,
    "campaigns": 4,
}

# keeps each share of a taste above zero
_MINIMUM_WEIGHT = 1e-9


class Segment(Protocol):
    """A planted segment; each source system adds its own facts."""

    @property
    def name(self) -> str:
        """Its name in the truth."""

    @property
    def share(self) -> float:
        """Its share of the customers."""


@dataclass(frozen=True)
class Chunk:
    """Consecutive customers and their random numbers.

    Parameters
    ----------
    first : int
        Position of the first customer, from 0.
    size : int
        Number of customers.
    rng : numpy.random.Generator
        Used by this chunk only.
    """

    first: int
    size: int
    rng: np.random.Generator

    @property
    def positions(self) -> np.ndarray:
        """Positions of the customers in the source system, shape (size,)."""
        return np.arange(self.first, self.first + self.size)


def generator(seed: int, stream: str, chunk: int = 0) -> np.random.Generator:
    """Return the random numbers of one chunk of a stream.

    They are from PCG64: a later numpy may choose another generator as its default.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(STREAMS[stream], chunk))
    return np.random.Generator(np.random.PCG64(sequence))


def chunks(
    seed: int, stream: str, customers: int, chunk_customers: int
) -> Iterator[Chunk]:
    """Split the customers of a source system into chunks."""
    for number, first in enumerate(range(0, customers, chunk_customers)):
        size = min(chunk_customers, customers - first)
        yield Chunk(first, size, generator(seed, stream, number))


def draw_segments(
    segments: Sequence[Segment], size: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw the segment of each customer, as positions in ``segments``."""
    shares = np.array([segment.share for segment in segments])
    return rng.choice(len(segments), size, p=shares / shares.sum())


def of_segment(
    segments: Sequence[Segment], drawn: np.ndarray, attribute: str
) -> np.ndarray:
    """Return an attribute of each customer's segment."""
    values: np.ndarray = np.array([getattr(segment, attribute) for segment in segments])
    taken: np.ndarray = values[drawn]
    return taken


def draw_tastes(concentrations: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the taste of each customer from a Dirichlet distribution.

    Parameters
    ----------
    concentrations : numpy.ndarray
        Of each customer and alternative, shape (customers, alternatives).
    rng : numpy.random.Generator
        The random numbers.

    Returns
    -------
    numpy.ndarray
        Shares of the alternatives, of the same shape; they sum to 1 for each customer.
    """
    weights = rng.standard_gamma(concentrations) + _MINIMUM_WEIGHT
    shares: np.ndarray = weights / weights.sum(axis=1, keepdims=True)
    return shares


def draw_by_taste(
    tastes: np.ndarray, customers: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw alternatives by the tastes of the customers who choose.

    Parameters
    ----------
    tastes : numpy.ndarray
        Shares of the alternatives, shape (customers, alternatives).
    customers : numpy.ndarray
        Positions in ``tastes``, one per draw.
    rng : numpy.random.Generator
        The random numbers.

    Returns
    -------
    numpy.ndarray
        Positions of the alternatives, one per draw.
    """
    alternatives = tastes.shape[1]
    cumulated = np.cumsum(tastes, axis=1)
    cumulated[:, -1] = 1
    # the cumulative tastes of all customers, one after the other, are one sorted array:
    # a single search serves all draws
    stacked = (cumulated + np.arange(len(tastes))[:, None]).ravel()
    found = np.searchsorted(
        stacked, customers + rng.random(len(customers)), side="right"
    )
    drawn: np.ndarray = np.clip(found - customers * alternatives, 0, alternatives - 1)
    return drawn
