"""The same data give the same tables, whatever the order of the rows or the crash."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from conftest import Sample
from dbt_project import PREDICTIONS, QUICK_SEARCH, WITHOUT_TESTS, differences

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


def test_second_build_changes_nothing(sample: Sample) -> None:
    again = sample.copied("built_twice")
    again.build(*WITHOUT_TESTS, variables=QUICK_SEARCH)
    assert not differences(sample, again)


@pytest.mark.parametrize("threads", [4])
def test_order_of_rows_and_threads_change_nothing(sample: Sample, threads: int) -> None:
    shuffled = sample.beside(f"shuffled_{threads}", same_landing=False)
    shuffle(sample.landing, shuffled.landing, seed=threads)
    shuffled.build(*WITHOUT_TESTS, variables=QUICK_SEARCH, threads=threads)
    assert not differences(sample, shuffled)


@pytest.mark.parametrize(
    ("message", "is_there", "is_not", "left_out"),
    [
        (
            "START sql table model main.transactions ",
            *("branches", "customer_rfm", ["tag:train+"]),
        ),
        (
            "START python incremental model main_intermediate.int_segmentation__fits ",
            *("cluster_choices", "customer_clusters", PREDICTIONS),
        ),
    ],
    ids=["in SQL", "in Python"],
)
def test_killed_build_leaves_whole_tables_and_can_be_rerun(
    sample: Sample, message: str, is_there: str, is_not: str, left_out: Sequence[str]
) -> None:
    killed = sample.beside(f"killed_before_{is_not}")
    arguments = (*WITHOUT_TESTS, *left_out)
    assert killed.build_until(message, *arguments, variables=QUICK_SEARCH)
    left = killed.tables() & sample.tables()
    assert f"main.{is_there}" in left
    assert f"main.{is_not}" not in left
    assert not differences(sample, killed, dict.fromkeys(left, "select * from {}"))
    killed.build(*arguments, variables=QUICK_SEARCH)
    built = sorted(killed.tables())
    assert f"main.{is_not}" in built
    assert not differences(sample, killed, dict.fromkeys(built, "select * from {}"))
