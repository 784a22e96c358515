"""Print how often other customers would have given another champion.

Run ``make build``, then ``python benchmarks/champion_flips.py``. The customers of the
selection are drawn with replacement, and the champion is chosen again: by the relative
loss, and by the rule before it, the mean place of models that beat the best baseline in
a quarter of the metrics. Then it prints the test of the champions of both rules.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click
import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from project import database_option

from customer_segmentation.prediction import evaluate_backtests, evaluations
from customer_segmentation.prediction.backtests import (
    INTEREST_BACKTESTS,
    PURCHASE_BACKTESTS,
    SEGMENT_BACKTESTS,
)
from customer_segmentation.prediction.resampling import resample

BACKTESTS = {
    "int_prediction__backtests": PURCHASE_BACKTESTS,
    "int_prediction__segment_backtests": SEGMENT_BACKTESTS,
    "int_prediction__interest_backtests": INTEREST_BACKTESTS,
}
PURPOSE = ["source_system", "task", "population"]
MEASURE = [*PURPOSE, "horizon_days", "metric"]
Delayed = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
Champions = dict[tuple[str, ...], str]


@click.command()
@database_option
@click.option("--draws", default=20, show_default=True, help="Draws of customers.")
@click.option(
    "--resamples", default=200, show_default=True, help="Resamples of each draw."
)
@click.option("--task", default="next_purchases", show_default=True)
@click.option("--source-system", default="", help="All of them by default.")
def main(
    database: Path, draws: int, resamples: int, task: str, source_system: str
) -> None:
    """Print the champions of the database, and how often draws give others."""
    # mypy knows no way to replace a function of a module
    setattr(evaluations, "resample", partial(resample, resamples=resamples))  # noqa: B010
    # other processes would not know of it
    setattr(evaluations, "run_parallel", _run_here)  # noqa: B010
    tables = _read(database, task, source_system)
    found: dict[str, dict[tuple[str, ...], Counter[str]]] = {}
    first: dict[str, Champions] = {}
    tests = pd.DataFrame()
    for number, drawn in enumerate(_draws(tables, draws)):
        rows = evaluate_backtests(*map(duckdb.from_arrow, drawn)).to_pandas()
        if number == 0:
            tests = rows[rows["split"] == "test"]
        rows = rows[rows["split"] == "selection"]
        for rule, champions in (
            ("mean place", by_mean_place(rows)),
            ("relative loss", by_relative_loss(rows)),
        ):
            if number == 0:
                first[rule] = champions
                click.echo(f"{rule}: {champions}", err=True)
                continue
            for purpose, name in champions.items():
                of_rule = found.setdefault(rule, {})
                of_rule.setdefault(purpose, Counter())[name] += 1
    for rule, counted in found.items():
        click.echo(f"\n{rule}")
        for purpose, names in counted.items():
            champion = first[rule][purpose]
            others = 1 - names[champion] / names.total()
            listed = ", ".join(f"{name} {count}" for name, count in names.most_common())
            click.echo(f"  {' '.join(purpose)}: {champion}; another in {others:.0%}")
            click.echo(f"    {listed}")
    for purpose, after in first["relative loss"].items():
        before = first["mean place"][purpose]
        of_purpose = (tests[PURPOSE] == list(purpose)).all(axis=1)
        named = tests["algorithm"].isin({before, after})
        shown = tests[of_purpose & named & tests["is_selection_metric"]].pivot_table(
            index=["horizon_days", "metric"], columns="algorithm", values="value"
        )
        click.echo(f"\ntest of {' '.join(purpose)}: {before} -> {after}\n{shown}")


def _run_here(tasks: Iterable[Delayed]) -> list[Any]:
    return [function(*args, **kwargs) for function, args, kwargs in tasks]


def by_mean_place(rows: pd.DataFrame) -> Champions:
    """Return the champions by the rule that was used before."""
    measures = rows[rows["is_selection_metric"] & rows["value"].notna()].copy()
    # it did not measure the total
    measures = measures[~measures["metric"].str.endswith("total_error")]
    is_higher = measures["is_higher_better"].astype(bool)
    low, high = measures["difference_low"], measures["difference_high"]
    measures["is_better"] = np.where(is_higher, low > 0, high < 0)
    measures["is_worse"] = np.where(is_higher, high < 0, low > 0)
    measures["loss"] = (np.where(is_higher, -1, 1) * measures["value"]).round(9)
    counted = measures.groupby([*PURPOSE, "algorithm"]).agg(
        better=("is_better", "sum"),
        worse=("is_worse", "sum"),
        measures=("difference_low", "count"),
        is_baseline=("is_baseline", "first"),
    )
    is_eligible = counted["is_baseline"].astype(bool) | (
        (4 * counted["better"] >= counted["measures"])
        & (counted["better"] > counted["worse"])
    )
    eligible = counted[is_eligible].reset_index()[[*PURPOSE, "algorithm"]]
    measures = measures.merge(eligible)
    measures["place"] = measures.groupby(MEASURE)["loss"].rank(method="min")
    places = measures.groupby([*PURPOSE, "algorithm"], as_index=False).agg(
        measures=("place", "size"),
        place=("place", "mean"),
        is_baseline=("is_baseline", "first"),
    )
    order = {"measures": False, "place": True, "is_baseline": False, "algorithm": True}
    return _first_of_each(
        places.sort_values(list(order), ascending=list(order.values()))
    )


def by_relative_loss(rows: pd.DataFrame) -> Champions:
    """Return the champions by the rule of ``int_prediction__choices``."""
    losses = rows[rows["metric"] == "relative_loss"]
    as_good = losses[losses["is_as_good"].astype(bool)]
    return _first_of_each(as_good.sort_values(["complexity", "value", "algorithm"]))


def _first_of_each(rows: pd.DataFrame) -> Champions:
    found = rows.drop_duplicates(PURPOSE).sort_values(PURPOSE)
    keys = found[PURPOSE].itertuples(index=False, name=None)
    return dict(zip(keys, found["algorithm"], strict=True))


def _read(database: Path, task: str, source_system: str) -> list[pd.DataFrame]:
    """Return the back-tests of a task, one table after another."""
    with duckdb.connect(database, read_only=True) as connection:
        return [
            connection.execute(
                f"from main_private.{name}"
                " where starts_with(task, ?) and starts_with(source_system, ?)",
                [task, source_system],
            ).df()
            for name in BACKTESTS
        ]


def _draws(tables: list[pd.DataFrame], draws: int) -> Iterator[list[pa.Table]]:
    """Yield the tables as they are, then selections drawn with replacement."""
    rng = np.random.default_rng(0)
    for number in range(draws + 1):
        found = []
        for rows, schema in zip(tables, BACKTESTS.values(), strict=True):
            drawn = _drawn(rows, rng) if number and not rows.empty else rows
            # a database of an older build may lack a column that chooses nothing
            drawn = drawn.reindex(columns=schema.names)
            found.append(pa.Table.from_pandas(drawn, schema, preserve_index=False))
        yield found


def _drawn(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    rows = rows[rows["split"] == "selection"]
    keys = rows["customer_key"].unique()
    picked = pd.DataFrame(
        {
            "customer_key": rng.choice(keys, len(keys)),
            # a customer who is drawn twice is two customers
            "copy": [f"#{number}" for number in range(len(keys))],
        }
    )
    drawn = rows.merge(picked, on="customer_key")
    return drawn.assign(customer_key=drawn["customer_key"] + drawn["copy"])


if __name__ == "__main__":
    main()
