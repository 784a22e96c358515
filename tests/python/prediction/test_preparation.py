"""Features become finite columns, in an order that models rely on."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.feature_kinds import as_numbers, features_of
from customer_segmentation.prediction.preparation import Preparation


def customers() -> pd.DataFrame:
    """Return 40 customers with each kind of feature."""
    rng = np.random.default_rng(0)
    country = np.repeat(["Egypt", "France", "Malta"], [20, 15, 5]).astype(object)
    country[-1] = None
    spend = rng.lognormal(3, 2, 40)
    spend[::8] = np.nan
    return pd.DataFrame(
        {
            "country": country,
            "spend": spend,
            "same": 3,
            "age": pd.array(rng.integers(18, 90, 40), dtype="Int64"),
            "is_member": rng.random(40) < 0.5,
            "unknown": None,
        }
    )


def test_columns_are_standardised_with_gaps_beside_their_number() -> None:
    frame = customers()
    columns = Preparation().fit_transform(frame)
    # spend and its gaps, age, is_member, Egypt, France
    assert columns.shape == (40, 6)
    np.testing.assert_allclose(columns[:, [0, 2, 3]].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(columns[:, [0, 2, 3]].std(axis=0), 1)
    np.testing.assert_array_equal(columns[:, 1], frame["spend"].isna())
    # skewed, so the logarithm is standardised
    filled = np.log1p(frame["spend"].fillna(frame["spend"].median()))
    expected = (filled - filled.mean()) / filled.std(ddof=0)
    np.testing.assert_allclose(columns[:, 0], expected)
    age = frame["age"].astype(float)
    np.testing.assert_allclose(columns[:, 2], (age - age.mean()) / age.std(ddof=0))


def test_only_frequent_levels_have_a_column() -> None:
    frame = customers()
    preparation = Preparation().fit(frame)
    columns = preparation.transform(frame)
    np.testing.assert_array_equal(columns[:, 4], frame["country"] == "Egypt")
    np.testing.assert_array_equal(columns[:, 5], frame["country"] == "France")
    # rare, new and missing levels are alike
    for other in ("Malta", "Atlantis", None):
        found = preparation.transform(frame.assign(country=other))
        assert (found[:, 4:] == 0).all()
    # a level of all customers tells nothing
    assert Preparation().fit_transform(frame.assign(country="Egypt")).shape[1] == 4


def test_extreme_numbers_are_limited_and_infinite_ones_are_missing() -> None:
    frame = customers()
    preparation = Preparation().fit(frame)
    extreme = preparation.transform(frame.assign(age=1e30, spend=np.inf))
    assert (extreme[:, 2] == 6).all()
    assert (extreme[:, 1] == 1).all()
    assert np.isfinite(extreme).all()


def test_without_categories_only_numbers_and_flags_are_read() -> None:
    frame = customers().assign(day=pd.Timestamp("2011-12-09"))
    preparation = Preparation(has_categories=False).fit(frame)
    names = [feature.name for feature in preparation.features_]
    assert names == ["spend", "same", "age", "is_member"]
    columns = Preparation().fit_transform(frame.drop(columns="day"))
    np.testing.assert_array_equal(preparation.transform(frame), columns[:, :4])
    with pytest.raises(InputError, match="day: holds dates"):
        Preparation().fit(frame)


def test_other_columns_and_no_customers_are_no_problem() -> None:
    frame = customers()
    preparation = Preparation().fit(frame)
    more = frame.assign(more="text")
    columns = preparation.transform(frame)
    np.testing.assert_array_equal(preparation.transform(more), columns)
    np.testing.assert_array_equal(preparation.transform(frame.iloc[[3]]), columns[[3]])
    assert preparation.transform(frame.head(0)).shape == (0, 6)
    # features that tell nothing make one column
    assert Preparation().fit_transform(frame[["same"]]).tolist() == [[0.0]] * 40


def test_a_preparation_can_be_cloned() -> None:
    preparation = Preparation(has_categories=False).fit(customers())
    assert vars(clone(preparation)) == {"has_categories": False}


def test_unusable_features_are_refused() -> None:
    frame = customers()
    for empty in (frame.head(0), frame[[]]):
        with pytest.raises(InputError, match="no customers or no columns"):
            Preparation().fit(empty)
    with pytest.raises(InputError, match="two columns have the same name"):
        Preparation().fit(frame[["age", "age"]])
    with pytest.raises(InputError, match="feature age: holds mixed values"):
        Preparation().fit(frame.assign(age=[(1, 2)] * 20 + ["x"] * 20))
    preparation = Preparation().fit(frame)
    with pytest.raises(InputError, match="no column country, age"):
        preparation.transform(frame.drop(columns=["age", "country"]))
    with pytest.raises(InputError, match="feature age: is not a number"):
        preparation.transform(frame.assign(age="old"))
    with pytest.raises(InputError, match="no column height"):
        features_of(frame, ["age", "height"])
    with pytest.raises(InputError, match="feature age: is not a number"):
        as_numbers(pd.Series(["old"], name="age"))
