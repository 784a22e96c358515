"""Fit, search and assign many customers; say seconds and peak memory.

Run with ``python benchmarks/segmentation_scale.py``, or with fewer ``--customers`` and
``--assigned``. Every step has a process of its own. The machine's speed is not ours, so
the time is also given as a ratio to one k-means fit of scikit-learn (8 clusters, one
start, one thread) to the same customers.
"""

import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from customer_segmentation import engine
from customer_segmentation.segmentation.algorithms import Candidate
from customer_segmentation.segmentation.declared import Declared
from customer_segmentation.segmentation.fits import fit_segmentation
from customer_segmentation.segmentation.fitting import fit_customers
from customer_segmentation.segmentation.indices import Measures, Points
from customer_segmentation.segmentation.search import SEED
from customer_segmentation.segmentation.specs import Segmentation
from customer_segmentation.segmentation.tables import (
    assign_customers,
    fit_segmentations,
)

FEATURES = [f"feature_{number}" for number in range(1, 13)]
CLUSTERS = 8
# of the centres, in spreads within: density methods find the clusters too
SPREAD_OF_CENTRES = 2.0
CANDIDATES = {
    "kmeans": Candidate("kmeans", "k", CLUSTERS),
    "ward": Candidate("ward", "k", CLUSTERS),
    "average": Candidate("average", "k", CLUSTERS),
    "gaussian_mixture": Candidate("gaussian_mixture", "k", CLUSTERS),
    "dbscan": Candidate("dbscan", "radius_quantile", 0.9),
    "hdbscan": Candidate("hdbscan", "min_cluster_share", 0.05),
}
SEARCHED = range(2, 13)
ROWS_WRITTEN_AT_A_TIME = 500_000
CUSTOMERS_OF_THE_SCORED_FIT = 100_000
# DuckDB keeps what it wrote until it has filled this
MEMORY_OF_THE_ENGINE = "256MB"
VARIABLES = {
    "segmentations": {
        "scale": {
            "source_system": "simulated",
            "features": [{"name": name, "transform": "standard"} for name in FEATURES],
            "algorithms": [*CANDIDATES],
        }
    },
    "source_systems": ["simulated"],
    "source_system_catalog": {"simulated": {}},
    "segmentation_search": {},
}
STEPS = ("fit", "search", "assign")


@dataclass(frozen=True)
class Cost:
    """What a step took.

    Parameters
    ----------
    seconds : float
        By the clock.
    processor_seconds : float
        Of all threads; on a busy machine more to be trusted.
    mebibytes : float
        The most that was resident, the customers included.
    note : str
        What came out.
    """

    seconds: float
    processor_seconds: float
    mebibytes: float
    note: str


@click.command()
@click.option("--customers", default=1_000_000, show_default=True, help="To fit to.")
@click.option(
    "--assigned",
    default=(1_000_000, 10_000_000),
    show_default=True,
    multiple=True,
    help="To assign; may be repeated.",
)
@click.option(
    "--scored-by",
    default=("kmeans",),
    show_default=True,
    multiple=True,
    type=click.Choice([*CANDIDATES]),
    help="Whose fit assigns them; may be repeated.",
)
@click.option(
    "--algorithm",
    "algorithms",
    default=tuple(CANDIDATES),
    multiple=True,
    type=click.Choice([*CANDIDATES]),
    help="To fit, all by default; may be repeated.",
)
@click.option(
    "--step",
    "steps",
    default=STEPS,
    multiple=True,
    type=click.Choice(STEPS),
    help="All by default; may be repeated.",
)
def measure(
    customers: int,
    assigned: tuple[int, ...],
    scored_by: tuple[str, ...],
    algorithms: tuple[str, ...],
    steps: tuple[str, ...],
) -> None:
    """Measure each step in a process of its own."""
    click.echo(f"{customers:,} customers, {len(FEATURES)} features")
    reference = apart(fit_reference, customers)
    show("reference", reference, reference)
    if "fit" in steps:
        click.echo("one fit each (target: under 60 s and 4,096 MiB)")
        for algorithm in algorithms:
            cost = apart(fit_once, customers, CANDIDATES[algorithm])
            show(f"  {algorithm}", cost, reference)
    if "search" in steps:
        click.echo(
            "k-means for k = 2 to 12, and the four indices (target: under 120 s)"
        )
        show("  search", apart(search_k, customers), reference)
    if "assign" in steps:
        click.echo("assignment (target: memory that does not grow with the customers)")
        with tempfile.TemporaryDirectory() as folder:
            for count in assigned:
                path = Path(folder, "customer_features.parquet")
                apart(write_customers, count, path)
                for algorithm in scored_by:
                    fits = Path(folder, f"{algorithm}.parquet")
                    if not fits.exists():
                        apart(write_fit, CANDIDATES[algorithm], fits)
                    for step in (assign, assign_and_write):
                        cost = apart(step, path, fits)
                        show(f"  {count:,} by {algorithm}", cost, reference)


def apart(step: Callable[..., Cost], *arguments: Any) -> Cost:
    """Run a step in a new process, and return what it took."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as process:
        return process.submit(step, *arguments).result()


def show(label: str, cost: Cost, reference: Cost) -> None:
    """Print what a step took."""
    ratio = cost.processor_seconds / reference.processor_seconds
    click.echo(
        f"{label:<26}{cost.seconds:>7.1f} s {cost.processor_seconds:>7.1f} s of a core "
        f"{ratio:>6.1f} references {cost.mebibytes:>7,.0f} MiB  {cost.note}"
    )


class Clock:
    """Measures from its making on."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._processor_start = time.process_time()

    def stop(self, note: str) -> Cost:
        """Return what it took since, and the peak memory of the process."""
        # in kibibytes
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        seconds = time.perf_counter() - self._start
        return Cost(seconds, time.process_time() - self._processor_start, peak, note)


def simulate(customers: int, stream: int = 0) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Return customers of a mixture of normal clusters, and their clusters."""
    centres = np.random.default_rng(SEED).normal(size=(CLUSTERS, len(FEATURES)))
    rng = np.random.default_rng((SEED, stream))
    shares = np.arange(1, CLUSTERS + 1) / np.arange(1, CLUSTERS + 1).sum()
    clusters = rng.choice(CLUSTERS, customers, p=shares)
    points = rng.standard_normal((customers, len(FEATURES)))
    points += SPREAD_OF_CENTRES * centres[clusters]
    return pd.DataFrame(points, columns=FEATURES, copy=False), clusters


def declare() -> Segmentation:
    """Return the segmentation that is fitted."""
    [segmentation] = Declared.read(VARIABLES).segmentations
    return segmentation


def standardised(customers: int) -> Points:
    """Return the customers as the transform ``standard`` puts them."""
    points = simulate(customers)[0].to_numpy()
    return (points - points.mean(axis=0)) / points.std(axis=0)


def fit_reference(customers: int) -> Cost:
    """Fit scikit-learn's k-means once."""
    points = standardised(customers)
    clock = Clock()
    with threadpool_limits(limits=1):
        fitted = KMeans(CLUSTERS, n_init=1, random_state=0).fit(points)
    return clock.stop(f"{fitted.n_iter_} iterations")


def fit_once(customers: int, candidate: Candidate) -> Cost:
    """Fit a candidate as the model of the fits does; say how well it agrees."""
    frame, clusters = simulate(customers)
    clock = Clock()
    fitted, reduction_ari = fit_segmentation(frame, declare(), candidate)
    cost = clock.stop("")
    segments = fitted.assign(frame)[0].segment
    agreed = "exact" if reduction_ari is None else f"reduction ARI {reduction_ari:.3f}"
    planted = adjusted_rand_score(clusters, segments)
    note = f"{agreed}, planted ARI {planted:.3f}, {len(fitted.centres)} segments"
    return Cost(cost.seconds, cost.processor_seconds, cost.mebibytes, note)


def search_k(customers: int) -> Cost:
    """Fit k-means for every k, and measure the fits as the search does."""
    points = standardised(customers)
    candidates = [Candidate("kmeans", "k", k) for k in SEARCHED]
    clock = Clock()
    fits = fit_customers(points, candidates, seed=SEED)
    fitted = clock.stop("").seconds
    measures = Measures(points, np.random.default_rng(SEED))
    silhouettes = [measures.of(fit.labels).silhouette for fit in fits]
    best = SEARCHED[int(np.argmax(silhouettes))]
    return clock.stop(f"best silhouette at k={best}; {fitted:.1f} s of fitting")


def write_customers(customers: int, path: Path) -> Cost:
    """Write ``customer_features`` to Parquet, a part at a time."""
    clock = Clock()
    writer = None
    for start in range(0, customers, ROWS_WRITTEN_AT_A_TIME):
        rows = min(ROWS_WRITTEN_AT_A_TIME, customers - start)
        part = with_keys(simulate(rows, stream=start)[0], start)
        table = pa.Table.from_pandas(part, preserve_index=False)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()
    return clock.stop("")


def with_keys(frame: pd.DataFrame, start: int = 0) -> pd.DataFrame:
    """Return features with the columns that ``customer_features`` has beside them."""
    numbers = range(start, start + len(frame))
    return frame.assign(
        customer_key=[f"simulated:{number}" for number in numbers],
        source_system="simulated",
        as_of_date=pd.Timestamp("2020-01-01"),
    )


def write_fit(candidate: Candidate, path: Path) -> Cost:
    """Write the row of ``int_segmentation__fits`` to Parquet."""
    clock = Clock()
    choice = {
        "segmentation": ["scale"],
        "algorithm": [candidate.algorithm],
        "setting": [candidate.setting],
    }
    customers = with_keys(simulate(CUSTOMERS_OF_THE_SCORED_FIT)[0])
    with duckdb.connect() as connection:
        fits = fit_segmentations(
            connection.from_df(customers),
            connection.from_arrow(pa.table(choice)),
            VARIABLES,
            None,
        )
    pq.write_table(fits, path)
    return clock.stop("")


def assign(customers: Path, fits: Path) -> Cost:
    """Assign the customers of a Parquet file, and keep nothing."""
    clock = Clock()
    with duckdb.connect(config={"memory_limit": MEMORY_OF_THE_ENGINE}) as connection:
        rows = sum(len(batch) for batch in stream(connection, customers, fits))
    return clock.stop(f"{rows:,} rows")


def assign_and_write(customers: Path, fits: Path) -> Cost:
    """Assign the customers of a Parquet file into a table, as dbt does."""
    database = customers.with_suffix(".duckdb")
    database.unlink(missing_ok=True)
    clock = Clock()
    settings = {"memory_limit": MEMORY_OF_THE_ENGINE}
    with duckdb.connect(str(database), config=settings) as connection:
        # a connection cannot read a stream and write it at once
        writing = connection.cursor()
        writing.register("stream", stream(connection, customers, fits))
        writing.execute("create table customer_clusters as from stream")
        rows = len(writing.table("customer_clusters"))
    return clock.stop(f"{rows:,} rows written to a table, which fills the engine")


def stream(
    connection: duckdb.DuckDBPyConnection, customers: Path, fits: Path
) -> engine.Stream:
    """Return the assignments as the model of the assignments does."""
    connection.execute("set enable_progress_bar = false")
    return assign_customers(
        connection.read_parquet(str(customers)),
        connection.read_parquet(str(fits)),
        VARIABLES,
    )


if __name__ == "__main__":
    measure()
