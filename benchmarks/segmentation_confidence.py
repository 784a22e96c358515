"""Print whether the confidence is the share of refits that keep a customer.

The chosen candidates of a built database are fitted to three quarters of the customers.
By band of centrality and of confidence, the share of refits of another seed is printed
that keep a customer in the segment: of the customers fitted, and of the others, who are
new to the fit. ``python benchmarks/segmentation_confidence.py --database
data/customer_segmentation.duckdb`` measures every segmentation; ``--pin mall_profile
ward 6`` another candidate of one.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import click
import duckdb
import numpy as np
from numpy.typing import NDArray
from project import database_option
from segmentation_real import FITS, declared_segmentations, read_frame

from customer_segmentation.segmentation.algorithms import Candidate
from customer_segmentation.segmentation.cluster import CandidateFit, fit_customers
from customer_segmentation.segmentation.confidence import (
    Refit,
    Refits,
    fit_refits,
    refit_resamples,
)
from customer_segmentation.segmentation.declare import SEED, SearchBudget, Segmentation
from customer_segmentation.segmentation.judge import candidates_of
from customer_segmentation.segmentation.prototypes import OUTLIERS
from customer_segmentation.segmentation.space import DesignMatrix, Space
from customer_segmentation.segmentation.tables import read_last_fits
from customer_segmentation.segmentation.weighted import Points

NEW_SHARE = 0.25
BANDS = 10
# the mean of fewer customers is chance
MIN_CUSTOMERS = 50
TOLERANCE = 0.03
FILTER = 0.5


@dataclass(frozen=True)
class Measured:
    """Customers, and what refits do with them that their confidence has not seen.

    Parameters
    ----------
    centrality, confidence : ndarray of shape (n,)
        Of the customers.
    stays : ndarray of shape (n,)
        The share of the refits that keep each in the segment.
    """

    centrality: NDArray[np.float64]
    confidence: NDArray[np.float64]
    stays: NDArray[np.float64]

    @classmethod
    def of_fitted(
        cls, fit: CandidateFit, refits: Refits, others: list[Refit], points: Points
    ) -> Self:
        """Measure the customers fitted, each by the refits that did not draw it."""
        kept = np.stack([other.is_kept[fit.member] for other in others]).astype(float)
        kept[np.stack([other.is_drawn[fit.member] for other in others])] = np.nan
        return cls._of(fit, refits, kept, points)

    @classmethod
    def of_new(
        cls, fit: CandidateFit, refits: Refits, others: list[Refit], points: Points
    ) -> Self:
        """Measure customers whom no fit has seen."""
        segment = fit.prototypes().nearest_segments(points)
        kept = [
            other.prototypes.nearest_segments(points) == segment for other in others
        ]
        return cls._of(fit, refits, np.stack(kept).astype(float), points)

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        """Return the customers of several fits as one."""
        return cls(
            np.concatenate([one.centrality for one in parts]),
            np.concatenate([one.confidence for one in parts]),
            np.concatenate([one.stays for one in parts]),
        )

    @classmethod
    def _of(
        cls,
        fit: CandidateFit,
        refits: Refits,
        kept: NDArray[np.float64],
        points: Points,
    ) -> Self:
        assigned = fit.prototypes().assign(points)
        confidence = refits.confidence(points, assigned)
        counted = (assigned.segment != OUTLIERS) & ~np.isnan(kept).all(axis=0)
        return cls(
            assigned.centrality[counted],
            confidence[counted],
            np.nanmean(kept[:, counted], axis=0),
        )


@click.command()
@database_option
@click.option(
    "--pin",
    type=(str, str, int),
    help="A segmentation, and the algorithm and k to measure instead of its choice.",
)
@click.option("--refits", default=SearchBudget.refits, show_default=True)
@click.option(
    "--draws", default=200, show_default=True, help="Refits that customers stay in."
)
@click.option("--seed", default=1, show_default=True, help="Of these refits.")
def measure(
    database: Path,
    pin: tuple[str, str, int] | None,
    refits: int,
    draws: int,
    seed: int,
) -> None:
    """Print the share of customers that stay, by centrality and by confidence."""
    of_fitted, of_new = [], []
    if seed == SEED:
        raise click.BadParameter(f"{SEED} is the seed of the confidence itself")
    with duckdb.connect(str(database), read_only=True) as connection:
        for segmentation, candidate in chosen(connection, pin):
            click.echo(
                f"\n{segmentation.name}: {candidate.algorithm} {candidate.setting}"
            )
            frame = read_frame(connection, segmentation)
            design = DesignMatrix.fit(frame, segmentation)
            of_design, _ = design.transform(frame)
            points = Space.fit(
                of_design, design.blocks, design.is_numeric, segmentation.pca
            ).points
            is_new = np.random.default_rng(seed).random(len(points)) < NEW_SHARE
            fitted = points[~is_new]
            [fit] = fit_customers(fitted, [candidate], seed=SEED)
            start = time.perf_counter()
            found = fit_refits(fit, fit.prototypes(), fitted, refits, SEED)
            click.echo(f"{refits} refits take {time.perf_counter() - start:.1f} s")
            others = refit_resamples(fit, fit.prototypes(), fitted, draws, seed)
            of_fitted.append(Measured.of_fitted(fit, found, others, fitted))
            of_new.append(Measured.of_new(fit, found, others, points[is_new]))
            show("fitted", of_fitted[-1])
            show("new", of_new[-1])
    if len(of_new) > 1:
        click.echo("\nall segmentations")
        show("fitted", Measured.joined(of_fitted))
        show("new", Measured.joined(of_new))


def chosen(
    connection: duckdb.DuckDBPyConnection, pin: tuple[str, str, int] | None
) -> Iterator[tuple[Segmentation, Candidate]]:
    """Return each segmentation with the candidate of its last fit, or only the pin."""
    records = read_last_fits(connection.table(FITS))
    for segmentation in declared_segmentations():
        if pin is not None:
            if pin[0] == segmentation.name:
                yield segmentation, Candidate(pin[1], "k", pin[2])
        elif (record := records.get(segmentation.name)) is not None:
            for candidate in candidates_of(segmentation):
                if (candidate.algorithm, candidate.setting) == (
                    record.algorithm,
                    record.setting,
                ):
                    yield segmentation, candidate


def show(name: str, measured: Measured) -> None:
    """Print the bands, the largest error of a band, and what a filter drops."""
    click.echo(
        f"{name}: {len(measured.stays):,} customers, {measured.stays.mean():.4f} stay; "
        f"mean confidence {measured.confidence.mean():.4f}"
    )
    errors = []
    for measure in ("centrality", "confidence"):
        values = getattr(measured, measure)
        band = np.minimum((values * BANDS).astype(int), BANDS - 1)
        for number in np.unique(band).tolist():
            rows = band == number
            mean, stays = values[rows].mean(), measured.stays[rows].mean()
            click.echo(
                f"  {measure} {number / BANDS:.1f} to {(number + 1) / BANDS:.1f}: "
                f"{rows.sum():>6,} customers, mean {mean:.3f}, stays {stays:.3f}"
            )
            if measure == "confidence" and rows.sum() >= MIN_CUSTOMERS:
                errors.append(abs(mean - stays))
        dropped = values <= FILTER
        if dropped.any():
            click.echo(
                f"  {measure} above {FILTER} drops {dropped.mean():.1%} of the "
                f"customers, of whom {measured.stays[dropped].mean():.1%} stay"
            )
    click.echo(
        f"  largest error of a tenth of confidence with {MIN_CUSTOMERS} customers: "
        f"{max(errors, default=0.0):.3f} (target: at most {TOLERANCE})"
    )


if __name__ == "__main__":
    measure()
