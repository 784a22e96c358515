"""Macros, such as those that publish, rendered without dbt."""

import datetime
import re
from types import SimpleNamespace
from typing import Any

import pytz
from dbt_project import REPOSITORY
from jinja2 import Environment
from jinja2.runtime import Context, Macro

__all__ = ["ReturnedError", "macros"]

PUBLISHING = ("publishing.sql", "publishing_spark.sql")


class ReturnedError(Exception):
    """What a macro returns, as dbt hands it on."""


class DbtContext(Context):
    """Ends a macro that was called by another one where it says ``return``."""

    def call(self, called: Any, /, *arguments: Any, **named: Any) -> Any:
        """Return what a macro or a function returns."""
        try:
            return super().call(called, *arguments, **named)
        except ReturnedError as returned:
            if isinstance(called, Macro):
                return returned.args[0]
            raise


class DbtEnvironment(Environment):
    """An environment whose macros return values."""

    context_class = DbtContext


def macros(*, files: tuple[str, ...] = PUBLISHING, **names: object) -> Any:
    """Return the macros of some files, with some names that dbt gives them."""
    jinja = DbtEnvironment(extensions=["jinja2.ext.do"], autoescape=False)
    text = "".join(
        (REPOSITORY / "macros" / file).read_text(encoding="utf-8") for file in files
    )
    modules = SimpleNamespace(re=re, datetime=datetime, pytz=pytz)
    return jinja.from_string(text).make_module(
        {"modules": modules, "return": hand_on} | names
    )


def hand_on(value: object) -> None:
    """Do what dbt's ``return`` does."""
    raise ReturnedError(value)
