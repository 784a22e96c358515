"""Training: the chosen candidates become models of the registry."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from customer_segmentation import engine
from customer_segmentation.errors import InputError
from customer_segmentation.parallel import single_threaded
from customer_segmentation.prediction.champion import (
    Choice,
    champions_of,
    has_challenged,
    is_better,
    read_choices,
)
from customer_segmentation.prediction.cohorts import MIN_CUSTOMERS, Cohort
from customer_segmentation.prediction.data import TrainingData
from customer_segmentation.prediction.entries import (
    INTERESTS,
    NEXT_PURCHASES,
    SEGMENT_PREFIX,
    ModelEntry,
    Purpose,
    Recipe,
    Trained,
    to_table,
)
from customer_segmentation.prediction.feature_kinds import ModelFeature, features_of
from customer_segmentation.prediction.psi import training_bins
from customer_segmentation.prediction.registry import (
    load_model,
    read_entries,
    read_entry,
    register,
    training_fingerprint,
)
from customer_segmentation.prediction.seasons import CategorySales
from customer_segmentation.prediction.splits import Split
from customer_segmentation.prediction.tasks import Task, task_of

__all__ = ["TrainingSet", "train_models"]


@dataclass(frozen=True)
class TrainingSet:
    """The customers that a model learns from, and what it will predict.

    Parameters
    ----------
    purpose : Purpose
        What is predicted.
    split : Split
        Of the name ``fit``.
    cohort : Cohort
        The customers.
    """

    purpose: Purpose
    split: Split
    cohort: Cohort

    @property
    def features(self) -> tuple[ModelFeature, ...]:
        """The features that a model reads."""
        return features_of(self.cohort.features, list(self.cohort.features))

    @property
    def task(self) -> Task:
        """What is predicted."""
        return task_of(self.purpose.task)

    def recipe(self, algorithm: str) -> Recipe:
        """Return how a model of an algorithm is made."""
        return Recipe(algorithm, self.task.settings(algorithm))

    def fingerprint(self, algorithm: str) -> str:
        """Return the fingerprint of a model of an algorithm."""
        cohort = self.cohort
        columns = [cohort.keys, cohort.features, cohort.outcomes]
        season = cohort.season
        rows = pd.concat(columns, axis=1).assign(
            season_purchases=season.purchases_index,
            season_purchases_variance=season.purchases_variance,
            season_spend=season.spend_index,
            season_spend_variance=season.spend_variance,
        )
        if isinstance(season, CategorySales):
            rows = rows.assign(season_sales=str(sorted(season.categories.items())))
        return training_fingerprint(rows, self.recipe(algorithm))

    @single_threaded()
    def fit(self, algorithm: str) -> Any:
        """Return a fitted model of an algorithm."""
        return self.task.fit(algorithm, self.cohort, self.split.horizon_days)

    @single_threaded()
    def predictions(self, model: Any) -> pd.DataFrame:
        """Return what a model predicts for these customers, whatever the season."""
        return self.task.summarise(model, self.cohort.features, None)

    def record(self, model: Any, choice: Choice) -> Trained:
        """Return what the registry records of a fitted model of the choice."""
        assert self.split.train is not None
        features = self.cohort.features.drop(columns=list(self.task.unbinned))
        compared = pd.concat([features, self.predictions(model)], axis=1)
        return Trained(
            purpose=self.purpose,
            recipe=self.recipe(choice.algorithm),
            trained_as_of=self.split.as_of_date,
            training_dates=(self.split.train.first, self.split.train.last),
            customers=self.cohort.count,
            fingerprint=self.fingerprint(choice.algorithm),
            features=self.features,
            training_bins=training_bins(compared, list(compared)),
            metrics=choice.metrics(choice.algorithm),
            baseline=choice.baseline,
            baseline_metrics=choice.metrics(choice.baseline),
        )


def train_models(
    data: TrainingData,
    evaluations: engine.Relation,
    choices: engine.Relation,
    models: engine.Relation | None,
) -> pa.Table:
    """Train the chosen candidates, unless the same model has been trained before.

    Parameters
    ----------
    data : TrainingData
        What the models learn from.
    evaluations, choices : engine.Relation
        ``int_prediction__evaluations`` and ``int_prediction__choices``.
    models : engine.Relation or None
        The registry so far.

    Returns
    -------
    pyarrow.Table
        Of the schema ``REGISTRY``: the new models. A model is promoted to champion if
        its purpose has no champion, if the champion cannot be loaded any more, or if it
        beats the champion on the same back-test.
    """
    chosen = read_choices(evaluations, choices)
    entries = [] if models is None else read_entries(models)
    new = []
    for training_set in _training_sets(data):
        purpose = training_set.purpose
        choice = chosen.get((purpose.source_system, purpose.task, purpose.population))
        if choice is None or training_set.cohort.count < MIN_CUSTOMERS:
            continue
        rivals = [
            entry
            for entry in entries
            # a build of an earlier date ignores the models of later dates
            if entry.purpose == purpose
            and entry.trained_as_of <= training_set.split.as_of_date
        ]
        champion = champions_of(rivals).get(purpose)
        if champion is not None and not _can_be_loaded(champion, training_set, models):
            champion = None
        fingerprint = training_set.fingerprint(choice.algorithm)
        if champion is not None and has_challenged(champion, fingerprint, rivals):
            continue
        model = training_set.fit(choice.algorithm)
        trained = training_set.record(model, choice)
        is_promoted = champion is None or is_better(trained, champion, choice)
        new.append(register(trained, model, entries, is_promoted=is_promoted))
    return to_table(new)


def _training_sets(data: TrainingData) -> Iterator[TrainingSet]:
    for split in data.purchases.splits:
        if split.name == "fit":
            yield TrainingSet(
                _purpose(split, NEXT_PURCHASES),
                split,
                data.purchases.training_cohort(split),
            )
    for split in data.segments.splits:
        if split.name == "fit":
            for segmentation in data.segments.segmentations(split.source_system):
                yield TrainingSet(
                    _purpose(split, SEGMENT_PREFIX + segmentation),
                    split,
                    data.segments.training_cohort(split, segmentation),
                )
    for split in data.interests.splits:
        if split.name == "fit":
            yield TrainingSet(
                _purpose(split, INTERESTS),
                split,
                data.interests.training_cohort(split),
            )


def _purpose(split: Split, task: str) -> Purpose:
    return Purpose(task, split.source_system, split.population, split.horizon_days)


def _can_be_loaded(
    champion: ModelEntry, training_set: TrainingSet, models: engine.Relation
) -> bool:
    """Return whether the champion reads these features and its file can be loaded."""
    try:
        load_model(read_entry(models, champion.model_id), training_set.features)
    except InputError:
        return False
    return True
