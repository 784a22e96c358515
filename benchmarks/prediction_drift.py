"""Print how far predictions drift: unbroken, and three times what they should be.

Build a database that has models, then
``python benchmarks/prediction_drift.py --database data/customer_segmentation.duckdb``.
Every candidate is fitted to the training set of its purpose. Its predictions for the
same customers and for today's are binned as its out-of-fold predictions, and as its
predictions for the customers that it learned from.
"""

from pathlib import Path

import click
import duckdb
import pandas as pd
from joblib import delayed
from project import database_option, read_variables

from customer_segmentation import engine
from customer_segmentation.parallel import run_parallel
from customer_segmentation.prediction import PredictionSettings, TrainingData
from customer_segmentation.prediction.cohorts import (
    EXISTING,
    INTEREST_POPULATIONS,
    MIN_CUSTOMERS,
    NEW,
    Population,
)
from customer_segmentation.prediction.drift import has_season
from customer_segmentation.prediction.entries import INTERESTS, NEXT_PURCHASES
from customer_segmentation.prediction.interests import INTEREST_CANDIDATES
from customer_segmentation.prediction.psi import psi, training_bins
from customer_segmentation.prediction.purchases import candidates_of
from customer_segmentation.prediction.segments import CLASSIFIERS
from customer_segmentation.prediction.tasks import DECIMALS
from customer_segmentation.prediction.training import training_sets
from customer_segmentation.prediction.training_set import FOLDS, TrainingSet

RELATIONS = {
    "outcomes": "int_prediction__outcomes",
    "seasons": "int_prediction__seasons",
    "rfm_segments": "int_rfm__segments",
    "fits": "int_segmentation__fits",
    "splits": "int_features__splits",
    "category_histories": "int_prediction__category_histories",
    "category_outcomes": "int_prediction__category_outcomes",
    "category_seasons": "int_prediction__category_seasons",
}
FORM = "{:<24}{:<20}{:>10}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}"
HEADINGS = (
    *("candidate", "prediction", "same,oof", "today", "oof", "chance"),
    *("mean", "chance", "x3,psi", "x3,mean"),
)


@click.command()
@database_option
def measure(database: Path) -> None:
    """Print the PSI and the ratio of the means for every candidate."""
    click.echo(
        "same,oof: PSI of out-of-fold predictions over bins of predictions for the\n"
        "customers learned from, who are the same. today: PSI of today over them.\n"
        "oof: over bins of out-of-fold predictions, and what chance reaches. mean:\n"
        "today's over theirs, and what chance reaches. x3: if predictions are tripled."
    )
    with duckdb.connect(str(database), read_only=True) as connection:
        customer_days, first_purchases = (
            _table(connection, name)
            for name in ("int_features__customer_days", "int_features__first_purchases")
        )
        relations = {
            name: _table(connection, table) for name, table in RELATIONS.items()
        }
        data = TrainingData.read(
            customer_days,
            first_purchases,
            **relations,
            settings=PredictionSettings.read(read_variables()),
        )
        for one in training_sets(data):
            if one.cohort.count < MIN_CUSTOMERS:
                continue
            task, population = one.purpose.task, one.purpose.population
            if task == INTERESTS:
                today = _today(
                    relations["category_histories"],
                    INTEREST_POPULATIONS[population],
                    one,
                )
            elif population == NEW.name:
                today = _today(first_purchases, NEW, one)
            else:
                today = _today(customer_days, EXISTING, one)
            _show(one, today)


def _table(connection: duckdb.DuckDBPyConnection, name: str) -> duckdb.DuckDBPyRelation:
    [(schema,)] = connection.execute(
        "select table_schema from information_schema.tables where table_name = ?"
        " and table_schema in ('main_training', 'main_private', 'main')",
        [name],
    ).fetchall()
    return connection.table(f"{schema}.{name}")


def _today(
    relation: engine.Relation, population: Population, one: TrainingSet
) -> pd.DataFrame:
    return engine.read(
        relation,
        population.features(relation.columns),
        where={
            "source_system": one.purpose.source_system,
            **population.scored_where,
        },
    )


def _show(one: TrainingSet, today: pd.DataFrame) -> None:
    season = "another season" if has_season(one.purpose) else "the same season"
    click.echo(
        f"\n{one.purpose.name}: {one.cohort.count} customers, {len(today)} today, "
        f"{season}"
    )
    click.echo(FORM.format(*HEADINGS))
    algorithms = _algorithms(one)
    if not len(today):
        return
    lines = run_parallel(delayed(_lines)(one, name, today) for name in algorithms)
    for line in (line for found in lines for line in found):
        click.echo(FORM.format(*line))


def _algorithms(one: TrainingSet) -> list[str]:
    if one.purpose.task == INTERESTS:
        return list(INTEREST_CANDIDATES)
    if one.purpose.task == NEXT_PURCHASES:
        return [candidate.name for candidate in candidates_of(one.purpose.population)]
    return list(CLASSIFIERS)


def _lines(one: TrainingSet, algorithm: str, today: pd.DataFrame) -> list[list[str]]:
    folds = [one.predict_fold(algorithm, fold) for fold in range(FOLDS)]
    model = one.fit(algorithm)
    in_sample, others = one.predict_all(model), one.predict_unknown(folds, model)
    now = one.task.summarise(model, today).round(DECIMALS)
    tripled = now.select_dtypes("number") * 3
    names = list(now)
    of_in_sample = training_bins(in_sample, names)
    of_others = training_bins(others, names)
    same, before, after = (
        psi(bins, frame).set_index("feature")
        for bins, frame in (
            (of_in_sample, others),
            (of_in_sample, now),
            (of_others, now),
        )
    )
    numbers = {name: of_others[name] for name in tripled}
    broken = psi(numbers, tripled).set_index("feature").reindex(names)
    return [
        [
            *(algorithm, name, f"{same.loc[name, 'psi']:.3f}"),
            f"{before.loc[name, 'psi']:.3f}",
            f"{after.loc[name, 'psi']:.3f}",
            f"{after.loc[name, 'psi_by_chance']:.3f}",
            f"{after.loc[name, 'mean_ratio']:.3f}",
            f"{after.loc[name, 'mean_ratio_by_chance']:.3f}",
            f"{broken.loc[name, 'psi']:.2f}",
            f"{broken.loc[name, 'mean_ratio']:.2f}",
        ]
        for name in names
    ]


if __name__ == "__main__":
    measure()
