"""Print how well the effects of simulated campaigns are found.

Run with ``python benchmarks/campaign_effects.py``. ``tests/python/serving`` imports
this file for its simulation.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from customer_segmentation.serving import Effect, GroupSums, estimate_effect

__all__ = ["Shop", "Trial", "simulate", "sums_of", "trial_of"]

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Shop:
    """A shop whose customers spend nothing, or a lognormal amount.

    Parameters
    ----------
    buying : float
        Share of the customers who buy in a period.
    tail : float
        Standard deviation of the logarithm of an amount. 1 is a usual shop; with 1.5,
        the mean is three times the median.
    persistence : float
        Share of the variance of the logarithm that stays with the customer, so that
        spend before explains spend after.
    """

    buying: float
    tail: float
    persistence: float = 0.7

    def draw(self, rng: np.random.Generator, customers: int) -> tuple[Numbers, Numbers]:
        """Return what customers spend before a campaign, and in its window."""
        kept = np.sqrt(self.persistence) * rng.normal(size=customers)
        eager = rng.beta(4 * self.buying, 4 * (1 - self.buying), size=customers)

        def period() -> Numbers:
            noise = rng.normal(size=customers) * np.sqrt(1 - self.persistence)
            amounts = 50 * np.exp(self.tail * (kept + noise))
            return np.where(rng.random(customers) < eager, amounts, 0.0)

        # a year before, in four quarters
        before: Numbers = np.sum([period() for _ in range(4)], axis=0)
        return before, period()


@dataclass(frozen=True)
class Trial:
    """What many draws of a campaign found.

    Parameters
    ----------
    bias, error : float
        Mean of the estimates less the true effect, and the standard error of that mean.
    coverage : float
        Share of the intervals that hold the true effect.
    found : float
        Share of the intervals that do not hold 0.
    variance_saved : float
        Mean share of the variance that earlier spend explains.
    """

    bias: float
    error: float
    coverage: float
    found: float
    variance_saved: float


def sums_of(outcome: Numbers, before: Numbers) -> GroupSums:
    """Return the sums over customers, as the engine computes them."""
    return GroupSums(
        len(outcome),
        float(outcome.sum()),
        float(outcome @ outcome),
        float(before.sum()),
        float(before @ before),
        float(outcome @ before),
    )


def simulate(
    shop: Shop, treated: int, control: int, lift: float, draws: int, seed: int = 0
) -> tuple[float, list[Effect]]:
    """Return the true effect per treated customer, and what each draw found.

    The customers of each draw are new ones, in random order, the first of which are
    held out. Each treated customer spends a share more, ``lift``.
    """
    rng = np.random.default_rng(seed)
    _, many = shop.draw(rng, 1_000_000)
    effects = []
    for _ in range(draws):
        before, outcome = shop.draw(rng, treated + control)
        effects.append(
            estimate_effect(
                sums_of(outcome[control:] * (1 + lift), before[control:]),
                sums_of(outcome[:control], before[:control]),
            )
        )
    return lift * float(many.mean()), effects


def trial_of(truth: float, effects: list[Effect]) -> Trial:
    """Return the summary of the draws of a campaign."""
    estimates = np.array([one.estimate for one in effects])
    return Trial(
        float(estimates.mean() - truth),
        float(estimates.std(ddof=1) / np.sqrt(len(effects))),
        float(np.mean([one.low <= truth <= one.high for one in effects])),
        float(np.mean([not one.low <= 0 <= one.high for one in effects])),
        float(np.mean([one.variance_saved for one in effects])),
    )


def rows(draws: int) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the table."""
    for buying, tail in ((0.5, 0.7), (0.3, 1.0), (0.1, 1.0), (0.1, 1.5)):
        for control in (25, 50, 100, 200, 500, 1_000):
            for lift in (0.0, 0.2):
                truth, effects = simulate(
                    Shop(buying, tail), 9 * control, control, lift, draws
                )
                yield buying, tail, control, lift, truth, trial_of(truth, effects)


@click.command()
@click.option("--draws", default=1_000, show_default=True, help="Draws of a campaign.")
@click.option("--output", type=click.Path(path_type=Path), help="A file for the table.")
def main(draws: int, output: Path | None) -> None:
    """Print a table of simulated campaigns."""
    lines = [
        "| buy | tail | hold-out | lift | effect | bias | coverage | finds | saved |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for buying, tail, control, lift, truth, trial in rows(draws):
        lines.append(
            f"| {buying:.0%} | {tail} | {control:,} | {lift:.0%} | {truth:.2f} |"
            f" {trial.bias:+.2f} ± {1.96 * trial.error:.2f} | {trial.coverage:.1%} |"
            f" {trial.found:.1%} | {trial.variance_saved:.0%} |"
        )
    click.echo("\n".join(lines))
    if output:
        output.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
