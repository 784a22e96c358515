"""The models of next purchases that compete, and the rules of thumb they must beat."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from customer_segmentation.prediction.purchases.lifetime import Lifetime
from customer_segmentation.prediction.purchases.models import (
    BASKET,
    YEAR,
    Baseline,
    Blend,
    Hurdle,
    Tweedie,
)
from customer_segmentation.prediction.purchases.ratio_blend import (
    BASE_OF_PURCHASES,
    BASE_OF_SPEND,
)

if TYPE_CHECKING:
    from customer_segmentation.prediction.purchases.next_purchases import NextPurchases

__all__ = ["CANDIDATES", "Candidate", "candidates_of"]

Population = Literal["existing", "new"]


@dataclass(frozen=True)
class Candidate:
    """A way to predict the next purchases.

    Parameters
    ----------
    name : str
        Unique.
    populations : tuple of str
        Whose purchases it can predict: of ``existing`` customers, of ``new`` ones.
    is_baseline : bool
        Whether it is a rule of thumb that models have to beat.
    model : type
        Of the model inside.
    settings : mapping of str to object
        What makes one of the type.
    """

    name: str
    populations: tuple[Population, ...]
    is_baseline: bool
    model: type[Any]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def make(self) -> Any:
        """Return the model inside, not fitted."""
        return self.model(**self.settings)

    def estimator(self) -> "NextPurchases":
        """Return an estimator with an interval around the model, not fitted."""
        # it looks candidates up by name, so that a file holds no more than the name
        from customer_segmentation.prediction.purchases.next_purchases import (
            NextPurchases,
        )

        return NextPurchases(self.name)


_HURDLE = {"c": 0.05, "alpha": 30.0, "is_calibrated": True}
_FULL_HURDLE = {"columns": "numbers", "c": 0.02, "alpha": 100.0}
_LISTED = (
    Candidate(
        "last_year_spend",
        ("existing",),
        True,
        Baseline,
        {"spend": "spend_365", "purchases": "purchases_365", "days": YEAR},
    ),
    Candidate(
        "first_basket",
        ("new",),
        True,
        Baseline,
        {"spend": "basket_value", "purchases": None, "days": None},
    ),
    Candidate("blend", ("existing",), False, Blend),
    Candidate(
        "tweedie",
        ("existing",),
        False,
        Tweedie,
        {"base_of_spend": BASE_OF_SPEND, "base_of_purchases": BASE_OF_PURCHASES},
    ),
    Candidate(
        "basket_tweedie",
        ("new",),
        False,
        Tweedie,
        {"base_of_spend": BASKET, "base_of_purchases": {}},
    ),
    Candidate(
        "hurdle", ("new",), False, Hurdle, {"columns": "first_purchase", **_HURDLE}
    ),
    Candidate(
        "hurdle_season",
        ("new",),
        False,
        Hurdle,
        {"columns": "first_purchase_and_day", **_HURDLE},
    ),
    Candidate(
        "full_hurdle",
        ("existing", "new"),
        False,
        Hurdle,
        {**_FULL_HURDLE, "is_calibrated": True},
    ),
    Candidate(
        "zero_inflated_lognormal",
        ("existing", "new"),
        False,
        Hurdle,
        {**_FULL_HURDLE, "is_calibrated": False},
    ),
    Candidate("bg_nbd", ("existing",), False, Lifetime, {"is_pareto": False}),
    Candidate("pareto_nbd", ("existing",), False, Lifetime, {"is_pareto": True}),
)
CANDIDATES: Mapping[str, Candidate] = MappingProxyType(
    {one.name: one for one in _LISTED}
)


def candidates_of(population: Population) -> list[Candidate]:
    """Return the candidates of a population, baselines first."""
    found = [one for one in CANDIDATES.values() if population in one.populations]
    return sorted(found, key=lambda one: not one.is_baseline)
