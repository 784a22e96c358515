"""Words: a description as terms, whatever its script."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise

__all__ = ["KIND", "fold_plurals", "is_kind", "split_words", "terms_of"]

# they tell how large or of which colour a product is, and not what it is
STOP_WORDS = frozenset(
    [
        *("a", "an", "and", "as", "at", "by", "for", "from", "in", "into", "is", "it"),
        *("of", "off", "on", "or", "per", "the", "to", "up", "with", "without"),
        *("set", "sets", "pack", "pc", "pcs", "piece", "pieces", "asst", "assorted"),
        *("ass", "design", "designs", "small", "large", "medium", "mini", "big"),
        *("giant", "extra", "size", "cm", "mm", "kg", "ml", "inch"),
        *("red", "blue", "green", "yellow", "orange", "pink", "purple", "white"),
        *("black", "grey", "gray", "brown", "ivory", "cream", "silver", "gold"),
        *("turquoise", "lilac", "colour", "colours", "color", "colors"),
    ]
)
# marks the kind of a product among its words, which have no colon
KIND = "kind:"
_ASCII = re.compile(r"[a-z]{2,}")
# scripts without blanks between words: Thai to Myanmar, Khmer, kana and Han
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003134f]+"
)


def split_words(
    description: object, stop_words: Collection[str] = STOP_WORDS
) -> list[str]:
    """Return the words of a description, in order.

    Case, punctuation, digits, padding and stop words are ignored, and so are single
    Latin letters. An emoji is a word. Scripts without blanks give pairs of
    neighbouring characters.

    Examples
    --------
    >>> split_words("  SET/6 RED SPOTTY PAPER PLATES ")
    ['spotty', 'paper', 'plates']
    >>> split_words("红色茶杯")
    ['红色', '色茶', '茶杯']
    >>> split_words("حقيبة تسوق 🎁")
    ['حقيبة', 'تسوق', '🎁']
    """
    # pandas has several ways to say that there is none
    given = description if isinstance(description, str) else ""
    text = unicodedata.normalize("NFKC", given).casefold()
    # an apostrophe is part of its word
    text = re.sub("['\u2019`]", "", text)
    if text.isascii():
        words = _ASCII.findall(text)
    else:
        words = [part for run in _runs(text) for part in _parts(run)]
    return [word for word in words if word not in stop_words]


def is_kind(term: str) -> bool:
    """Return whether a term is the kind of a product, and no word of its description.

    Examples
    --------
    >>> is_kind("kind:tableware"), is_kind("mug")
    (True, False)
    """
    return term.startswith(KIND)


def fold_plurals(words: Iterable[str]) -> dict[str, str]:
    """Return the singular of each word that the shop also writes without its s.

    Examples
    --------
    >>> fold_plurals(["mug", "mugs", "christmas"])
    {'mugs': 'mug'}
    """
    known = set(words)
    return {
        word: word[:-1]
        for word in sorted(known)
        if len(word) > 3 and word[-1] == "s" and word[:-1] in known
    }


def terms_of(words: Sequence[str], singular: Mapping[str, str]) -> Counter[str]:
    """Count the terms of a description: its words, and pairs of neighbours.

    Examples
    --------
    >>> sorted(terms_of(["tea", "cups"], {"cups": "cup"}))
    ['cup', 'tea', 'tea cup']
    """
    folded = [singular.get(word, word) for word in words]
    spoken = [word for word in folded if not is_kind(word)]
    pairs = [f"{one} {other}" for one, other in pairwise(spoken)]
    return Counter([*folded, *pairs])


def _runs(text: str) -> list[str]:
    """Split a text where neither letters nor their marks are; emojis stand alone."""
    spaced = []
    for character in text:
        kind = unicodedata.category(character)
        if kind[0] in "LM" and character != "\ufe0f":
            spaced.append(character)
        else:
            spaced.append(f" {character} " if kind == "So" else " ")
    return "".join(spaced).split()


def _parts(run: str) -> list[str]:
    """Return a run of letters as words."""
    parts = []
    position = 0
    for found in _UNSPACED.finditer(run):
        parts += [run[position : found.start()], *_pairs(found.group())]
        position = found.end()
    parts.append(run[position:])
    return [
        part
        for part in parts
        if len(part) > 1
        or (part and not unicodedata.name(part, "").startswith("LATIN"))
    ]


def _pairs(characters: str) -> list[str]:
    if len(characters) == 1:
        return [characters]
    return [one + other for one, other in pairwise(characters)]
