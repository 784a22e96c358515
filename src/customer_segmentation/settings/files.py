"""What files of settings say: YAML that names a key twice, and thresholds."""

import csv
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

from customer_segmentation.errors import InputError

__all__ = ["check_repeated_keys", "check_thresholds", "read_thresholds", "read_vars"]

THRESHOLDS = Path("seeds") / "thresholds.csv"
# thresholds that are probabilities: of 5 nobody would know what it means
PROBABILITIES = ("significance", "affinity_max_q_value")


def check_repeated_keys(text: str, where: str) -> list[str]:
    """Return a sentence for each key that a mapping in YAML has twice.

    YAML itself takes the last value, without a word.

    Parameters
    ----------
    text : str
        YAML. What is no YAML has no mistake here: dbt says so.
    where : str
        What the user calls it, such as ``vars.yml``.

    Examples
    --------
    >>> check_repeated_keys("{history_months: 1, history_months: 2}", "--vars")
    ['--vars names history_months twice, in lines 1 and 1: keep one.']
    """
    found: list[str] = []

    class Loader(yaml.SafeLoader):
        def construct_mapping(
            self, node: yaml.MappingNode, deep: bool = False
        ) -> dict[Hashable, Any]:
            lines: dict[str, int] = {}
            for key in (key for key, _ in node.value if isinstance(key.value, str)):
                line = key.start_mark.line + 1
                if key.value in lines:
                    found.append(
                        f"{where} names {key.value} twice, in lines {lines[key.value]}"
                        f" and {line}: keep one."
                    )
                lines[key.value] = line
            constructed: dict[Hashable, Any] = super().construct_mapping(node, deep)
            return constructed

    try:
        yaml.load(text, Loader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return []
    return found


def read_vars(path: Path) -> dict[str, Any]:
    """Return the vars of ``vars.yml`` by name.

    Raises
    ------
    InputError
        If it is not readable, no YAML in UTF-8, or has no names in it.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        # a ValueError is a date that does not exist, or text in another encoding
        where = getattr(error, "problem_mark", None)
        line = f", line {where.line + 1}" if where else ""
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise InputError(
            f"{path.name}{line}: cannot be read: {problem}; mind colons, quotes and"
            " indentation, and write it in UTF-8"
        ) from error
    values = (content.get("vars") or {}) if isinstance(content, dict) else content
    if not isinstance(values, dict):
        raise InputError(
            f"{path.name}: must have the key vars, and the name and value of each var"
            " below it"
        )
    return values


def read_thresholds(project: Path) -> dict[str, str | None]:
    """Return the values of ``seeds/thresholds.csv`` by name, as texts."""
    try:
        text = (project / THRESHOLDS).read_text(encoding="utf-8")
    except OSError:
        return {}
    except UnicodeDecodeError as error:
        raise InputError(f"{THRESHOLDS}: is not UTF-8; save it as UTF-8") from error
    try:
        rows = list(csv.DictReader(text.splitlines()))
    except csv.Error as error:
        raise InputError(f"{THRESHOLDS}: cannot be read as CSV: {error}") from error
    return {row["threshold"]: row.get("value") for row in rows if row.get("threshold")}


def check_thresholds(thresholds: Mapping[str, str | None]) -> list[str]:
    """Return a sentence for each threshold that is no number, or no probability.

    Examples
    --------
    >>> check_thresholds({"significance": "5", "max_psi": "1.5"})
    ['The threshold significance is 5: give a probability below 1 in seeds/thresholds.csv.']
    """  # noqa: E501
    found = []
    for name, value in thresholds.items():
        try:
            number = float(value or "")
        except (TypeError, ValueError):
            found.append(
                f"The threshold {name} is {value}: give a number in {THRESHOLDS}."
            )
            continue
        if name in PROBABILITIES and not 0 < number < 1:
            found.append(
                f"The threshold {name} is {value}: give a probability below 1 in"
                f" {THRESHOLDS}."
            )
    return found
