"""The version of the adapter, which dbt asks for: that of dbt-spark."""

from dbt.adapters.spark.__version__ import version

__all__ = ["version"]
