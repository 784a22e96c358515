"""Tasks: what is predicted, and how a model of each kind is fitted and asked."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import pandas as pd

from customer_segmentation.prediction.classification import most_probable, ranked
from customer_segmentation.prediction.cohorts import NEW, Cohort
from customer_segmentation.prediction.entries import (
    INTERESTS,
    NEXT_PURCHASES,
    SEGMENT_PREFIX,
    Purpose,
)
from customer_segmentation.prediction.interests import HISTORY, INTEREST_CANDIDATES
from customer_segmentation.prediction.purchases import CANDIDATES, InSeason
from customer_segmentation.prediction.seasons import (
    UNKNOWN,
    CategorySeasons,
    Season,
    Seasons,
)
from customer_segmentation.prediction.segments import CLASSIFIERS

__all__ = ["DECIMALS", "PUBLISHED_INTERESTS", "Task", "task_of"]

# what is published of each customer, best first
PUBLISHED_INTERESTS = 5
# the last bits of a sum depend on the other rows of the batch
DECIMALS = 9


class Task(Protocol):
    """A kind of prediction.

    Attributes
    ----------
    unbinned : frozenset of str
        Features whose distribution says nothing, so that drift ignores them.
    """

    unbinned: frozenset[str]

    def settings(self, algorithm: str) -> Mapping[str, Any]:
        """Return the settings of an algorithm, as JSON can store them."""

    def fit(self, algorithm: str, cohort: Cohort, horizon_days: int) -> Any:
        """Return a fitted model of an algorithm."""

    def season_of(
        self, seasons: Seasons | CategorySeasons, purpose: Purpose, today: pd.Timestamp
    ) -> Season:
        """Return the season that customers of a day are predicted for."""

    def predict(
        self, model: Any, features: pd.DataFrame, season: Season | None
    ) -> pd.DataFrame:
        """Return the predictions that are published.

        Parameters
        ----------
        model : object
            Fitted.
        features : pandas.DataFrame of shape (n, d)
            With the index 0, 1, …
        season : Season or None
            None if unknown.

        Returns
        -------
        pandas.DataFrame
            One or several rows per customer, with the customer's index.
        """

    def summarise(self, model: Any, features: pd.DataFrame) -> pd.DataFrame:
        """Return what drift compares: one row per customer.

        Predictions are those of no season: what sells changes with the season, whoever
        the customers are.
        """


class _Purchases:
    """Next purchases and spend."""

    unbinned: frozenset[str] = frozenset()

    def settings(self, algorithm: str) -> Mapping[str, Any]:
        return dict(CANDIDATES[algorithm].settings)

    def fit(self, algorithm: str, cohort: Cohort, horizon_days: int) -> Any:
        model = InSeason(CANDIDATES[algorithm].estimator(), cohort.season)
        return model.fit(cohort.features, cohort.outcomes, horizon_days)

    def season_of(
        self, seasons: Seasons | CategorySeasons, purpose: Purpose, today: pd.Timestamp
    ) -> Season:
        return _season_on(seasons, purpose, today)

    def predict(
        self, model: Any, features: pd.DataFrame, season: Season | None
    ) -> pd.DataFrame:
        found: pd.DataFrame = model.predict(features, season or UNKNOWN)
        return found

    def summarise(self, model: Any, features: pd.DataFrame) -> pd.DataFrame:
        found = self.predict(model, features, UNKNOWN)
        return found.drop(columns=["spend_low", "spend_median", "spend_high"])


class _Segments:
    """The segment of a new customer some time later."""

    unbinned: frozenset[str] = frozenset()

    def settings(self, algorithm: str) -> Mapping[str, Any]:
        return {}

    def fit(self, algorithm: str, cohort: Cohort, horizon_days: int) -> Any:
        index = cohort.keys["customer_key"]
        return CLASSIFIERS[algorithm]().fit(
            cohort.features.set_index(index), cohort.outcomes["segment"].set_axis(index)
        )

    def season_of(
        self, seasons: Seasons | CategorySeasons, purpose: Purpose, today: pd.Timestamp
    ) -> Season:
        return UNKNOWN

    def predict(
        self, model: Any, features: pd.DataFrame, season: Season | None
    ) -> pd.DataFrame:
        return ranked(model.predict_proba(features))

    def summarise(self, model: Any, features: pd.DataFrame) -> pd.DataFrame:
        return most_probable(model.predict_proba(features))[["segment"]]


class _Interests:
    """The categories that a customer will buy next."""

    unbinned = frozenset({HISTORY})

    def settings(self, algorithm: str) -> Mapping[str, Any]:
        return dict(INTEREST_CANDIDATES[algorithm].settings)

    def fit(self, algorithm: str, cohort: Cohort, horizon_days: int) -> Any:
        model = INTEREST_CANDIDATES[algorithm].estimator()
        return model.fit(cohort.features, cohort.outcomes, cohort.season)

    def season_of(
        self, seasons: Seasons | CategorySeasons, purpose: Purpose, today: pd.Timestamp
    ) -> Season:
        return _season_on(seasons, purpose, today)

    def predict(
        self, model: Any, features: pd.DataFrame, season: Season | None
    ) -> pd.DataFrame:
        found = model.predict(features, season or UNKNOWN)
        # rounded first: ties go to the lower id, whatever the last bits say
        probabilities = found.to_numpy().round(6)
        order = np.argsort(-probabilities, axis=1, kind="stable")
        best = order[:, :PUBLISHED_INTERESTS]
        count, ranks = best.shape
        return pd.DataFrame(
            {
                "category_id": found.columns.to_numpy()[best].ravel(),
                "interest_rank": np.tile(np.arange(1, ranks + 1), count),
                "probability": np.take_along_axis(probabilities, best, 1).ravel(),
            },
            index=features.index.repeat(ranks),
        )

    def summarise(self, model: Any, features: pd.DataFrame) -> pd.DataFrame:
        found = self.predict(model, features, UNKNOWN)
        first = found[found["interest_rank"] == 1]
        return pd.DataFrame(
            {
                "top_category": first["category_id"].astype(str),
                "top_probability": first["probability"],
            }
        )


def task_of(name: str) -> Task:
    """Return the task of a purpose, by its name.

    Examples
    --------
    >>> type(task_of("segment:rfm")).__name__
    '_Segments'
    """
    tasks: dict[str, Task] = {
        NEXT_PURCHASES: _Purchases(),
        INTERESTS: _Interests(),
        SEGMENT_PREFIX: _Segments(),
    }
    [found] = [task for begin, task in tasks.items() if name.startswith(begin)]
    return found


def _season_on(
    seasons: Seasons | CategorySeasons,
    purpose: Purpose,
    today: pd.Timestamp,
) -> Season:
    # new customers have a date each
    if purpose.population == NEW.name:
        return UNKNOWN
    return seasons.on(purpose.source_system, today.date(), purpose.horizon_days)
