"""The same data give the same tables in any order of the rows, and after a crash.

test_segmentations.py shows that a second build changes nothing.
"""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from dbt_project import PREDICTIONS, QUICK_SEARCH, WITHOUT_TESTS, Sample, differences

PARTS = 3
# the message at which a build is killed, a table that it has built by then, one that it
# has not, and what it excludes to get there sooner
KILLED = [
    (
        "START sql table model main.transactions ",
        *("branches", "customer_rfm", ["tag:train+"]),
    ),
    (
        "START python incremental model main_training.int_segmentation__fits ",
        *("cluster_choices", "customer_clusters", PREDICTIONS),
    ),
]


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


def test_shuffled_rows_threads_and_crashes_change_nothing(sample: Sample) -> None:
    shuffled = sample.beside("shuffled", same_landing=False)
    shuffle(sample.landing, shuffled.landing, seed=4)
    for message, is_there, is_not, excluded in KILLED:
        assert shuffled.build_until(
            message, *WITHOUT_TESTS, *excluded, variables=QUICK_SEARCH
        )
        left = shuffled.tables() & sample.tables()
        assert f"main.{is_there}" in left
        assert f"main.{is_not}" not in left
        whole = dict.fromkeys(left, "select * from {}")
        assert not differences(sample, shuffled, whole)
    # the sample was built in two threads
    shuffled.build(*WITHOUT_TESTS, variables=QUICK_SEARCH, threads=4)
    assert not differences(sample, shuffled)
