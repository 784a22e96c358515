"""Spark needs a Java of a supported version; else a message says what to install."""

import os
from pathlib import Path

import pytest

pytest.importorskip("pyspark", reason="pyspark is not installed")

from programs import EIGHT, SEVENTEEN, install_java

from customer_segmentation.errors import InputError
from customer_segmentation.spark import session
from customer_segmentation.spark.java import check_java, major_version

pytestmark = pytest.mark.spark


@pytest.mark.parametrize(
    ("output", "major"),
    [
        (EIGHT, 8),
        (SEVENTEEN, 17),
        ('openjdk version "21" 2023-09-19', 21),
        ('openjdk version "24-ea" 2025-03-18', 24),
        (f"Picked up JAVA_TOOL_OPTIONS: -Xmx2g\n{SEVENTEEN}", 17),
        ("The operation couldn't be completed. Unable to locate a Java Runtime.", None),
        ("", None),
    ],
)
def test_the_version_of_java_is_read(output: str, major: int | None) -> None:
    assert major_version(output) == major


def test_a_missing_java_is_reported_before_spark_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "_session", None)
    with pytest.raises(InputError, match=r"there is none: .*openjdk-17-jre-headless"):
        session.open_session({})


def test_a_java_home_without_java_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    good = install_java(tmp_path / "good", SEVENTEEN)
    monkeypatch.setenv("PATH", str(good / "bin"), prepend=os.pathsep)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "gone"))
    with pytest.raises(InputError, match=r"JAVA_HOME is .*gone, where there is no bin"):
        check_java()


@pytest.mark.parametrize("version", [EIGHT, SEVENTEEN.replace("17", "11")])
def test_a_java_of_another_version_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str
) -> None:
    folder = install_java(tmp_path / "old", version)
    expected = rf"not run on Java {major_version(version)}, .*old/bin/java \(%s\)"
    monkeypatch.setenv("PATH", str(folder / "bin"), prepend=os.pathsep)
    with pytest.raises(InputError, match=expected % "on the PATH"):
        check_java()
    monkeypatch.setenv("JAVA_HOME", str(folder))
    with pytest.raises(InputError, match=expected % "by JAVA_HOME"):
        check_java()


def test_a_java_that_prints_no_version_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = install_java(tmp_path / "stub", "Unable to locate a Java Runtime.")
    monkeypatch.setenv("JAVA_HOME", str(folder))
    with pytest.raises(InputError, match=r"its version \(Unable to locate a Java Run"):
        check_java()


@pytest.mark.parametrize("version", [SEVENTEEN, 'openjdk version "21"'])
def test_java_home_comes_before_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str
) -> None:
    old = install_java(tmp_path / "old", EIGHT)
    monkeypatch.setenv("PATH", str(old / "bin"), prepend=os.pathsep)
    monkeypatch.setenv("JAVA_HOME", str(install_java(tmp_path / "good", version)))
    check_java()
