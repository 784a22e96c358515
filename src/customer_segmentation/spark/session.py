"""The session of this process: Spark in it, or the client of a cluster."""

import warnings
from collections.abc import Mapping
from threading import Lock

from pyspark.sql import SparkSession

from customer_segmentation.spark.connect import open_remote, remote_address
from customer_segmentation.spark.embedded import open_embedded

__all__ = ["open_session"]

_opening = Lock()
_session: SparkSession | None = None


def open_session(parameters: Mapping[str, str]) -> SparkSession:
    """Return the session of this process, opened at the first call.

    Parameters
    ----------
    parameters : mapping of str to str
        Of Spark, from the profile. ``spark.remote`` among them, or ``SPARK_REMOTE`` in
        the environment, is the address of a Spark Connect server.

    Raises
    ------
    InputError
        It cannot be opened: says what to install or set.
    """
    global _session
    with _opening:
        if _session is None:
            _silence_pandas()
            address = remote_address(parameters)
            _session = (
                open_remote(address, parameters)
                if address
                else open_embedded(parameters)
            )
        return _session


def _silence_pandas() -> None:
    """Ignore that pyspark knows no pandas 3: frames do not pass between the two."""
    warnings.filterwarnings(
        "ignore", "PySpark does not yet fully support pandas", FutureWarning
    )
