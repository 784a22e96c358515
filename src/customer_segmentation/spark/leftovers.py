"""What a killed build leaves behind: the files of a table that was never finished."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from customer_segmentation.errors import InputError
from customer_segmentation.spark.embedded import has_embedded_metastore

__all__ = ["over_leftovers"]

# in a folder that a job of Spark has written to its end
WRITTEN = "_SUCCESS"
OCCUPIED = "LOCATION_ALREADY_EXISTS"
Result = TypeVar("Result")


def over_leftovers(session: SparkSession, create: Callable[[], Result]) -> Result:
    """Create a table, also where files of an unfinished one are.

    Spark refuses that, and would so at every further build. The files are removed where
    nobody else has the metastore, and where no write has ended: that leaves a mark.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
        That creates it.
    create : callable
        Creates it.

    Raises
    ------
    InputError
        The files may be somebody's.
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
                f"the table {table} cannot be written: {location} holds files, and the "
                "metastore knows no such table. If they are what a killed build left, "
                "remove that folder; if they are a table, its metastore is another one"
            ) from error
        shutil.rmtree(folder)
        return create()


def _unquoted(literal: str) -> str:
    """Return the text of a literal of SQL."""
    return re.sub(r"\\(.)", r"\1", literal[1:-1])


def _is_unfinished(folder: Path, session: SparkSession) -> bool:
    """Whether a folder is of our warehouse alone, and no write to it has ended."""
    if not has_embedded_metastore(session):
        return False
    warehouse = session.conf.get("spark.sql.warehouse.dir").removeprefix("file:")
    is_ours = Path(warehouse) in folder.parents and folder.is_dir()
    return is_ours and not (folder / WRITTEN).exists()
