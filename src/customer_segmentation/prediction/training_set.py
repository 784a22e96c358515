"""The training set of a model, and what the registry records of the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from customer_segmentation.errors import InputError
from customer_segmentation.parallel import single_threaded
from customer_segmentation.prediction.champion import Choice
from customer_segmentation.prediction.cohorts import Cohort, shuffled_folds
from customer_segmentation.prediction.entries import Purpose, Recipe, Trained
from customer_segmentation.prediction.feature_kinds import ModelFeature, features_of
from customer_segmentation.prediction.psi import training_bins
from customer_segmentation.prediction.registry import training_fingerprint
from customer_segmentation.prediction.seasons import CategorySales
from customer_segmentation.prediction.splits import Split
from customer_segmentation.prediction.tasks import DECIMALS, Task, task_of

__all__ = ["FOLDS", "TrainingSet"]

# a model of four fifths of the customers predicts nearly as the model of all
FOLDS = 5


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
        rows = pd.concat(columns, axis=1).assign(
            season_purchases=cohort.season.purchases, season_spend=cohort.season.spend
        )
        if isinstance(cohort.season, CategorySales):
            rows = rows.assign(
                season_sales=str(sorted(cohort.season.categories.items()))
            )
        return training_fingerprint(rows, self.recipe(algorithm))

    @single_threaded()
    def fit(self, algorithm: str) -> Any:
        """Return a fitted model of an algorithm."""
        return self.task.fit(algorithm, self.cohort, self.split.horizon_days)

    @single_threaded()
    def predict_fold(self, algorithm: str, fold: int) -> pd.DataFrame | None:
        """Predict a fold of the customers with a model of the others.

        Parameters
        ----------
        algorithm : str
            Name of the candidate.
        fold : int
            From 0 to ``FOLDS`` - 1.

        Returns
        -------
        pandas.DataFrame or None
            What drift compares, whatever the season, indexed by the rows of the fold;
            None if the candidate cannot learn from the others.
        """
        others, rows = shuffled_folds(self.cohort.count, FOLDS)[fold]
        learned, held_out = self.cohort.take(others), self.cohort.take(rows)
        try:
            model = self.task.fit(algorithm, learned, self.split.horizon_days)
        except InputError:
            return None
        found = self.task.summarise(model, held_out.features)
        return found.set_axis(rows).round(DECIMALS)

    @single_threaded()
    def predict_all(self, model: Any) -> pd.DataFrame:
        """Return what a model predicts for the customers that it learned from."""
        return self.task.summarise(model, self.cohort.features).round(DECIMALS)

    def held_out(
        self, predicted_folds: Sequence[pd.DataFrame | None], model: Any
    ) -> pd.DataFrame:
        """Return predictions as a model makes them for customers it does not know.

        Parameters
        ----------
        predicted_folds : sequence of pandas.DataFrame or None
            From ``predict_fold``, for each fold.
        model : object
            Fitted to all customers.

        Returns
        -------
        pandas.DataFrame
            What drift compares, a row per customer. A model that predicts the same for
            everyone knows nobody, but each of its folds has another level: then its own
            predictions count. So they do if it cannot learn from some folds.
        """
        own = self.predict_all(model)
        folds = [found for found in predicted_folds if found is not None]
        if len(folds) < len(predicted_folds):
            return own
        varies = [name for name in own if (own[name] != own[name].iloc[0]).any()]
        return own.assign(**{name: pd.concat(folds)[name] for name in varies})

    def record(
        self, choice: Choice, predicted_folds: Sequence[pd.DataFrame | None], model: Any
    ) -> Trained:
        """Return what the registry records of a fitted model of the choice.

        Parameters
        ----------
        choice : Choice
            The algorithm, and how good it is.
        predicted_folds : sequence of pandas.DataFrame or None
            From ``predict_fold``, for each fold.
        model : object
            Fitted to all customers.
        """
        assert self.split.train is not None
        features = self.cohort.features.drop(columns=list(self.task.unbinned))
        # a model predicts customers that it learned from unlike those of today
        predictions = self.held_out(predicted_folds, model)
        compared = pd.concat([features, predictions], axis=1)
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
