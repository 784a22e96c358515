"""The var ``prediction``: what is predicted, from which past, and how it is judged."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any, Self

from customer_segmentation.errors import InputError

__all__ = ["PredictionRules"]

_LEAST = {
    "horizon_days": 1,
    "history_days": 1,
    "burn_in_days": 0,
    "test_days": 1,
    "new_within_days": 1,
    "segment_after_days": 1,
    "folds": 2,
    "seeds": 1,
}


@dataclass(frozen=True)
class PredictionRules:
    """What ``vars.yml`` says of predictions; the keys are explained there.

    Parameters
    ----------
    horizon_days, history_days, burn_in_days, test_days : int
        Lengths in days.
    new_within_days, segment_after_days : int
        Days after the first purchase.
    backtest_horizon_days : tuple of int
        Shorter horizons, in days.
    segment_targets : tuple of str
        ``rfm`` or names of segmentations.
    folds, seeds : int
        Of cross-validation, and of the classifiers' draws.
    coverage : tuple of float
        Least and greatest share of the customers in the intervals of a champion.
    greatest_drift : float
        Greatest population stability index of predictions.
    """

    horizon_days: int
    history_days: int
    burn_in_days: int
    test_days: int
    new_within_days: int
    segment_after_days: int
    backtest_horizon_days: tuple[int, ...]
    segment_targets: tuple[str, ...]
    folds: int
    seeds: int
    coverage: tuple[float, float]
    greatest_drift: float

    @classmethod
    def read(cls, declared: Mapping[str, Any], segmentations: Collection[str]) -> Self:
        """Read and check the var.

        Parameters
        ----------
        declared : mapping
            The var ``prediction``.
        segmentations : collection of str
            Names of all declared segmentations.

        Raises
        ------
        InputError
            If a key is unknown or missing, or has a value that it cannot have.
        """
        known = [field.name for field in fields(cls)]
        for key in declared:
            if key not in known:
                nearest = get_close_matches(str(key), known, n=1)
                meant = f"did you mean {nearest[0]!r}? " if nearest else ""
                raise _error(key, f"is not a key; {meant}known are {', '.join(known)}")
        for key in known:
            if declared.get(key) is None:
                raise _error(key, "is missing; add it")
        for key, least in _LEAST.items():
            _check_number(key, declared[key], least)
        shorter, targets = (
            _checked_list(key, declared[key])
            for key in ("backtest_horizon_days", "segment_targets")
        )
        for days in shorter:
            _check_number("backtest_horizon_days", days, 1)
        coverage = _checked_list("coverage", declared["coverage"])
        if len(coverage) != 2 or not 0 <= coverage[0] < coverage[1] <= 1:
            raise _error(
                "coverage",
                f"is {declared['coverage']!r}; give the least and the greatest share, "
                "as [0.7, 0.9]",
            )
        drift = declared["greatest_drift"]
        if not isinstance(drift, int | float) or isinstance(drift, bool) or drift <= 0:
            raise _error("greatest_drift", f"is {drift!r}; give a number above 0")
        targets_known = ("rfm", *segmentations)
        for target in targets:
            nearest = get_close_matches(str(target), targets_known, n=1, cutoff=0.8)
            if target not in targets_known and nearest:
                raise _error(
                    "segment_targets",
                    f"{target!r} is no segmentation; did you mean {nearest[0]!r}?",
                )
        return cls(
            **{key: declared[key] for key in _LEAST},
            backtest_horizon_days=shorter,
            # who tries one segmentation alone need not name the targets anew
            segment_targets=tuple(one for one in targets if one in targets_known),
            coverage=coverage,
            greatest_drift=float(drift),
        )


def _check_number(key: str, value: object, least: int) -> None:
    if type(value) is not int or value < least:
        raise _error(key, f"is {value!r}; give a whole number of at least {least}")


def _checked_list(key: str, value: object) -> tuple:
    if not isinstance(value, list | tuple):
        raise _error(key, f"is {value!r}; give a list")
    if not value:
        raise _error(key, "is empty; give at least one")
    if len(set(value)) < len(value):
        raise _error(key, "names one twice; keep one")
    return tuple(value)


def _error(key: object, problem: str) -> InputError:
    return InputError(f"prediction: {key}: {problem}")
