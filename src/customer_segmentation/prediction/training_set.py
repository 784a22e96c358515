"""The training set of a model, and what the registry records of the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from customer_segmentation.errors import InputError
from customer_segmentation.parallel import single_threaded
from customer_segmentation.prediction.champion import Choice
from customer_segmentation.prediction.cohort_pairs import shuffled_folds
from customer_segmentation.prediction.cohorts import Cohort
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
class FoldPredictions:
    """What a model of the other folds predicts, indexed by row.

    Parameters
    ----------
    known, unknown : pandas.DataFrame
        For the customers that it learned from, and for those of the fold.
    """

    known: pd.DataFrame
    unknown: pd.DataFrame

    def on_the_scale_of(self, own: pd.DataFrame) -> pd.DataFrame:
        """Return the predictions of the fold on the scale of the model of all.

        Models of other customers have slightly other levels. Where predictions have few
        values, each level would become a bin that no customer is in later. What both
        models predict for the customers that both know tells which values correspond.
        """
        numbers = self.unknown.select_dtypes("number").columns
        moved = {
            name: _corresponding(
                self.unknown[name], self.known[name], own.loc[self.known.index, name]
            )
            for name in numbers
        }
        return self.unknown.assign(**moved)


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
    def predict_fold(self, algorithm: str, fold: int) -> FoldPredictions | None:
        """Predict a fold of the customers with a model of the others.

        Parameters
        ----------
        algorithm : str
            Name of the candidate.
        fold : int
            From 0 to ``FOLDS`` - 1.

        Returns
        -------
        FoldPredictions or None
            What drift compares, whatever the season; None if the candidate cannot learn
            from the others.
        """
        others, rows = shuffled_folds(self.cohort.count, FOLDS)[fold]
        learned, unknown = self.cohort.take(others), self.cohort.take(rows)
        try:
            model = self.task.fit(algorithm, learned, self.split.horizon_days)
        except InputError:
            return None
        return FoldPredictions(
            known=self.task.summarise(model, learned.features).set_axis(others),
            unknown=self.task.summarise(model, unknown.features).set_axis(rows),
        )

    @single_threaded()
    def predict_all(self, model: Any) -> pd.DataFrame:
        """Return what a model predicts for the customers that it learned from."""
        return self.task.summarise(model, self.cohort.features).round(DECIMALS)

    def predict_unknown(
        self, predicted_folds: Sequence[FoldPredictions | None], model: Any
    ) -> pd.DataFrame:
        """Return predictions as a model makes them for customers it does not know.

        Parameters
        ----------
        predicted_folds : sequence of FoldPredictions or None
            From ``predict_fold``, for each fold.
        model : object
            Fitted to all customers.

        Returns
        -------
        pandas.DataFrame
            What drift compares, a row per customer. It is what the model predicts for
            the customers it knows where that is the same for everyone (it knows nobody
            then, but folds may differ), or where a candidate cannot learn from folds.
        """
        own = self.predict_all(model)
        folds = [fold.on_the_scale_of(own) for fold in predicted_folds if fold]
        if len(folds) < len(predicted_folds):
            return own
        varies = [name for name in own if (own[name] != own[name].iloc[0]).any()]
        unknown = pd.concat(folds).sort_index().round(DECIMALS)
        return own.assign(**{name: unknown[name] for name in varies})

    def record(
        self,
        choice: Choice,
        predicted_folds: Sequence[FoldPredictions | None],
        model: Any,
    ) -> Trained:
        """Return what the registry records of a fitted model of the choice.

        Parameters
        ----------
        choice : Choice
            The algorithm, and how good it is.
        predicted_folds : sequence of FoldPredictions or None
            From ``predict_fold``, for each fold.
        model : object
            Fitted to all customers.
        """
        assert self.split.train is not None
        features = self.cohort.features.drop(columns=list(self.task.unbinned))
        # a model predicts customers that it learned from unlike those of today
        predictions = self.predict_unknown(predicted_folds, model)
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


def _corresponding(
    values: pd.Series, known: pd.Series, own: pd.Series
) -> NDArray[np.float64]:
    """Return values on another scale, by equal quantiles of the same customers."""
    theirs, ours = (np.sort(one.to_numpy(dtype=float)) for one in (known, own))
    numbers = values.to_numpy(dtype=float)
    inside = np.clip(numbers, theirs[0], theirs[-1])
    # beyond the known values the distance from them stays
    moved: NDArray[np.float64] = np.interp(inside, theirs, ours) + (numbers - inside)
    return moved
