"""What dbt hands over to a Python model: the vars of ``vars.yml``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from customer_segmentation.errors import InputError
from customer_segmentation.segmentation.search import Effort
from customer_segmentation.segmentation.specs import Segmentation, parse_segmentations


@dataclass(frozen=True)
class Declared:
    """The segmentations of this build, and how much is drawn to judge them.

    Parameters
    ----------
    segmentations : tuple of Segmentation
        Those of the source systems that are switched on.
    effort : Effort
        The var ``segmentation_search``.
    """

    segmentations: tuple[Segmentation, ...]
    effort: Effort

    @classmethod
    def read(cls, variables: Mapping[str, Any]) -> Self:
        """Read and check the vars.

        Parameters
        ----------
        variables : mapping
            ``segmentations``, ``source_systems``, ``source_system_catalog`` and
            ``segmentation_search``, as in ``vars.yml``.

        Raises
        ------
        InputError
            If a segmentation, or the search, is declared wrongly.
        """
        return cls(
            parse_segmentations(
                variables["segmentations"],
                variables["source_systems"],
                variables["source_system_catalog"],
            ),
            _read_effort(variables["segmentation_search"]),
        )


def _read_effort(declared: Mapping[str, Any]) -> Effort:
    least = {"resamples": 2, "null_draws": 1}
    for key, value in declared.items():
        if key not in least:
            raise InputError(
                f"segmentation_search: there is no key {key!r}; "
                f"give {' or '.join(least)}"
            )
        if type(value) is not int or value < least[key]:
            raise InputError(
                f"segmentation_search: {key}: is {value!r}; give a whole number of at "
                f"least {least[key]}"
            )
    return Effort(**declared)
