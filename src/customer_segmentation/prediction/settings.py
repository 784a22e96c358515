"""The vars that the Python models of predictions read."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Self

from customer_segmentation.errors import InputError
from customer_segmentation.segmentation.declared_mapping import RFM

__all__ = ["RFM", "SEED", "PredictionSettings"]

# the seed of every random draw of predictions
SEED = 0


@dataclass(frozen=True)
class PredictionSettings:
    """What ``vars.yml`` declares for the Python models; it explains each var.

    Parameters
    ----------
    segment_targets : tuple of str
        ``rfm`` or names of declared segmentations: the segments to predict.
    folds : int
        Folds of a cross-validation.
    seeds : int
        Random seeds of the classifiers in their test.
    """

    segment_targets: tuple[str, ...]
    folds: int
    seeds: int

    @classmethod
    def read(cls, variables: Mapping[str, Any]) -> Self:
        """Read and check the vars.

        Parameters
        ----------
        variables : mapping
            ``prediction_segment_targets``, ``prediction_folds``, ``prediction_seeds``
            and ``segmentations``. Targets that are not declared are ignored: a build of
            one segmentation need not repeat the list.

        Raises
        ------
        InputError
            If a var is missing or has a value that it cannot have.

        Examples
        --------
        >>> PredictionSettings.read(
        ...     {
        ...         "prediction_segment_targets": ["rfm", "value"],
        ...         "prediction_folds": 5,
        ...         "prediction_seeds": 2,
        ...         "segmentations": {},
        ...     }
        ... )
        PredictionSettings(segment_targets=('rfm',), folds=5, seeds=2)
        """
        known = (RFM, *(variables.get("segmentations") or ()))
        return cls(
            segment_targets=_targets(variables, "prediction_segment_targets", known),
            folds=_number(variables, "prediction_folds", minimum=2),
            seeds=_number(variables, "prediction_seeds", minimum=1),
        )


def _number(variables: Mapping[str, Any], name: str, minimum: int) -> int:
    value = _value(variables, name)
    if type(value) is not int or value < minimum:
        raise InputError(
            f"{name}: is {value!r}; give a whole number of at least {minimum}"
        )
    return value


def _targets(
    variables: Mapping[str, Any], name: str, known: tuple[str, ...]
) -> tuple[str, ...]:
    targets = _value(variables, name)
    if not isinstance(targets, list | tuple):
        raise InputError(f"{name}: is {targets!r}; give a list")
    if not targets:
        raise InputError(f"{name}: is empty; name at least one segmentation")
    wrong = [target for target in targets if not isinstance(target, str)]
    if wrong:
        raise InputError(f"{name}: has {wrong[0]!r}; give names of segmentations")
    if len(set(targets)) < len(targets):
        raise InputError(f"{name}: names a segmentation twice; name it once")
    for target in targets:
        nearest = get_close_matches(target, known, n=1, cutoff=0.8)
        if target not in known and nearest:
            raise InputError(
                f"{name}: {target!r} is not declared; did you mean {nearest[0]!r}?"
            )
    return tuple(target for target in targets if target in known)


def _value(variables: Mapping[str, Any], name: str) -> Any:
    if variables.get(name) is None:
        raise InputError(f"{name}: is missing; add it to vars.yml")
    return variables[name]
