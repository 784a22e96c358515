"""Fits: the categories of a source system with all that assigns a product, as JSON."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any, Self

import numpy as np
import pandas as pd

from customer_segmentation.matching import match_segments
from customer_segmentation.parallel import single_threaded
from customer_segmentation.products.declare import CategoriesDeclaration
from customer_segmentation.products.judge import (
    Budget,
    JudgedCategories,
    choose_categories,
)
from customer_segmentation.products.kinds import NO_KINDS, Kinds
from customer_segmentation.products.space import DIMENSIONS, Labels, Points, TermSpace
from customer_segmentation.products.topics import Nearest, nearest
from customer_segmentation.products.words import KIND, is_kind
from customer_segmentation.versions import versions_of

__all__ = ["FittedCategories", "fingerprint", "fit_products"]

# categories have at least so many different descriptions on average
PRODUCTS_PER_CATEGORY = 5
TERMS = 10
NAME_TERMS = 3
ONLY_CATEGORY = "All products"


@dataclass(frozen=True)
class Term:
    """A term that tells a category from the others.

    Parameters
    ----------
    term : str
        A word, two neighbouring ones, or the kind of the products.
    share : float
        Share of the products of the category that have it.
    lift : float
        The share, divided by that of all products.
    """

    term: str
    share: float
    lift: float


@dataclass(frozen=True)
class FittedCategories:
    """What gives products their categories.

    Parameters
    ----------
    kinds : Kinds
        From descriptions to words, and to the kind of a product.
    space : TermSpace
        From words to points.
    ids : tuple of int
        The categories, ascending.
    names : mapping of int to str
        Their names.
    centres : ndarray of shape (c, d)
        The centre of each category; zeros for a shop's own category without words.
    terms : mapping of int to tuple of Term
        The telling terms of each category, the most telling first.
    is_own : bool
        Whether the shop brings the categories.
    """

    kinds: Kinds
    space: TermSpace
    ids: tuple[int, ...]
    names: Mapping[int, str]
    centres: Points
    terms: Mapping[int, tuple[Term, ...]]
    is_own: bool

    def nearest(self, descriptions: Sequence[Sequence[str]]) -> Nearest:
        """Return the place of the nearest category by text."""
        used = np.flatnonzero(self.centres.any(axis=1))
        found = nearest(self.space.transform(descriptions), self.centres[used])
        label = found.label.copy()
        if len(used):
            label[label >= 0] = used[label[label >= 0]]
        return Nearest(label, found.confidence)

    def assign(
        self, names: Sequence[str | None], own: Sequence[str | None]
    ) -> pd.DataFrame:
        """Assign products, those of the fit or others.

        Parameters
        ----------
        names : sequence of str or None
            Descriptions.
        own : sequence of str or None
            The shop's own category of each product, if it has one.

        Returns
        -------
        pandas.DataFrame
            ``category_id`` (0 for a product without a category), ``category_source``
            and ``confidence``.
        """
        found = self.nearest([self.kinds.describe(name) for name in names])
        ids = np.array([*self.ids, 0])[found.label]
        by_name = {name: one for one, name in self.names.items()} if self.is_own else {}
        theirs = np.array([by_name.get(clean(one), 0) for one in own], dtype=int)
        return pd.DataFrame(
            {
                "category_id": np.where(theirs > 0, theirs, ids).astype(np.int32),
                "category_source": np.where(theirs > 0, "shop", "text"),
                "confidence": np.where(theirs > 0, 1.0, found.confidence),
            }
        )

    def to_json(self) -> str:
        """Return it as text that ``from_json`` reads to the last bit."""
        return json.dumps(
            {
                "kinds": self.kinds.by_priority,
                "space": self.space.to_dict(),
                "ids": self.ids,
                "names": [self.names[one] for one in self.ids],
                "centres": self.centres.tolist(),
                "terms": [[vars(term) for term in self.terms[one]] for one in self.ids],
                "is_own": self.is_own,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return what ``to_json`` wrote."""
        stored: dict[str, Any] = json.loads(text)
        ids = tuple(stored["ids"])
        space = TermSpace.from_dict(stored["space"])
        centres = np.array(stored["centres"], dtype=float).reshape(len(ids), -1)
        terms = [tuple(Term(**one) for one in each) for each in stored["terms"]]
        return cls(
            # fits of before kinds have none
            kinds=Kinds(tuple(stored.get("kinds", ()))),
            space=space,
            ids=ids,
            names=dict(zip(ids, stored["names"], strict=True)),
            centres=centres,
            terms=dict(zip(ids, terms, strict=True)),
            is_own=stored["is_own"],
        )


@single_threaded()
def fit_products(
    products: pd.DataFrame,
    declaration: CategoriesDeclaration,
    budget: Budget,
    earlier: FittedCategories | None = None,
    used_ids: Collection[int] = (),
    kinds: Kinds = NO_KINDS,
    own_names: Sequence[str] = (),
) -> tuple[FittedCategories, JudgedCategories] | None:
    """Learn the categories of products; those that continue earlier ones keep the id.

    Parameters
    ----------
    products : pandas.DataFrame
        ``product_name`` and ``category``, sorted by key; a sample of very many.
    declaration : CategoriesDeclaration
        How many categories.
    budget : Budget
        How often the choice resamples.
    earlier : FittedCategories, optional
        The last fit.
    used_ids : collection of int
        Every id ever used.
    kinds : Kinds
        What terms say of the kind of a product.
    own_names : sequence of str
        The shop's own categories, sorted; those of ``products`` and perhaps others.

    Returns
    -------
    tuple or None
        The fit and its measures. None if no product has a word or a category.
    """
    descriptions = [kinds.describe(name) for name in products["product_name"]]
    own = [clean(one) for one in products["category"]]
    if own_names:
        space = TermSpace.fit(descriptions, max(DIMENSIONS, len(own_names)))
        points = space.transform(descriptions)
        labels = np.array([own_names.index(one) if one else -1 for one in own])
        centres = np.zeros((len(own_names), points.shape[1]))
        for place in np.unique(labels[labels >= 0]):
            centres[place] = points[labels == place].mean(axis=0)
        judged = JudgedCategories(centres)
    else:
        space = TermSpace.fit(descriptions)
        if not space.terms:
            return None
        numbers = _numbers(space, descriptions, declaration)
        judged = choose_categories(space, descriptions, numbers, budget, kinds)
        centres = judged.centres
        labels = nearest(space.transform(descriptions), centres).label
    places = list(range(len(centres)))
    size = {place: float((labels == place).sum()) for place in places}
    if own_names:
        ids = _ids_by_name(own_names, size, earlier, used_ids)
    else:
        ids = _ids_by_products(labels, size, earlier, used_ids, descriptions)
    terms = telling_terms(space, descriptions, labels, len(places))
    names = list(own_names) or _names(terms, ids)
    order = sorted(places, key=lambda place: ids[place])
    fitted = FittedCategories(
        kinds=kinds,
        space=space,
        ids=tuple(ids[place] for place in order),
        names={ids[place]: names[place] for place in order},
        centres=centres[order],
        terms={ids[place]: terms[place] for place in order},
        is_own=bool(own_names),
    )
    return fitted, judged


def telling_terms(
    space: TermSpace, descriptions: Sequence[Sequence[str]], labels: Labels, count: int
) -> list[tuple[Term, ...]]:
    """Return the terms that tell each category from all products.

    They have the largest share times logarithm of the lift (the part of the
    Kullback-Leibler divergence that is theirs). A term that shares a word with an
    earlier one is left out.
    """
    weighed = space.weigh(descriptions)
    has = (weighed > 0).astype(float)
    of_all = np.asarray(has.sum(axis=0)) / max(1, len(descriptions))
    found = []
    for place in range(count):
        rows = np.flatnonzero(labels == place)
        of_category = np.asarray(has[rows].sum(axis=0)) / max(1, len(rows))
        ranked = sorted(
            (
                (-round(share * log(share / overall), 9), space.terms[number], number)
                for number, (share, overall) in enumerate(
                    zip(of_category.tolist(), of_all.tolist(), strict=True)
                )
                if share > overall
            )
        )
        chosen: list[Term] = []
        words: set[str] = set()
        for _, term, number in ranked:
            parts = {term} if is_kind(term) else set(term.split())
            if words.isdisjoint(parts):
                words |= parts
                share = float(of_category[number])
                chosen.append(Term(term, share, share / float(of_all[number])))
            if len(chosen) == TERMS:
                break
        found.append(tuple(chosen))
    return found


def fingerprint(
    products: pd.DataFrame,
    declaration: CategoriesDeclaration,
    kinds: Kinds,
    own_names: Sequence[str] = (),
) -> str:
    """Return a hash of what determines a fit, our code and the libraries too."""
    digest = hashlib.md5(usedforsecurity=False)
    determined_by = [
        *(vars(declaration), kinds.by_priority, list(own_names)),
        versions_of(__name__),
    ]
    digest.update(json.dumps(determined_by, sort_keys=True).encode())
    for column in ("product_key", "product_name", "category"):
        texts = products[column].astype(object).fillna("\x1e").astype(str)
        digest.update("\x1f".join(texts).encode())
    return digest.hexdigest()


def clean(category: object) -> str:
    """Return a shop's own category without padding; empty for none."""
    return " ".join(category.split()) if isinstance(category, str) else ""


def _numbers(
    space: TermSpace,
    descriptions: Sequence[Sequence[str]],
    declaration: CategoriesDeclaration,
) -> list[int]:
    """Return the numbers of categories that so many products allow."""
    points = space.transform(descriptions)
    known = np.asarray(points.any(axis=1))
    texts = {
        tuple(words) for words, one in zip(descriptions, known, strict=True) if one
    }
    distinct = len(np.unique(points[known], axis=0))
    most = min(len(texts) // PRODUCTS_PER_CATEGORY, distinct, declaration.k_max)
    if most < 2:
        return [1]
    return list(range(min(declaration.k_min, most), most + 1))


def _ids_by_name(
    names: Sequence[str],
    size: Mapping[int, float],
    earlier: FittedCategories | None,
    used_ids: Collection[int],
) -> dict[int, int]:
    """Give a shop's own category the id of the one of the same name."""
    known = {name: one for one, name in earlier.names.items()} if earlier else {}
    ids = {place: known[name] for place, name in enumerate(names) if name in known}
    following = max([0, *used_ids, *known.values()]) + 1
    new = sorted(size.keys() - ids.keys(), key=lambda place: (-size[place], place))
    return ids | {place: following + rank for rank, place in enumerate(new)}


def _ids_by_products(
    labels: Labels,
    size: Mapping[int, float],
    earlier: FittedCategories | None,
    used_ids: Collection[int],
    descriptions: Sequence[Sequence[str]],
) -> dict[int, int]:
    """Give a category the id of the one that most of its products were in."""
    if earlier is None or earlier.is_own:
        return match_segments({}, {place: {} for place in size}, {}, size, used_ids)
    before = earlier.nearest(descriptions).label
    places = range(len(earlier.ids))
    was = {
        earlier.ids[place]: {str(other): float(place == other) for other in places}
        for place in places
    }
    now = {}
    for label in size:
        counts = Counter(before[(labels == label) & (before >= 0)].tolist())
        total = max(1, sum(counts.values()))
        now[label] = {str(other): counts[other] / total for other in places}
    # at the limit, half of the products were in the earlier category
    scale = 0.5 * np.sqrt(2 / len(was))
    scales = {str(other): float(scale) for other in places}
    return match_segments(was, now, scales, size, used_ids)


def _names(terms: Sequence[tuple[Term, ...]], ids: Mapping[int, int]) -> list[str]:
    """Return a name of up to three terms for each category, kinds before words."""
    if len(terms) == 1:
        return [ONLY_CATEGORY]
    names = [_name([one.term for one in each]) for each in terms]
    names = [(name[:1].upper() + name[1:]) or "Other" for name in names]
    counted = Counter(names)
    return [
        f"{name} ({ids[place]})" if counted[name] > 1 else name
        for place, name in enumerate(names)
    ]


def _name(terms: Sequence[str]) -> str:
    """Return a name of terms; a word that the name of the kind has is left out."""
    kinds = [term.removeprefix(KIND) for term in terms[:NAME_TERMS] if is_kind(term)]
    said = {
        part for kind in kinds for word in kind.split() for part in (word, word[:-1])
    }
    words = [term for term in terms if not is_kind(term) and term not in said]
    parts = (kinds, words[: NAME_TERMS - len(kinds)])
    return ": ".join(", ".join(part) for part in parts if part)
