"""Print the quantiles of the dip of uniform numbers that the dip test reads.

Run ``python benchmarks/dip_quantiles.py``. The 300,000 draws of each count take half
an hour; with ``--draws 10000`` the first quantiles take a minute.
"""

import click
import numpy as np

from customer_segmentation.segmentation.dip import QUANTILES, SHARES, dip


@click.command()
@click.option("--draws", default=300_000, show_default=True, help="Of each count.")
def measure(draws: int) -> None:
    """Draw uniform numbers, and print a line for each count of them."""
    for count in QUANTILES:
        rng = np.random.default_rng(count)
        dips = [dip(np.sort(rng.uniform(size=count))) for _ in range(draws)]
        quantiles = np.quantile(dips, 1 - np.array(SHARES)) * np.sqrt(count)
        click.echo(f"{count}: {', '.join(f'{one:.3f}' for one in quantiles)}")


if __name__ == "__main__":
    measure()
