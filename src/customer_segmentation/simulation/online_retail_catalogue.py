"""The online retailer's catalogue: product families, prices, fees and notes."""

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
        Its name in the truth.
    nouns : tuple of str
        The last words of its descriptions.
    median_price : float
        Median price in pounds.
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


@dataclass(frozen=True)
class Fee:
    """A kind of line that is not a product: postage, a fee or an adjustment.

    Parameters
    ----------
    stock_code, description : str
        The texts of the line.
    share : float
        Share of the invoices that can have it.
    pounds : tuple of float
        Minimum and maximum price.
    invoices : str
        The invoices that can have it: "abroad", "guest" or "customer".
    prefix : str
        Empty for a line on the invoice of the sale. "C" and "A" are the prefixes of an
        invoice of its own.
    keeps_customer : bool
        Whether an invoice of its own names the customer.
    """

    stock_code: str
    description: str
    share: float
    pounds: tuple[float, float]
    invoices: str
    prefix: str = ""
    keeps_customer: bool = True


FEES = (
    Fee("POST", "POSTAGE", 0.7, (15, 40), "abroad"),
    Fee("DOT", "DOTCOM POSTAGE", 0.03, (20, 400), "guest"),
    Fee("M", "Manual", 0.008, (1, 60), "customer"),
    Fee("D", "Discount", 0.004, (5, 60), "customer", "C"),
    Fee("C2", "CARRIAGE", 0.006, (50, 50), "customer"),
    Fee("BANK CHARGES", "Bank Charges", 0.001, (15, 15), "guest"),
    Fee(
        *("AMAZONFEE", "AMAZON FEE", 0.001, (1_000, 13_000), "guest", "C"),
        keeps_customer=False,
    ),
    Fee("CRUK", "CRUK Commission", 0.001, (10, 900), "customer", "C"),
    Fee("PADS", "PADS TO MATCH ALL CUSHIONS", 0.0005, (0.001, 0.001), "customer"),
    Fee(
        *("gift_0001_20", "Dotcomgiftshop Gift Voucher £20.00", 0.001),
        *((17.02, 17.02), "guest"),
    ),
    Fee("DCGS0003", "BOXED GLASS ASHTRAY", 0.001, (0.83, 2.46), "guest"),
    Fee(
        *("B", "Adjust bad debt", 0.0, (-11_062.06, -11_062.06), "guest", "A"),
        keeps_customer=False,
    ),
)
NOTES = ("damaged", "check", "thrown away", "wet/rusty", "lost", "?", "smashed")


@dataclass(frozen=True)
class Catalogue:
    """Products, ordered by family, then by popularity.

    Parameters
    ----------
    stock_codes : list of str
        Those of products, the same in lower case, then those of fees.
    descriptions : list of str
        Those of products, the same with a trailing space, those of fees, then notes.
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

    @property
    def first_fee(self) -> int:
        """Position of the first fee in both lists."""
        return 2 * self.products

    @property
    def first_note(self) -> int:
        """Position of the first note among the descriptions."""
        return self.first_fee + len(FEES)


def draw_catalogue(rng: np.random.Generator) -> Catalogue:
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
        stock_codes=[
            *codes,
            *(code.lower() for code in codes),
            *(fee.stock_code for fee in FEES),
        ],
        descriptions=[
            *names,
            *(f"{name} " for name in names),
            *(fee.description for fee in FEES),
            *NOTES,
        ],
        prices=np.maximum(np.rint(100 * base[:, None] * drift), 12).astype(np.int64),
        popularity=np.cumsum(weights) / weights.sum(),
    )


def _names(family: Family, rng: np.random.Generator) -> list[str]:
    possible = [
        f"{size}{pattern} {noun}"
        for size in _SIZES
        for pattern in _PATTERNS
        for noun in family.nouns
    ]
    order = rng.permutation(len(possible))
    return [possible[place] for place in order[:PRODUCTS_PER_FAMILY]]
