"""Search planted tables of foreign shapes, and compare segments with the clusters.

Run ``python benchmarks/segmentation_shapes.py``. A table takes ten seconds on one core.
All candidates are taken to beat null data, so what is compared is the choice between
them. ``before`` is the choice by stability and separation alone, without the density on
borders. A ratio is the agreement with the planted clusters (adjusted Rand index), over
that of the best candidate, or of the best fit of scikit-learn that knows the number.
"""

import tempfile
from itertools import product
from pathlib import Path

import click
import duckdb
import numpy as np
from foreign_tables import Family
from segmentation_foreign import PARTS, draw
from segmentation_structure import (
    CANDIDATES,
    MIN_RATIO,
    best_agreement,
    open_choice,
    store,
)
from simulated_tables import KINDS, Table, declare, to_customer_days
from sklearn.metrics import adjusted_rand_score

from customer_segmentation.segmentation import search_segmentations
from customer_segmentation.segmentation.algorithms import Candidate
from customer_segmentation.segmentation.cluster import fit_customers
from customer_segmentation.segmentation.declare import SEED, read_segmentations
from customer_segmentation.segmentation.judge import candidates_of
from customer_segmentation.segmentation.space import DesignMatrix

SEARCHED = {
    "algorithms": ["kmeans", "ward", "gaussian_mixture", "hdbscan"],
    "k": [2, 8],
}
BUDGET = {"segmentation_resamples": 8, "segmentation_null_draws": 1}
AS_IF_STRUCTURED = "0.01 as structure_p_value, 0.01 as correlation_p_value"
WITHOUT_BORDERS = "cast(null as double) as border_density"
# of the repository's own tables, whose clusters are hardly apart
OWN = "planted"


@click.command()
@click.option("--part", type=click.Choice([*PARTS]), default="build")
@click.option("--tables", default=2, show_default=True, help="Of each family.")
@click.option("--first", default=0, show_default=True, help="Number of the first.")
def measure(part: str, tables: int, first: int) -> None:
    """Choose segments of planted tables, before and now."""
    families = [name for name, one in PARTS[part].items() if is_planted(one)]
    ratios: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        connection, choice = open_choice(Path(name))
        for number, family in product(range(first, first + tables), [*families, OWN]):
            table = planted(part, family, number)
            before, now = compare(table, connection, choice)
            ratios.setdefault(family, []).append((before[0], now[0]))
            click.echo(
                f"{family:<20}{number:>3}  {np.ptp(table.clusters) + 1} clusters: "
                f"before {before[0]:.2f} {before[1]:<40} now {now[0]:.2f} {now[1]}"
            )
    for family, found in ratios.items():
        show(family, found)
    show("all", [one for found in ratios.values() for one in found])


def is_planted(family: Family) -> bool:
    """Whether the tables of a family have clusters."""
    return family.right == "found"


def planted(part: str, family: str, number: int) -> Table:
    """Draw a table; the same number is the same table."""
    if family != OWN:
        return draw(part, family, number)
    return KINDS[OWN](np.random.default_rng((9, number, part == "held")))


def compare(
    table: Table, connection: duckdb.DuckDBPyConnection, choice: str
) -> list[tuple[float, str]]:
    """Return the ratio and the candidate of both choices."""
    customers = store(connection, "customer_days", to_customer_days(table.frame))
    variables = declare("shapes", table.features, **SEARCHED) | BUDGET
    [segmentation] = read_segmentations(variables).segmentations
    design = DesignMatrix.fit(table.frame, segmentation)
    points, _ = design.transform(table.frame)
    candidates = candidates_of(segmentation)
    agreement = {
        fit.candidate: adjusted_rand_score(table.clusters, fit.labels)
        for fit in fit_customers(points, candidates, seed=SEED)
    }
    best = max(*agreement.values(), best_agreement(table, points)[0])
    store(
        connection, "searched", search_segmentations(customers, variables).to_pandas()
    )
    chosen = []
    for replaced in (f"{AS_IF_STRUCTURED}, {WITHOUT_BORDERS}", AS_IF_STRUCTURED):
        connection.sql(
            f"create or replace table {CANDIDATES} as "
            f"select * replace ({replaced}) from searched"
        )
        [row] = connection.sql(choice).df().to_dict("records")
        found = candidate_of(row["algorithm"], row["setting"], candidates)
        chosen.append((agreement[found] / best, f"{found.algorithm} {found.setting}"))
    return chosen


def candidate_of(
    algorithm: str, setting: str, candidates: tuple[Candidate, ...]
) -> Candidate:
    """Return the candidate with this setting."""
    [found] = [
        one
        for one in candidates
        if one.algorithm == algorithm and one.setting == setting
    ]
    return found


def show(family: str, ratios: list[tuple[float, float]]) -> None:
    """Print how many tables reach the ratio."""
    before, now = np.array(ratios).T
    click.echo(
        f"{family:<20}at least {MIN_RATIO}: before {(before >= MIN_RATIO).sum()}, "
        f"now {(now >= MIN_RATIO).sum()} of {len(ratios)}; "
        f"mean {before.mean():.3f}, {now.mean():.3f}"
    )


if __name__ == "__main__":
    measure()
