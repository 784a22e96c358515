"""Print what must come out right on a warehouse that is built.

Of the real data: land them (``customer-segmentation land marketplace coupons.xlsx``,
and so for ``online_retail`` and ``mall``), ``dbt build``, then
``python benchmarks/segmentation_real.py --database data/customer_segmentation.duckdb``.
Of the sample (``make build``) with ``--truth data/raw/truth``, and the planted segments
are compared too. A segmentation that ``vars.yml`` declares otherwise than it was built
is not fitted again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import duckdb
import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from customer_segmentation import engine
from customer_segmentation.segmentation.algorithms import Candidate, candidates_of
from customer_segmentation.segmentation.declared import Declared
from customer_segmentation.segmentation.fits import (
    FittedSegmentation,
    columns_needed,
    fit_segmentation,
)
from customer_segmentation.segmentation.specs import Segmentation
from customer_segmentation.segmentation.tables import FITS, FITTED_CUSTOMERS

PROJECT = Path(__file__).resolve().parent.parent
MORE_CUSTOMERS = 0.01
# of the logarithm of each number of a copied customer
PERTURBATION = 0.1


@dataclass(frozen=True)
class Built:
    """A segmentation, the customers it was fitted to, and its last fit.

    Parameters
    ----------
    segmentation : Segmentation
        As declared.
    candidate : Candidate
        As chosen.
    frame : pandas.DataFrame
        Indexed and sorted by customer key.
    fitted : FittedSegmentation
        The last fit.
    used_ids : frozenset of int
        Of all fits.
    """

    segmentation: Segmentation
    candidate: Candidate
    frame: pd.DataFrame
    fitted: FittedSegmentation
    used_ids: frozenset[int]

    def refitted(self, frame: pd.DataFrame) -> FittedSegmentation:
        """Return a fit to other customers, matched with the last one."""
        frame = frame.sort_index()
        chosen = self.segmentation, self.candidate
        return fit_segmentation(frame, *chosen, self.fitted, self.used_ids)[0]

    def same_ids(self, other: FittedSegmentation) -> float:
        """Return the share of the customers who have the same segment id in another."""
        return float(np.mean(ids(self.fitted, self.frame) == ids(other, self.frame)))


@click.command()
@click.option(
    "--database",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=PROJECT / "data/customer_segmentation.duckdb",
    help="Of the warehouse; data/customer_segmentation.duckdb by default.",
)
@click.option(
    "--truth",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of the simulated sample's planted segments.",
)
@click.option("--draws", default=5, show_default=True, help="Of customers and codes.")
@click.option("--seed", default=0, show_default=True)
def measure(database: Path, truth: Path | None, draws: int, seed: int) -> None:
    """Print the figures of every segmentation that was chosen."""
    with duckdb.connect(str(database), read_only=True) as connection:
        show_choices(connection)
        show_rules(connection)
        if truth is not None:
            show_planted(connection, truth)
        show_refits(connection, draws, seed)
        show_recoded(connection, draws, seed)


def show_choices(connection: duckdb.DuckDBPyConnection) -> None:
    """Print what was chosen, and what the issue asks of it."""
    targets = {
        "mall_income_score": "kmeans k=5, silhouette 0.554 +- 0.001, strong",
        "marketplace_coupons": "real data: none",
        "online_retail_value": "stability >= 0.95, >= 0.90, smallest >= 0.05",
    }
    click.echo("Choices")
    chosen = connection.sql("from cluster_choices order by segmentation").df()
    for row in chosen.to_dict("records"):
        click.echo(
            f"{row['segmentation']:<25}{row['algorithm']} {row['setting']}, "
            f"{row['verdict']}; silhouette {row['silhouette']:.4f}, stability "
            f"{row['stability_mean']:.3f} (least {row['stability_min']:.3f}), smallest "
            f"{row['smallest_share']:.3f}, p {row['structure_p_value']:.2f} and "
            f"{row['correlation_p_value']:.2f}; {row['customers']:,} customers"
        )
        if row["segmentation"] in targets:
            click.echo(f"{'':<25}(target: {targets[row['segmentation']]})")


def show_rules(connection: duckdb.DuckDBPyConnection) -> None:
    """Print how often the rules say the segment."""
    click.echo("\nFidelity of the rules (target: 0.95 on average)")
    fidelity = connection.sql(
        "select segmentation, max(fidelity), count(*) from segment_rules "
        "group by segmentation order by segmentation"
    ).fetchall()
    for name, of_rules, count in fidelity:
        click.echo(f"{name:<25}{of_rules:.4f}, {count} rules")
    if fidelity:
        click.echo(f"{'mean':<25}{np.mean([one[1] for one in fidelity]):.4f}")


def show_planted(connection: duckdb.DuckDBPyConnection, truth: Path) -> None:
    """Print how well the segments agree with those that the simulation planted."""
    click.echo("\nAgreement with the planted segments (adjusted Rand index)")
    clusters = connection.sql(
        "select segmentation, source_system, customer_key, segment_id "
        "from customer_clusters where segment_id is not null"
    ).df()
    for (name, source), segments in clusters.groupby(["segmentation", "source_system"]):
        planted = pd.read_csv(truth / f"{source}_customers.csv", dtype=str)
        planted["customer_key"] = source + ":" + planted["customer_id"]
        both = segments.merge(planted, on="customer_key")
        agreement = adjusted_rand_score(both["segment"], both["segment_id"])
        click.echo(
            f"{name:<25}{agreement:.3f}, {both['segment_id'].nunique()} segments for "
            f"{both['segment'].nunique()} planted, {len(both):,} customers"
        )


def show_refits(connection: duckdb.DuckDBPyConnection, draws: int, seed: int) -> None:
    """Print how many customers keep their segment's id in another fit."""
    click.echo(
        "\nSame ids after a refit on the same customers (target: 1), and of the old\n"
        f"customers after one with {MORE_CUSTOMERS:.0%} more, {draws} draws "
        "(target: at least 0.99)"
    )
    for built in read_built(connection):
        rng = np.random.default_rng(seed)
        again = built.same_ids(built.refitted(built.frame))
        grown = [
            built.same_ids(built.refitted(with_more(built.frame, rng)))
            for _ in range(draws)
        ]
        click.echo(
            f"{built.segmentation.name:<25}same {again:.4f}  more: least "
            f"{min(grown):.4f}, mean {np.mean(grown):.4f}"
        )


def show_recoded(connection: duckdb.DuckDBPyConnection, draws: int, seed: int) -> None:
    """Print whether other names of the levels change the segments."""
    click.echo(
        "\nAgreement after the levels of categories changed names (adjusted Rand index;"
        f"\ntarget: 1.000), least of {draws}"
    )
    chosen = dict(
        connection.sql(
            "select segmentation, n_clusters from cluster_choices"
        ).fetchall()
    )
    for segmentation in declared():
        categories = [
            feature.name
            for feature in segmentation.features
            if feature.transform == "onehot"
        ]
        if not categories or segmentation.name not in chosen:
            continue
        frame = read_customers(connection, segmentation)
        alike = ("k", chosen[segmentation.name])
        for candidate in candidates_of(segmentation):
            if (candidate.parameter, candidate.value) != alike:
                continue
            rng = np.random.default_rng(seed)
            before = ids(fit_segmentation(frame, segmentation, candidate)[0], frame)
            agreement = []
            for _ in range(draws):
                renamed = recoded(frame, categories, rng)
                fitted, _ = fit_segmentation(renamed, segmentation, candidate)
                agreement.append(adjusted_rand_score(before, ids(fitted, renamed)))
            click.echo(
                f"{segmentation.name:<25}{candidate.algorithm} {candidate.setting} "
                f"{min(agreement):.4f}"
            )


def declared() -> tuple[Segmentation, ...]:
    """Return the segmentations of ``vars.yml``."""
    variables = yaml.safe_load((PROJECT / "vars.yml").read_text())["vars"]
    return Declared.read(variables).segmentations


def read_customers(
    connection: duckdb.DuckDBPyConnection, segmentation: Segmentation
) -> pd.DataFrame:
    """Read the customers that a segmentation is fitted to, indexed by key."""
    features = connection.table("customer_features")
    return engine.read(
        features,
        ["customer_key", *columns_needed(segmentation, features.columns)],
        where={"source_system": segmentation.source_system},
        limit=FITTED_CUSTOMERS,
    ).set_index("customer_key")


def read_built(connection: duckdb.DuckDBPyConnection) -> Iterator[Built]:
    """Read the segmentations that were fitted, with their customers."""
    fits = engine.read(
        connection.table("main_intermediate.int_segmentation__fits"),
        FITS.names,
        order_by="fit_id",
    ).sort_values("fit_number")
    for segmentation in declared():
        history = fits[fits["segmentation"] == segmentation.name]
        if history.empty:
            continue
        last = history.iloc[-1]
        models = [FittedSegmentation.from_json(text) for text in history["model"]]
        if models[-1].design.features != segmentation.features:
            click.echo(
                f"{segmentation.name:<25}is declared otherwise than it was built"
            )
            continue
        [candidate] = [
            one
            for one in candidates_of(segmentation)
            if (one.algorithm, one.setting) == (last["algorithm"], last["setting"])
        ]
        yield Built(
            segmentation=segmentation,
            candidate=candidate,
            frame=read_customers(connection, segmentation),
            fitted=models[-1],
            used_ids=frozenset(segment for one in models for segment in one.centres),
        )


def with_more(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the customers and a few more: copies of some, all numbers moved a bit."""
    copied = frame.sample(round(MORE_CUSTOMERS * len(frame)), random_state=rng).copy()
    copied.index = copied.index + ":copy"
    for name in copied.select_dtypes("number"):
        moved = copied[name] * np.exp(PERTURBATION * rng.normal(size=len(copied)))
        is_whole = (frame[name].dropna() % 1 == 0).all()
        copied[name] = moved.round() if is_whole else moved
    # a rate stays one
    for name in copied.filter(regex="_(rate|share)$"):
        copied[name] = copied[name].clip(upper=1)
    return pd.concat([frame, copied])


def recoded(
    frame: pd.DataFrame, categories: list[str], rng: np.random.Generator
) -> pd.DataFrame:
    """Return the customers with the names of the levels dealt out anew."""
    renamed = {}
    for name in categories:
        levels = np.sort(frame[name].dropna().unique())
        names = dict(zip(levels, rng.permutation(levels), strict=True))
        renamed[name] = frame[name].map(names)
    return frame.assign(**renamed)


def ids(fitted: FittedSegmentation, frame: pd.DataFrame) -> NDArray[np.int64]:
    """Return the segment of each customer, -1 for who is left out."""
    assignment, _, is_kept = fitted.assign(frame)
    segments = np.full(len(frame), -1, dtype=np.int64)
    segments[is_kept] = assignment.segment
    return segments


if __name__ == "__main__":
    measure()
