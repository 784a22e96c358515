"""Raw files simulated once for all tests of the simulation."""

from collections import Counter
from pathlib import Path

import pytest
from simulated import Row, marketplace_reasons, rows_of, simulate, usable_lines


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the simulated files."""
    return simulate(tmp_path_factory.mktemp("simulated") / "raw")


@pytest.fixture(scope="session")
def planted(simulated: Path) -> dict[tuple[str, str, str], int]:
    """Return the planted dirt: rows by source system, table and reason."""
    return {
        (row["source_system"], row["source_table"], row["reason"]): int(row["rows"])
        for row in rows_of(simulated / "truth" / "planted_dirt.csv")
    }


@pytest.fixture(scope="session")
def marketplace(
    simulated: Path,
) -> tuple[Counter[tuple[str, str]], dict[str, list[Row]]]:
    """Return the rejected rows by table and reason, and the usable rows by table."""
    return marketplace_reasons(simulated)


@pytest.fixture(scope="session")
def lines(simulated: Path) -> list[Row]:
    """Return the usable invoice lines."""
    return usable_lines(simulated)
