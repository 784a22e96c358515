"""The same data give the same tables, whatever happened to the warehouse before.

One warehouse goes through everything, because a build takes a minute: its rows land in
another order, ``dbt build --empty`` empties it, some fits and models are lost, and two
builds are killed. The next build, in other threads, must give the tables of the sample.
"""

import shutil
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
from dbt_project import (
    QUICK_SEARCH,
    WITHOUT_MODELS,
    WITHOUT_TESTS,
    Sample,
    Warehouse,
    differences,
)

PARTS = 3
REGISTRIES = {"int_segmentation__fits": "fit_id", "int_prediction__models": "model_id"}
# rows of the registries that the next build has to make again
LOST = (
    "int_segmentation__fits where source_system = 'mall'",
    "int_prediction__models where population = 'new'",
)
# the message at which a build is killed, a table that is filled by then, one that is
# still empty, and what the build excludes to get there sooner
KILLED = [
    (
        "START sql table model main.transactions ",
        *("branches", "customer_rfm", ["tag:train+"]),
    ),
    (
        "START python incremental model main_training.int_products__fits ",
        *("products", "customer_clusters", WITHOUT_MODELS[1:]),
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


def registries(warehouse: Warehouse) -> dict[str, list[tuple]]:
    """Return the ids of fits and of models."""
    return {
        table: sorted(warehouse.rows(f"select {key} from main_training.{table}"))
        for table, key in REGISTRIES.items()
    }


def contents(folder: Path) -> dict[Path, bytes]:
    """Return the bytes of all files in a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_shuffled_rows_threads_crashes_and_empty_builds_change_nothing(
    sample: Sample,
) -> None:
    changed = sample.copied("shuffled")
    changed.landing.unlink()
    shuffle(sample.landing, changed.landing, seed=4)
    shutil.copytree(sample.published.parent, changed.published.parent, symlinks=True)
    published = contents(changed.published.parent)

    changed.build(
        *("--empty", "--select", "int_features__as_of_dates+", *WITHOUT_TESTS),
        variables=QUICK_SEARCH,
    )
    assert registries(changed) == registries(sample)
    for table in ("customer_segments", "customer_predictions"):
        assert changed.value(f"from {table} select count(*)") == 0

    with duckdb.connect(changed.database) as connection:
        for lost in LOST:
            [(rows,)] = connection.execute(
                f"delete from main_training.{lost}"
            ).fetchall()
            assert rows > 0
    for message, is_there, is_not, excluded in KILLED:
        assert changed.build_until(
            message, *WITHOUT_TESTS, *excluded, variables=QUICK_SEARCH
        )
        assert changed.value(f"from {is_there} select count(*)") > 0
        assert changed.value(f"from {is_not} select count(*)") == 0
        # readers have all of the last whole build
        assert contents(changed.published.parent) == published

    # the sample was built in two threads
    changed.build(*WITHOUT_TESTS, variables=QUICK_SEARCH, threads=4)
    assert not differences(sample, changed)
    assert "did not end: tables of" in changed.messages.read_text(encoding="utf-8")
