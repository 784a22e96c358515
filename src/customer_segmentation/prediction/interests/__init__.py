"""Interests of customers: the models that compete, and the baselines to beat."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sklearn.base import clone

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
    is_baseline : bool
        Whether it is a naive baseline that models have to beat.
    """

    name: str
    model: InterestModel
    is_baseline: bool = False

    @property
    def settings(self) -> Mapping[str, Any]:
        """The parameters of the model."""
        return dict(self.model.get_params())

    def estimator(self) -> Interests:
        """Return an estimator, not fitted."""
        return Interests(clone(self.model))


_LISTED = (
    InterestCandidate("popularity", Popularity(), is_baseline=True),
    InterestCandidate("season_popularity", SeasonPopularity(), is_baseline=True),
    InterestCandidate("own_history", OwnHistory(), is_baseline=True),
    InterestCandidate("shrunk_history", ShrunkHistory(), is_baseline=True),
    InterestCandidate("category_choice", CategoryChoice()),
    InterestCandidate("category_transitions", CategoryTransitions()),
)
INTEREST_CANDIDATES: Mapping[str, InterestCandidate] = MappingProxyType(
    {candidate.name: candidate for candidate in _LISTED}
)
