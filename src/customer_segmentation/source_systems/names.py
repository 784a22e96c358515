"""What a mapping may use as a name, a text, a word of a status or a number.

All of them end in files that dbt renders: SQL with Jinja, and YAML. So what would mean
something else there is refused.
"""

import re
from collections.abc import Mapping
from typing import Any

from customer_segmentation.source_systems.located import LocatedYaml, Place

__all__ = [
    "TAKEN",
    "days_of",
    "expression_of",
    "flag_of",
    "name_of",
    "text_of",
    "words_of",
]

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
# columns and CTEs that the models add
TAKEN = frozenset(
    (
        *("copies", "copy_number", "is_usable", "key_number", "key_row", "raw_record"),
        *("raw_values", "reasons", "row_reasons", "known_status", "is_date_unreadable"),
        *("is_number_unreadable", "source", "typed", "joined", "flagged", "conformed"),
        *("classified", "rows_ordered", "rows_checked", "keys_numbered", "columns"),
        *("keys_checked", "copies_numbered", "distinct_rows"),
    )
)
OF_JINJA = ("{{", "{%", "{#")
MAX_DAYS = 36_500


def name_of(located: LocatedYaml, place: Place, name: object) -> str:
    """Return the name of a table, a column or a reason.

    Raises
    ------
    InputError
        If it is no name in SQL, or the models use it themselves.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise located.error(
            place,
            f"{name} is no name; write small letters, digits and _, at most 63, a "
            "letter first. Headers that files have go into aliases.",
        )
    if name in TAKEN:
        raise located.error(place, f"{name} is a name of the models; choose another.")
    return name


def text_of(located: LocatedYaml, place: Place, entry: Mapping[str, Any]) -> str:
    """Return the text of the key that ends a place, with single spaces.

    Raises
    ------
    InputError
        If it is no text, or dbt would render it as something else.
    """
    key = place[-1]
    text = entry[key]
    if not isinstance(text, str) or not text.strip():
        raise located.error(place, f"{key} is {text!r}; write a text, in quotes.")
    joined = " ".join(text.split())
    found = next((mark for mark in OF_JINJA if mark in joined), None)
    if found or not joined.isprintable():
        what = found or "a character that cannot be printed"
        raise located.error(place, f"{key} has {what}, which dbt misreads; remove it.")
    return joined


def expression_of(located: LocatedYaml, place: Place, value: object) -> str:
    """Return an expression of SQL, with single spaces; `check_expressions` reads it.

    Raises
    ------
    InputError
        If it is neither a text nor a number.
    """
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise located.error(
            place, f"{place[-1]} is {value!r}; write an expression of SQL, in quotes."
        )
    return " ".join(str(value).split())


def words_of(located: LocatedYaml, place: Place, words: object) -> list[str]:
    """Return the words of a status, in lower case.

    Raises
    ------
    InputError
        If they are no list of words, or one of them cannot stand in quotes in SQL.
    """
    if not isinstance(words, list) or not words:
        raise located.error(place, f"{place[-1]} is {words!r}; write a list of words.")
    for word in words:
        if (
            not isinstance(word, str | int)
            or isinstance(word, bool)
            or not str(word).strip()
            or not str(word).isprintable()
            or set("'\"\\{}") & set(str(word))
        ):
            raise located.error(
                place,
                f"{word!r} is no word of a status; write one without quotes, braces "
                "and backslashes, and true or null in quotes.",
            )
    return [str(word).lower() for word in words]


def flag_of(located: LocatedYaml, place: Place, entry: Mapping[str, Any]) -> bool:
    """Return whether the key that ends a place says true; false if it is absent."""
    value = entry.get(place[-1], False)
    if not isinstance(value, bool):
        raise located.error(place, f"{place[-1]} is {value!r}; write true or false.")
    return value


def days_of(located: LocatedYaml, place: Place, entry: Mapping[str, Any]) -> int:
    """Return the number of days of the key that ends a place."""
    days = entry[place[-1]]
    if type(days) is not int or not 1 <= days <= MAX_DAYS:
        raise located.error(
            place, f"{place[-1]} is {days!r}; write a whole number of days, such as 2."
        )
    return days
