"""A mapping of a declaration in YAML: typed values, and messages that help."""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Self

from customer_segmentation.errors import InputError

# what else is called a segmentation
RFM = "rfm"
_SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@dataclass(frozen=True)
class DeclaredMapping:
    """A mapping in the declaration of a segmentation.

    A key without a value (YAML's null) counts as absent. Getters return the default for
    an absent key, and raise without a default. All errors are `InputError`, and name
    the segmentation and the key.

    Parameters
    ----------
    segmentation : str
        The segmentation that is declared.
    path : str
        The position in the declaration: empty, or such as ``pin.`` or
        ``features.age.``.
    entries : mapping
        The keys and values declared.
    """

    segmentation: str
    path: str
    entries: Mapping[str, Any]

    @classmethod
    def of_segmentation(
        cls, name: object, entries: object, keys: Collection[str]
    ) -> Self:
        """Check the name of a segmentation and the keys of its declaration."""
        if not isinstance(name, str) or not _SNAKE_CASE.fullmatch(name):
            raise InputError(
                f"segmentation {name}: its name must be in snake case, such as "
                "online_retail_value"
            )
        if name == RFM:
            raise InputError(
                f"segmentation {name}: this name stands for the RFM segments; choose "
                "another one"
            )
        return cls(name, "", {}).inner("", entries, keys)

    def inner(self, key: str, entries: object, keys: Collection[str]) -> Self:
        """Return the mapping at a key after a check of its own keys."""
        if not isinstance(entries, Mapping):
            raise self.error(
                key, f"is {entries!r}; give a mapping with keys of {', '.join(keys)}"
            )
        path = f"{self.path}{key}." if key else ""
        inner = type(self)(self.segmentation, path, entries)
        for entry in entries:
            if entry not in keys:
                raise inner.error(entry, f"is not a key{_suggestion(entry, keys)}")
        return inner

    def error(self, key: object, problem: str) -> InputError:
        """Return an error that names the segmentation and the key."""
        where = f"segmentation {self.segmentation}: {self.path}{key}"
        return InputError(f"{where.removesuffix(': ')}: {problem}")

    def has(self, key: str) -> bool:
        """Return whether the key has a value."""
        return self.entries.get(key) is not None

    def value(self, key: str, default: object = None) -> Any:
        """Return the value as it is."""
        value = self.entries[key] if self.has(key) else default
        if value is None:
            raise self.error(key, "is missing; add it")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text."""
        value = self.value(key, default)
        if not isinstance(value, str):
            raise self.error(key, f"is {value!r}; give a text")
        return value

    def snake_case(self, key: str) -> str:
        """Return a name in snake case."""
        value = self.text(key)
        if not _SNAKE_CASE.fullmatch(value):
            raise self.error(
                key, f"is {value!r}; give a name in snake case, such as recency_days"
            )
        return value

    def one_of(
        self, key: str, known: Collection[str], default: str | None = None
    ) -> str:
        """Return one of the known names."""
        value = self.value(key, default)
        self.check_known(key, value, known)
        return str(value)

    def number(self, key: str, default: float | None = None) -> float | int:
        """Return a finite number."""
        value = self.value(key, default)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value):
            raise self.error(key, f"is {value!r}; give a number")
        number: float | int = value
        return number

    def list_of(
        self, key: str, default: Sequence[Any] | None = None, form: str = "a list"
    ) -> tuple[Any, ...]:
        """Return the entries of a list that is not empty."""
        value = self.value(key, default)
        if not isinstance(value, list | tuple):
            raise self.error(key, f"is {value!r}; give {form}")
        if not value:
            raise self.error(key, "is empty; give at least one entry")
        return tuple(value)

    def whole_number(self, key: str, value: object) -> int:
        """Return a value that stands at the key, if it is a whole number."""
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(key, f"{value!r} is not a whole number; give one")
        return value

    def check_known(self, key: str, value: object, known: Collection[str]) -> None:
        """Raise unless the value is one of the known names."""
        if not isinstance(value, str) or value not in known:
            raise self.error(key, f"{value!r} is unknown{_suggestion(value, known)}")

    def check_distinct(self, key: str, names: Collection[str]) -> None:
        """Raise if the list at the key has a name twice."""
        for name in names:
            if list(names).count(name) > 1:
                raise self.error(key, f"{name!r} is listed twice; remove one")


def _suggestion(name: object, known: Collection[str]) -> str:
    nearest = get_close_matches(str(name), sorted(known), n=1)
    question = f"; did you mean {nearest[0]!r}?" if nearest else ""
    return f"{question or ';'} known are {', '.join(known)}"
