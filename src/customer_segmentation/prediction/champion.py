"""Champion and challenger: which of two models to predict with."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from customer_segmentation.errors import InputError

__all__ = ["Backtest", "Measure", "Recipe", "replaces"]

# a sum has other bits on another machine; closer than this is equal
ROUNDING = 1e-9


@dataclass(frozen=True)
class Recipe:
    """How a model is made, whatever the data.

    Parameters
    ----------
    algorithm : str
        Name of the candidate.
    parameters : mapping of str to object
        Its settings, as JSON knows them.
    """

    algorithm: str
    parameters: Mapping[str, Any]

    def to_json(self) -> str:
        """Return the same text for the same recipe, tuples being lists."""
        return json.dumps(
            [self.algorithm, dict(self.parameters)], sort_keys=True, allow_nan=False
        )


@dataclass(frozen=True)
class Measure:
    """What a back-test measured.

    Parameters
    ----------
    value : float
        nan where it is not defined.
    is_higher_better : bool
        True of ranks and areas, False of errors.
    """

    value: float
    is_higher_better: bool

    def beats(self, other: "Measure") -> bool:
        """Tell whether it is better by more than rounding; nothing beats by nan."""
        if math.isnan(self.value) or math.isnan(other.value):
            return math.isnan(other.value) and not math.isnan(self.value)
        if math.isclose(self.value, other.value, rel_tol=ROUNDING, abs_tol=ROUNDING):
            return False
        return (self.value > other.value) == self.is_higher_better


@dataclass(frozen=True)
class Backtest:
    """How well a recipe did on customers that it did not learn from.

    Parameters
    ----------
    recipe : Recipe
        What was tested.
    trained_as_of : date
        The day from which on nothing existed for the model to be registered (of a
        challenger), or registered (of a champion).
    measures : mapping of str to Measure
        By name.
    """

    recipe: Recipe
    trained_as_of: date
    measures: Mapping[str, Measure]


def replaces(challenger: Backtest, champion: Backtest) -> bool:
    """Tell whether a challenger takes the champion's place.

    It does if it is better on more than half of the measures; a draw keeps the
    champion. The champion's own recipe does if its outcomes are no older: on the same
    back-test the two are one, and what was learned last is nearest to what comes.

    Parameters
    ----------
    challenger, champion : Backtest
        On the same rows, with the same measures.

    Raises
    ------
    InputError
        If the measures differ, or nothing was measured.
    """
    directions = [
        {name: measure.is_higher_better for name, measure in one.measures.items()}
        for one in (challenger, champion)
    ]
    if directions[0] != directions[1] or not directions[0]:
        raise InputError(
            f"{challenger.recipe.algorithm} against {champion.recipe.algorithm}: "
            f"measured are {_named(challenger)} and {_named(champion)}; take the same "
            "measures of both"
        )
    if challenger.recipe.to_json() == champion.recipe.to_json():
        return challenger.trained_as_of >= champion.trained_as_of
    wins = sum(
        measure.beats(champion.measures[name])
        for name, measure in challenger.measures.items()
    )
    return 2 * wins > len(challenger.measures)


def _named(backtest: Backtest) -> str:
    return ", ".join(sorted(backtest.measures)) or "nothing"
