"""Raw texts and what staging makes of them, and keys of lines, for both engines."""

from macros_of_publishing import macros

__all__ = ["LINES", "TEXTS", "query_of_texts"]

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
