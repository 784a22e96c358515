"""Numbers as people read them."""

from collections.abc import Iterable

__all__ = ["count", "decimals", "listed", "money", "percent"]

UNKNOWN = "\N{EN DASH}"


def count(value: float | None) -> str:
    """Return a whole number with separators.

    Examples
    --------
    >>> count(1234567)
    '1,234,567'
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
    if abs(value) >= 1e6:
        return f"{value / 1e6:,.2f} million"
    is_whole = abs(value) >= 100 or value == 0
    return f"{value:,.0f}" if is_whole else f"{value:,.2f}"


def percent(value: float | None) -> str:
    r"""Return a share in percent.

    Examples
    --------
    >>> percent(0.7303), percent(0.0042)
    ('73\xa0%', '0.4\xa0%')
    """
    if value is None:
        return UNKNOWN
    digits = 0 if abs(value) >= 0.1 or value == 0 else 1
    return f"{value:.{digits}%}".replace("%", "\N{NO-BREAK SPACE}%")


def decimals(value: float | None, digits: int = 2) -> str:
    """Return a number with a fixed number of decimals.

    Examples
    --------
    >>> decimals(0.35278)
    '0.35'
    """
    # no minus before a zero
    return UNKNOWN if value is None else f"{round(value, digits) + 0.0:,.{digits}f}"


def listed(texts: Iterable[str]) -> str:
    """Return texts as a list in a sentence.

    Examples
    --------
    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    *others, last = texts
    return f"{', '.join(others)} and {last}" if others else last
