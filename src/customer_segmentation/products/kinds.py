"""Kinds: general knowledge of what things are; a mug and a plate are both tableware.

English names goods by their last noun: RED SPOTTY PAPER PLATES are plates. What follows
"with", "in", "for" or "on" belongs to them. Two words together know more than one of
them: a tea towel is no towel.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, takewhile
from typing import Any, Self

from customer_segmentation.products.words import KIND, split_words

__all__ = ["NO_KINDS", "Kinds"]

PREPOSITIONS = frozenset(["for", "from", "in", "on", "with"])


@dataclass(frozen=True)
class Kinds:
    """The kinds of product that terms stand for.

    Parameters
    ----------
    by_priority : tuple of mapping of str to str
        Singular words, or pairs of words, and their kinds. Seasons come first, then
        names of goods. A word that often only decorates goods, such as "heart", comes
        last: it tells the kind of a product that nothing before tells.
    """

    by_priority: tuple[Mapping[str, str], ...] = ()

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Self:
        """Return the terms of the seed ``product_kinds``."""
        ordered = sorted(rows, key=lambda row: (int(row["priority"]), row["term"]))
        return cls(
            tuple(
                {row["term"]: row["kind"] for row in group}
                for _, group in groupby(ordered, key=lambda row: int(row["priority"]))
            )
        )

    def of(self, description: object) -> str | None:
        """Return the kind of a product: the last term of the first priority.

        Examples
        --------
        >>> goods, motifs = {"mug": "tableware", "box": "storage"}, {"heart": "decor"}
        >>> kinds = Kinds((goods, motifs))
        >>> kinds.of("12 HEART MUGS IN BOX"), kinds.of("WICKER HEARTS"), kinds.of("OWL")
        ('tableware', 'decor', None)
        """
        words = split_words(description, stop_words=frozenset())
        head = list(takewhile(lambda word: word not in PREPOSITIONS, words))
        for terms in self.by_priority:
            for part in (head, words):
                for place in range(len(part), 0, -1):
                    found = _told(terms, part[max(0, place - 2) : place])
                    if found:
                        return found
        return None

    def describe(self, description: object) -> list[str]:
        """Return the words of a description, and its kind as one more.

        Examples
        --------
        >>> Kinds(({"mug": "tableware"},)).describe("SPOTTY MUG")
        ['spotty', 'mug', 'kind:tableware']
        """
        kind = self.of(description)
        return split_words(description) + ([KIND + kind] if kind else [])


NO_KINDS = Kinds()


def _told(terms: Mapping[str, str], words: list[str]) -> str | None:
    """Return the kind of two neighbouring words, or of the last one."""
    *first, last = map(_forms, words)
    pairs = [f"{one} {other}" for one in (first or [[]])[0] for other in last]
    return next((terms[one] for one in [*pairs, *last] if one in terms), None)


@lru_cache(maxsize=100_000)
def _forms(word: str) -> list[str]:
    """Return a word, and what it may be the plural of."""
    endings = (("s", ""), ("es", ""), ("ies", "y"), ("ves", "fe"), ("ves", "f"))
    return [
        word,
        *(
            word.removesuffix(plural) + singular
            for plural, singular in endings
            if word.endswith(plural)
        ),
    ]
