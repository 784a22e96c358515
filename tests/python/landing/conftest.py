"""The landing zone of a test."""

from pathlib import Path

import pytest


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    """Return a landing zone that does not exist yet."""
    return tmp_path / "landing"
