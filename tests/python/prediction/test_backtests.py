"""Candidates are tested on the same customers, in the order of the splits."""

from datetime import date

import pandas as pd
import pytest
from small_tables import SETTINGS, Tables

from customer_segmentation.errors import InputError
from customer_segmentation.prediction import backtests
from customer_segmentation.prediction.cohorts import Cohort

KEYS = ["population", "split", "algorithm", "customer_key", "as_of_date"]


@pytest.fixture(scope="module")
def tables() -> Tables:
    return Tables()


def predict_nothing(
    algorithm: str, train: Cohort, test: Cohort, horizon_days: int
) -> pd.DataFrame:
    """Return null predictions, beside the first customer learned from."""
    predictions = dict.fromkeys(
        [
            *("return_probability", "expected_purchases", "expected_spend"),
            *("spend_low", "spend_median", "spend_high"),
        ]
    )
    return pd.concat([test.keys, test.outcomes], axis=1).assign(**predictions)


def test_all_candidates_predict_the_same_customers(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtests, "predict_purchases", predict_nothing)
    table = backtests.backtest_purchases(tables.purchase_data(), SETTINGS)
    assert table.schema == backtests.PURCHASE_BACKTESTS
    found = table.to_pandas()
    assert not found.duplicated(KEYS).any()
    for population, count in (("existing", 7), ("new", 6)):
        rows = found[found["population"] == population]
        tested = rows.groupby("algorithm")["customer_key"].agg(sorted)
        assert len(tested) == count
        assert all(keys == tested.iloc[0] for keys in tested)
        # customers of the selection and of the later test
        assert set(rows["split"]) == {"selection", "test"}
    # splits come in their order, and customers sorted within a cohort
    blocks = found[["population", "split"]].drop_duplicates().to_numpy().tolist()
    assert blocks == sorted(blocks)
    baselines = found.loc[found["is_baseline"], "algorithm"]
    assert set(baselines) == {"last_year_spend", "first_basket"}
    assert found["as_of_date"].min() < date(2010, 12, 10)


def test_a_candidate_that_cannot_learn_in_one_fold_is_excluded_from_the_split(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = []

    def fail_once(
        algorithm: str, train: Cohort, test: Cohort, horizon_days: int
    ) -> pd.DataFrame | InputError:
        # the selection of existing customers is cross-validated
        if algorithm == "bg_nbd" and not failures:
            failures.append(train)
            return InputError("nobody came back")
        return predict_nothing(algorithm, train, test, horizon_days)

    monkeypatch.setattr(backtests, "predict_purchases", fail_once)
    with pytest.warns(
        UserWarning,
        match="shop, existing customers, selection of 365 days: bg_nbd is not tested: "
        "nobody came back",
    ):
        table = backtests.backtest_purchases(tables.purchase_data(), SETTINGS)
    found = table.to_pandas()
    tested = found[["algorithm", "population", "split"]].drop_duplicates()
    of_existing = tested[tested["population"] == "existing"]
    assert len(of_existing) == 2 * 7 - 1
    assert set(of_existing.loc[of_existing["algorithm"] == "bg_nbd", "split"]) == {
        "test"
    }


def test_a_candidate_says_what_it_cannot_learn_from(tables: Tables) -> None:
    data = tables.purchase_data()
    [split] = [one for one in data.splits if (one.name, one.population) == (
        "test", "existing"
    )]  # fmt: skip
    [(train, test)] = data.pairs(split, folds=2)
    found = backtests.predict_purchases("tweedie", train, test, 365)
    assert isinstance(found, pd.DataFrame)
    assert found["customer_key"].tolist() == test.keys["customer_key"].tolist()
    few = train.take(range(5))
    problem = backtests.predict_purchases("tweedie", few, test, 365)
    assert isinstance(problem, InputError)
    assert "5 customers" in str(problem)
