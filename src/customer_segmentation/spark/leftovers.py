"""What a killed build leaves behind: the files of a table that was never finished."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from customer_segmentation.errors import InputError
from customer_segmentation.spark.embedded import has_embedded_metastore

__all__ = ["over_leftovers"]

OCCUPIED = "LOCATION_ALREADY_EXISTS"
Result = TypeVar("Result")


def over_leftovers(session: SparkSession, create: Callable[[], Result]) -> Result:
    """Create a table, also where files of an unfinished one are.

    Spark refuses that, and would so at every further build. Files of no table are known
    to be nobody's, and removed, where metastore and warehouse serve this process alone.

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
        location = urlsplit(parameters["location"].strip("'"))
        if location.scheme != "file" or not has_embedded_metastore(session):
            raise InputError(
                f"the table {parameters['identifier']} cannot be written: "
                f"{location.geturl()} holds files, but the metastore knows no such "
                "table. If they are what a killed build left, remove that folder"
            ) from error
        shutil.rmtree(Path(unquote(location.path)))
        return create()
