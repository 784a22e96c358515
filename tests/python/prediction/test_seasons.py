"""Expectations follow the season of the customers, as far as it is known."""

import math
from datetime import date
from functools import cache

import duckdb
import numpy as np
import pandas as pd
import pytest
from simulated_shops import (
    SHOPS,
    STRONG_GIFTS,
    Shop,
    seasons_of,
    simulate_sales,
    true_factor,
)
from sklearn.base import BaseEstimator, clone

from customer_segmentation.prediction.model_files import (
    dump_model,
    read_model,
    trusted_types,
)
from customer_segmentation.prediction.purchases import (
    CANDIDATES,
    UNKNOWN,
    InSeason,
    Season,
)
from customer_segmentation.prediction.purchases.expected import (
    Expected,
)
from customer_segmentation.prediction.seasons import Seasons, season_factors

AS_OF = date(2011, 6, 1)
LATER = date(2011, 9, 1)


def seasons() -> Seasons:
    with duckdb.connect() as connection:
        rows = connection.query(
            """
            select * from (values
                ('shop', date '2011-06-01', 73, 50, 125, 1000.5, 5002.5, 9e4, 4e5),
                ('mall', date '2011-06-01', 73, 1, 2, null, null, null, null),
                ('mall', date '2011-06-01', 90, 0, 2, -3, 2, 9, 9)
            ) as rows(
                source_system, as_of_date, horizon_days, purchases, purchases_of_year,
                spend, spend_of_year, squared_spend, squared_spend_of_year
            )
            """
        )
        return Seasons.read(rows)


def test_seasons_have_a_source_system_a_date_and_a_horizon() -> None:
    found = seasons()
    # a fifth of the year has two fifths of the purchases, and a fifth of the spend
    season = found.on("shop", AS_OF, 73)
    assert season.purchases_index == pytest.approx(2.0)
    assert season.spend_index == pytest.approx(1.0)
    # the variance of the logarithm of a binomial share
    assert season.purchases_variance == pytest.approx(1 / 50 - 1 / 125)
    assert season.spend_variance == pytest.approx((0.6 * 9e4 + 0.04 * 4e5) / 1000.5**2)
    mall = found.on("mall", AS_OF, 73)
    assert mall.purchases_index == pytest.approx(2.5)
    assert math.isnan(mall.spend_index)
    for other in (("shop", LATER, 73), ("shop", AS_OF, 180), ("x", AS_OF, 73)):
        assert found.on(*other) is UNKNOWN


def test_days_without_sales_have_no_index() -> None:
    season = seasons().on("mall", AS_OF, 90)
    assert math.isnan(season.purchases_index)
    assert math.isnan(season.spend_index)


class Expects(BaseEstimator):
    """An estimator that always expects the same."""

    def __init__(self, *, learns_level: bool = True) -> None:
        self.learns_level = learns_level

    def fit(self, features, outcomes, horizon_days) -> "Expects":
        """Learn nothing."""
        self.horizon_days_ = horizon_days
        return self

    def expect(self, features: pd.DataFrame | None) -> Expected:
        """Return the same for three customers."""
        returns, purchases = np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.6, 4.0])
        return Expected(returns, purchases, np.array([0.0, 100.0, 1000.0]))

    def describe(self, expected: Expected, index: pd.Index) -> pd.DataFrame:
        """Return ends of the interval that are multiples of the expected spend."""
        assert expected.spend is not None
        return pd.DataFrame(
            {
                "return_probability": expected.return_probability,
                "expected_purchases": expected.purchases,
                "expected_spend": expected.spend,
                "spend_low": expected.spend * 0.4,
                "spend_high": expected.spend * 2,
            },
            index=index,
        )

    def predict(self, features: pd.DataFrame | None) -> pd.DataFrame:
        """Describe what is expected without a season."""
        return self.describe(self.expect(features), pd.RangeIndex(3))


LEARNED = Season(purchases_index=100.0, spend_index=5_000.0)


def expected(season: Season, learned: Season = LEARNED, **options) -> pd.DataFrame:
    nobody = pd.DataFrame(index=range(3))
    model = InSeason(Expects(**options), learned).fit(nobody, nobody, 90)
    return model.predict(nobody, season)


def test_twice_the_season_brings_twice_as_much() -> None:
    plain, found = Expects().predict(None), expected(Season(200.0, 10_000.0))
    for name in ("expected_purchases", "expected_spend", "spend_low", "spend_high"):
        np.testing.assert_allclose(found[name], 2 * plain[name])
    np.testing.assert_allclose(found["return_probability"], [0.0, 0.75, 1.0])


def test_purchases_and_spend_have_seasons_of_their_own() -> None:
    plain, found = Expects().predict(None), expected(Season(50.0, 15_000.0))
    np.testing.assert_allclose(found["expected_spend"], 3 * plain["expected_spend"])
    np.testing.assert_allclose(found["return_probability"], [0.0, 1 - 0.5**0.5, 1.0])
    # customers who certainly return buy at least once, whatever the season
    assert (found["expected_purchases"] >= found["return_probability"]).all()


@pytest.mark.parametrize(
    ("season", "learned"),
    [
        (UNKNOWN, LEARNED),
        (LEARNED, UNKNOWN),
        (LEARNED, LEARNED),
        (LEARNED, Season(0.0, 0.0)),
        (LEARNED, Season(-1.0, -5.0)),
        (Season(0.0, -3.0), LEARNED),
    ],
)
def test_an_unknown_season_changes_nothing(season, learned) -> None:
    plain = Expects().predict(None)
    pd.testing.assert_frame_equal(expected(season, learned), plain)


def test_a_season_without_amounts_changes_only_purchases() -> None:
    found = expected(Season(200.0), Season(100.0))
    plain = Expects().predict(None)
    np.testing.assert_allclose(found["expected_purchases"], [0.0, 1.2, 8.0])
    pd.testing.assert_series_equal(found["expected_spend"], plain["expected_spend"])


@pytest.mark.parametrize(("times", "factor"), [(50.0, 3.0), (0.01, 1 / 3)])
def test_the_change_is_limited(times: float, factor: float) -> None:
    found = expected(Season(100.0 * times, 5_000.0 * times))
    plain = Expects().predict(None)
    np.testing.assert_allclose(
        found["expected_spend"], factor * plain["expected_spend"]
    )


def test_an_uncertain_season_changes_less() -> None:
    plain = Expects().predict(None)["expected_spend"].sum()
    factors = [
        expected(Season(200.0, 10_000.0, spend_variance=variance))[
            "expected_spend"
        ].sum()
        / plain
        for variance in (0.0, 0.01, 0.25, 100.0)
    ]
    np.testing.assert_allclose(factors, [2.0, 2 ** (25 / 26), 2**0.5, 1.0], atol=0.01)


def test_a_model_that_learns_no_level_keeps_its_level() -> None:
    found = expected(Season(200.0, 10_000.0), learns_level=False)
    pd.testing.assert_frame_equal(found, Expects().predict(None))


def test_a_model_that_learned_numbers_of_purchases_has_no_season() -> None:
    # models of version 0.2 kept what the shop sold, not an index
    learned = Season()
    vars(learned).clear()
    vars(learned).update(purchases=1_270.0, spend=327_331.0)
    model = InSeason(CANDIDATES["last_year_spend"].estimator(), learned)
    written = dump_model(model)
    read = read_model(written, trusted_types(written))
    assert season_factors(Season(1.2, 1.2), read.training_season) == (1.0, 1.0)


def test_the_estimator_given_is_not_fitted() -> None:
    estimator = Expects()
    model = InSeason(estimator, LEARNED).fit(pd.DataFrame(), pd.DataFrame(), 90)
    assert model.estimator is estimator
    assert vars(estimator) == {"learns_level": True}
    assert model.estimator_.horizon_days_ == 90
    copy = clone(model)
    assert not hasattr(copy, "estimator_")
    assert copy.training_season == LEARNED


# --- simulated shops

HORIZON = 90
# three months from October, January and October: before, after and before Christmas
DAYS = (640, 745, 1_005)
CHANGING = "changing season"
STEADY = [name for name in SHOPS if name != CHANGING]


@cache
def sales_of(name: str) -> pd.DataFrame:
    return simulate_sales(SHOPS[name], np.random.default_rng(1))


def factors_of(sales: pd.DataFrame) -> list[float]:
    """Return the factors of purchases, learned in the days before those predicted."""
    days = [day - before for day in DAYS for before in (HORIZON, 0)]
    found = seasons_of(sales, days, HORIZON)
    pairs = zip(found[1::2], found[::2], strict=True)
    return [season_factors(*pair)[0] for pair in pairs]


def true_factors(shop: Shop, days_ago: int = 0) -> list[float]:
    days = [day - days_ago for day in DAYS]
    return [true_factor(shop, day - HORIZON, day, HORIZON) for day in days]


def distances(found: list[float], other: list[float]) -> list[float]:
    return np.abs(np.log(np.array(found) / np.array(other))).tolist()


@pytest.mark.parametrize("name", STEADY)
def test_the_factor_is_the_season_alone(name: str) -> None:
    found = factors_of(sales_of(name))
    assert max(distances(found, true_factors(SHOPS[name]))) < 0.12


def test_growth_and_new_customers_could_mislead() -> None:
    # what all customers bought a year before, over what they bought in the days that
    # models learn from
    for name in (
        "flat, customers grow by half",
        "flat, purchases grow by half",
        "flat, one cohort",
    ):
        bought = sales_of(name)["day"].value_counts().reindex(range(DAYS[-1]))
        misled = [
            bought[day - 365 : day - 365 + HORIZON].sum()
            / bought[day - HORIZON : day].sum()
            for day in DAYS
        ]
        assert min(distances(misled, true_factors(SHOPS[name]))) > 0.15


def test_a_season_that_changes_is_that_of_the_year_before() -> None:
    shop = SHOPS[CHANGING]
    found = factors_of(sales_of(CHANGING))
    assert max(distances(found, true_factors(shop, days_ago=365))) < 0.12
    # that is nearer to the season that comes than no factor is
    truth = true_factors(shop)
    errors = np.array(distances(found, truth))
    assert errors.sum() < 0.6 * sum(distances([1.0] * len(DAYS), truth))


def test_who_comes_within_the_year_does_not_count() -> None:
    sales, day = sales_of("season"), 640
    first = sales.groupby("customer")["day"].transform("min")
    is_known = first < day - 365
    [everyone] = seasons_of(sales, [day], HORIZON)
    [known] = seasons_of(sales[is_known], [day], HORIZON)
    assert everyone == known
    assert 0 < is_known.mean() < 0.5


def test_what_comes_on_or_after_the_date_does_not_count() -> None:
    sales, day = sales_of("season"), 640
    [found] = seasons_of(sales, [day], HORIZON)
    assert seasons_of(sales[sales["day"] < day], [day], HORIZON) == [found]
    assert seasons_of(sales[sales["day"] < day - 1], [day], HORIZON) != [found]


def test_a_year_that_begins_with_the_shop_shows_no_season() -> None:
    # thresholds.csv: season_min_history_days
    earliest = 365 + 14
    days = [365, earliest - 1, earliest]
    found = seasons_of(sales_of("season"), days, HORIZON)
    assert [season is UNKNOWN for season in found] == [True, True, False]


def test_a_whole_year_has_no_season() -> None:
    [season] = seasons_of(sales_of("strong season"), [640], 365)
    assert season.purchases_index == 1.0
    assert season.purchases_variance == 0.0


def test_few_customers_show_less_of_a_season() -> None:
    small = Shop(STRONG_GIFTS, new_customers=0.1)
    sales = simulate_sales(small, np.random.default_rng(0))
    learned, season = seasons_of(sales, [640 - HORIZON, 640], HORIZON)
    factor, _ = season_factors(season, learned)
    ratio = season.purchases_index / learned.purchases_index
    assert 0.2 < math.log(factor) / math.log(ratio) < 0.8
