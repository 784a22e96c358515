"""Fit, search and assign many customers; print seconds and peak memory.

Run ``python benchmarks/segmentation_scale.py``, or with fewer ``--customers`` and
``--assigned``. Every step has a process of its own. Machines differ in speed, so the
time is also given as a ratio to a reference: scikit-learn fits k-means once to the same
customers, with 8 clusters, one start and one thread.
"""

import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from project import peak_mebibytes
from simulated_tables import declare, to_customer_days
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from customer_segmentation import engine
from customer_segmentation.parallel import single_threaded
from customer_segmentation.segmentation import assign_customers, fit_segmentations
from customer_segmentation.segmentation.algorithms import Candidate
from customer_segmentation.segmentation.cluster import fit_customers
from customer_segmentation.segmentation.declare import SEED, read_segmentations
from customer_segmentation.segmentation.fits import fit_segmentation
from customer_segmentation.segmentation.measures import Separation
from customer_segmentation.segmentation.weighted import Points

FEATURES = [f"feature_{number}" for number in range(1, 13)]
CLUSTERS = 8
# the standard deviation of the centres, in standard deviations within clusters: far
# enough that density methods also find the clusters
CENTRE_DEVIATION = 2.0
CANDIDATES = {
    "kmeans": Candidate("kmeans", "k", CLUSTERS),
    "ward": Candidate("ward", "k", CLUSTERS),
    "average": Candidate("average", "k", CLUSTERS),
    "gaussian_mixture": Candidate("gaussian_mixture", "k", CLUSTERS),
    "dbscan": Candidate("dbscan", "radius_quantile", 0.9),
    "hdbscan": Candidate("hdbscan", "min_cluster_share", 0.05),
}
SEARCHED_K = range(2, 13)
ROWS_PER_WRITE = 500_000
# the customers of the fit that assigns
FITTED_CUSTOMERS = 100_000
# DuckDB keeps what it wrote until this is full
ENGINE_MEMORY = "256MB"
SEGMENTATION = "scale"
VARIABLES = declare(
    SEGMENTATION,
    [{"name": name, "transform": "standard"} for name in FEATURES],
    algorithms=[*CANDIDATES],
)
STEPS = ("fit", "search", "assign")


@dataclass(frozen=True)
class Cost:
    """What a step takes.

    Parameters
    ----------
    seconds : float
        By the clock.
    processor_seconds : float
        Of all threads; more reliable than the clock on a busy machine.
    mebibytes : float
        Peak memory of the process, with the customers.
    note : str
        The result in words.
    """

    seconds: float
    processor_seconds: float
    mebibytes: float
    note: str = ""


@click.command()
@click.option("--customers", default=1_000_000, show_default=True, help="To fit to.")
@click.option(
    "--assigned",
    default=(1_000_000, 10_000_000),
    show_default=True,
    multiple=True,
    help="Number of customers to assign; may be repeated.",
)
@click.option(
    "--assigned-by",
    "assigners",
    default=("kmeans",),
    show_default=True,
    multiple=True,
    type=click.Choice([*CANDIDATES]),
    help="The algorithm whose fit assigns them; may be repeated.",
)
@click.option(
    "--algorithm",
    "algorithms",
    default=tuple(CANDIDATES),
    multiple=True,
    type=click.Choice([*CANDIDATES]),
    help="The algorithm to fit, by default all; may be repeated.",
)
@click.option(
    "--step",
    "steps",
    default=STEPS,
    multiple=True,
    type=click.Choice(STEPS),
    help="By default all; may be repeated.",
)
def measure(
    customers: int,
    assigned: tuple[int, ...],
    assigners: tuple[str, ...],
    algorithms: tuple[str, ...],
    steps: tuple[str, ...],
) -> None:
    """Measure each step in a process of its own."""
    click.echo(f"{customers:,} customers, {len(FEATURES)} features")
    reference = in_new_process(fit_reference, customers)
    show("reference", reference, reference)
    if "fit" in steps:
        click.echo("one fit each (target: under 60 s and 4,096 MiB)")
        for algorithm in algorithms:
            cost = in_new_process(fit_once, customers, CANDIDATES[algorithm])
            show(f"  {algorithm}", cost, reference)
    if "search" in steps:
        click.echo("k-means for k = 2 to 12, and four indices (target: under 120 s)")
        show("  search", in_new_process(search_k, customers), reference)
    if "assign" in steps:
        click.echo("assignment (target: memory that does not grow with the customers)")
        with tempfile.TemporaryDirectory() as folder:
            for count in assigned:
                path = Path(folder, "customer_days.parquet")
                in_new_process(write_customers, count, path)
                for algorithm in assigners:
                    fits = Path(folder, f"{algorithm}.parquet")
                    if not fits.exists():
                        in_new_process(write_fit, CANDIDATES[algorithm], fits)
                    for step in (assign, assign_and_write):
                        cost = in_new_process(step, path, fits)
                        show(f"  {count:,} by {algorithm}", cost, reference)


def in_new_process(step: Callable[..., Any], *arguments: Any) -> Any:
    """Run a step in a new process, and return its result."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as process:
        return process.submit(step, *arguments).result()


def show(label: str, cost: Cost, reference: Cost) -> None:
    """Print what a step takes."""
    ratio = cost.processor_seconds / reference.processor_seconds
    click.echo(
        f"{label:<26}{cost.seconds:>7.1f} s {cost.processor_seconds:>7.1f} s of a core "
        f"{ratio:>6.1f} references {cost.mebibytes:>7,.0f} MiB  {cost.note}"
    )


class Clock:
    """Starts when it is made."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._processor_start = time.process_time()

    def stop(self, note: str = "") -> Cost:
        """Return the time since the start, and the peak memory of the process."""
        return Cost(
            seconds=time.perf_counter() - self._start,
            processor_seconds=time.process_time() - self._processor_start,
            mebibytes=peak_mebibytes(resource.RUSAGE_SELF),
            note=note,
        )


def simulate(customers: int, stream: int = 0) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Draw customers from a mixture of normal clusters.

    Parameters
    ----------
    customers : int
        How many.
    stream : int
        Different streams draw different customers.

    Returns
    -------
    frame : pandas.DataFrame of shape (customers, features)
    clusters : ndarray of shape (customers,)
    """
    centres = np.random.default_rng(SEED).normal(size=(CLUSTERS, len(FEATURES)))
    rng = np.random.default_rng((SEED, stream))
    shares = np.arange(1, CLUSTERS + 1) / np.arange(1, CLUSTERS + 1).sum()
    clusters = rng.choice(CLUSTERS, customers, p=shares)
    points = rng.standard_normal((customers, len(FEATURES)))
    points += CENTRE_DEVIATION * centres[clusters]
    return pd.DataFrame(points, columns=FEATURES, copy=False), clusters


def standardised(customers: int) -> Points:
    """Return customers as points, as the transform ``standard`` makes them."""
    points = simulate(customers)[0].to_numpy()
    return (points - points.mean(axis=0)) / points.std(axis=0)


def fit_reference(customers: int) -> Cost:
    """Fit k-means of scikit-learn once."""
    points = standardised(customers)
    clock = Clock()
    with single_threaded():
        fitted = KMeans(CLUSTERS, n_init=1, random_state=0).fit(points)
    return clock.stop(f"{fitted.n_iter_} iterations")


def fit_once(customers: int, candidate: Candidate) -> Cost:
    """Fit a candidate as ``int_segmentation__fits`` does, and judge its segments."""
    frame, clusters = simulate(customers)
    [segmentation] = read_segmentations(VARIABLES).segmentations
    clock = Clock()
    fitted, reduction_ari = fit_segmentation(frame, segmentation, candidate)
    cost = clock.stop()
    segments = fitted.assign(frame)[0].segment
    agreement = (
        "exact" if reduction_ari is None else f"reduction ARI {reduction_ari:.3f}"
    )
    planted = adjusted_rand_score(clusters, segments)
    return replace(
        cost,
        note=f"{agreement}, planted ARI {planted:.3f}, {len(fitted.centres)} segments",
    )


def search_k(customers: int) -> Cost:
    """Fit k-means for every k, and measure the fits as the search does."""
    points = standardised(customers)
    candidates = [Candidate("kmeans", "k", k) for k in SEARCHED_K]
    clock = Clock()
    fits = fit_customers(points, candidates, seed=SEED)
    fit_seconds = clock.stop().seconds
    separation = Separation(points, np.random.default_rng(SEED))
    silhouettes = [separation.measure(fit.labels).silhouette for fit in fits]
    best = SEARCHED_K[int(np.argmax(silhouettes))]
    return clock.stop(f"best silhouette at k={best}; the fits take {fit_seconds:.1f} s")


def write_customers(customers: int, path: Path) -> None:
    """Write customers to Parquet, some rows at a time."""
    writer = None
    for start in range(0, customers, ROWS_PER_WRITE):
        rows = min(ROWS_PER_WRITE, customers - start)
        part = to_customer_days(simulate(rows, stream=start)[0], start)
        table = pa.Table.from_pandas(part, preserve_index=False)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()


def write_fit(candidate: Candidate, path: Path) -> None:
    """Write the row of ``int_segmentation__fits`` to Parquet."""
    choice = {
        "segmentation": [SEGMENTATION],
        "algorithm": [candidate.algorithm],
        "setting": [candidate.setting],
    }
    customers = to_customer_days(simulate(FITTED_CUSTOMERS)[0])
    with duckdb.connect() as connection:
        fits = fit_segmentations(
            connection.from_df(customers),
            connection.from_arrow(pa.table(choice)),
            VARIABLES,
            None,
        )
    pq.write_table(fits, path)


def assign(customers: Path, fits: Path) -> Cost:
    """Assign the customers of a Parquet file, and drop the assignments."""
    clock = Clock()
    with duckdb.connect(config={"memory_limit": ENGINE_MEMORY}) as connection:
        rows = sum(len(batch) for batch in assignments(connection, customers, fits))
    return clock.stop(f"{rows:,} rows")


def assign_and_write(customers: Path, fits: Path) -> Cost:
    """Assign the customers of a Parquet file, and write them to a table as dbt does."""
    database = customers.with_suffix(".duckdb")
    database.unlink(missing_ok=True)
    clock = Clock()
    settings = {"memory_limit": ENGINE_MEMORY}
    with duckdb.connect(str(database), config=settings) as connection:
        # one connection cannot read a stream and write it at the same time
        writing = connection.cursor()
        writing.register("stream", assignments(connection, customers, fits))
        writing.execute("create table assignments as from stream")
        rows = len(writing.table("assignments"))
    return clock.stop(f"{rows:,} rows in a table, which fills the memory of the engine")


def assignments(
    connection: duckdb.DuckDBPyConnection, customers: Path, fits: Path
) -> engine.Stream:
    """Return the stream of ``int_segmentation__assignments``."""
    connection.execute("set enable_progress_bar = false")
    return assign_customers(
        connection.read_parquet(str(customers)),
        connection.read_parquet(str(fits)),
        VARIABLES,
    )


if __name__ == "__main__":
    measure()
