"""Interests of customers: the models that compete, and the baselines to beat."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sklearn.base import clone

from customer_segmentation.prediction.complexity import Complexity
from customer_segmentation.prediction.interests.baselines import (
    OwnHistory,
    Popularity,
    SeasonPopularity,
    ShrunkHistory,
)
from customer_segmentation.prediction.interests.choice import CategoryChoice
from customer_segmentation.prediction.interests.histories import (
    HISTORY,
    bought_of,
)
from customer_segmentation.prediction.interests.model import (
    InterestModel,
    Interests,
    InterestsOfToday,
)
from customer_segmentation.prediction.interests.transitions import CategoryTransitions

__all__ = [
    "HISTORY",
    "INTEREST_CANDIDATES",
    "InterestCandidate",
    "Interests",
    "InterestsOfToday",
    "bought_of",
]


@dataclass(frozen=True)
class InterestCandidate:
    """A way to predict interests, of existing customers and of new ones.

    Parameters
    ----------
    name : str
        Unique.
    model : InterestModel
        Not fitted.
    complexity : Complexity
        Of equally good candidates the simplest is used.
    """

    name: str
    model: InterestModel
    complexity: Complexity

    @property
    def is_baseline(self) -> bool:
        """Whether it is a naive baseline that models have to beat."""
        return self.complexity == Complexity.BASELINE

    @property
    def settings(self) -> Mapping[str, Any]:
        """The parameters of the model."""
        return dict(self.model.get_params())

    def estimator(self) -> Interests:
        """Return an estimator, not fitted."""
        return Interests(clone(self.model))


_LISTED = (
    InterestCandidate("popularity", Popularity(), Complexity.BASELINE),
    InterestCandidate("season_popularity", SeasonPopularity(), Complexity.BASELINE),
    InterestCandidate("own_history", OwnHistory(), Complexity.BASELINE),
    InterestCandidate("shrunk_history", ShrunkHistory(), Complexity.BASELINE),
    InterestCandidate("category_choice", CategoryChoice(), Complexity.LINEAR),
    InterestCandidate(
        "category_transitions", CategoryTransitions(), Complexity.NONLINEAR
    ),
)
INTEREST_CANDIDATES: Mapping[str, InterestCandidate] = MappingProxyType(
    {candidate.name: candidate for candidate in _LISTED}
)
