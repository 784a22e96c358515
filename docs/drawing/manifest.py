"""What the pictures need of dbt's manifest."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Node:
    """A model or seed of the manifest.

    Parameters
    ----------
    name : str
        As in ``ref``.
    subject : str
        Its folder under ``models`` or ``python_models``; ``seeds`` for a seed.
    is_public : bool
        Whether BI tools may read it.
    is_python : bool
        Whether it is a Python model.
    columns : tuple of str
        As its YAML file lists them.
    parents : tuple of str
        The models and seeds that it reads.
    """

    name: str
    subject: str
    is_public: bool
    is_python: bool
    columns: tuple[str, ...]
    parents: tuple[str, ...]

    @property
    def label(self) -> str:
        """The name without the prefix of its folder."""
        return self.name.removeprefix(f"int_{self.subject}__")


@dataclass(frozen=True)
class Lineage:
    """What pictures need of dbt's manifest.

    Parameters
    ----------
    nodes : mapping of str to Node
        By name.
    keys : mapping of str to tuple of str
        The first unique key that a test checks.
    references : tuple of (str, str, str)
        Table, column and the table that it refers to, of the relationships tests.
    """

    nodes: Mapping[str, Node]
    keys: Mapping[str, tuple[str, ...]]
    references: tuple[tuple[str, str, str], ...]

    @classmethod
    def read(cls, path: Path) -> "Lineage":
        """Read ``manifest.json``."""
        manifest = json.loads(path.read_text(encoding="utf-8"))["nodes"]
        named = {
            key: one
            for key, one in manifest.items()
            if one["resource_type"] in ("model", "seed")
        }
        nodes = {one["name"]: _node(one, named) for one in named.values()}
        keys: dict[str, tuple[str, ...]] = {}
        references = []
        for one in manifest.values():
            test = one.get("test_metadata") or {}
            if one.get("attached_node") not in named:
                continue
            table, arguments = named[one["attached_node"]]["name"], test["kwargs"]
            if test["name"] == "unique":
                keys[table] = (arguments["column_name"],)
            elif test["name"] == "unique_combination":
                keys.setdefault(table, tuple(arguments["columns"]))
            elif test["name"] == "relationships":
                other = arguments["to"].split("'")[1]
                references.append((table, arguments["column_name"], other))
        return cls(nodes, keys, tuple(sorted(references)))

    def public(self) -> list[Node]:
        """Return the public models."""
        return [node for node in self.nodes.values() if node.is_public]


def _node(found: Mapping[str, Any], named: Mapping[str, Any]) -> Node:
    is_model = found["resource_type"] == "model"
    return Node(
        name=found["name"],
        subject=found["original_file_path"].split("/")[1] if is_model else "seeds",
        is_public=is_model and found["config"].get("access") == "public",
        is_python=found.get("language") == "python",
        columns=tuple(found["columns"]),
        parents=tuple(
            sorted(
                named[parent]["name"]
                for parent in set(found["depends_on"].get("nodes", ()))
                if parent in named
            )
        ),
    )
