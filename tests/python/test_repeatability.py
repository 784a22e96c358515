"""The same data give the same tables, whatever the order of the rows or the crash."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from conftest import Sample
from dbt_project import WITHOUT_TESTS, Warehouse, differences

PARTS = 3


def shuffle(landing: Path, shuffled: Path, seed: int) -> None:
    """Write the rows of every landed table in random order, to several files."""
    rng = np.random.default_rng(seed)
    for folder in landing.glob("[!.]*/*"):
        table = pq.read_table(folder)
        to = shuffled / folder.relative_to(landing)
        to.mkdir(parents=True)
        for part, rows in enumerate(
            np.array_split(rng.permutation(table.num_rows), PARTS)
        ):
            pq.write_table(table.take(rows), to / f"part-{part:05d}.parquet")


def test_second_build_changes_nothing(sample: Sample, rebuilt: Warehouse) -> None:
    rebuilt.build(*WITHOUT_TESTS)
    assert not differences(sample, rebuilt)


@pytest.mark.parametrize("threads", [1, 4])
def test_order_of_rows_and_threads_change_nothing(sample: Sample, threads: int) -> None:
    shuffled = sample.beside(f"shuffled_{threads}", same_landing=False)
    shuffle(sample.landing, shuffled.landing, seed=threads)
    shuffled.build(*WITHOUT_TESTS, threads=threads)
    assert not differences(sample, shuffled)


def test_killed_build_leaves_whole_tables_and_can_be_rerun(
    sample: Sample,
) -> None:
    killed = sample.beside("killed")
    message = "START sql table model main.transactions "
    assert killed.build_until(message, *WITHOUT_TESTS)
    left = killed.tables() & sample.tables()
    assert "main.branches" in left
    assert "main.customer_rfm" not in left
    assert not differences(sample, killed, dict.fromkeys(left, "select * from {}"))
    killed.build(*WITHOUT_TESTS)
    assert not differences(sample, killed)
