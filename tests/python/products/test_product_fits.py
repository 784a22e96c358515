"""Categories learned from names: odd shops, ids that last, own categories."""

from itertools import chain

import numpy as np
import pandas as pd
import pytest

from customer_segmentation.errors import InputError
from customer_segmentation.products import judge
from customer_segmentation.products.declare import (
    CategoriesDeclaration,
    read_declarations,
)
from customer_segmentation.products.fits import (
    FittedCategories,
    clean,
    fingerprint,
    fit_products,
)
from customer_segmentation.products.judge import Budget, JudgedCategories
from customer_segmentation.products.kinds import NO_KINDS, Kinds

FAMILIES = {
    "bags": ("jumbo bag", "lunch bag", "shopper bag"),
    "clocks": ("alarm clock", "wall clock", "kitchen clock"),
    "candles": ("candle holder", "scented candle", "dinner candle"),
    "cards": ("birthday card", "greeting card", "blank card"),
}
PATTERNS = ("owl", "rose", "spotty", "paisley", "skull", "vintage", "woodland")
DECLARATION = CategoriesDeclaration("shop", 3, 5)
BUDGET = Budget(resamples=4, null_draws=19)
# words alone do not say that bags and clocks are carried, and candles and cards given
CARRIED = {"bag": "carried goods", "shopper": "carried goods", "clock": "carried goods"}
KINDS = Kinds((CARRIED, {"candle": "gifts", "holder": "gifts", "card": "gifts"}))


def shop(own: dict[str, str] | None = None) -> pd.DataFrame:
    rows = [
        (f"{pattern} {noun}", family)
        for family, nouns in FAMILIES.items()
        for noun in nouns
        for pattern in PATTERNS
    ]
    frame = pd.DataFrame(rows, columns=["product_name", "family"])
    frame["category"] = [(own or {}).get(one) for one in frame["family"]]
    frame["product_key"] = [f"shop:{number:03}" for number in range(len(frame))]
    return frame


def fit(
    frame: pd.DataFrame,
    earlier: FittedCategories | None = None,
    used: tuple[int, ...] = (),
    kinds: Kinds = NO_KINDS,
) -> tuple[FittedCategories, JudgedCategories]:
    found = fit_products(
        frame, DECLARATION, BUDGET, earlier, used, kinds, own_names(frame)
    )
    assert found is not None
    return found


def own_names(frame: pd.DataFrame) -> list[str]:
    return sorted(frame["category"].dropna().map(clean).unique())


def of_names(*names: object) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "product_key": [f"shop:{number:06}" for number in range(len(names))],
            "product_name": names,
            "category": None,
        }
    )


@pytest.fixture(scope="module")
def fitted() -> tuple[FittedCategories, JudgedCategories]:
    return fit(shop())


def assigned(model: FittedCategories, *names: str | None) -> pd.DataFrame:
    return model.assign(names, [None] * len(names))


def test_families_that_share_a_word_become_categories(fitted) -> None:
    model, judged = fitted
    frame = shop()
    ids = assigned(model, *frame["product_name"])["category_id"]
    # a category holds products of one family
    assert frame.groupby(ids.to_numpy())["family"].nunique().eq(1).all()
    assert judged.p_value == 1 / (1 + BUDGET.null_draws)
    assert judged.seed_agreement == 1
    assert any("card" in name.lower() for name in model.names.values())


def test_goods_of_a_kind_are_one_category_without_a_shared_word() -> None:
    frame = shop()
    model, judged = fit_products(
        frame, CategoriesDeclaration("shop", 2, 2), BUDGET, kinds=KINDS
    )
    found = assigned(model, *frame["product_name"])["category_id"]
    kind = frame["family"].isin(["bags", "clocks"]).to_numpy()
    assert len(set(found[kind])) == len(set(found[~kind])) == 1
    assert sorted(name.split(":")[0] for name in model.names.values()) == [
        *("Carried goods", "Gifts")
    ]
    assert judged.p_value == 1 / (1 + BUDGET.null_draws)
    # so is a new product whose only known word is in the seed
    [new] = assigned(model, "TARTAN SHOPPERS")["category_id"]
    assert model.names[new].startswith("Carried goods")
    again = FittedCategories.from_json(model.to_json())
    pd.testing.assert_frame_equal(
        assigned(model, "zebra clock", "oak cards"),
        assigned(again, "zebra clock", "oak cards"),
    )
    assert again.kinds == model.kinds


def test_another_seed_of_kinds_is_another_fit() -> None:
    hashes = {fingerprint(shop(), DECLARATION, one) for one in (NO_KINDS, KINDS)}
    assert len(hashes) == 2


@pytest.mark.parametrize("name", ["version", "code_hash"])
def test_other_libraries_or_code_are_another_fit(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    known = fingerprint(shop(), DECLARATION, KINDS)
    assert fingerprint(shop(), DECLARATION, KINDS) == known
    monkeypatch.setattr(f"customer_segmentation.versions.{name}", lambda _: "99")
    assert fingerprint(shop(), DECLARATION, KINDS) != known


def test_a_new_product_is_assigned_without_a_fit(fitted) -> None:
    model, _ = fitted
    found = assigned(model, "Tartan CARDS", "owl clock", "zebra", None)
    first, second, unknown, nameless = found.itertuples(index=False)
    assert "card" in model.names[first.category_id].lower()
    assert "clock" in model.names[second.category_id].lower()
    assert (unknown.category_id, nameless.category_id) == (0, 0)
    assert found["confidence"].between(0, 1).all()


def test_a_stored_fit_assigns_the_same(fitted) -> None:
    model, _ = fitted
    names = shop()["product_name"]
    again = FittedCategories.from_json(model.to_json())
    pd.testing.assert_frame_equal(assigned(model, *names), assigned(again, *names))
    assert again.to_json() == model.to_json()


def test_a_product_does_not_depend_on_its_batch(fitted) -> None:
    model, _ = fitted
    names = list(shop()["product_name"])
    together = assigned(model, *names)
    alone = pd.concat([assigned(model, name) for name in names], ignore_index=True)
    pd.testing.assert_frame_equal(together, alone, check_exact=False, rtol=1e-12)


def test_ids_stay_when_products_come(fitted) -> None:
    model, _ = fitted
    frame = shop()
    more = of_names(*frame["product_name"], *(f"{one} lamp" for one in PATTERNS * 2))
    other, _ = fit(more, model, (max(model.ids),))
    old = assigned(model, *frame["product_name"])["category_id"]
    new = assigned(other, *frame["product_name"])["category_id"]
    assert (old == new).mean() > 0.9


def test_ids_are_never_used_twice(fitted) -> None:
    model, _ = fitted
    woods = ("oak", "ash", "pine", "beech", "walnut", "cherry")
    others = of_names(*(f"{one} {two}" for one in woods for two in ("sofa", "desk")))
    other, _ = fit(others, model, (40,))
    assert min(other.ids) > 40


def test_own_categories_are_kept_and_text_fills_the_gaps() -> None:
    frame = shop({"bags": " Bags &  purses", "clocks": "Time"})
    model, judged = fit(frame)
    assert sorted(model.names.values()) == ["Bags & purses", "Time"]
    assert judged.p_value is None
    found = model.assign(frame["product_name"], frame["category"])
    own = frame["category"].notna().to_numpy()
    assert set(found["category_source"][own]) == {"shop"}
    assert set(found["category_source"][~own]) == {"text"}
    assert (found["confidence"][own] == 1).all()
    named = found["category_id"].map(model.names)
    assert (named[frame["family"] == "bags"] == "Bags & purses").all()
    [gap] = model.assign(["blue bag"], [None])["category_id"]
    assert model.names[gap] == "Bags & purses"
    # a category keeps its id by its name
    again, _ = fit(shop({"clocks": "Time", "cards": "Cards"}), model, (2,))
    ids = {name: one for one, name in model.names.items()}
    assert {name: one for one, name in again.names.items()} == {
        "Time": ids["Time"],
        "Cards": 3,
    }


def test_own_categories_need_no_words() -> None:
    frame = of_names(None, None).assign(category=["A", "B"])
    model, _ = fit(frame)
    found = model.assign([None, None, "mug"], ["B", None, None])
    assert list(found["category_id"] > 0) == [True, False, False]


def test_a_shop_of_twenty_products_has_few_categories() -> None:
    model, _ = fit(shop().iloc[::4].head(20))
    assert 1 <= len(model.ids) <= 4


def test_an_own_category_outside_of_the_sample_stays() -> None:
    frame = of_names("red bag", "blue bag").assign(category=["Bags", "Bags"])
    found = fit_products(
        frame, DECLARATION, BUDGET, own_names=[*own_names(frame), "Rare"]
    )
    assert found is not None
    assigned_to = found[0].assign(["old thing", "red bag"], ["Rare", None])
    assert assigned_to["category_source"].tolist() == ["shop", "text"]
    names = assigned_to["category_id"].map(found[0].names)
    assert names.tolist() == ["Rare", "Bags"]


def test_a_tiny_shop_has_one_category() -> None:
    model, judged = fit(of_names("tea cup", "tea pot", "tea towel"))
    assert list(model.names.values()) == ["All products"]
    assert judged.stability_mean is None
    assert set(assigned(model, "tea cup", "tea")["category_id"]) == {1}


@pytest.mark.parametrize("names", [(None, None), ("", "12"), ("mug", "lamp")])
def test_a_shop_without_shared_words_has_no_categories(names) -> None:
    assert fit_products(of_names(*names), DECLARATION, BUDGET) is None


def test_other_scripts_have_categories() -> None:
    nouns = ("茶杯", "حقيبة", "🎄", "кружка")
    model, _ = fit(of_names(*(f"{one} {two}" for two in nouns for one in PATTERNS)))
    found = assigned(model, *nouns)
    assert (found["category_id"] > 0).all()


@pytest.mark.parametrize("known", [0, 8, 16])
def test_random_words_have_no_structure(known: int) -> None:
    rng = np.random.default_rng(1)
    words = [f"word{'abcdefghijklmnop'[number]}" for number in range(16)]
    kinds = Kinds(({word: f"kind {word[-1]}" for word in words[:known:2]},))
    frame = of_names(*(" ".join(rng.choice(words, 3)) for _ in range(150)))
    _, judged = fit(frame, kinds=kinds)
    assert judged.p_value is not None
    assert judged.p_value > 0.05


def test_shuffled_words_keep_lengths_and_frequencies() -> None:
    given = [["tea", "cup"], [], ["tea"], ["bag", "cup", "tea"]]
    drawn = judge.shuffle_words(given, 3)
    assert list(map(len, drawn)) == [2, 0, 1, 3]
    assert sorted(chain(*drawn)) == sorted(chain(*given))


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ([], None),
        (["shop"], "give a mapping"),
        ({"shpo": None}, "is no source system"),
        ({"mall": None}, "has no products and transaction_lines"),
        ({"shop": {"n": 3}}, "give {k: "),
        ({"shop": {"k": [9, 3]}}, "2 <= minimum"),
        ({"shop": {"k": 5}}, "give .minimum, maximum"),
    ],
)
def test_declarations(declared, message) -> None:
    variables = {
        "product_categories": declared,
        "source_systems": ["shop"],
        "source_system_catalog": {
            "shop": {"relations": ["products", "transaction_lines"]},
            "mall": {"relations": ["customers"]},
        },
    }
    if message is None:
        assert read_declarations(variables) == []
        return
    with pytest.raises(InputError, match=message):
        read_declarations(variables)
