"""Whatever a setting is, it is taken, or refused with a sentence for each mistake."""

from typing import Any

import pytest
from dbt_project import VARS
from hostile import refused_or, texts, yaml_values
from hypothesis import event, given
from hypothesis import strategies as st

from customer_segmentation.segmentation.declare import read_segmentations
from customer_segmentation.serving.declare import check_campaigns
from customer_segmentation.settings import (
    ENVIRONMENT,
    check_environment,
    check_variables,
)

DECLARED = VARS["segmentations"]["mall_income_score"]
FEATURE = {"name": "age", "transform": "standard"}


def check(variables: dict[str, Any]) -> bool:
    """Whether vars are taken: by the check, and by those who read declarations."""
    sentences = check_variables(variables)
    for sentence in sentences:
        assert sentence.startswith("The var "), sentence
        assert "\n" not in sentence.strip(), sentence
    if sentences:
        event("refused with one sentence each")
        return False

    def accept() -> bool:
        read_segmentations(variables)
        check_campaigns(variables)
        return True

    return refused_or(accept) is not None


@given(name=st.one_of(st.sampled_from([*VARS]), texts), value=yaml_values)
def test_any_value_of_a_var_is_taken_or_refused(name: str, value: Any) -> None:
    if check({**VARS, name: value}):
        event("taken")


@given(
    key=st.one_of(
        st.sampled_from(["features", "algorithms", "k", "pca", "pin", "minimum_share"]),
        st.sampled_from([*DECLARED]),
        texts,
    ),
    value=yaml_values,
)
def test_any_declaration_of_a_segmentation_is_taken_or_refused(
    key: str, value: Any
) -> None:
    changed = {**VARS["segmentations"], "mall_income_score": {**DECLARED, key: value}}
    if check({**VARS, "segmentations": changed}):
        event("taken")


@given(
    key=st.one_of(st.sampled_from(["name", "transform", "weight", "missing"]), texts),
    value=yaml_values,
)
def test_any_declaration_of_a_feature_is_taken_or_refused(key: str, value: Any) -> None:
    feature = {**FEATURE, key: value}
    changed = {**VARS["segmentations"], "fuzz": {**DECLARED, "features": [feature]}}
    if check({**VARS, "segmentations": changed}):
        event("taken")


@given(
    values=st.dictionaries(st.sampled_from([one.name for one in ENVIRONMENT]), texts)
)
@pytest.mark.parametrize("target", ["duckdb", "spark"])
def test_any_environment_is_taken_or_refused(
    target: str, values: dict[str, str]
) -> None:
    sentences = check_environment(values, target)
    for sentence in sentences:
        assert any(name in sentence for name in values), sentence
    event("refused with one sentence each" if sentences else "taken")
