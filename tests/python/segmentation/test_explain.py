"""Rules are short, exact in own units, and exactly one holds for each customer."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.tree import DecisionTreeClassifier

from customer_segmentation.segmentation import explain
from customer_segmentation.segmentation.explain import shallow_rules

pytestmark = pytest.mark.usefixtures("one_thread")

NUMBER = r"-?\d+(?:\.\d+)?"
BETWEEN = re.compile(rf"({NUMBER}) < (\w+) <= ({NUMBER})")
ABOVE = re.compile(rf"(\w+) > ({NUMBER})")
UP_TO = re.compile(rf"(\w+) <= ({NUMBER})")
IS = re.compile(r"(\w+) is (not )?(.+)")


def holds(rule: str, frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Read a rule as a person would."""
    result = np.ones(len(frame), dtype=bool)
    for condition in rule.split(" and "):
        if match := BETWEEN.fullmatch(condition):
            low, name, high = match.groups()
            result &= frame[name].between(float(low), float(high), inclusive="right")
        elif match := ABOVE.fullmatch(condition):
            result &= frame[match[1]] > float(match[2])
        elif match := UP_TO.fullmatch(condition):
            result &= frame[match[1]] <= float(match[2])
        elif match := IS.fullmatch(condition):
            is_one = frame[match[1]].astype(str).isin(match[3].split(" or "))
            result &= ~is_one if match[2] else is_one
        else:
            assert condition == "every customer"
    return result


def customers(seed: int, count: int = 800) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Return customers of five segments, of numbers and categories."""
    rng = np.random.default_rng(seed)
    logs = rng.normal(size=(count, 4)) @ rng.normal(size=(4, 4))
    cities = rng.choice(["Paris", "Rome", "Oslo", "St. Ives"], count)
    space = np.column_stack([logs / logs.std(axis=0), 2 * (cities == "Rome")])
    frame = pd.DataFrame(np.exp(logs), columns=["a", "b", "c", "d"])
    frame["b"] = np.round(100 * frame["b"])
    frame["c"] *= -1e6
    frame["city"] = cities
    frame["is_member"] = rng.random(count) < 0.5
    labels = KMeans(5, n_init=1, random_state=seed).fit_predict(space)
    return frame, labels.astype(np.int64)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("max_conditions", [1, 2, 3])
def test_rules_are_measured_as_a_person_reads_them(
    seed: int, max_conditions: int
) -> None:
    frame, segments = customers(seed)
    found = shallow_rules(frame, segments, max_conditions)
    times_held = np.zeros(len(frame))
    right = 0
    for rule in found.rules:
        assert len(rule.text.split(" and ")) <= max_conditions
        mask = holds(rule.text, frame)
        is_in = segments[mask] == rule.segment_id
        assert rule.customers == mask.sum()
        assert rule.precision == pytest.approx(is_in.mean())
        assert rule.coverage == pytest.approx(
            is_in.sum() / (segments == rule.segment_id).sum()
        )
        times_held += mask
        right += is_in.sum()
    assert (times_held == 1).all()
    assert found.fidelity == pytest.approx(right / len(frame))


@pytest.mark.parametrize("seed", range(4))
def test_rules_are_as_good_as_a_tree_of_three_levels(seed: int) -> None:
    frame, segments = customers(seed)
    numbers = pd.get_dummies(frame, dtype=float)
    tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(numbers, segments)
    found = shallow_rules(frame, segments)
    assert found.fidelity >= tree.score(numbers, segments) - 0.01


def rules_of(frame: pd.DataFrame, segments: list[int]) -> dict[str, int]:
    found = shallow_rules(frame, np.array(segments))
    assert found.fidelity == 1
    return {rule.text: rule.segment_id for rule in found.rules}


def test_conditions_on_one_feature_are_one() -> None:
    frame = pd.DataFrame({"recency_days": [1, 25, 31, 88, 95, 400] * 20})
    assert rules_of(frame, [1, 1, 2, 2, 3, 3] * 20) == {
        "recency_days <= 30": 1,
        "30 < recency_days <= 90": 2,
        "recency_days > 90": 3,
    }


@pytest.mark.parametrize(
    ("below", "above", "text"),
    [
        (12.0, 13.0, "12"),
        (0.0, 1.0, "0"),
        (-3.0, -2.0, "-3"),
        (0.1234, 0.1301, "0.13"),
        (1234567.0, 1234999.0, "1234800"),
        (99.0, 1500.0, "1000"),
    ],
)
def test_numbers_have_no_more_digits_than_needed(
    below: float, above: float, text: str
) -> None:
    frame = pd.DataFrame({"monetary": [below, above] * 50})
    assert rules_of(frame, [1, 2] * 50) == {
        f"monetary <= {text}": 1,
        f"monetary > {text}": 2,
    }


def test_categories_have_their_names() -> None:
    cities = pd.DataFrame({"city": ["Paris", "Rome", "Oslo"] * 40})
    assert rules_of(cities, [1, 2, 2] * 40) == {
        "city is Paris": 1,
        "city is not Paris": 2,
    }
    genders = pd.DataFrame({"gender": ["female", "male"] * 40})
    assert rules_of(genders, [1, 2] * 40) == {
        "gender is female": 1,
        "gender is male": 2,
    }


def test_a_missing_value_is_a_category_or_the_median() -> None:
    frame = pd.DataFrame(
        {
            "gender": pd.Series(["female", None] * 40, dtype="str"),
            "age": [1.0, np.nan] * 40,
        }
    )
    assert rules_of(frame, [1, 2] * 40) == {
        "gender is female": 1,
        "gender is missing": 2,
    }


def test_a_frequent_one_of_a_thousand_cities_has_a_rule() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"city": [f"city {city}" for city in rng.zipf(1.5, 3000) % 1000]}
    )
    is_largest = frame["city"] == frame["city"].mode()[0]
    found = shallow_rules(frame, np.where(is_largest, 1, 2))
    assert found.fidelity == 1


def test_the_order_of_rows_changes_no_rule() -> None:
    frame, segments = customers(1)
    order = np.random.default_rng(0).permutation(len(frame))
    shuffled = shallow_rules(frame.iloc[order].reset_index(drop=True), segments[order])
    assert shuffled == shallow_rules(frame, segments)


def test_many_customers_are_explained_by_a_sample_and_measured_on_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(explain, "TRAINING_ROWS", 1_000)
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"frequency": rng.integers(1, 100, 3_000)})
    found = shallow_rules(frame, np.where(frame["frequency"] > 40, 1, 2))
    assert found.fidelity == 1
    assert sum(rule.customers for rule in found.rules) == 3_000


def test_one_segment_has_one_rule_and_no_customers_have_none() -> None:
    [rule] = shallow_rules(pd.DataFrame({"a": [1.0, 2.0]}), np.array([1, 1])).rules
    assert (rule.text, rule.customers, rule.precision) == ("every customer", 2, 1)
    nothing = shallow_rules(pd.DataFrame({"a": []}), np.array([], dtype=np.int64))
    assert nothing.rules == ()
    assert np.isnan(nothing.fidelity)
