"""Print how well the effects of simulated campaigns are found.

Run with ``python benchmarks/campaign_effects.py``. Customers are drawn from shops whose
spend is zero or lognormal, or are real customers of Online Retail, drawn with
replacement. ``tests/python/serving`` imports this file for its simulation.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import duckdb
import numpy as np
from numpy.typing import NDArray

from customer_segmentation.serving.effects import Effect, GroupSums, estimate_effect

__all__ = ["Campaign", "RealShop", "Shop", "Trial", "simulate", "sums_of", "trial_of"]

Numbers = NDArray[np.float64]
# spend before a customer's campaign, and in its window
Draw = Callable[[np.random.Generator, int], tuple[Numbers, Numbers]]
# share that customers spend more, and of those without a purchase who buy
EFFECTS = ((0.0, 0.0), (0.1, 0.0), (0.2, 0.0), (-0.3, 0.0), (0.0, 0.05))
ONLINE_RETAIL = Path("../shared/data/online-retail/online_retail.csv.gz")


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

    def __str__(self) -> str:
        """Return what sets the shop apart."""
        return f"{self.buying:.0%} buy, tail {self.tail}"

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
class RealShop:
    """Customers of Online Retail, drawn with replacement.

    Parameters
    ----------
    before, outcome : numpy.ndarray
        What each customer spent before 15 October 2011, and in the 30 days from then.
    """

    before: Numbers
    outcome: Numbers

    @classmethod
    def read(cls, path: Path) -> "RealShop":
        """Read the spend of the customers from the public data set."""
        spent = duckdb.sql(f"""
            select
                coalesce(sum(amount) filter (where day < '2011-10-15'), 0) as before,
                coalesce(sum(amount) filter (
                    where day >= '2011-10-15' and day < '2011-11-14'
                ), 0) as outcome
            from (
                select CustomerID, Quantity * UnitPrice as amount,
                    cast(InvoiceDate as date) as day
                from read_csv('{path}') where CustomerID is not null
            )
            group by CustomerID
            having min(day) < '2011-10-15'
            order by CustomerID
        """).fetchnumpy()
        return cls(spent["before"], spent["outcome"])

    def __str__(self) -> str:
        """Return what sets the shop apart."""
        return "Online Retail"

    def draw(self, rng: np.random.Generator, customers: int) -> tuple[Numbers, Numbers]:
        """Return what customers spend before a campaign, and in its window."""
        chosen = rng.integers(0, len(self.before), customers)
        return self.before[chosen], self.outcome[chosen]


@dataclass(frozen=True)
class Campaign:
    """A campaign with a known effect.

    Parameters
    ----------
    treated, control : int
        Number of customers on each side.
    lift : float
        Share that each treated customer spends more.
    converted : float
        Share of the treated customers without a purchase who buy what a buyer does.
    """

    treated: int
    control: int
    lift: float = 0.0
    converted: float = 0.0

    def applied(self, outcome: Numbers, rng: np.random.Generator) -> Numbers:
        """Return what treated customers spend, from what they would have spent."""
        buyers = outcome[outcome != 0]
        if not self.converted or not len(buyers):
            return outcome * (1 + self.lift)
        won = (outcome == 0) & (rng.random(len(outcome)) < self.converted)
        return np.where(won, rng.choice(buyers, len(outcome)), outcome)

    def truth(self, outcome: Numbers) -> float:
        """Return the effect per treated customer, given the spend of a shop."""
        if not self.converted:
            return self.lift * float(outcome.mean())
        bought = outcome != 0
        return self.converted * float((~bought).mean()) * float(outcome[bought].mean())


@dataclass(frozen=True)
class Trial:
    """What many draws of a campaign found.

    Parameters
    ----------
    truth : float
        The true effect per treated customer.
    bias, error : float
        Mean of the estimates less the true effect, and the standard error of that mean.
    coverage : float
        Share of the intervals that hold the true effect.
    found : float
        Share of the intervals that do not hold 0.
    saved : float
        Share of the variance of the difference in means that CUPED took away, over the
        draws.
    draws : int
        Number of draws.
    """

    truth: float
    bias: float
    error: float
    coverage: float
    found: float
    saved: float
    draws: int

    def error_of(self, share: float) -> float:
        """Return half of the 95 % interval of a share of the draws."""
        return float(1.96 * np.sqrt(share * (1 - share) / self.draws))


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


def simulate(draw: Draw, campaign: Campaign, draws: int, seed: int = 0) -> list[Effect]:
    """Return what each draw of a campaign found.

    The customers of each draw are new ones, in random order, the first of which are
    held out.
    """
    rng = np.random.default_rng(seed)
    held = campaign.control
    effects = []
    for _ in range(draws):
        before, outcome = draw(rng, campaign.treated + held)
        treated = campaign.applied(outcome[held:], rng)
        effects.append(
            estimate_effect(
                sums_of(treated, before[held:]), sums_of(outcome[:held], before[:held])
            )
        )
    return effects


def trial_of(truth: float, effects: list[Effect]) -> Trial:
    """Return the summary of the draws of a campaign."""
    estimates = np.array([one.estimate for one in effects])
    unadjusted = np.array([one.unadjusted for one in effects])
    return Trial(
        truth,
        float(estimates.mean() - truth),
        float(estimates.std(ddof=1) / np.sqrt(len(effects))),
        float(np.mean([one.low <= truth <= one.high for one in effects])),
        float(np.mean([not one.low <= 0 <= one.high for one in effects])),
        float(1 - estimates.var() / unadjusted.var()),
        len(effects),
    )


def trials(
    shops: list[Shop | RealShop], draws: int
) -> Iterator[tuple[Shop | RealShop, Campaign, Trial]]:
    """Yield the rows of the table."""
    for shop in shops:
        if isinstance(shop, RealShop):
            usual = shop.outcome
        else:
            _, usual = shop.draw(np.random.default_rng(1), 2_000_000)
        for treated, control in ((450, 50), (900, 100), (1_800, 200), (4_500, 500)):
            for lift, converted in EFFECTS:
                campaign = Campaign(treated, control, lift, converted)
                effects = simulate(shop.draw, campaign, draws)
                yield shop, campaign, trial_of(campaign.truth(usual), effects)


def row_of(shop: Shop | RealShop, campaign: Campaign, trial: Trial) -> str:
    """Return a row of the table."""
    effect = "none"
    if campaign.lift:
        word = "more" if campaign.lift > 0 else "less"
        effect = f"{abs(campaign.lift):.0%} {word} per customer"
    elif campaign.converted:
        effect = f"{campaign.converted:.0%} of the others buy"
    customers = campaign.control + campaign.treated
    return (
        f"| {shop} | {campaign.control:,} of {customers:,} | {effect} |"
        f" {trial.truth:.2f} | {trial.bias:+.2f} ± {1.96 * trial.error:.2f} |"
        f" {trial.coverage:.1%} ± {trial.error_of(trial.coverage):.1%} |"
        f" {trial.found:.1%} ± {trial.error_of(trial.found):.1%} | {trial.saved:.0%} |"
    )


@click.command()
@click.option("--draws", default=1_000, show_default=True, help="Draws of a campaign.")
@click.option(
    "--online-retail",
    type=click.Path(path_type=Path),
    default=ONLINE_RETAIL,
    show_default=True,
    help="The public data set; without it, its rows are missing.",
)
@click.option("--output", type=click.Path(path_type=Path), help="A file for the table.")
def main(draws: int, online_retail: Path, output: Path | None) -> None:
    """Print a table of simulated campaigns."""
    shops: list[Shop | RealShop] = [
        Shop(0.5, 0.7),
        Shop(0.3, 1.0),
        Shop(0.1, 1.0),
        Shop(0.1, 1.5),
    ]
    if online_retail.is_file():
        shops.insert(0, RealShop.read(online_retail))
    lines = [
        "| customers | hold-out | effect | per customer | bias | coverage | finds |"
        " saved |",
        "|---|---:|---|---:|---:|---:|---:|---:|",
    ]
    for row in trials(shops, draws):
        lines.append(row_of(*row))
        click.echo(lines[-1])
    if output:
        output.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
