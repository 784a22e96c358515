"""Print how good the segmentations of a built database are.

On real data: land them (``customer-segmentation land marketplace coupons.xlsx``, and so
on for ``online_retail`` and ``mall``), run ``dbt build``, then ``python
benchmarks/segmentation_real.py --database data/customer_segmentation.duckdb``. On the
sample of ``make build``, add ``--truth data/raw/truth`` to compare the segments with
the planted ones. A segmentation that has been declared anew since its last fit is not
fitted again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from project import database_option, read_variables
from sklearn.metrics import adjusted_rand_score

from customer_segmentation.segmentation.algorithms import Candidate
from customer_segmentation.segmentation.declare import Segmentation, read_segmentations
from customer_segmentation.segmentation.fits import FittedSegmentation, fit_segmentation
from customer_segmentation.segmentation.judge import candidates_of
from customer_segmentation.segmentation.tables import (
    FitRecord,
    read_customers,
    read_last_fits,
    read_model,
)

CUSTOMER_DAYS = "main_training.int_features__customer_days"
FITS = "main_training.int_segmentation__fits"
# on real data
TARGETS = {
    "mall_income_score": "kmeans k=5, silhouette 0.554 +- 0.001, strong",
    "marketplace_coupons": "none",
    "online_retail_value": "stability >= 0.95, minimum >= 0.90, smallest >= 0.05",
}
ADDED_SHARE = 0.01
# standard deviation of the change of the logarithm of each number of an added customer
PERTURBATION = 0.1


@dataclass(frozen=True)
class LastFit:
    """A segmentation, its customers today, and its last fit.

    Parameters
    ----------
    segmentation : Segmentation
        As declared.
    candidate : Candidate
        As chosen.
    frame : pandas.DataFrame
        The customers, indexed and sorted by key.
    record, fitted : FitRecord, FittedSegmentation
        The last fit.
    """

    segmentation: Segmentation
    candidate: Candidate
    frame: pd.DataFrame
    record: FitRecord
    fitted: FittedSegmentation

    def refit(self, frame: pd.DataFrame) -> FittedSegmentation:
        """Return a fit to other customers, matched with the last one."""
        return fit_segmentation(
            frame.sort_index(),
            self.segmentation,
            self.candidate,
            self.fitted,
            {self.record.max_segment_id},
        )[0]

    def share_of_equal_ids(self, other: FittedSegmentation) -> float:
        """Return the share of the customers whose segment id another fit keeps."""
        own = segment_ids(self.fitted, self.frame)
        return float(np.mean(own == segment_ids(other, self.frame)))


@click.command()
@database_option
@click.option(
    "--truth",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder with the planted segments of the sample.",
)
@click.option(
    "--draws", default=5, show_default=True, help="Of added customers, and of levels."
)
@click.option("--seed", default=0, show_default=True)
def measure(database: Path, truth: Path | None, draws: int, seed: int) -> None:
    """Print the figures of every segmentation that has a choice."""
    with duckdb.connect(str(database), read_only=True) as connection:
        show_choices(connection)
        show_rules(connection)
        if truth is not None:
            show_planted(connection, truth)
        show_refits(connection, draws, seed)
        show_renamed(connection, draws, seed)


def show_choices(connection: duckdb.DuckDBPyConnection) -> None:
    """Print the chosen candidates beside their targets."""
    click.echo("Choices")
    chosen = connection.sql("from cluster_choices order by segmentation").df()
    for row in chosen.to_dict("records"):
        click.echo(
            f"{row['segmentation']:<25}{row['algorithm']} {row['setting']}, "
            f"{row['verdict']}; silhouette {row['silhouette']:.4f}, stability "
            f"{row['stability_mean']:.3f} (minimum {row['stability_min']:.3f}), "
            f"smallest {row['smallest_share']:.3f}, p {row['structure_p_value']:.2f} "
            f"and {row['correlation_p_value']:.2f}, gaps {row['gap_p_value']:.2f}; "
            f"{row['customers']:,} customers"
        )
        if row["segmentation"] in TARGETS:
            click.echo(f"{'':<25}(target on real data: {TARGETS[row['segmentation']]})")


def show_rules(connection: duckdb.DuckDBPyConnection) -> None:
    """Print the share of the customers that the rules put in their segment."""
    click.echo("\nFidelity of the rules (target: mean 0.95)")
    rules = connection.sql(
        "select segmentation, max(fidelity), count(*) from segment_rules "
        "group by segmentation order by segmentation"
    ).fetchall()
    for name, fidelity, count in rules:
        click.echo(f"{name:<25}{fidelity:.4f}, {count} rules")
    if rules:
        mean = np.mean([fidelity for _, fidelity, _ in rules])
        click.echo(f"{'mean':<25}{mean:.4f}")


def show_planted(connection: duckdb.DuckDBPyConnection, truth: Path) -> None:
    """Print how well the segments agree with the planted ones."""
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
            f"{name:<25}{agreement:.3f}, {both['segment_id'].nunique()} segments, "
            f"{both['segment'].nunique()} planted ones, {len(both):,} customers"
        )


def show_refits(connection: duckdb.DuckDBPyConnection, draws: int, seed: int) -> None:
    """Print how many customers keep their segment id in another fit."""
    click.echo(
        "\nShare of the customers that keep their segment id after a refit to the "
        f"same\ncustomers (target: 1), and with {ADDED_SHARE:.0%} more customers, "
        f"{draws} draws (target: at least 0.99)"
    )
    for last in read_last(connection):
        rng = np.random.default_rng(seed)
        same = last.share_of_equal_ids(last.refit(last.frame))
        more = [
            last.share_of_equal_ids(last.refit(with_added(last.frame, rng)))
            for _ in range(draws)
        ]
        click.echo(
            f"{last.segmentation.name:<25}same {same:.4f}  more: minimum "
            f"{min(more):.4f}, mean {np.mean(more):.4f}"
        )


def show_renamed(connection: duckdb.DuckDBPyConnection, draws: int, seed: int) -> None:
    """Print whether the names of levels change the segments."""
    click.echo(
        "\nAgreement with a fit to renamed levels of categories (adjusted Rand index; "
        f"target: 1.000),\nminimum of {draws} draws"
    )
    choices = connection.sql("select segmentation, n_clusters from cluster_choices")
    chosen_k = dict(choices.fetchall())
    for segmentation in declared_segmentations():
        categories = [
            feature.name
            for feature in segmentation.features
            if feature.transform == "onehot"
        ]
        if not categories or segmentation.name not in chosen_k:
            continue
        frame = read_frame(connection, segmentation)
        setting = ("k", chosen_k[segmentation.name])
        for candidate in candidates_of(segmentation):
            if (candidate.parameter, candidate.value) != setting:
                continue
            rng = np.random.default_rng(seed)
            fitted, _ = fit_segmentation(frame, segmentation, candidate)
            before = segment_ids(fitted, frame)
            agreement = []
            for _ in range(draws):
                renamed = with_renamed_levels(frame, categories, rng)
                fitted, _ = fit_segmentation(renamed, segmentation, candidate)
                after = segment_ids(fitted, renamed)
                agreement.append(adjusted_rand_score(before, after))
            click.echo(
                f"{segmentation.name:<25}{candidate.algorithm} {candidate.setting} "
                f"{min(agreement):.4f}"
            )


def declared_segmentations() -> tuple[Segmentation, ...]:
    """Return the segmentations of ``vars.yml``."""
    return read_segmentations(read_variables()).segmentations


def read_frame(
    connection: duckdb.DuckDBPyConnection, segmentation: Segmentation
) -> pd.DataFrame:
    """Read the customers that a segmentation is fitted to, indexed by key."""
    customer_days = connection.table(CUSTOMER_DAYS)
    return read_customers(customer_days, segmentation).set_index("customer_key")


def read_last(connection: duckdb.DuckDBPyConnection) -> Iterator[LastFit]:
    """Read the last fit of each segmentation, with its customers."""
    fits = connection.table(FITS)
    records = read_last_fits(fits)
    for segmentation in declared_segmentations():
        record = records.get(segmentation.name)
        if record is None:
            continue
        fitted = read_model(fits, record.fit_id)
        if fitted.design.features != segmentation.features:
            click.echo(
                f"{segmentation.name:<25}has been declared anew since its last fit: "
                "build it first"
            )
            continue
        [candidate] = [
            one
            for one in candidates_of(segmentation)
            if (one.algorithm, one.setting) == (record.algorithm, record.setting)
        ]
        frame = read_frame(connection, segmentation)
        yield LastFit(segmentation, candidate, frame, record, fitted)


def with_added(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the customers and some more: copies whose numbers differ a little."""
    copies = frame.sample(round(ADDED_SHARE * len(frame)), random_state=rng).copy()
    copies.index = copies.index + ":copy"
    for name in copies.select_dtypes("number"):
        changed = copies[name] * np.exp(PERTURBATION * rng.normal(size=len(copies)))
        is_whole = (frame[name].dropna() % 1 == 0).all()
        copies[name] = changed.round() if is_whole else changed
    for name in copies.filter(regex="_(rate|share)$"):
        copies[name] = copies[name].clip(upper=1)
    return pd.concat([frame, copies])


def with_renamed_levels(
    frame: pd.DataFrame, categories: list[str], rng: np.random.Generator
) -> pd.DataFrame:
    """Return the customers with the names of the levels permuted."""
    renamed = {}
    for name in categories:
        levels = np.sort(frame[name].dropna().unique())
        names = dict(zip(levels, rng.permutation(levels), strict=True))
        renamed[name] = frame[name].map(names)
    return frame.assign(**renamed)


def segment_ids(fitted: FittedSegmentation, frame: pd.DataFrame) -> NDArray[np.int64]:
    """Return the segment of each customer, -1 for excluded customers."""
    assignment, _, _, is_kept = fitted.assign(frame)
    segments = np.full(len(frame), -1, dtype=np.int64)
    segments[is_kept] = assignment.segment
    return segments


if __name__ == "__main__":
    measure()
