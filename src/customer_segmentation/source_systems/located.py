"""A YAML file whose every key knows its line, so that a message can name it."""

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from customer_segmentation.errors import InputError

Place = tuple[str, ...]


@dataclass(frozen=True)
class LocatedYaml:
    """What a YAML file says, and where.

    Parameters
    ----------
    where : str
        The name of the file in messages, such as ``source_systems/mall.yml``.
    content : mapping
        What it says.
    lines : mapping
        The line of each key, by its path: ``("tables", "customers")``.
    """

    where: str
    content: Mapping[str, Any]
    lines: Mapping[Place, int]

    def error(self, place: Place, message: str) -> InputError:
        """Return the error of a key; one that is not there has its parent's line."""
        while place and place not in self.lines:
            place = place[:-1]
        return InputError(f"{self.where}, line {self.lines.get(place, 1)}: {message}")

    def section(
        self, place: Place, known: Collection[str], required: Collection[str] = ()
    ) -> Mapping[str, Any]:
        """Return the mapping at a place, with no key but those that are known."""
        entry = self.entries(place)
        name = place[-1] if place else "the file"
        for key in entry:
            if key not in known:
                close = difflib.get_close_matches(str(key), list(known), n=1)
                meant = f"; did you mean {close[0]}?" if close else ""
                allowed = ", ".join(known)
                raise self.error(
                    (*place, str(key)),
                    f"{name} has no key {key}{meant} Keys are {allowed}."
                    if close
                    else f"{name} has no key {key}. Keys are {allowed}.",
                )
        for key in required:
            if entry.get(key) is None:
                raise self.error(place, f"{name} lacks the key {key}; add it.")
        return entry

    def entries(self, place: Place) -> Mapping[str, Any]:
        """Return the mapping at a place, whatever its keys; empty if it is absent."""
        found: Any = self.content
        for key in place:
            found = found.get(key, {}) if isinstance(found, dict) else found
        if not isinstance(found, dict):
            name = place[-1] if place else "the file"
            raise self.error(place, f"{name} is {found!r}; write `key: value` lines.")
        return found


def read_located(text: str, where: str) -> LocatedYaml:
    r"""Read YAML, and refuse a key that stands twice in one mapping.

    Parameters
    ----------
    text : str
        YAML with a mapping at the top.
    where : str
        The name of the file in messages.

    Raises
    ------
    InputError
        If it is not YAML, not a mapping, or has a key twice.

    Examples
    --------
    >>> read_located("tables:\n  orders: {key: [id]}", "x.yml").lines[("tables",)]
    1
    """
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        content = yaml.safe_load(text)
    # a ValueError is a date that does not exist; a RecursionError, a thousand brackets
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        said = str(error) if isinstance(error, ValueError) else ""
        problem = getattr(error, "problem", None) or f"it is no YAML {said}".strip()
        raise InputError(
            f"{where}, line {line}: {problem}; mind colons, quotes and indentation."
        ) from error
    if not isinstance(content, dict):
        raise InputError(f"{where}, line 1: the file has no `key: value` lines.")
    lines: dict[Place, int] = {}

    def walk(node: yaml.Node, place: Place) -> None:
        if not isinstance(node, yaml.MappingNode):
            return
        for key, value in node.value:
            inner, line = (*place, str(key.value)), key.start_mark.line + 1
            if inner in lines:
                raise InputError(
                    f"{where}, line {line}: {key.value} stands in line "
                    f"{lines[inner]} already; keep one of them."
                )
            lines[inner] = line
            walk(value, inner)

    walk(root, ())
    return LocatedYaml(where, content, lines)
