"""Tables of what a Python model returned."""

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from customer_segmentation.spark.leftovers import over_leftovers

__all__ = ["write_table"]


def write_table(
    result: DataFrame | pa.Table | pd.DataFrame,
    session: SparkSession,
    name: str,
    *,
    file_format: str,
    partition_by: str | Sequence[str] | None,
) -> None:
    """Write what ``model()`` returned to a table, in place of the old one.

    Parameters
    ----------
    result : pyspark.sql.DataFrame, pyarrow.Table or pandas.DataFrame
        A DataFrame of Spark is computed where it lies; the others are in this process,
        and small.
    session : pyspark.sql.SparkSession
        That has the table.
    name : str
        Schema and table.
    file_format : str
        As the model's config has it: parquet, delta, iceberg, ...
    partition_by : str or sequence of str, optional
        Columns.
    """
    if isinstance(result, pd.DataFrame):
        result = pa.Table.from_pandas(result, preserve_index=False)
    if isinstance(result, pa.Table):
        # a client of Spark Connect infers nothing from no rows
        result = session.createDataFrame(result, from_arrow_schema(result.schema))
    writer = result.write.mode("overwrite").format(file_format)
    if partition_by:
        writer = writer.partitionBy(partition_by)
    over_leftovers(session, lambda: writer.saveAsTable(name))
