"""A model file may hold what candidates consist of, and nothing else."""

from collections.abc import Iterator

import pytest
import skops.io
from quick_fits import quick_fits
from small_tables import Tables

from customer_segmentation.prediction.entries import (
    INTERESTS,
    NEXT_PURCHASES,
    SEGMENT_PREFIX,
)
from customer_segmentation.prediction.interests import INTEREST_CANDIDATES
from customer_segmentation.prediction.model_files import (
    ALLOWED_TYPES,
    OWN_PACKAGE,
    trusted_types,
)
from customer_segmentation.prediction.purchases import CANDIDATES, candidates_of
from customer_segmentation.prediction.segments import CLASSIFIERS
from customer_segmentation.prediction.training import training_sets
from customer_segmentation.prediction.training_set import TrainingSet


def algorithms_of(training_set: TrainingSet) -> list[str]:
    """Return the names of the candidates of a purpose."""
    purpose = training_set.purpose
    if purpose.task.startswith(SEGMENT_PREFIX):
        return list(CLASSIFIERS)
    if purpose.task == INTERESTS:
        return list(INTEREST_CANDIDATES)
    assert purpose.task == NEXT_PURCHASES
    return [one.name for one in candidates_of(purpose.population)]


@pytest.fixture(scope="module")
def fitted() -> dict[str, set[str]]:
    """Return the types that skops does not trust, by candidate."""
    tables = Tables()
    tables.add_interests()
    found: dict[str, set[str]] = {}
    with quick_fits():
        for training_set in training_sets(tables.training_data()):
            for algorithm in algorithms_of(training_set):
                model = training_set.fit(algorithm)
                types = trusted_types(skops.io.dumps(model))
                found.setdefault(algorithm, set()).update(types)
    return found


def needed(found: dict[str, set[str]]) -> Iterator[str]:
    """Return the types that this package does not define."""
    for types in found.values():
        yield from (one for one in types if not one.startswith(OWN_PACKAGE))


def test_every_candidate_is_fitted(fitted: dict[str, set[str]]) -> None:
    assert set(fitted) == {*CANDIDATES, *CLASSIFIERS, *INTEREST_CANDIDATES}


def test_files_may_hold_what_candidates_need_and_nothing_else(
    fitted: dict[str, set[str]],
) -> None:
    assert set(needed(fitted)) == ALLOWED_TYPES
