"""An environment without Java and Spark, for messages about what is missing."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep a PATH without Java; each test has a working folder of its own."""
    for name in ("JAVA_HOME", "SPARK_HOME", "SPARK_REMOTE", "MASTER"):
        monkeypatch.delenv(name, raising=False)
    # a test may set them; they are restored after it
    for name in ("PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON", "SPARK_LOCAL_IP"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("bash", "cat", "dirname", "env", "ps", "sh"):
        if found := shutil.which(name):
            (programs / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.chdir(tmp_path)
