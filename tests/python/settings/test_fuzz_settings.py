"""Whatever a setting is, it is taken, or refused with a sentence for each mistake."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dbt_project import VARS
from hostile import event, refused_or, texts, yaml_values
from hypothesis import given
from hypothesis import strategies as st

from customer_segmentation.settings import (
    ENVIRONMENT,
    check_environment,
    check_repeated_keys,
    check_variables,
)
from dbt_customer_segmentation import check_settings, declared_mistakes

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

    # what is read from declarations, by those who read them in a build
    found = declared_mistakes(variables)
    for message in found:
        assert message.strip()
        assert "Traceback" not in message
    if found:
        event("refused with one message")
    return not found


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


DECLARATIONS = {
    "product_categories": VARS["product_categories"],
    "campaigns": VARS["campaigns"],
    "segmentations": VARS["segmentations"],
    "source_system_catalog": VARS["source_system_catalog"],
    "prediction_segment_targets": {"": VARS["prediction_segment_targets"]},
}
DECLARED_NAMES = [
    (var, name) for var, declared in DECLARATIONS.items() for name in declared
]


@given(declared=st.sampled_from(DECLARED_NAMES), value=yaml_values)
def test_any_entry_of_a_declared_var_is_taken_or_refused(
    declared: tuple[str, str], value: Any
) -> None:
    var, name = declared
    changed = {**DECLARATIONS[var], name: value} if name else [*VARS[var], value]
    if check({**VARS, var: changed}):
        event("taken")


@pytest.fixture(scope="module")
def project() -> Iterator[Path]:
    """Return a folder of a project for vars and thresholds."""
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "seeds").mkdir()
        yield Path(name)


VARS_YML = "vars:\n  history_months: 24\n  as_of_date: 2011-09-01\n"
THRESHOLDS_CSV = "threshold,value\nsignificance,0.01\nmax_psi,0.25\n"
damages = st.tuples(st.integers(0, 60), st.integers(0, 12), st.binary(max_size=6))


@given(vars_yml=damages, thresholds_csv=damages)
def test_any_file_of_settings_is_taken_or_refused(
    project: Path,
    vars_yml: tuple[int, int, bytes],
    thresholds_csv: tuple[int, int, bytes],
) -> None:
    files = {
        "vars.yml": (VARS_YML, vars_yml),
        "seeds/thresholds.csv": (THRESHOLDS_CSV, thresholds_csv),
    }
    for name, (text, (begin, removed, added)) in files.items():
        content = text.encode()
        content = content[:begin] + added + content[begin + removed :]
        (project / name).write_bytes(content)

    def accept() -> bool:
        check_settings(project, {}, {}, command="parse")
        return True

    if refused_or(accept):
        event("taken")


@given(text=st.text("{}[]:-#&*!|>'\"%@` \n\tabc019.", max_size=30))
def test_any_text_of_vars_has_its_keys_counted(text: str) -> None:
    for sentence in check_repeated_keys(text, "--vars"):
        assert sentence.endswith("keep one.")
    event("looked through")


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
