"""Spark for dbt: the session of this process, its executors, and the tables it writes.

Only the adapter ``dbt.adapters.sparksession`` imports this package. DuckDB needs none
of it, and pyspark need not be installed there.
"""

from customer_segmentation.spark.executors import check_executors
from customer_segmentation.spark.session import open_session
from customer_segmentation.spark.tables import create_over_leftovers, write_table

__all__ = ["check_executors", "create_over_leftovers", "open_session", "write_table"]
