"""Kinds: general knowledge of what things are; a mug and a plate are both tableware.

English names goods by their last noun: RED SPOTTY PAPER PLATES are plates. What follows
"with", "in", "for" or "on" belongs to them. Two words together know more than one of
them: a tea towel is no towel.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Self

from customer_segmentation.products.words import KIND, split_words

__all__ = ["Kinds"]

PREPOSITIONS = frozenset(["for", "from", "in", "on", "with"])


@dataclass(frozen=True)
class Kinds:
    """The kinds of product that terms stand for.

    Parameters
    ----------
    goods : mapping of str to str
        Singular words or pairs of words that name goods, and their kinds.
    motifs : mapping of str to str
        The same for words that often only decorate goods, such as "heart": they tell
        the kind of a product that nothing else tells.
    """

    goods: Mapping[str, str] = field(default_factory=dict)
    motifs: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Self:
        """Return the rows of the seed ``product_kinds``, sorted by term."""
        goods: dict[str, str] = {}
        motifs: dict[str, str] = {}
        for row in sorted(rows, key=lambda row: str(row["term"])):
            (motifs if row["is_motif"] else goods)[row["term"]] = row["kind"]
        return cls(goods, motifs)

    def of(self, description: object) -> str | None:
        """Return the kind of a product, told by the last term that names goods.

        Examples
        --------
        >>> kinds = Kinds({"mug": "tableware", "box": "storage"}, {"heart": "ornaments"})
        >>> kinds.of("12 HEART MUGS IN BOX"), kinds.of("WICKER HEARTS"), kinds.of("OWL")
        ('tableware', 'ornaments', None)
        """
        words = split_words(description, stop_words=frozenset())
        head = list(takewhile(lambda word: word not in PREPOSITIONS, words))
        for terms in (self.goods, self.motifs):
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
        >>> Kinds({"mug": "tableware"}).describe("SPOTTY MUG")
        ['spotty', 'mug', 'kind:tableware']
        """
        kind = self.of(description)
        return split_words(description) + ([KIND + kind] if kind else [])


def _told(terms: Mapping[str, str], words: list[str]) -> str | None:
    """Return the kind of two neighbouring words, or of the last one."""
    *first, last = map(_forms, words)
    pairs = [f"{one} {other}" for one in (first or [[]])[0] for other in last]
    return next((terms[one] for one in [*pairs, *last] if one in terms), None)


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
