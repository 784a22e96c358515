"""Search tables of foreign make, and count the verdicts of each family.

Run ``python benchmarks/segmentation_foreign.py``. A table takes ten seconds on two
cores. Each is declared, searched by k-means and HDBSCAN, and chosen by the compiled
``cluster_choices``. ``before`` is the verdict without gaps: what only null data and
stability say of the candidate that they choose.

With ``--null-draws 1`` a table takes a second, and no null data are beaten: ``weak``
says that a candidate has gaps, and ``none`` that none has.

``--keep`` keeps the searches in a folder, and another run reads them there. Empty it
when the search itself changes.
"""

import tempfile
from collections import Counter
from itertools import product
from pathlib import Path

import click
import duckdb
import numpy as np
import pyarrow.parquet as pq
from foreign_tables import BUILD, HELD, Family
from segmentation_structure import (
    CANDIDATES,
    VERDICTS,
    open_choice,
    store,
)
from simulated_tables import Table, declare, to_customer_days

from customer_segmentation.segmentation import search_segmentations

PARTS = {"build": BUILD, "held": HELD}
SEED = 7
SEARCHED = {"algorithms": ["kmeans", "hdbscan"], "k": [2, 6]}
RESAMPLES = 8
RIGHT = {
    "none": ("none",),
    "not strong": ("weak", "none"),
    "found": ("strong", "weak"),
}
# candidates as if gaps were nothing to go by: they are where both null data are beaten
WITHOUT_GAPS = f"""
    create or replace table {CANDIDATES} as
    select * replace (
        case when structure_p_value <= 0.01 and correlation_p_value <= 0.01
            then 0.0 else 1.0 end as gap_p_value
    )
    from {CANDIDATES}
"""


@click.command()
@click.option("--part", type=click.Choice([*PARTS]), default="build")
@click.option("--tables", default=2, show_default=True, help="Of each family.")
@click.option("--first", default=0, show_default=True, help="Number of the first.")
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder to keep the searches in.",
)
@click.option("--family", "chosen", multiple=True, help="By default all; may repeat.")
@click.option("--null-draws", default=99, show_default=True, help="Of each kind.")
@click.option("--only-kept", is_flag=True, help="Search no table that is not kept.")
def measure(
    part: str,
    tables: int,
    first: int,
    keep: Path | None,
    chosen: tuple[str, ...],
    null_draws: int,
    only_kept: bool,
) -> None:
    """Search tables of each family, and count the verdicts before and after."""
    families = {
        name: one for name, one in PARTS[part].items() if not chosen or name in chosen
    }
    found: dict[str, list[tuple[str, str]]] = {name: [] for name in families}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        searches = keep or folder / "searches"
        searches.mkdir(parents=True, exist_ok=True)
        connection, choice = open_choice(folder)
        for number, family in product(range(first, first + tables), families):
            kept = searches / f"{part}_{family}_{number}.parquet"
            if not kept.exists() and only_kept:
                continue
            if not kept.exists():
                table = draw(part, family, number)
                search(table, null_draws, connection, kept)
            store(connection, CANDIDATES, pq.read_table(kept))
            row = connection.sql(choice).df().to_dict("records")[0]
            connection.sql(WITHOUT_GAPS)
            [before] = connection.sql(f"select verdict from ({choice})").fetchall()
            found[family].append((before[0], row["verdict"]))
            click.echo(
                f"{family:<20}{number:>3}  {before[0]:<7}{row['verdict']:<7}"
                f"{row['algorithm']:<8}{row['n_clusters']} segments, "
                f"p {row['structure_p_value']:.2f} "
                f"{row['correlation_p_value']:.2f} gap {row['gap_p_value']:.4f} "
                f"stable {row['stability_mean']:.2f} {row['stability_min']:.2f} "
                f"agree {row['verdict_share']:.2f}"
            )
    report(families, found)


def draw(part: str, family: str, number: int) -> Table:
    """Draw a table; the same number is the same table."""
    families = PARTS[part]
    place = [*families].index(family)
    rng = np.random.default_rng((SEED, place, number, part == "held"))
    return families[family].make(rng)


def search(
    table: Table, null_draws: int, connection: duckdb.DuckDBPyConnection, kept: Path
) -> None:
    """Search a table, and keep what was found."""
    customers = store(connection, "customer_days", to_customer_days(table.frame))
    budget = {
        "segmentation_resamples": RESAMPLES,
        "segmentation_null_draws": null_draws,
    }
    variables = declare("foreign", table.features, **SEARCHED) | budget
    pq.write_table(search_segmentations(customers, variables), kept)


def report(
    families: dict[str, Family], found: dict[str, list[tuple[str, str]]]
) -> None:
    """Print the verdicts of each family, and of all families with the same right."""
    click.echo(f"{'':<20}{'right':<12}strong, weak and none: before, now")
    for family, verdicts in found.items():
        show(family, families[family].right, verdicts)
    for right in RIGHT:
        together = [
            one
            for family, verdicts in found.items()
            if families[family].right == right
            for one in verdicts
        ]
        show("all", right, together)


def show(family: str, right: str, verdicts: list[tuple[str, str]]) -> None:
    """Print the verdicts of one kind of tables."""
    counts = [
        " ".join(f"{Counter(one)[verdict]:>3}" for verdict in VERDICTS)
        for one in zip(*verdicts, strict=True)
    ]
    correct = sum(now in RIGHT[right] for _, now in verdicts)
    click.echo(
        f"{family:<20}{right:<12}{', '.join(counts)}; "
        f"{correct} of {len(verdicts)} right"
    )


if __name__ == "__main__":
    measure()
