"""Spark in this process: the session that is open, and the tables it writes.

Only the adapter ``dbt.adapters.sparksession`` imports this: nothing of it is needed, or
installed, for DuckDB.
"""

from customer_segmentation.spark.executors import check_executors
from customer_segmentation.spark.leftovers import over_leftovers
from customer_segmentation.spark.session import open_session
from customer_segmentation.spark.tables import write_table

__all__ = ["check_executors", "open_session", "over_leftovers", "write_table"]
