"""A plugin of dbt: the settings of a build are checked before dbt parses the project.

dbt imports every top-level package whose name begins with ``dbt_``, and starts its
``plugins`` when it has read the profile and ``dbt_project.yml``. So one check serves
plain ``dbt build`` and ``customer-segmentation build``, on DuckDB and on Spark.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dbt.flags import get_flags
from dbt.plugins.manager import dbtPlugin

from customer_segmentation.errors import InputError
from customer_segmentation.settings import (
    check_database,
    check_environment,
    check_repeated_keys,
    check_thresholds,
    check_variables,
    read_thresholds,
    read_vars,
)

__all__ = ["SettingsPlugin", "check_settings", "plugins"]

PROJECT = "customer_segmentation"
# commands that do without vars
WITHOUT_VARS = ("clean", "deps", "debug", "init")
# commands that compute something: declarations are read in full, which costs seconds
BUILDING = ("build", "run", "seed", "test", "compile", "show")
WRITING = ("build", "run", "seed", "test")


class SettingsPlugin(dbtPlugin):
    """Stops dbt if a var or an environment variable is wrong."""

    def initialize(self) -> None:
        """Check the settings of this command."""
        flags = get_flags()  # type: ignore[no-untyped-call]
        command = getattr(flags, "WHICH", None) or ""
        if self.project_name == PROJECT and command not in WITHOUT_VARS:
            check_settings(
                Path(getattr(flags, "PROJECT_DIR", None) or "."),
                getattr(flags, "VARS", None) or {},
                os.environ,
                command=command,
                target=getattr(flags, "TARGET", None) or "duckdb",
                arguments=sys.argv,
            )


plugins = [SettingsPlugin]


def check_settings(
    project: Path,
    overridden: Mapping[str, Any],
    environment: Mapping[str, str],
    *,
    command: str,
    target: str = "duckdb",
    arguments: Sequence[str] = (),
) -> None:
    """Check all settings of a command of dbt.

    Parameters
    ----------
    project : Path
        The folder of ``vars.yml``.
    overridden : mapping
        The vars of ``--vars``.
    environment : mapping of str to str
        All environment variables.
    command : str
        Such as ``build``.
    target : str
        The engine.
    arguments : sequence of str
        The command line, which shows keys that ``--vars`` names twice.

    Raises
    ------
    InputError
        A sentence for each mistake: the setting, its value and what would do.
    """
    declared = read_vars(project / "vars.yml")
    text = (project / "vars.yml").read_text(encoding="utf-8")
    thresholds = read_thresholds(project)
    values = {**declared, **overridden}
    found = [
        *check_environment(environment, target),
        *check_repeated_keys(text, "vars.yml"),
        *check_repeated_keys(given_vars(arguments), "--vars"),
        *check_variables(values, thresholds),
        *check_thresholds(thresholds),
    ]
    if command in WRITING and target == "duckdb":
        found += check_database(environment, Path())
    if not found and command in BUILDING:
        found = declared_mistakes(values)
    if found:
        raise InputError("\n".join(found))


def given_vars(arguments: Sequence[str]) -> str:
    """Return the YAML of ``--vars`` as it was given.

    Examples
    --------
    >>> given_vars(["dbt", "build", "--vars", "{history_months: 1}"])
    '{history_months: 1}'
    """
    for position, argument in enumerate(arguments):
        if argument == "--vars":
            return "".join(arguments[position + 1 : position + 2])
        if argument.startswith("--vars="):
            return argument.partition("=")[2]
    return ""


def declared_mistakes(values: Mapping[str, Any]) -> list[str]:
    """Return the first mistake that a subject finds in what is declared for it."""
    from customer_segmentation.prediction.settings import PredictionSettings
    from customer_segmentation.products.declare import read_declarations
    from customer_segmentation.segmentation.declare import read_segmentations
    from customer_segmentation.serving.declare import check_campaigns

    # campaigns and predictions name segmentations, so these come first
    for read in (
        read_segmentations,
        read_declarations,
        PredictionSettings.read,
        check_campaigns,
    ):
        try:
            read(values)
        except InputError as error:
            return [str(error)]
    return []
