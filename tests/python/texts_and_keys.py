"""Raw texts and what staging makes of them, and keys of lines, for both engines."""

from types import SimpleNamespace

from macros_of_publishing import macros

__all__ = [
    "LINES",
    "NUMBERS",
    "TEXTS",
    "TIMES",
    "query_of_numbers",
    "query_of_texts",
    "query_of_times",
]

# a raw text, its known text, and its id
TEXTS = [
    ("\t LAMP\r\n", "LAMP", "LAMP"),
    ("\x0b\x0c a \tb\r", "a \tb", "a \tb"),
    (" \t\r\n", None, None),
    ("\tN/A\r", None, None),
    ("17850.0\r", "17850.0", "17850"),
    ("0.0", "0.0", "0"),
    (".0", ".0", ".0"),
    ("-.0", "-.0", "-.0"),
    ("-7.0", "-7.0", "-7"),
    ("A.0", "A.0", "A.0"),
    ("1.00", "1.00", "1.00"),
    ("1_000.0", "1_000.0", "1_000.0"),
]
# a raw text, and its number
NUMBERS = [(" 2.5\t", "2.5000"), ("-1e3", "-1000.0000"), ("1_000", None), ("1,5", None)]
# a raw time, and the time of a shop in London
TIMES = [
    ("2024-07-01 10:00:00", "2024-07-01 10:00:00"),
    ("2024-07-01", "2024-07-01 00:00:00"),
    ("2024-07-01T10:00:00Z", "2024-07-01 11:00:00"),
    ("2024-07-01 10:00:00 UTC", "2024-07-01 11:00:00"),
    ("2024-07-01T23:30:00-08:00", "2024-07-02 08:30:00"),
    ("2024-01-01T00:30:00+01:00", "2023-12-31 23:30:00"),
    (" 2024-01-01T23:30:00+00 ", "2024-01-01 23:30:00"),
    ("soon", None),
]
# invoice, stock code, and the rest of their keys
LINES = [
    ("536365", "85123A", "536365:85123A:1"),
    ("1:2", "3", r"1\:2:3:1"),
    ("1", "2:3", r"1:2\:3:1"),
    ("1\\", "2", r"1\\:2:1"),
    ("1", ":2", r"1:\:2:1"),
    ("1\\:2", "3", r"1\\\:2:3:1"),
]


def query_of_texts() -> str:
    """Return SQL of the known texts and ids of the table of texts."""
    parsing = macros(files=("parsing.sql",))
    known, identifier = parsing.known_text("raw"), parsing.identifier("raw")
    return f"select {known} as known, {identifier} as id from texts order by number"


def query_of_numbers() -> str:
    """Return SQL of the numbers of the table of texts."""
    number = macros(files=("parsing.sql",)).number("raw")
    return f"select cast({number} as string) as found from texts order by number"


def query_of_times(engine: str) -> str:
    """Return SQL of a shop's times of the texts, for ``default`` or ``spark``."""
    parsing = macros(
        files=("parsing.sql",),
        adapter=SimpleNamespace(
            dispatch=lambda macro: getattr(parsing, f"{engine}__{macro}")
        ),
    )
    time = parsing.shop_time("raw", "Europe/London")
    return f"select cast({time} as string) as time from texts order by number"
