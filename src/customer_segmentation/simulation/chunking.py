"""Chunks of customers, and the random numbers that belong to each."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

CHUNK_CUSTOMERS = 20_000

# every source system draws from its own streams, so that the size of one does not
# change the others; the catalogue's numbers are no chunk's
STREAMS = {"marketplace": 0, "online_retail": 1, "mall": 2, "catalogue": 3}


@dataclass(frozen=True)
class Chunk:
    """Some consecutive customers and their random numbers.

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
        """Positions of the customers among all of the source system, shape (size,)."""
        return np.arange(self.first, self.first + self.size)


def generator(seed: int, stream: str, chunk: int = 0) -> np.random.Generator:
    """Return the random numbers of one chunk of a stream.

    PCG64 is named, not left to ``default_rng``, whose choice may change with numpy.
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
