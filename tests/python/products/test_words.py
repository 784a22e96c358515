"""Descriptions in any script become words; what says nothing of a product does not."""

import pytest

from customer_segmentation.products.words import split_words


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ("  Set of 3   CAKE  tins ", ["cake", "tins"]),
        ("CHILD'S T-SHIRT, RED/BLUE 30x45cm", ["childs", "shirt"]),
        ("vélo électrique", ["vélo", "électrique"]),
        ("حَقِيبة تسوق", ["حَقِيبة", "تسوق"]),
        ("हिन्दी किताब", ["हिन्दी", "किताब"]),
        ("玩具车", ["玩具", "具车"]),
        ("茶 mug", ["茶", "mug"]),
        ("mug 🎄🎁", ["mug", "🎄", "🎁"]),
        ("🎁", ["🎁"]),
        ("MUG", ["mug"]),
        ("RED 12", []),
        ("", []),
        (None, []),
        (float("nan"), []),
    ],
)
def test_words(description: object, words: list[str]) -> None:
    assert split_words(description) == words
