"""dbt asks for it."""

from dbt.adapters.spark.__version__ import version

__all__ = ["version"]
