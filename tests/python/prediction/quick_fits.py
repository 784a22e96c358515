"""Quick fits of candidates and classifiers.

Few trees and folds do for what holds for any model: a result that is defined, a file
that comes back, an order of rows that does not matter.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from customer_segmentation.prediction.segments import ESTIMATORS

__all__ = ["quick_fits"]

PURCHASES = "customer_segmentation.prediction.purchases"
SIZES = ("ratio.RATIO_TREES", "ratio.RANK_TREES", "model.FOLDS")


@contextmanager
def quick_fits() -> Iterator[None]:
    """Fit few trees and few folds."""
    with pytest.MonkeyPatch.context() as patch:
        for size in SIZES:
            patch.setattr(f"{PURCHASES}.{size}", 2)
        patch.setattr(ESTIMATORS["random_forest"], "n_estimators", 5)
        patch.setattr(ESTIMATORS["gradient_boosting"], "max_iter", 10)
        yield
