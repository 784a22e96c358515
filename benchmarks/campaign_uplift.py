"""Print how well simulated campaigns are aimed, by expected uplift and by value.

Run with ``python benchmarks/campaign_uplift.py``. Who gains from a message is known:
``tests/python/serving/heterogeneous_effects.py`` draws it, and shares nothing with the
code that is measured.
"""

import sys
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from customer_segmentation.serving.qini import TENTHS, QiniComparison, compare_rankings
from customer_segmentation.serving.uplift import expected_uplift, tenths_of

sys.path.append(str(Path(__file__).parents[1] / "tests" / "python" / "serving"))

from heterogeneous_effects import KINDS, Drawn, draw

__all__ = ["cells_of", "comparison_of", "tenths_by"]

Cells = tuple[NDArray[np.int64], NDArray[np.int64]]
CAMPAIGNS = ((2_000, 0.5), (4_000, 0.5), (5_000, 0.9))


def tenths_by(score: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the tenth of each customer, 1 with the highest scores."""
    return tenths_of(score, np.zeros(len(score), np.int64))


def cells_of(
    drawn: Drawn, by_uplift: NDArray[np.int64], by_value: NDArray[np.int64]
) -> Cells:
    """Count customers and buyers as ``int_serving__uplift_cells`` does."""
    customers = np.zeros((2, TENTHS, TENTHS), np.int64)
    buyers = np.zeros_like(customers)
    cell = (drawn.is_treated.astype(int), by_uplift - 1, by_value - 1)
    np.add.at(customers, cell, 1)
    np.add.at(buyers, cell, drawn.bought.astype(int))
    return customers, buyers


def comparison_of(drawn: Drawn) -> tuple[NDArray[np.float64], QiniComparison]:
    """Return the expected uplift, and both rankings."""
    uplift, fold = expected_uplift(drawn.features, drawn.is_treated, drawn.bought)
    spend = drawn.features[:, 0]
    cells = cells_of(drawn, tenths_of(uplift, fold), tenths_by(spend))
    return uplift, compare_rankings(*cells)


def row_of(kind: str, customers: int, share: float, draws: int) -> str:
    """Return a row of the table."""
    found = []
    correlations = []
    for seed in range(draws):
        drawn = draw(kind, customers, seed, treated_share=share)
        uplift, comparison = comparison_of(drawn)
        found.append(comparison)
        if np.ptp(drawn.uplift) > 0 and np.ptp(uplift) > 0:
            correlations.append(float(np.corrcoef(uplift, drawn.uplift)[0, 1]))
    correlation = f"{np.mean(correlations):.2f}" if correlations else "-"
    by_uplift = 1_000 * np.mean([one.uplift.coefficient for one in found])
    by_value = 1_000 * np.mean([one.value.coefficient for one in found])
    better = np.mean([one.low > 0 for one in found])
    worse = np.mean([one.high < 0 for one in found])
    return (
        f"| {kind} | {customers:,} | {share:.0%} | {correlation} | {by_uplift:.1f} |"
        f" {by_value:.1f} | {better:.0%} | {worse:.0%} |"
    )


@click.command()
@click.option("--draws", default=100, show_default=True, help="Draws of a campaign.")
def main(draws: int) -> None:
    """Print a table of simulated campaigns."""
    click.echo(
        "| who gains | customers | treated | correlation | Qini by uplift, per 1,000 |"
        " by value | better | worse |\n|---|---:|---:|---:|---:|---:|---:|---:|"
    )
    for kind in KINDS:
        for customers, share in CAMPAIGNS:
            click.echo(row_of(kind, customers, share, draws))


if __name__ == "__main__":
    main()
