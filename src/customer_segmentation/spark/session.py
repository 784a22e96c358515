"""The Spark session of this process: Spark in it, or a client of Spark Connect.

The client of a Spark Connect server needs no Java in this process.
"""

import logging
import os
import socket
import warnings
from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING

import pyspark
from pyspark.errors import PySparkException
from pyspark.logger import PySparkLogger
from pyspark.sql import SparkSession

from customer_segmentation.errors import InputError
from customer_segmentation.spark.embedded import open_embedded

if TYPE_CHECKING:
    from pyspark.sql.connect.client import DefaultChannelBuilder

__all__ = ["check_server_version", "open_remote", "open_session"]

SECONDS_TO_ANSWER = 10
ADDRESS_FORM = "sc://host:port (15002 without a port)"
OR_UNSET = "or unset SPARK_REMOTE to run Spark in this process"

_opening = Lock()
_session: SparkSession | None = None


def open_session(parameters: Mapping[str, str]) -> SparkSession:
    """Return the session of this process; the first call opens it.

    Parameters
    ----------
    parameters : mapping of str to str
        The Spark parameters of the profile. ``spark.remote`` among them, or
        ``SPARK_REMOTE`` in the environment, is the address of a Spark Connect server.

    Raises
    ------
    InputError
        If the session cannot be opened: the message says what to install or set.
    """
    global _session
    with _opening:
        if _session is None:
            # pyspark does not know pandas 3; the project exchanges no frames with it
            warnings.filterwarnings(
                "ignore", "PySpark does not yet fully support pandas", FutureWarning
            )
            address = parameters.get("spark.remote") or os.environ.get("SPARK_REMOTE")
            _session = (
                open_remote(address, parameters)
                if address
                else open_embedded(parameters)
            )
        return _session


def open_remote(address: str, parameters: Mapping[str, str]) -> SparkSession:
    """Return a session of a Spark Connect server.

    Parameters
    ----------
    address : str
        ``sc://host:port``, with the options that Spark allows after it.
    parameters : mapping of str to str
        The Spark parameters of the profile. Those that a session may change are set in
        it; the server decides the others.

    Raises
    ------
    InputError
        If no Spark Connect server of this version can be reached at the address.
    """
    endpoint = _check_server(address)
    # pyspark logs the trace of each failed statement, although it raises the error too
    PySparkLogger.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    try:
        session = SparkSession.builder.remote(address).getOrCreate()
        check_server_version(session.version, endpoint)
        for name, value in parameters.items():
            is_set = value and name.startswith("spark.sql.")
            if is_set and session.conf.isModifiable(name):
                session.conf.set(name, value)
    except PySparkException as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"the Spark Connect server at {endpoint} opens no session: {reason}"
        ) from error
    return session


def check_server_version(server: str, endpoint: str) -> None:
    """Refuse a server whose minor version is not that of pyspark here.

    SQL works between two versions, but ``createDataFrame`` of 4.3 fails on a server of
    4.1 with a misleading error.

    Parameters
    ----------
    server : str
        Version of the server.
    endpoint : str
        Its host and port.

    Raises
    ------
    InputError
        If the minor versions differ.
    """
    here = pyspark.__version__
    if server.split(".")[:2] != here.split(".")[:2]:
        raise InputError(
            f"the Spark Connect server at {endpoint} is Spark {server}, but pyspark "
            f"here is {here}, and their minor versions must be equal: start a server "
            "of this version, or install the server's version of pyspark here"
        )


def _check_server(address: str) -> str:
    """Return host and port of an address, after a gRPC server has answered there."""
    builder = _channel_builder(address)
    endpoint: str = builder.endpoint
    host, _, port = endpoint.rpartition(":")
    try:
        place = host.strip("[]"), int(port)
        socket.create_connection(place, SECONDS_TO_ANSWER).close()
    except OSError as error:
        raise InputError(
            f"no Spark Connect server can be reached at {endpoint} "
            f"({error.strerror or error}): start one there, correct the address, "
            f"{OR_UNSET}"
        ) from error
    import grpc

    with builder.toChannel() as channel:
        try:
            grpc.channel_ready_future(channel).result(SECONDS_TO_ANSWER)
        except grpc.FutureTimeoutError as error:
            raise InputError(
                f"the program that listens at {endpoint} does not answer as a Spark "
                "Connect server: correct host and port (15002 is usual, 7077 is the "
                "port of a master), add /;use_ssl=true if the server uses TLS, "
                f"{OR_UNSET}"
            ) from error
    return endpoint


def _channel_builder(address: str) -> "DefaultChannelBuilder":
    try:
        from pyspark.sql.connect.client import DefaultChannelBuilder
    except ImportError as error:
        raise InputError(
            "a client of Spark Connect needs a package that is not installed "
            f"({str(error).splitlines()[0]}): install customer-segmentation[spark]"
        ) from error
    try:
        return DefaultChannelBuilder(address)
    except ValueError as error:
        # the text after the first ; may be a token
        raise InputError(
            f"the address of the Spark Connect server, {address.partition(';')[0]!r}, "
            f"is not of the form {ADDRESS_FORM}: correct SPARK_REMOTE, {OR_UNSET}"
        ) from error
