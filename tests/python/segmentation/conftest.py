"""Customers with features of all kinds."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from customer_segmentation.segmentation import null_data
from customer_segmentation.segmentation.declare import Feature

CUSTOMERS = 400
NUMERIC = ("standard", "log", "power", "quantile", "passthrough")


@pytest.fixture(scope="module")
def rough_null_data() -> Iterator[None]:
    """Keep the correlations of null data roughly only, in a fraction of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(null_data, "CORRELATION_DRAWS", 4)
        yield


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def mixed(rng: np.random.Generator) -> tuple[pd.DataFrame, tuple[Feature, ...]]:
    """Return features of all kinds, some missing, and how they are declared."""
    n = CUSTOMERS
    frame = pd.DataFrame(
        {
            **{name: rng.lognormal(3, 1, n) for name in NUMERIC},
            "signed": rng.normal(-5, 30, n),
            "visits": pd.array(rng.poisson(3, n), dtype="Int64"),
            "city": pd.Series(rng.choice(["Cairo", "Giza", "Luxor"], n), dtype="str"),
            "gender": pd.Series(rng.choice(["f", "m"], n), dtype="str"),
        }
    )
    frame.loc[::7, "visits"] = pd.NA
    frame.loc[::11, "gender"] = None
    frame.loc[3::50, "signed"] = np.nan
    features = (
        *(Feature(name, name) for name in NUMERIC),
        Feature("signed", "power", 2.0),
        Feature("visits", "log", 1.5, "impute"),
        Feature("city", "onehot", 0.5),
        Feature("gender", "onehot", 0.7, "impute"),
    )
    return frame, features
