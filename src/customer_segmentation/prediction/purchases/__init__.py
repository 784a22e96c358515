"""Next purchases of customers: the models that compete, and the baselines to beat."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from sklearn.base import BaseEstimator, clone

from customer_segmentation.prediction.btyd.bg_nbd import BgNbd
from customer_segmentation.prediction.btyd.gamma_gamma import GammaGamma
from customer_segmentation.prediction.btyd.pareto_nbd import ParetoNbd
from customer_segmentation.prediction.complexity import Complexity
from customer_segmentation.prediction.purchases.baseline import Baseline
from customer_segmentation.prediction.purchases.blend import Blend, Tweedie
from customer_segmentation.prediction.purchases.hurdle import Hurdle
from customer_segmentation.prediction.purchases.lifetime import Lifetime
from customer_segmentation.prediction.purchases.model import PurchaseModel
from customer_segmentation.prediction.purchases.next_purchases import (
    PREDICTED,
    InSeason,
    NextPurchases,
)
from customer_segmentation.prediction.seasons import UNKNOWN, Season

__all__ = [
    "CANDIDATES",
    "PREDICTED",
    "UNKNOWN",
    "InSeason",
    "NextPurchases",
    "PurchaseCandidate",
    "Season",
    "candidates_of",
]


@dataclass(frozen=True)
class PurchaseCandidate:
    """A way to predict the next purchases.

    Parameters
    ----------
    name : str
        Unique.
    populations : tuple of str
        The customers it can predict: ``existing`` customers, ``new`` customers or both.
    model : PurchaseModel
        Not fitted.
    complexity : Complexity
        Of equally good candidates the simplest is used.
    """

    name: str
    populations: tuple[Literal["existing", "new"], ...]
    model: PurchaseModel
    complexity: Complexity

    @property
    def is_baseline(self) -> bool:
        """Whether it is a naive baseline that models have to beat."""
        return self.complexity == Complexity.BASELINE

    @property
    def settings(self) -> Mapping[str, Any]:
        """The parameters of the model; those that are models by their class."""
        return {
            name: type(value).__name__ if isinstance(value, BaseEstimator) else value
            for name, value in self.model.get_params().items()
        }

    def estimator(self) -> NextPurchases:
        """Return an estimator with an interval around the model, not fitted."""
        return NextPurchases(clone(self.model))


# with shrinkage even ten customers have a maximum, and many hardly notice it
_SHRINKAGE = 1.0
# the value of the first purchase, the only past of a new customer
_FIRST_BASKET = {"basket_value": 1.0}

_LISTED = (
    PurchaseCandidate(
        "last_year_spend",
        ("existing",),
        Baseline("spend_365", "purchases_365", days=365.0),
        Complexity.BASELINE,
    ),
    PurchaseCandidate(
        "first_basket", ("new",), Baseline("basket_value"), Complexity.BASELINE
    ),
    PurchaseCandidate("blend", ("existing",), Blend(), Complexity.ENSEMBLE),
    PurchaseCandidate("tweedie", ("existing",), Tweedie(), Complexity.LINEAR),
    PurchaseCandidate(
        "basket_tweedie", ("new",), Tweedie(_FIRST_BASKET, {}), Complexity.LINEAR
    ),
    PurchaseCandidate(
        "hurdle",
        ("new",),
        Hurdle("first_purchase", c=0.05, alpha=30.0),
        Complexity.LINEAR,
    ),
    PurchaseCandidate(
        "hurdle_season",
        ("new",),
        Hurdle("first_purchase_and_day", c=0.05, alpha=30.0),
        Complexity.LINEAR,
    ),
    PurchaseCandidate(
        "full_hurdle",
        ("existing", "new"),
        Hurdle("numbers", 0.02, 100.0),
        Complexity.LINEAR,
    ),
    PurchaseCandidate(
        "zero_inflated_lognormal",
        ("existing", "new"),
        Hurdle("numbers", c=0.02, alpha=100.0, is_calibrated=False),
        Complexity.LINEAR,
    ),
    PurchaseCandidate(
        "bg_nbd",
        ("existing",),
        Lifetime(BgNbd(_SHRINKAGE), GammaGamma(_SHRINKAGE)),
        Complexity.FEW_PARAMETERS,
    ),
    PurchaseCandidate(
        "pareto_nbd",
        ("existing",),
        Lifetime(ParetoNbd(_SHRINKAGE), GammaGamma(_SHRINKAGE)),
        Complexity.FEW_PARAMETERS,
    ),
)
CANDIDATES: Mapping[str, PurchaseCandidate] = MappingProxyType(
    {candidate.name: candidate for candidate in _LISTED}
)


def candidates_of(population: Literal["existing", "new"]) -> list[PurchaseCandidate]:
    """Return the candidates of a population, baselines first.

    Examples
    --------
    >>> [candidate.name for candidate in candidates_of("new")][:2]
    ['first_basket', 'basket_tweedie']
    """
    found = [one for one in CANDIDATES.values() if population in one.populations]
    return sorted(found, key=lambda candidate: not candidate.is_baseline)
