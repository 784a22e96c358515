"""Tables that dbt writes on Spark, over the files that a killed build left too.

A killed build leaves the files of a table that the metastore does not know.
"""

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pandas as pd
import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from customer_segmentation.errors import InputError
from customer_segmentation.spark.embedded import has_embedded_metastore

__all__ = ["create_over_leftovers", "write_table"]

# a Spark job writes this file into a folder when it has finished
FINISHED = "_SUCCESS"
OCCUPIED = "LOCATION_ALREADY_EXISTS"
Result = TypeVar("Result")


def write_table(
    result: DataFrame | pa.Table | pd.DataFrame,
    session: SparkSession,
    name: str,
    *,
    file_format: str,
    partition_by: str | Sequence[str] | None,
) -> None:
    """Write the result of ``model()`` to a table, and replace the old table.

    Parameters
    ----------
    result : pyspark.sql.DataFrame, pyarrow.Table or pandas.DataFrame
        The executors compute a DataFrame of Spark. The other two are in this process,
        and small.
    session : pyspark.sql.SparkSession
        The session that owns the table.
    name : str
        Schema and table.
    file_format : str
        As in the config of the model: parquet, delta, iceberg, ...
    partition_by : str or sequence of str, optional
        Columns.
    """
    if isinstance(result, pd.DataFrame):
        result = pa.Table.from_pandas(result, preserve_index=False)
    if isinstance(result, pa.Table):
        # without rows, a client of Spark Connect cannot infer the types
        result = session.createDataFrame(result, from_arrow_schema(result.schema))
    writer = result.write.mode("overwrite").format(file_format)
    if partition_by:
        columns = [partition_by] if isinstance(partition_by, str) else partition_by
        writer = writer.partitionBy(*columns)
    create_over_leftovers(session, lambda: writer.saveAsTable(name))


def create_over_leftovers(
    session: SparkSession, create: Callable[[], Result]
) -> Result:
    """Create a table, even if the files of an unfinished table are in its folder.

    Spark refuses that, in every later build too. The files are removed if no other
    process shares the metastore and no Spark job has finished in the folder.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
        The session that creates the table.
    create : callable
        Creates the table.

    Returns
    -------
    Result
        The result of ``create``.

    Raises
    ------
    InputError
        If the files may belong to a table of another metastore.
    """
    try:
        return create()
    except PySparkException as error:
        if error.getCondition() != OCCUPIED:
            raise
        parameters = error.getMessageParameters() or {}
        location = _unquoted(parameters.get("location", ""))
        folder = Path(location.removeprefix("file:"))
        if not _is_unfinished(folder, session):
            table = parameters.get("identifier", "")
            raise InputError(
                f"the table {table} cannot be written: {location} holds files, but the "
                "metastore knows no such table. If a killed build left the files, "
                "remove that folder. If they are a table, use the metastore that knows "
                "it"
            ) from error
        shutil.rmtree(folder)
        return create()


def _unquoted(literal: str) -> str:
    """Return the text of an SQL literal."""
    return re.sub(r"\\(.)", r"\1", literal[1:-1])


def _is_unfinished(folder: Path, session: SparkSession) -> bool:
    """Whether a folder is in our own warehouse, and no Spark job has finished in it."""
    if not has_embedded_metastore(session):
        return False
    location = str(session.conf.get("spark.sql.warehouse.dir"))
    warehouse = Path(location.removeprefix("file:"))
    is_ours = warehouse in folder.parents and folder.is_dir()
    return is_ours and not (folder / FINISHED).exists()
