"""Training: the chosen candidates become models of the registry."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
from joblib import delayed

from customer_segmentation import engine
from customer_segmentation.errors import InputError
from customer_segmentation.parallel import run_parallel
from customer_segmentation.prediction.champion import (
    champions_of,
    has_challenged,
    is_better,
    read_choices,
)
from customer_segmentation.prediction.cohorts import MIN_CUSTOMERS
from customer_segmentation.prediction.data import TrainingData
from customer_segmentation.prediction.entries import (
    INTERESTS,
    NEXT_PURCHASES,
    SEGMENT_PREFIX,
    ModelEntry,
    Purpose,
    to_table,
)
from customer_segmentation.prediction.feature_kinds import ModelFeature
from customer_segmentation.prediction.registry import (
    load_model,
    read_entries,
    read_entry,
    register,
)
from customer_segmentation.prediction.splits import Split
from customer_segmentation.prediction.training_set import FOLDS, TrainingSet

__all__ = ["can_be_loaded", "train_models", "training_sets"]


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
    wanted = []
    for training_set in training_sets(data):
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
        if champion is not None and not can_be_loaded(
            champion, training_set.features, models
        ):
            champion = None
        fingerprint = training_set.fingerprint(choice.algorithm)
        if champion is not None and has_challenged(champion, fingerprint, rivals):
            continue
        wanted.append((training_set, choice, champion))
    predicted = run_parallel(
        delayed(training_set.predict_fold)(choice.algorithm, fold)
        for training_set, choice, _ in wanted
        for fold in range(FOLDS)
    )
    new = []
    for number, (training_set, choice, champion) in enumerate(wanted):
        folds = predicted[number * FOLDS : (number + 1) * FOLDS]
        model = training_set.fit(choice.algorithm)
        trained = training_set.record(choice, folds, model)
        is_promoted = champion is None or is_better(trained, champion, choice)
        new.append(register(trained, model, entries, is_promoted=is_promoted))
    return to_table(new)


def training_sets(data: TrainingData) -> Iterator[TrainingSet]:
    """Return the training set of each purpose."""
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


def can_be_loaded(
    champion: ModelEntry, features: Sequence[ModelFeature], models: engine.Relation
) -> bool:
    """Return whether the champion reads these features and its file can be loaded.

    One that cannot is replaced by the next model of its purpose, without a contest.
    """
    try:
        load_model(read_entry(models, champion.model_id), features)
    except InputError:
        return False
    return True
