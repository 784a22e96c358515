"""The online retailer's catalogue: product families, prices, and what is no product."""

from dataclasses import dataclass

import numpy as np

PRODUCTS_PER_FAMILY = 120
QUARTERS = 9

_PATTERNS = (
    "RED RETROSPOT", "BLUE POLKADOT", "PINK PAISLEY", "VINTAGE ROSE", "REGENCY",
    "WOODLAND", "STRAWBERRY", "SUKI", "DOLLY GIRL", "SKULLS", "SPACEBOY", "FRENCH",
    "IVORY", "GREEN SPOT", "BAROQUE", "CHARLOTTE", "ENGLISH ROSE", "APPLE",
)  # fmt: skip
_SIZES = ("", "SMALL ", "LARGE ", "SET OF 3 ", "SET/6 ", "MINI ", "PACK OF 12 ")


@dataclass(frozen=True)
class Family:
    """A product family.

    Parameters
    ----------
    name : str
        What the truth calls it.
    nouns : tuple of str
        The words that its descriptions end with.
    median_price : float
        In pounds.
    """

    name: str
    nouns: tuple[str, ...]
    median_price: float


FAMILIES = (
    Family("baking", ("CAKE STAND", "CAKE CASES", "BAKING TIN", "COOKIE CUTTERS"), 2.5),
    Family("bags", ("JUMBO BAG", "LUNCH BAG", "SHOPPER BAG", "RUCKSACK"), 2.0),
    Family("candles", ("T-LIGHT HOLDER", "CANDLE HOLDER", "SCENTED CANDLE"), 1.6),
    Family("christmas", ("CHRISTMAS BAUBLE", "ADVENT GARLAND", "STAR WREATH"), 1.4),
    Family("clocks", ("ALARM CLOCK BAKELIKE", "WALL CLOCK", "KITCHEN CLOCK"), 5.0),
    Family("garden", ("WATERING CAN", "PLANT MARKER", "HERB PLANTER"), 3.0),
    Family("jewellery", ("BEAD NECKLACE", "CHARM BRACELET", "DROP EARRINGS"), 4.0),
    Family("kitchen", ("MEASURING SPOONS", "TEA TOWEL", "STORAGE JAR"), 3.5),
    Family("lighting", ("HANGING LANTERN", "FAIRY LIGHTS", "TABLE LAMP"), 6.0),
    Family("stationery", ("NOTEBOOK", "GIFT WRAP", "GREETING CARD"), 0.9),
    Family("tableware", ("TEACUP AND SAUCER", "PAPER NAPKINS", "SOUP BOWL"), 2.2),
    Family("toys", ("SKITTLES GAME", "JIGSAW PUZZLE", "DOLL HOUSE"), 2.8),
)  # fmt: skip

# stock code and description of lines that are no product
FEES = {
    "POST": "POSTAGE",
    "DOT": "DOTCOM POSTAGE",
    "M": "Manual",
    "D": "Discount",
    "C2": "CARRIAGE",
    "BANK CHARGES": "Bank Charges",
    "AMAZONFEE": "AMAZON FEE",
    "CRUK": "CRUK Commission",
    "PADS": "PADS TO MATCH ALL CUSHIONS",
    "gift_0001_20": "Dotcomgiftshop Gift Voucher £20.00",
    "DCGS0003": "BOXED GLASS ASHTRAY",
    "B": "Adjust bad debt",
}
NOTES = ("damaged", "check", "thrown away", "wet/rusty", "lost", "?", "smashed")


@dataclass(frozen=True)
class Catalogue:
    """Products in order of family, then of popularity.

    Parameters
    ----------
    stock_codes : list of str
        Of products, the same in another case, then of fees.
    descriptions : list of str
        Of products, the same with a trailing space, then of fees, then notes.
    prices : numpy.ndarray
        Pence by product and quarter, shape (products, QUARTERS).
    popularity : numpy.ndarray
        Cumulative share of the products within a family, by rank.
    """

    stock_codes: list[str]
    descriptions: list[str]
    prices: np.ndarray
    popularity: np.ndarray

    @property
    def products(self) -> int:
        """Number of products."""
        return len(self.prices)

    def fee(self, stock_code: str) -> int:
        """Return the position of a fee in both lists."""
        return 2 * self.products + list(FEES).index(stock_code)

    @property
    def first_note(self) -> int:
        """Position of the first note among the descriptions."""
        return 2 * self.products + len(FEES)


def catalogue(rng: np.random.Generator) -> Catalogue:
    """Draw the catalogue."""
    names = [name for family in FAMILIES for name in _names(family, rng)]
    numbers = 20_000 + rng.choice(70_000, len(names), replace=False)
    letters = np.where(
        rng.random(len(names)) < 0.2, rng.choice(list("ABCDEFG"), len(names)), ""
    )
    codes = [
        f"{number}{letter}" for number, letter in zip(numbers, letters, strict=True)
    ]
    medians = np.repeat(
        [family.median_price for family in FAMILIES], PRODUCTS_PER_FAMILY
    )
    base = medians * np.exp(rng.normal(0, 0.6, len(names)))
    drift = np.exp(np.cumsum(rng.normal(0.005, 0.03, (len(names), QUARTERS)), axis=1))
    weights = 1 / np.arange(3, PRODUCTS_PER_FAMILY + 3) ** 0.9
    return Catalogue(
        stock_codes=[*codes, *(code.lower() for code in codes), *FEES],
        descriptions=[*names, *(f"{name} " for name in names), *FEES.values(), *NOTES],
        prices=np.maximum(np.rint(100 * base[:, None] * drift), 12).astype(np.int64),
        popularity=np.cumsum(weights) / weights.sum(),
    )


def _names(family: Family, rng: np.random.Generator) -> list[str]:
    every = [
        f"{size}{pattern} {noun}"
        for size in _SIZES
        for pattern in _PATTERNS
        for noun in family.nouns
    ]
    return [every[place] for place in rng.permutation(len(every))[:PRODUCTS_PER_FAMILY]]
