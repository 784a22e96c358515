"""What a value may be: each check returns what is wrong, as the end of a sentence."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import yaml

__all__ = [
    "Check",
    "Setting",
    "anything",
    "choice",
    "mistakes",
    "number",
    "shown",
    "unknown",
    "whole_number",
    "whole_numbers",
]

# takes a value and all values by name; returns what is wrong, or nothing
Check = Callable[[Any, Mapping[str, Any]], str | None]


@dataclass(frozen=True)
class Setting:
    """A var or an environment variable, and what may be given for it.

    Parameters
    ----------
    name : str
        As users write it.
    meaning : str
        What it says, in Markdown: a cell of a table of the docs.
    default : str
        The default, in Markdown: another cell.
    check : callable
        Returns what is wrong with a value, as the end of a sentence that begins with
        the name: ``is 0: give a whole number of at least 1``.
    """

    name: str
    meaning: str
    default: str
    check: Check

    @property
    def row(self) -> str:
        """Its row in the docs."""
        return f"| `{self.name}` | {self.meaning} | {self.default} |"


def mistakes(
    kind: str, settings: Collection[Setting], values: Mapping[str, Any]
) -> list[str]:
    """Return a sentence for each setting that has a wrong value."""
    return [
        f"{kind} {setting.name} {problem}."
        for setting in settings
        if setting.name in values
        and (problem := setting.check(values[setting.name], values)) is not None
    ]


def unknown(name: object, known: Collection[str]) -> str:
    """Return the end of a sentence: a name is unknown, and which may be meant.

    Examples
    --------
    >>> unknown("history_month", ["history_months", "as_of_date"])
    'is unknown: did you mean history_months?'
    >>> unknown("spring", ["history_months", "as_of_date"])
    'is unknown: known are as_of_date, history_months.'
    """
    nearest = get_close_matches(str(name), known, n=1, cutoff=0.75)
    if nearest:
        return f"is unknown: did you mean {nearest[0]}?"
    return f"is unknown: known are {', '.join(sorted(known))}."


def shown(value: object) -> str:
    """Return a value as YAML shows it, so that the text 5 is not the number 5.

    Examples
    --------
    >>> shown("many"), shown("5"), shown(None), shown([90, "rfm"]), shown(True)
    ('many', "'5'", 'null', '[90, rfm]', 'true')
    """
    # in double quotes, a line end is written with a backslash
    for style in (None, '"'):
        text: str = yaml.safe_dump(
            value, default_flow_style=True, width=math.inf, default_style=style
        )
        text = text.removesuffix("\n").removesuffix("\n...")
        if "\n" not in text:
            break
    return text


def anything(value: object, values: Mapping[str, Any]) -> str | None:
    """Accept any value: a subject reads and checks it."""
    return None


def whole_number(minimum: int) -> Check:
    """Return a check for a whole number."""

    def check(value: object, values: Mapping[str, Any]) -> str | None:
        if type(value) is int and value >= minimum:
            return None
        return f"is {shown(value)}: give a whole number of at least {minimum}"

    return check


def whole_numbers(minimum: int, example: str) -> Check:
    """Return a check for a list of different whole numbers."""

    def check(value: object, values: Mapping[str, Any]) -> str | None:
        if (
            isinstance(value, list)
            and value
            and all(type(one) is int and one >= minimum for one in value)
            and len(set(value)) == len(value)
        ):
            return None
        return f"is {shown(value)}: give a list of different {example}"

    return check


def number(minimum: float, maximum: float, remedy: str) -> Check:
    """Return a check for a number in a range."""

    def check(value: object, values: Mapping[str, Any]) -> str | None:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and minimum <= value <= maximum:  # type: ignore[operator]
            return None
        return f"is {shown(value)}: {remedy}"

    return check


def choice(*names: str) -> Check:
    """Return a check for one of some texts."""

    def check(value: object, values: Mapping[str, Any]) -> str | None:
        if value in names:
            return None
        return f"is {shown(value)}: write {' or '.join(names)}"

    return check
