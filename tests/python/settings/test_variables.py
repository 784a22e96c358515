"""Wrong vars are named, with their value and what would do."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from dbt_project import REPOSITORY, VARS

from customer_segmentation.errors import InputError
from customer_segmentation.settings import (
    VARIABLES,
    check_repeated_keys,
    check_thresholds,
    check_variables,
    read_thresholds,
)
from dbt_customer_segmentation import check_settings, declared_mistakes

UNFINISHED = VARS["source_system_catalog"] | {"shop": {}}
# null has a meaning: the day after the last event, or none
NULL_HAS_A_MEANING = {"as_of_date", "segmentations", "product_categories", "campaigns"}


def mistakes(**changed: object) -> list[str]:
    return check_variables(VARS | changed) or declared_mistakes(VARS | changed)


def test_the_vars_of_the_project_are_right_and_all_of_them_are_known() -> None:
    assert mistakes() == []
    assert [setting.name for setting in VARIABLES].count("as_of_date") == 1
    assert {setting.name for setting in VARIABLES} == set(VARS)


def test_the_docs_have_a_row_for_each_var() -> None:
    text = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
    table = text.partition("| var |")[2].partition("\n\n")[0]
    assert table.splitlines()[2:] == [setting.row for setting in VARIABLES]


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("source_systems", [], r"is \[\]: give a list of at least one of marketplace"),
        (
            "source_systems",
            ["mall", "mall"],
            r"is \[mall, mall\], with mall twice",
        ),
        ("source_systems", "mall", r'is the text "mall", and must be a list'),
        ("source_systems", ["mall", "shop"], "names shop, which is not in the var"),
        ("source_schemas", {"shop": "raw"}, "names shop, which is not in the var"),
        (
            "source_schemas",
            {"mall": None},
            "is {mall: null}: give the schema",
        ),
        ("source_system_catalog", UNFINISHED, "has null as the raw_tables of shop"),
        ("as_of_date", "nonsense", "is nonsense: give a date such as '2011-09-01'"),
        ("as_of_date", "2011-02-30", "is '?2011-02-30'?: give a date"),
        ("as_of_date", 20110901, "is 20110901: give a date"),
        ("as_of_date", {"mall": "soon"}, "is soon for mall: give a date"),
        ("as_of_date", {"shop": "2011-09-01"}, "names shop, which is not"),
        ("rfm_cut_points", "freeze", "is freeze: write refit or frozen"),
        ("history_months", 0, "is 0: give a whole number of at least 1"),
        ("history_months", True, "is true: give a whole number"),
        ("prediction_folds", "5", "is '5': give a whole number of at least 2"),
        ("prediction_backtest_horizon_days", [90, 90], r"is \[90, 90\]: give a list"),
        ("prediction_backtest_horizon_days", [], r"is \[\]: give a list"),
        ("campaign_holdout_share", 0.9, "is 0.9: write a share of the audience"),
        ("campaign_window_days", 0, "is 0: give a whole number of at least 1"),
        ("campaign_holdout_share", float("nan"), "is .nan: write a share"),
        ("segmentation_resample", 3, "given as 3, is unknown: did you mean segmentat"),
        ("colour", "red", "given as red, is unknown: known are as_of_date"),
    ],
)
def test_a_wrong_var_is_one_sentence(name: str, value: object, problem: str) -> None:
    [sentence] = check_variables(VARS | {name: value})
    assert re.match(f"The var {name},? {problem}", sentence)
    assert sentence.endswith((".", "?"))


@pytest.mark.parametrize("name", sorted(set(VARS) - NULL_HAS_A_MEANING))
def test_no_var_is_null(name: str) -> None:
    found = mistakes(**{name: None})
    assert found
    assert any(name in sentence for sentence in found), found


@pytest.mark.parametrize("name", sorted(NULL_HAS_A_MEANING))
def test_null_declares_none(name: str) -> None:
    assert check_variables(VARS | {name: None}) == []


@pytest.mark.parametrize(
    "value",
    ["2011-09-01", date(2011, 9, 1), {"online_retail": "2011-09-01"}, {}],
)
def test_a_date_may_be_given_in_several_ways(value: object) -> None:
    assert mistakes(as_of_date=value) == []


def test_a_threshold_is_no_var() -> None:
    thresholds = read_thresholds(REPOSITORY)
    [sentence] = check_variables(VARS | {"significance": 5}, thresholds)
    assert sentence.startswith("The var significance is a threshold: give 5 in seeds/")


def test_the_thresholds_of_the_project_are_right() -> None:
    thresholds = read_thresholds(REPOSITORY)
    assert thresholds["significance"] == "0.01"
    assert check_thresholds(thresholds) == []


def test_a_wrong_threshold_is_named() -> None:
    found = check_thresholds({"significance": "5", "max_psi": "much", "top": "3"})
    assert [sentence.partition(": give")[0] for sentence in found] == [
        "The threshold significance is 5",
        "The threshold max_psi is much",
    ]


def test_a_repeated_key_is_named_at_any_depth() -> None:
    text = "vars:\n  a: 1\n  b: {c: 1}\n  a: 2\n  d:\n    e: 1\n    e: 2\n"
    assert check_repeated_keys(text, "vars.yml") == [
        "vars.yml names a twice, in lines 2 and 4: keep one.",
        "vars.yml names e twice, in lines 6 and 7: keep one.",
    ]
    assert check_repeated_keys("{a: 1", "--vars") == []


def test_keys_of_different_mappings_are_not_repeated() -> None:
    assert check_repeated_keys("a: &one {b: 1}\nc: {<<: *one, b: 2}", "x") == []


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"segmentations": {"rfm": {}}}, "segmentation rfm: this name stands for"),
        ({"segmentations": ["value"]}, "segmentations: is"),
        ({"product_categories": {"shop": None}}, "shop: is no source system"),
        ({"prediction_segment_targets": []}, "prediction_segment_targets: is empty"),
        ({"campaigns": ["spring"]}, "The var campaigns is .* must be a mapping"),
    ],
)
def test_a_wrong_declaration_is_found_before_the_build(
    changed: dict[str, Any], problem: str
) -> None:
    [sentence] = mistakes(**changed)
    assert re.search(problem, sentence)


def test_what_is_given_overrides_vars_yml_and_is_checked() -> None:
    given = {"history_months": 0, "as_of_date": "nonsense"}
    with pytest.raises(InputError) as raised:
        check_settings(REPOSITORY, given, {}, command="parse")
    assert len(str(raised.value).splitlines()) == 2
    text = "{history_months: 6, history_months: 7}"
    with pytest.raises(InputError, match=r"^--vars names history_months twice"):
        check_settings(
            REPOSITORY,
            yaml.safe_load(text),
            {},
            command="parse",
            arguments=["dbt", "parse", f"--vars={text}"],
        )
    check_settings(REPOSITORY, {"history_months": 6}, {}, command="parse")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("source_systems", [[]], "The var source_systems is [[]]: give a list of"),
        ("source_system_catalog", [None], "The var source_system_catalog is [null]:"),
        ("line\nbreak", "a\nb", 'The var "line\\nbreak", given as "a\\nb", is unknown'),
    ],
)
def test_what_make_fuzz_has_found_is_one_sentence(
    name: str, value: object, said: str
) -> None:
    sentences = check_variables(VARS | {name: value})
    assert [one for one in sentences if one.startswith(said)], sentences
    assert "\n" not in "".join(sentences)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"vars:\n  as_of_date: 2011-13-01\n", "vars.yml: .*month must be in 1..12"),
        (b"vars: {a: [}", "vars.yml, line 1: cannot be read: .*mind colons"),
        (b"vars:\n  rfm_cut_points: \xe9\n", "vars.yml: cannot be read: .*in UTF-8"),
        (b"- vars\n", "vars.yml: must have the key vars"),
        (b"vars: [history_months]\n", "vars.yml: must have the key vars"),
    ],
)
def test_unreadable_vars_are_one_message(
    content: bytes, problem: str, tmp_path: Path
) -> None:
    (tmp_path / "vars.yml").write_bytes(content)
    with pytest.raises(InputError, match=problem) as caught:
        check_settings(tmp_path, {}, {}, command="parse")
    assert "\n" not in str(caught.value)


def test_thresholds_in_another_encoding_are_one_message(tmp_path: Path) -> None:
    (tmp_path / "seeds").mkdir()
    content = "threshold,value\nsignificance,\u00e9\n".encode("latin-1")
    (tmp_path / "seeds" / "thresholds.csv").write_bytes(content)
    (tmp_path / "vars.yml").write_text("vars: {}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"thresholds\.csv: is not UTF-8"):
        check_settings(tmp_path, {}, {}, command="parse")


def test_a_date_that_does_not_exist_has_no_key_twice() -> None:
    assert check_repeated_keys("{as_of_date: 2011-13-01}", "--vars") == []


def test_a_target_of_predictions_is_a_name() -> None:
    [sentence] = mistakes(prediction_segment_targets=["rfm", {"a": 1}])
    assert sentence == (
        "prediction_segment_targets: has {'a': 1}; give names of segmentations"
    )
