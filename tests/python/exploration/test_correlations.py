"""Rank correlations are those of pandas, on the customers who have both features."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from customer_segmentation.exploration import correlate_features
from customer_segmentation.exploration.correlations import (
    CORRELATIONS,
    rank_correlations,
)


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    spend = rng.lognormal(size=300)
    values = pd.DataFrame(
        {
            "spend": spend,
            "purchases": rng.poisson(spend),
            "interval": np.where(spend > 1, 1 / spend, np.nan),
            "age": np.where(rng.random(300) < 0.3, np.nan, rng.integers(18, 30, 300)),
            "constant": 1.0,
            "unknown": np.nan,
        }
    )
    values["nearly_unknown"] = np.where(np.arange(300) < 2, 1.0, np.nan)
    return values


def test_correlations_are_those_of_pandas(frame: pd.DataFrame) -> None:
    correlations, rows = rank_correlations(frame.to_numpy())
    expected = frame.corr("spearman", min_periods=3).to_numpy()
    np.testing.assert_allclose(correlations, expected, atol=1e-12)
    known = frame.notna().to_numpy().astype(int)
    np.testing.assert_array_equal(rows, known.T @ known)


def test_features_that_a_source_system_does_not_record_are_left_out(
    frame: pd.DataFrame,
) -> None:
    shop = frame.assign(source_system="shop")
    mall = frame[["age"]].assign(source_system="mall")
    both = pd.concat([shop, mall], ignore_index=True)
    both["customer_key"] = [f"{number:04}" for number in range(len(both))]
    shuffled = both.sample(frac=1, random_state=1)
    with duckdb.connect() as connection:
        tables = [
            correlate_features(connection.from_df(one), ["mall", "nobody", "shop"])
            for one in (both, shuffled)
        ]
    assert tables[0].equals(tables[1])
    assert tables[0].schema == CORRELATIONS
    found = tables[0].to_pandas()
    # the mall has one feature, and no pair
    assert set(found["source_system"]) == {"shop"}
    assert "unknown" not in set(found["feature"])
    assert len(found) == 6 * 5
    assert found.loc[found["feature"] == "constant", "correlation"].isna().all()


def test_without_customers_there_are_no_rows(frame: pd.DataFrame) -> None:
    empty = frame.assign(customer_key="a", source_system="shop").head(0)
    with duckdb.connect() as connection:
        found = correlate_features(connection.from_df(empty), ["shop"])
    assert found.schema == CORRELATIONS
    assert found.num_rows == 0
