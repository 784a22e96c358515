"""Search simulated tables of which it is known whether they have clusters.

Run with ``python benchmarks/segmentation_structure.py``; some 40 minutes of two cores
for 40 tables of each kind, and a line for each table on the way. Every table goes the
way of a real one: declared, read by the engine, searched, chosen by ``cluster_choices``
as dbt compiles it, fitted and assigned. Beside a planted table stands the best that
scikit-learn's own fits reach when they are told the number of clusters.

With ``--keep`` the searches are kept in a folder and not done again by another run: to
go on after an interruption, or to try another rule of choice in minutes. Empty the
folder when the search itself has changed.
"""

import os
import subprocess
import sys
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
import yaml
from simulated_tables import KINDS, Table
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from customer_segmentation.segmentation.algorithms import GAUSSIAN_VARIANCE_FLOOR
from customer_segmentation.segmentation.declared import Declared
from customer_segmentation.segmentation.design_matrix import DesignMatrix
from customer_segmentation.segmentation.indices import Points
from customer_segmentation.segmentation.tables import (
    assign_customers,
    fit_segmentations,
    search_segmentations,
)

PROJECT = Path(__file__).resolve().parent.parent
DBT = Path(sys.executable).parent / "dbt"
VERDICTS = ("strong", "weak", "none")
# what must come out of 40 tables of a kind
TARGETS = {
    "independent": "none at least 38 of 40",
    "correlated": "strong at most 2 of 40",
    "planted": "none 0 of 40, every ratio at least 0.9",
}
LEAST_RATIO = 0.9


@dataclass(frozen=True)
class Outcome:
    """What became of a table.

    Parameters
    ----------
    verdict : str
        ``strong``, ``weak`` or ``none``.
    ratio : float or None
        Agreement of the segments with the planted clusters (adjusted Rand index), over
        the best that is known to be possible; None where nothing is planted.
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
@click.option("--kind", "kinds", multiple=True, type=click.Choice([*KINDS]))
def measure(
    tables: int, first: int, seed: int, keep: Path | None, kinds: tuple[str, ...]
) -> None:
    """Search tables of each kind, and count the verdicts."""
    kinds = kinds or tuple(KINDS)
    outcomes: dict[str, list[Outcome]] = {kind: [] for kind in kinds}
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder, "structure.duckdb")
        choice = compile_choice(database)
        kept_in = keep or Path(folder, "searched")
        kept_in.mkdir(parents=True, exist_ok=True)
        connection = duckdb.connect(str(database))
        # in turns, so that a run that is interrupted tells of every kind
        for number, kind in product(range(first, first + tables), kinds):
            rng = np.random.default_rng((seed, [*KINDS].index(kind), number))
            click.echo(f"{kind:<11} {number:>3} ", nl=False)
            searched = kept_in / f"{kind}_{seed}_{number}.parquet"
            outcome = segment(KINDS[kind](rng), choice, connection, searched)
            outcomes[kind].append(outcome)
    for kind, of_kind in outcomes.items():
        report(kind, of_kind)


def compile_choice(database: Path) -> str:
    """Return the SQL of ``cluster_choices``, as dbt compiles it for a database."""
    model = "cluster_choices"
    target = database.parent / "target"
    subprocess.run(
        [
            *(DBT, "--quiet", "compile", "--select", model),
            *("--target-path", target, "--log-path", database.parent / "logs"),
        ],
        cwd=PROJECT,
        env=os.environ | {"CUSTOMER_SEGMENTATION_DATABASE": str(database)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    [compiled] = target.glob(f"compiled/**/{model}.sql")
    return compiled.read_text()


def segment(
    table: Table, choice: str, connection: duckdb.DuckDBPyConnection, searched: Path
) -> Outcome:
    """Search, choose, fit and assign a table; say what came out.

    What was searched already is read.
    """
    start = time.perf_counter()
    customers = table.frame.assign(
        customer_key=[f"simulated:{row:06}" for row in range(len(table.frame))],
        source_system="simulated",
        as_of_date=pd.Timestamp("2020-01-01"),
    )
    features = store(connection, "customer_features", customers)
    variables = declare(table)
    if not searched.exists():
        pq.write_table(search_segmentations(features, variables), searched)
    store(connection, "cluster_candidates", pq.read_table(searched))
    connection.sql(f"create or replace table cluster_choices as {choice}")
    chosen = connection.sql("from cluster_choices").df().to_dict("records")[0]
    line = (
        f"{chosen['verdict']:<6} {chosen['algorithm']:<16} {chosen['setting']:<4} "
        f"p {chosen['structure_p_value']:.2f} {chosen['correlation_p_value']:.2f} "
        f"stable {chosen['stability_mean']:.3f} {chosen['stability_min']:.3f}"
    )
    ratio = None
    if table.segments is not None:
        choices = connection.table("cluster_choices")
        fits = fit_segmentations(features, choices, variables, None)
        fitted = store(connection, "fits", fits)
        reader = assign_customers(features, fitted, variables)
        assigned = reader.read_pandas().sort_values("customer_key")
        agreement = adjusted_rand_score(table.segments, assigned["segment_id"])
        best, by = best_agreement(table, design_points(table, variables))
        ratio = agreement / best
        line += f"  ARI {agreement:.3f} of {best:.3f} ({by}), ratio {ratio:.3f}"
    planted = "" if table.segments is None else f" k={np.ptp(table.segments) + 1}"
    seconds = time.perf_counter() - start
    click.echo(f"{len(customers)} customers{planted}: {line} {seconds:.0f} s")
    if ratio is not None and ratio < LEAST_RATIO:
        explain(table, connection)
    return Outcome(chosen["verdict"], ratio)


def store(
    connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table | pd.DataFrame
) -> duckdb.DuckDBPyRelation:
    """Write rows to a table in place of those it has."""
    connection.register("rows_to_store", rows)
    connection.sql(f"create or replace table {name} as from rows_to_store")
    connection.unregister("rows_to_store")
    return connection.table(name)


def declare(table: Table) -> dict[str, Any]:
    """Return the vars that declare the segmentation of a table."""
    project = yaml.safe_load((PROJECT / "vars.yml").read_text())["vars"]
    declaration = {
        "source_system": "simulated",
        "features": table.features,
        "k": [2, 8],
    }
    return {
        "segmentations": {"simulated": declaration},
        "segmentation_search": project["segmentation_search"],
        "source_systems": ["simulated"],
        "source_system_catalog": {"simulated": {}},
    }


def design_points(table: Table, variables: dict[str, Any]) -> Points:
    """Return the customers as they are clustered."""
    [segmentation] = Declared.read(variables).segmentations
    return DesignMatrix.fit(table.frame, segmentation).transform(table.frame)[0]


def best_agreement(table: Table, points: Points) -> tuple[float, str]:
    """Return the best agreement of fits that know the number of clusters, and whose."""
    k = len(np.unique(table.segments))
    mixture = GaussianMixture(k, reg_covar=GAUSSIAN_VARIANCE_FLOOR, random_state=0)
    fits = {
        "kmeans": KMeans(k, n_init=10, random_state=0),
        "ward": AgglomerativeClustering(k),
        "gaussian_mixture": mixture,
    }
    return max(
        (adjusted_rand_score(table.segments, fit.fit_predict(points)), algorithm)
        for algorithm, fit in fits.items()
    )


def explain(table: Table, connection: duckdb.DuckDBPyConnection) -> None:
    """Print the candidates that a rival to the planted clusters was chosen from."""
    k = len(np.unique(table.segments))
    rivals = connection.sql(
        f"""
        select
            candidates.*,
            candidates.algorithm = choices.algorithm
            and candidates.setting = choices.setting as is_chosen
        from cluster_candidates as candidates
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
    """Print the verdicts of a kind, and how well planted clusters were found."""
    verdicts = Counter(outcome.verdict for outcome in outcomes)
    counts = ", ".join(f"{verdict} {verdicts[verdict]}" for verdict in VERDICTS)
    click.echo(f"{kind:<12}{counts} of {len(outcomes)}  (target: {TARGETS[kind]})")
    ratios = [outcome.ratio for outcome in outcomes if outcome.ratio is not None]
    if ratios:
        missed = sum(ratio < LEAST_RATIO for ratio in ratios)
        click.echo(
            f"{'':<12}ratio at least {min(ratios):.3f}, mean {np.mean(ratios):.3f}, "
            f"below {LEAST_RATIO} {missed} times"
        )


if __name__ == "__main__":
    measure()
