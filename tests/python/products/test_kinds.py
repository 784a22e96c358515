"""Kinds: the last name of goods tells what a product is, and the seed is in order."""

import csv

import pytest
from dbt_project import REPOSITORY

from customer_segmentation.products.kinds import NO_KINDS, Kinds
from customer_segmentation.products.words import split_words, terms_of

with (REPOSITORY / "seeds/product_kinds.csv").open(encoding="utf-8") as file:
    ROWS = list(csv.DictReader(file))
SEED = Kinds.from_rows(ROWS)


@pytest.mark.parametrize(
    ("description", "kind"),
    [
        ("RED SPOTTY PAPER PLATES", "party supplies"),
        ("SPOTTY PLATES", "kitchen and tableware"),
        ("12 TEA TOWELS", "kitchen and tableware"),
        ("BATH TOWEL", "bath and body"),
        # of two neighbours, the pair tells more than one of them
        ("HOT WATER BOTTLE SUKI", "bath and body"),
        ("GLASS BOTTLE", "storage"),
        # what follows a preposition belongs to the goods
        ("PINK PEN IN GIFT BOX", "stationery"),
        ("MUG WITH HEARTS", "kitchen and tableware"),
        ("FOR YOUR KITCHEN SCALES", "kitchen and tableware"),
        # the name of a season decides; what a season often has tells less than goods
        ("CHRISTMAS RETROSPOT STAR", "christmas and easter"),
        ("CHRISTMAS CARD", "christmas and easter"),
        ("SNOWFLAKE MUG", "kitchen and tableware"),
        ("HEART OF WICKER SMALL", "ornaments"),
        ("CARD WITH FLOWERS", "cards and wrap"),
        ("LADIES' LEATHER SHOES", "clothing"),
        ("حقيبة تسوق", None),
        ("红色茶杯", None),
        ("🎁", None),
        ("", None),
        (None, None),
    ],
)
def test_what_a_description_tells(description: object, kind: str | None) -> None:
    assert SEED.of(description) == kind
    marked = [f"kind:{kind}"] if kind else []
    assert SEED.describe(description) == split_words(description) + marked
    assert NO_KINDS.describe(description) == split_words(description)


def test_a_kind_is_no_neighbour_of_a_word() -> None:
    assert set(terms_of(["tea", "cup", "kind:tableware"], {})) == {
        *("tea", "cup", "tea cup", "kind:tableware")
    }


def test_rows_in_another_order_are_the_same_kinds() -> None:
    assert Kinds.from_rows(reversed(ROWS)) == SEED


def test_every_term_of_the_seed_can_be_found() -> None:
    terms = [row["term"] for row in ROWS]
    assert len(set(terms)) == len(terms)
    for row in ROWS:
        words = row["term"].split()
        assert len(words) <= 2, f"{row['term']!r}: give at most two words"
        assert split_words(row["term"], frozenset()) == words, (
            f"{row['term']!r}: write lower case, no digits and no single letters"
        )
        assert SEED.of(row["term"]) == row["kind"], (
            f"{row['term']!r}: a term of a lower priority hides it"
        )


def test_the_seed_is_sorted() -> None:
    # so that a change is one line
    order = [(row["kind"], row["priority"], row["term"]) for row in ROWS]
    assert order == sorted(order)


def test_a_pair_that_its_last_word_tells_is_not_listed() -> None:
    told = {row["term"]: (row["kind"], row["priority"]) for row in ROWS}
    needless = [
        term
        for term, of_term in told.items()
        if " " in term and told.get(term.split()[-1]) == of_term
    ]
    assert not needless
