"""A client of Spark Connect opens a session, or a message says why it cannot."""

import socket

import pytest

pytest.importorskip("pyspark", reason="pyspark is not installed")

import pyspark
from programs import run_python

from customer_segmentation.errors import InputError
from customer_segmentation.spark import session
from customer_segmentation.spark.session import check_server_version, open_remote

pytestmark = pytest.mark.spark


@pytest.mark.parametrize(
    "address",
    ["spark://host:7077", "local[*]", "host:15002", "sc://", "sc://host:port", "sc:/h"],
)
def test_an_address_of_another_form_is_reported(address: str) -> None:
    with pytest.raises(InputError, match=r"is not of the form sc://host:port"):
        open_remote(address, {})


def test_a_token_is_not_shown() -> None:
    with pytest.raises(InputError, match="'sc://host/path', is not of") as caught:
        open_remote("sc://host/path;token=secret", {})
    assert "secret" not in str(caught.value)


def test_an_address_where_nothing_listens_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setattr(session, "_session", None)
    monkeypatch.setenv("SPARK_REMOTE", f"sc://127.0.0.1:{port}")
    with pytest.raises(InputError, match=rf"1:{port} \(Connection refused\): start"):
        session.open_session({})


def test_an_unknown_host_is_reported() -> None:
    with pytest.raises(InputError, match=r"reached at host\.invalid:15002 \("):
        open_remote("sc://host.invalid", {})


def test_another_kind_of_server_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "SECONDS_TO_ANSWER", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"sc://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(InputError, match="does not answer as a Spark Connect serv"):
            open_remote(address, {})


def test_a_missing_package_of_the_client_is_reported() -> None:
    code = (
        "import sys\n"
        "sys.modules['grpc'] = None\n"
        "from customer_segmentation.spark.session import open_remote\n"
        "open_remote('sc://localhost', {})\n"
    )
    last = run_python(code).stderr.splitlines()[-1]
    assert "InputError: a client of Spark Connect needs a package" in last
    assert "grpcio" in last
    assert last.endswith("install customer-segmentation[spark]")


def test_a_server_of_another_version_is_reported() -> None:
    with pytest.raises(InputError, match=r"at host:15002 is Spark 4\.1\.4, but"):
        check_server_version("4.1.4", "host:15002")


def test_a_server_of_another_patch_passes() -> None:
    minor = pyspark.__version__.rpartition(".")[0]
    check_server_version(f"{minor}.99", "host:15002")
