"""The registry's new rows: the chosen candidates, trained."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import pyarrow as pa
from threadpoolctl import threadpool_limits

from customer_segmentation import engine
from customer_segmentation.errors import InputError
from customer_segmentation.prediction.backtests import LEAST_CUSTOMERS
from customer_segmentation.prediction.champion import (
    Backtest,
    Measure,
    Recipe,
    replaces,
)
from customer_segmentation.prediction.drift import training_bins
from customer_segmentation.prediction.entries import (
    REGISTRY_FACTS,
    ModelEntry,
    Purpose,
    Trained,
    to_table,
)
from customer_segmentation.prediction.evaluations import EVALUATIONS
from customer_segmentation.prediction.feature_kinds import Feature, features_of
from customer_segmentation.prediction.fingerprints import training_fingerprint
from customer_segmentation.prediction.purchase_backtests import read_purchase_samples
from customer_segmentation.prediction.purchases import CANDIDATES, UNKNOWN, InSeason
from customer_segmentation.prediction.registry import (
    champions_of,
    has_challenged,
    load_model,
    register,
)
from customer_segmentation.prediction.rules import PredictionRules
from customer_segmentation.prediction.samples import EXISTING, NEW, Sample, Seen
from customer_segmentation.prediction.scoring import read_entry
from customer_segmentation.prediction.seasons import Seasons
from customer_segmentation.prediction.segment_backtests import (
    read_targets,
    seen_with_segment,
)
from customer_segmentation.prediction.segments import CLASSIFIERS
from customer_segmentation.prediction.split_tables import read_rules, read_splits
from customer_segmentation.prediction.splits import Split

__all__ = ["LearnedFrom", "train_models"]

CHOICES = ["source_system", "task", "population", "algorithm", "baseline"]


@dataclass(frozen=True)
class LearnedFrom:
    """The relations that models learn from.

    Parameters
    ----------
    existing, new : engine.Relation
        ``customer_snapshots`` and ``first_purchase_features``.
    outcomes, targets : engine.Relation
        ``int_prediction__outcomes`` and ``int_prediction__segment_targets``.
    splits, seasons : engine.Relation
        ``int_prediction__splits`` and ``int_prediction__seasons``.
    """

    existing: engine.Relation
    new: engine.Relation
    outcomes: engine.Relation
    targets: engine.Relation
    splits: engine.Relation
    seasons: engine.Relation


@dataclass(frozen=True)
class _Lesson:
    """What a model is to learn: its purpose, customers and their outcome."""

    purpose: Purpose
    split: Split
    seen: Seen

    def recipe(self, algorithm: str) -> Recipe:
        """Return how a model of an algorithm is made."""
        is_candidate = self.purpose.task == "next_purchases"
        settings = CANDIDATES[algorithm].settings if is_candidate else {}
        return Recipe(algorithm, dict(settings))

    def fit(self, algorithm: str) -> Any:
        """Return the model of an algorithm, trained on one thread.

        Sums have other bits when other threads share them.
        """
        with threadpool_limits(limits=1):
            if self.purpose.task == "next_purchases":
                model = InSeason(CANDIDATES[algorithm].estimator(), self.seen.season)
                return model.fit(
                    self.seen.features, self.seen.outcomes, self.split.horizon_days
                )
            index = self.seen.keys["customer_key"]
            return CLASSIFIERS[algorithm]().fit(
                self.seen.features.set_index(index),
                self.seen.outcomes["segment"].set_axis(index),
            )

    def predictions(self, model: Any) -> pd.DataFrame:
        """Return what the model says of those it learned from, for drift."""
        with threadpool_limits(limits=1):
            if self.purpose.task == "next_purchases":
                found = model.predict(self.seen.features, UNKNOWN)
                return found.drop(columns=["spend_low", "spend_high"])
            probabilities = model.predict_proba(self.seen.features)
        return pd.DataFrame({"segment": probabilities.idxmax(axis=1).astype(str)})


def train_models(
    learned_from: LearnedFrom,
    evaluations: engine.Relation,
    choices: engine.Relation,
    earlier: engine.Relation | None,
    variables: Mapping[str, Any],
) -> pa.Table:
    """Train what was chosen, unless the same has been learned from the same before.

    Parameters
    ----------
    learned_from : LearnedFrom
        The relations that models learn from.
    evaluations : engine.Relation
        ``int_prediction__evaluations``.
    choices : engine.Relation
        ``int_prediction__choices``.
    earlier : engine.Relation or None
        The registry so far.
    variables : mapping
        The vars ``prediction`` and ``segmentations``.

    Returns
    -------
    pyarrow.Table
        Of the schema ``REGISTRY``: the new models. One becomes the champion if it is
        the first of its purpose, is made as the champion was, or beats it on the same
        back-test.
    """
    rules = read_rules(variables)
    entries = [] if earlier is None else _read_entries(earlier)
    measured = engine.read(evaluations, EVALUATIONS.names, order_by="algorithm")
    chosen = engine.read(choices, CHOICES, order_by="task").set_index(CHOICES[:3])
    new = []
    for lesson in _lessons(learned_from, rules):
        purpose = lesson.purpose
        key = (purpose.source_system, purpose.task, purpose.population)
        if key not in chosen.index or lesson.seen.count < LEAST_CUSTOMERS:
            continue
        choice = chosen.loc[key]
        recipe = lesson.recipe(choice["algorithm"])
        rows = pd.concat(
            [lesson.seen.keys, lesson.seen.features, lesson.seen.outcomes], axis=1
        ).assign(
            season_purchases=lesson.seen.season.purchases,
            season_spend=lesson.seen.season.spend,
        )
        fingerprint = training_fingerprint(rows, recipe)
        features = features_of(lesson.seen.features, list(lesson.seen.features))
        rivals = [
            entry
            for entry in entries
            # one that knows what came later is no rival in a build of an earlier day
            if entry.purpose == purpose
            and entry.trained_as_of <= lesson.split.as_of_date
        ]
        champion = champions_of(rivals).get(purpose)
        if champion is not None and not _can_be_loaded(champion, features, earlier):
            champion = None
        if champion is not None and has_challenged(
            champion, recipe, fingerprint, rivals
        ):
            continue
        of_purpose = measured[
            (measured["source_system"] == purpose.source_system)
            & (measured["task"] == purpose.task)
            & (measured["population"] == purpose.population)
            & (measured["part"] == "selection")
            & measured["is_choice"]
            & measured["value"].notna()
        ]
        model = lesson.fit(recipe.algorithm)
        drawn = pd.concat([lesson.seen.features, lesson.predictions(model)], axis=1)
        trained = Trained(
            purpose=purpose,
            recipe=recipe,
            trained_as_of=lesson.split.as_of_date,
            cutoffs=(lesson.split.train.first, lesson.split.train.last),
            customers=lesson.seen.count,
            fingerprint=fingerprint,
            features=features,
            training_bins=training_bins(drawn, list(drawn)),
            metrics=_figures(of_purpose, recipe.algorithm),
            baseline=choice["baseline"],
            baseline_metrics=_figures(of_purpose, choice["baseline"]),
        )
        is_champion = champion is None or _wins(trained, champion, of_purpose)
        new.append(register(trained, model, entries, is_champion=is_champion))
    return to_table(new)


def _lessons(learned_from: LearnedFrom, rules: PredictionRules) -> Iterator[_Lesson]:
    wanted = [
        split
        for split in read_splits(learned_from.splits, "next_purchases")
        if split.part == "fit"
    ]
    samples = read_purchase_samples(
        learned_from.existing, learned_from.new, learned_from.outcomes, wanted
    )
    seasons = Seasons.read(learned_from.seasons)
    for split in wanted:
        sample = samples[split.source_system, split.population]
        seen = sample.seen(split.train, split.horizon_days)
        if split.population == EXISTING.name:
            season = seasons.after(
                split.source_system, split.train.last, split.horizon_days
            )
            seen = replace(seen, season=season)
        yield _Lesson(_purpose(split, "next_purchases"), split, seen)
    for split in read_splits(learned_from.splits, "segment"):
        if split.part != "fit":
            continue
        for segmentation in rules.segment_targets:
            known = read_targets(
                learned_from.targets, split.source_system, segmentation
            )
            if known.empty:
                continue
            sample = Sample.read(learned_from.new, NEW, split.source_system, known)
            seen = seen_with_segment(sample)(split.train)
            yield _Lesson(_purpose(split, f"segment:{segmentation}"), split, seen)


def _purpose(split: Split, task: str) -> Purpose:
    return Purpose(task, split.source_system, split.population, split.horizon_days)


def _read_entries(registry: engine.Relation) -> list[ModelEntry]:
    rows = engine.read(registry, REGISTRY_FACTS, order_by="model_id")
    return [ModelEntry.from_row(row) for row in rows.to_dict("records")]


def _figures(measured: pd.DataFrame, algorithm: str) -> dict[str, float]:
    """Return what was measured of an algorithm, by horizon and metric."""
    rows = measured[measured["algorithm"] == algorithm]
    names = rows["horizon_days"].astype(str) + "." + rows["metric"]
    return dict(zip(names, rows["value"], strict=True))


def _can_be_loaded(
    champion: ModelEntry, features: Sequence[Feature], registry: engine.Relation
) -> bool:
    """Tell whether the champion can still predict; features or versions may differ."""
    try:
        load_model(read_entry(registry, champion.model_id), features)
    except InputError:
        return False
    return True


def _wins(challenger: Trained, champion: ModelEntry, measured: pd.DataFrame) -> bool:
    """Tell whether a model replaces the champion.

    A champion whose algorithm is no candidate any more cannot be tested, and is
    replaced. The back-test of an algorithm is that of its settings of today.
    """
    tests = []
    for trained in (challenger, champion):
        rows = measured[measured["algorithm"] == trained.recipe.algorithm]
        if rows.empty:
            return True
        names = rows["horizon_days"].astype(str) + "." + rows["metric"]
        tests.append(
            Backtest(
                recipe=Recipe(trained.recipe.algorithm, {}),
                trained_as_of=trained.trained_as_of,
                measures={
                    name: Measure(value, bool(is_higher_better))
                    for name, value, is_higher_better in zip(
                        names, rows["value"], rows["is_higher_better"], strict=True
                    )
                },
            )
        )
    common = set(tests[0].measures) & set(tests[1].measures)
    return not common or replaces(*(_limited_to(common, test) for test in tests))


def _limited_to(names: set[str], test: Backtest) -> Backtest:
    measures = {
        name: measure for name, measure in test.measures.items() if name in names
    }
    return replace(test, measures=measures)
