"""The landing zone of a test."""

from pathlib import Path

import pytest


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    """Return a landing zone that does not exist yet."""
    return tmp_path / "landing"


@pytest.fixture(scope="module")
def zones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for the files that fuzzing writes, and their landing zones."""
    return tmp_path_factory.mktemp("zones")
