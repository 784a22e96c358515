"""Spark of a cluster: a client of a Spark Connect server, which needs no Java here."""

import logging
import os
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyspark
from pyspark.errors import PySparkException
from pyspark.logger import PySparkLogger
from pyspark.sql import SparkSession

from customer_segmentation.errors import InputError

if TYPE_CHECKING:
    from pyspark.sql.connect.client import DefaultChannelBuilder

__all__ = ["compare_versions", "open_remote", "remote_address"]

SECONDS_TO_ANSWER = 10
FORM = "sc://host:port (15002 without a port)"
OR_UNSET = "or unset SPARK_REMOTE to run Spark in this process"


def remote_address(parameters: Mapping[str, str]) -> str | None:
    """Return the address of the Spark Connect server, if there is to be one.

    Parameters
    ----------
    parameters : mapping of str to str
        Of Spark, from the profile.
    """
    return parameters.get("spark.remote") or os.environ.get("SPARK_REMOTE") or None


def open_remote(address: str, parameters: Mapping[str, str]) -> SparkSession:
    """Return a session of a Spark Connect server.

    Parameters
    ----------
    address : str
        As ``sc://host:port``, and what else Spark allows behind it.
    parameters : mapping of str to str
        From the profile. Those that a session can change are set in it; the others are
        the server's.

    Raises
    ------
    InputError
        The server cannot be reached, or is none.
    """
    endpoint = _check_server(address)
    # it writes the trace of each failed statement, whose error is raised besides
    PySparkLogger.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    try:
        session = SparkSession.builder.remote(address).getOrCreate()
        compare_versions(session.version, endpoint)
        for name, value in parameters.items():
            is_set = value and name.startswith("spark.sql.")
            if is_set and session.conf.isModifiable(name):
                session.conf.set(name, value)
    except PySparkException as error:
        said = str(error).strip().splitlines()[0]
        raise InputError(
            f"the Spark Connect server at {endpoint} opens no session: {said}"
        ) from error
    return session


def _check_server(address: str) -> str:
    """Return host and port of a server that answers as one of Spark Connect may."""
    builder = _channel_builder(address)
    endpoint = builder.endpoint
    host, _, port = endpoint.rpartition(":")
    try:
        place = host.strip("[]"), int(port)
        socket.create_connection(place, SECONDS_TO_ANSWER).close()
    except OSError as error:
        raise InputError(
            f"no Spark Connect server can be reached at {endpoint} "
            f"({error.strerror or error}): start it there, correct the address, "
            f"{OR_UNSET}"
        ) from error
    import grpc

    with builder.toChannel() as channel:
        try:
            grpc.channel_ready_future(channel).result(SECONDS_TO_ANSWER)
        except grpc.FutureTimeoutError as error:
            raise InputError(
                f"what listens at {endpoint} does not answer as a Spark Connect "
                "server: correct host and port (15002 is usual, and 7077 is a "
                "master's), write /;use_ssl=true behind them if it wants TLS, "
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
        # what is behind the first ; may be a token
        raise InputError(
            f"the address of the Spark Connect server, {address.partition(';')[0]!r}, "
            f"is not of the form {FORM}: correct SPARK_REMOTE, {OR_UNSET}"
        ) from error


def compare_versions(server: str, endpoint: str) -> None:
    """Refuse a server that is another Spark than pyspark here.

    SQL works with one, and ``createDataFrame`` of 4.3 fails on 4.1 without a reason.

    Parameters
    ----------
    server : str
        Its version.
    endpoint : str
        Its host and port.

    Raises
    ------
    InputError
        They differ in more than the patch.
    """
    here = pyspark.__version__
    if server.split(".")[:2] != here.split(".")[:2]:
        raise InputError(
            f"the Spark Connect server at {endpoint} is Spark {server} and pyspark "
            f"here is {here}: both must be of one minor version, so start a server of "
            "that one, or install the server's pyspark here"
        )
