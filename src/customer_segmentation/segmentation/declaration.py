"""A part of a declaration in YAML, and errors that say what is wrong with it."""

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from customer_segmentation.errors import InputError

_SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_REQUIRED = object()


@dataclass(frozen=True)
class Declaration:
    """A mapping of a segmentation's declaration.

    A key without a value (YAML's null) counts as left out.

    Parameters
    ----------
    segmentation : str
        Whose it is.
    path : str
        Where it stands: empty, or such as ``pin.`` or ``features.age.``.
    entries : mapping
        What is declared.
    """

    segmentation: str
    path: str
    entries: Mapping

    @classmethod
    def of_segmentation(
        cls, name: object, entries: object, keys: Collection[str]
    ) -> "Declaration":
        """Take up the declaration of a segmentation; its keys must be known."""
        if not isinstance(name, str) or not _SNAKE_CASE.fullmatch(name):
            raise InputError(
                f"segmentation {name}: its name must be in snake case, such as "
                "online_retail_value"
            )
        return cls(name, "", {}).inner("", entries, keys)

    def inner(self, key: str, entries: object, keys: Collection[str]) -> "Declaration":
        """Take up the mapping at a key; its own keys must be known."""
        if not isinstance(entries, Mapping):
            raise self.error(
                key, f"is {entries!r}; give a mapping with keys of {', '.join(keys)}"
            )
        part = Declaration(
            self.segmentation, f"{self.path}{key}." if key else "", entries
        )
        for one in entries:
            if one not in keys:
                raise part.error(one, f"is not a key{_suggestion(one, keys)}")
        return part

    def error(self, key: object, problem: str) -> InputError:
        """Return the error that names the segmentation and the key."""
        where = f"segmentation {self.segmentation}: {self.path}{key}"
        return InputError(f"{where.removesuffix(': ')}: {problem}")

    def require(self, *keys: str) -> None:
        """Raise if a key is missing."""
        for key in keys:
            if self.entries.get(key) is None:
                raise self.error(key, "is missing; add it")

    def text(self, key: str, default: object = _REQUIRED) -> str | None:
        """Return a text."""
        value = self._value(key, default)
        if value is not default and not isinstance(value, str):
            raise self.error(key, f"is {value!r}; give a text")
        return value

    def snake_case(self, key: str, default: object = _REQUIRED) -> str | None:
        """Return a name in snake case."""
        value = self.text(key, default)
        if value is not default and not _SNAKE_CASE.fullmatch(value):
            raise self.error(
                key, f"is {value!r}; give a name in snake case, such as recency_days"
            )
        return value

    def one_of(
        self,
        key: str,
        known: Collection[str],
        value: object = None,
        default: object = _REQUIRED,
    ) -> str:
        """Return a known name: `value`, or what stands at the key."""
        value = self._value(key, default) if value is None else value
        if not isinstance(value, str) or value not in known:
            raise self.error(key, f"{value!r} is unknown{_suggestion(value, known)}")
        return value

    def number(self, key: str, default: object = _REQUIRED) -> float | int | None:
        """Return a finite number."""
        value = self._value(key, default)
        if value is default:
            return value
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value):
            raise self.error(key, f"is {value!r}; give a number")
        return value

    def integer(self, key: str, value: object) -> int:
        """Return `value`, which stands at the key, if it is a whole number."""
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(key, f"{value!r} is not a whole number; give one")
        return value

    def list_of(
        self, key: str, default: object = _REQUIRED, form: str = "a list"
    ) -> tuple:
        """Return the entries of a list that is not empty."""
        value = self._value(key, default)
        if not isinstance(value, list | tuple):
            raise self.error(key, f"is {value!r}; give {form}")
        if not value:
            raise self.error(key, "is empty; give at least one")
        return tuple(value)

    def no_repeats(self, key: str, names: Collection[str]) -> None:
        """Raise if a name stands twice in the list at the key."""
        for name in names:
            if list(names).count(name) > 1:
                raise self.error(key, f"{name!r} stands there twice; keep one")

    def _value(self, key: str, default: object) -> object:
        value = self.entries.get(key)
        return default if value is None else value


def _suggestion(name: object, known: Collection[str]) -> str:
    nearest = get_close_matches(str(name), sorted(known), n=1)
    meant = f"; did you mean {nearest[0]!r}?" if nearest else ""
    return f"{meant or ';'} known are {', '.join(known)}"
