"""A challenger has to win on the champion's own back-test."""

from dataclasses import replace
from datetime import date

import pytest

from customer_segmentation.errors import InputError
from customer_segmentation.prediction.champion import (
    Backtest,
    Measure,
    replaces,
)

NAN = float("nan")


def backtest(algorithm: str, spearman: float, mape: float, mae: float) -> Backtest:
    return Backtest(
        algorithm=algorithm,
        trained_as_of=date(2011, 12, 10),
        measures={
            "spearman": Measure(spearman, is_higher_better=True),
            "decile_mape": Measure(mape, is_higher_better=False),
            "mae": Measure(mae, is_higher_better=False),
        },
    )


CHAMPION = backtest("hurdle", 0.645, 0.11, 1_141)


@pytest.mark.parametrize(
    ("measured", "wins"),
    [
        ((0.700, 0.05, 1_000), True),
        ((0.700, 0.05, 2_000), True),
        ((0.700, 0.50, 2_000), False),
        # better on one, equal on the others: no majority
        ((0.700, 0.11, 1_141), False),
        ((0.645, 0.11, 1_141), False),
        # a last bit is no win
        ((0.645 + 1e-12, 0.11 - 1e-12, 1_141 - 1e-8), False),
        ((NAN, 0.05, 1_000), True),
        ((NAN, NAN, 1_000), False),
    ],
)
def test_the_majority_of_the_metrics_wins(
    measured: tuple[float, float, float], wins: bool
) -> None:
    assert replaces(backtest("tweedie", *measured), CHAMPION) is wins


def test_a_metric_that_is_undefined_for_one_model_is_lost() -> None:
    champion = backtest("hurdle", NAN, NAN, 1_000)
    assert replaces(backtest("tweedie", 0.1, 0.9, 2_000), champion)
    assert not replaces(backtest("tweedie", NAN, NAN, 500), champion)


def test_the_same_algorithm_on_newer_outcomes_replaces_its_older_self() -> None:
    older = backtest("hurdle", 0.6, 0.1, 1_000)
    newer = replace(older, trained_as_of=date(2012, 1, 1))
    assert replaces(newer, older)
    assert not replaces(older, newer)
    assert replaces(replace(newer, trained_as_of=older.trained_as_of), older)


def test_different_metrics_are_not_compared() -> None:
    fewer = replace(CHAMPION, measures={"mae": CHAMPION.measures["mae"]})
    with pytest.raises(InputError, match="the metrics are mae and decile_mape, mae, s"):
        replaces(fewer, CHAMPION)
    nothing = replace(CHAMPION, measures={})
    with pytest.raises(InputError, match="the metrics are none and none"):
        replaces(nothing, nothing)
