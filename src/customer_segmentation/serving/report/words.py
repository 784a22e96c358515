"""Numbers as people read them."""

from collections.abc import Iterable

__all__ = ["count", "decimals", "listed", "money", "percent"]

UNKNOWN = "–"
THOUSAND, MILLION = 1e4, 1e6


def count(value: float | None) -> str:
    """Return a whole number with separators.

    Examples
    --------
    >>> count(1234567), count(None)
    ('1,234,567', '–')
    """
    return UNKNOWN if value is None else f"{value:,.0f}"


def money(value: float | None) -> str:
    """Return an amount, in millions or whole units; the currency is not known.

    Examples
    --------
    >>> money(2998649.95), money(812.4), money(4.256)
    ('3.00 million', '812', '4.26')
    """
    if value is None:
        return UNKNOWN
    if abs(value) >= MILLION:
        return f"{value / MILLION:,.2f} million"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.2f}"


def percent(value: float | None) -> str:
    """Return a share in percent.

    Examples
    --------
    >>> percent(0.7303), percent(0.0042), percent(None)
    ('73 %', '0.4 %', '–')
    """
    if value is None:
        return UNKNOWN
    return f"{value:.0%}".replace("%", " %") if abs(value) >= 0.1 or value == 0 else (
        f"{value:.1%}".replace("%", " %")
    )


def decimals(value: float | None, digits: int = 2) -> str:
    """Return a number with a fixed number of decimals.

    Examples
    --------
    >>> decimals(0.35278)
    '0.35'
    """
    return UNKNOWN if value is None else f"{value:,.{digits}f}"


def listed(texts: Iterable[str]) -> str:
    """Return texts as a list in a sentence.

    Examples
    --------
    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    *others, last = texts
    return f"{', '.join(others)} and {last}" if others else last
