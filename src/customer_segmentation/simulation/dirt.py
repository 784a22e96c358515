"""Dirt: spoilt rows added to clean rows, each with one reason, and counted.

Dirt never changes a clean row. It is a copy of a clean row, spoilt in one way. Without
the rejected rows, exactly the clean data remain, and the truth still holds.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

Row = dict[str, str | None]

# not every sampled row can be spoilt, so more are sampled than needed
_OVERSAMPLING = 40
_MINIMUM_SAMPLE = 400


def any_row(row: Row) -> bool:
    """Say that a row can be spoilt, whatever it holds."""
    return True


def value_of(row: Row, column: str) -> str:
    """Return a value that every clean row has."""
    return row[column] or ""


@dataclass(frozen=True)
class DirtKind:
    """One way to spoil a row.

    Parameters
    ----------
    reason : str
        Why staging rejects the spoilt row.
    share : float
        Spoilt rows per clean row.
    spoil : callable
        Takes a copy of a clean row, and a number that grows by one with each spoilt
        row. Returns the spoilt row.
    fits : callable
        Whether a clean row can be spoilt in this way.
    minimum : int
        Minimum number of spoilt rows per chunk.
    """

    reason: str
    share: float
    spoil: Callable[[Row, int], Row]
    fits: Callable[[Row], bool] = any_row
    minimum: int = 2


@dataclass
class Ledger:
    """The planted rows, counted by source system and table, and by reason."""

    rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    clean_rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    dirt: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def dirt_table(self) -> pa.Table:
        """Return one row per source system, table and reason."""
        return pa.table(
            {
                "source_system": [system for system, _, _ in self.dirt],
                "source_table": [table for _, table, _ in self.dirt],
                "reason": [reason for _, _, reason in self.dirt],
                "rows": list(self.dirt.values()),
            }
        )

    def totals_table(self) -> pa.Table:
        """Return one row per source system and table."""
        return pa.table(
            {
                "source_system": [system for system, _ in self.rows],
                "source_table": [table for _, table in self.rows],
                "rows": list(self.rows.values()),
                "clean_rows": [self.clean_rows[key] for key in self.rows],
            }
        )


def exact_duplicate(share: float, minimum: int = 2) -> DirtKind:
    """Return the kind of dirt that repeats a clean row."""
    return DirtKind("exact_duplicate", share, lambda row, number: row, minimum=minimum)


class Dirt:
    """The dirt of one raw table, over all of its chunks.

    Parameters
    ----------
    source_system, table : str
        The raw table.
    kinds : sequence of DirtKind
        Each is planted in every chunk.
    ledger : Ledger
        Counts the planted rows.
    """

    def __init__(
        self,
        source_system: str,
        table: str,
        kinds: Sequence[DirtKind],
        ledger: Ledger,
    ) -> None:
        self._key = (source_system, table)
        self._kinds = kinds
        self._ledger = ledger
        self._planted = 0

    def added_to(self, clean: pa.Table, rng: np.random.Generator) -> pa.Table:
        """Return the clean rows with spoilt rows at random places among them."""
        spoilt: list[Row] = []
        for kind in self._kinds:
            of_kind = self._spoilt(kind, clean, rng)
            self._ledger.dirt[(*self._key, kind.reason)] += len(of_kind)
            spoilt.extend(of_kind)
        self._ledger.rows[self._key] += clean.num_rows + len(spoilt)
        self._ledger.clean_rows[self._key] += clean.num_rows
        if not spoilt:
            return clean
        places = np.sort(rng.integers(0, clean.num_rows + 1, len(spoilt)))
        order = np.insert(
            np.arange(clean.num_rows),
            places,
            clean.num_rows + rng.permutation(len(spoilt)),
        )
        dirt = pa.Table.from_pylist(spoilt, schema=clean.schema)
        return pa.concat_tables([clean, dirt]).combine_chunks().take(order)

    def _spoilt(
        self, kind: DirtKind, clean: pa.Table, rng: np.random.Generator
    ) -> list[Row]:
        wanted = max(kind.minimum, round(kind.share * clean.num_rows))
        sampled = min(clean.num_rows, _OVERSAMPLING * wanted + _MINIMUM_SAMPLE)
        places = rng.choice(clean.num_rows, sampled, replace=False)
        spoilt: list[Row] = []
        # in slices: most kinds fit most rows, so a small part of the sample is enough
        for start in range(0, sampled, 2 * wanted):
            for row in clean.take(places[start : start + 2 * wanted]).to_pylist():
                if len(spoilt) < wanted and kind.fits(row):
                    spoilt.append(kind.spoil(row, self._planted))
                    self._planted += 1
            if len(spoilt) == wanted:
                break
        return spoilt
