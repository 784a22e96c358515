"""Search simulated tables that are known to have clusters, or to have none.

Run ``python benchmarks/segmentation_structure.py``. Forty tables of each kind take
about 40 minutes on two cores; each table prints a line. A table goes the way of real
customers: it is declared, searched, chosen by the compiled ``cluster_choices``, fitted
and assigned. The segments of a planted table are compared with the best fit of
scikit-learn that knows the number of clusters.

``--keep`` keeps the searches in a folder, and another run reads them there. Use it to
continue an interrupted run, or to try another rule of choice in minutes. Empty the
folder when the search itself changes.
"""

import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import click
import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from project import PROJECT, dbt_folders, read_variables, run
from simulated_tables import KINDS, Table, declare, to_customer_days
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from customer_segmentation.segmentation import (
    assign_customers,
    fit_segmentations,
    search_segmentations,
)
from customer_segmentation.segmentation.algorithms import GAUSSIAN_VARIANCE_FLOOR
from customer_segmentation.segmentation.declare import read_segmentations
from customer_segmentation.segmentation.space import DesignMatrix
from customer_segmentation.segmentation.weighted import Points

VERDICTS = ("strong", "weak", "none")
# for 40 tables of a kind
TARGETS = {
    "independent": "none at least 38 of 40",
    "independent, bimodal": "strong 0: one feature sets two groups apart",
    "correlated": "strong at most 2 of 40",
    "planted": "none 0 of 40, every ratio at least 0.9",
}
MIN_RATIO = 0.9
SEARCH_VARIABLES = ("segmentation_resamples", "segmentation_null_draws")
# the tables that cluster_choices reads
CANDIDATES = "main_private.int_segmentation__candidates"
THRESHOLDS = "main.thresholds"


@dataclass(frozen=True)
class Outcome:
    """The result for a table.

    Parameters
    ----------
    verdict : str
        ``strong``, ``weak`` or ``none``.
    ratio : float or None
        Agreement of the segments with the planted clusters (adjusted Rand index), over
        the agreement of the best known fit; None if nothing is planted.
    """

    verdict: str
    ratio: float | None


@click.command()
@click.option("--tables", default=40, show_default=True, help="Of each kind.")
@click.option("--first", default=0, show_default=True, help="Number of the first.")
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder to keep the searches in.",
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    default=tuple(KINDS),
    type=click.Choice([*KINDS]),
    help="By default all; may be repeated.",
)
def measure(
    tables: int, first: int, seed: int, keep: Path | None, kinds: tuple[str, ...]
) -> None:
    """Search tables of each kind, and count the verdicts."""
    outcomes: dict[str, list[Outcome]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        searches = keep or folder / "searches"
        searches.mkdir(parents=True, exist_ok=True)
        connection, choice = open_choice(folder)
        # the kinds in turn, so that an interrupted run has some of each
        for number, kind in product(range(first, first + tables), kinds):
            rng = np.random.default_rng((seed, [*KINDS].index(kind), number))
            click.echo(f"{kind:<11} {number:>3} ", nl=False)
            search = searches / f"{kind}_{seed}_{number}.parquet"
            table = KINDS[kind](rng)
            outcome = segment(table, choice, connection, search)
            is_bimodal = any(name.startswith("bimodal") for name in table.frame)
            is_apart = kind == "independent" and is_bimodal
            outcomes.setdefault(kind + ", bimodal" * is_apart, []).append(outcome)
    for kind, of_kind in outcomes.items():
        report(kind, of_kind)


def open_choice(folder: Path) -> tuple[duckdb.DuckDBPyConnection, str]:
    """Return a new database with the thresholds, and the SQL of the choice."""
    database = folder / "structure.duckdb"
    choice = compile_choice(folder, database)
    connection = duckdb.connect(str(database))
    connection.sql("create schema if not exists main_private")
    thresholds = connection.read_csv(str(PROJECT / "seeds/thresholds.csv"))
    store(connection, THRESHOLDS, thresholds.to_arrow_table())
    return connection, choice


def compile_choice(folder: Path, database: Path) -> str:
    """Return the SQL of ``cluster_choices``, as dbt compiles it for a database."""
    model = "cluster_choices"
    compile_model = ("--quiet", "compile", "--select", model, *dbt_folders(folder))
    run(
        "dbt",
        *compile_model,
        environment={"CUSTOMER_SEGMENTATION_DATABASE": str(database)},
    )
    [compiled] = folder.glob(f"target/compiled/**/{model}.sql")
    return compiled.read_text(encoding="utf-8")


def segment(
    table: Table, choice: str, connection: duckdb.DuckDBPyConnection, search: Path
) -> Outcome:
    """Search, choose, fit and assign a table, and print the result.

    Parameters
    ----------
    table : Table
        The customers.
    choice : str
        The SQL of ``cluster_choices``.
    connection : duckdb.DuckDBPyConnection
        To a database with the thresholds.
    search : Path
        A Parquet file that keeps the search; if it exists, it is read.
    """
    start = time.perf_counter()
    customers = to_customer_days(table.frame)
    features = store(connection, "customer_days", customers)
    variables = declared_variables(table)
    if not search.exists():
        pq.write_table(search_segmentations(features, variables), search)
    store(connection, CANDIDATES, pq.read_table(search))
    connection.sql(f"create or replace table cluster_choices as {choice}")
    choices = connection.table("cluster_choices")
    [chosen] = choices.df().to_dict("records")
    line = (
        f"{chosen['verdict']:<6} {chosen['algorithm']:<16} {chosen['setting']:<4} "
        f"p {chosen['structure_p_value']:.2f} {chosen['correlation_p_value']:.2f} "
        f"stable {chosen['stability_mean']:.3f} {chosen['stability_min']:.3f}"
    )
    ratio, planted = None, ""
    if table.clusters is not None:
        planted = f", {np.ptp(table.clusters) + 1} clusters"
        fits = fit_segmentations(features, choices, variables, None)
        fitted = store(connection, "fits", fits)
        reader = assign_customers(features, fitted, variables)
        assigned = reader.read_pandas().sort_values("customer_key")
        agreement = adjusted_rand_score(table.clusters, assigned["segment_id"])
        best, algorithm = best_agreement(table, design_points(table, variables))
        ratio = agreement / best
        line += f"  ARI {agreement:.3f} of {best:.3f} ({algorithm}), ratio {ratio:.3f}"
    seconds = time.perf_counter() - start
    click.echo(f"{len(customers)} customers{planted}: {line} {seconds:.0f} s")
    if ratio is not None and ratio < MIN_RATIO:
        show_rivals(table, connection)
    return Outcome(chosen["verdict"], ratio)


def store(
    connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table | pd.DataFrame
) -> duckdb.DuckDBPyRelation:
    """Replace a table by other rows, and return it."""
    connection.register("rows_to_store", rows)
    connection.sql(f"create or replace table {name} as from rows_to_store")
    connection.unregister("rows_to_store")
    return connection.table(name)


def declared_variables(table: Table) -> dict[str, Any]:
    """Return the vars that declare the segmentation of a table."""
    project = read_variables()
    searched = {name: project[name] for name in SEARCH_VARIABLES}
    return declare("simulated", table.features, k=[2, 8]) | searched


def design_points(table: Table, variables: dict[str, Any]) -> Points:
    """Return the customers as they are clustered."""
    [segmentation] = read_segmentations(variables).segmentations
    return DesignMatrix.fit(table.frame, segmentation).transform(table.frame)[0]


def best_agreement(table: Table, points: Points) -> tuple[float, str]:
    """Return the best agreement of fits with the true number of clusters, and whose."""
    k = len(np.unique(table.clusters))
    mixture = GaussianMixture(k, reg_covar=GAUSSIAN_VARIANCE_FLOOR, random_state=0)
    fits = {
        "kmeans": KMeans(k, n_init=10, random_state=0),
        "ward": AgglomerativeClustering(k),
        "gaussian_mixture": mixture,
    }
    return max(
        (adjusted_rand_score(table.clusters, fit.fit_predict(points)), algorithm)
        for algorithm, fit in fits.items()
    )


def show_rivals(table: Table, connection: duckdb.DuckDBPyConnection) -> None:
    """Print the chosen candidate, and those with the true number of clusters."""
    k = len(np.unique(table.clusters))
    rivals = connection.sql(
        f"""
        select
            candidates.*,
            candidates.algorithm = choices.algorithm
            and candidates.setting = choices.setting as is_chosen
        from {CANDIDATES} as candidates
        cross join cluster_choices as choices
        where is_chosen or candidates.n_clusters = {k}
        order by is_chosen desc, candidates.algorithm
        """
    ).df()
    for rival in rivals.to_dict("records"):
        click.echo(
            f"    {'chosen' if rival['is_chosen'] else 'true k':<8}"
            f"{rival['algorithm']:<17}{rival['setting']:<5}"
            f"stable {rival['stability_mean']:.3f} {rival['stability_min']:.3f}  "
            f"silhouette {rival['silhouette']:.3f}  "
            f"Calinski-Harabasz {rival['calinski_harabasz']:.0f}  "
            f"smallest {rival['smallest_share']:.3f}  "
            f"p {rival['structure_p_value']:.2f} {rival['correlation_p_value']:.2f}"
        )


def report(kind: str, outcomes: list[Outcome]) -> None:
    """Print the verdicts of a kind, and the ratios of planted tables."""
    verdicts = Counter(outcome.verdict for outcome in outcomes)
    counts = ", ".join(f"{verdict} {verdicts[verdict]}" for verdict in VERDICTS)
    click.echo(f"{kind:<21}{counts} of {len(outcomes)}  (target: {TARGETS[kind]})")
    ratios = [outcome.ratio for outcome in outcomes if outcome.ratio is not None]
    if ratios:
        missed = sum(ratio < MIN_RATIO for ratio in ratios)
        click.echo(
            f"{'':<12}minimum ratio {min(ratios):.3f}, mean {np.mean(ratios):.3f}, "
            f"{missed} below {MIN_RATIO}"
        )


if __name__ == "__main__":
    measure()
