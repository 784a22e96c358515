"""Each mistake in a mapping is one message with the file, the line and the way out."""

import pytest
import yaml
from test_generated_files import SHOP

from customer_segmentation.errors import InputError
from customer_segmentation.source_systems.declare import parse_mapping
from customer_segmentation.source_systems.expressions import (
    check_expressions,
    problem_of,
)
from customer_segmentation.source_systems.generate import generated_files
from customer_segmentation.source_systems.located import read_located

CIRCLE = (
    "    key: [buyer_id]\n",
    "    key: [buyer_id]\n    references: {town: sales}\n",
)
STATUS = ("      amount: paid\n", "      amount: paid\n      status: currency\n")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    key: [buyer_id]", "    kye: [buyer_id]", "line 10: .*did you mean key?"),
        ("key: [sale_id]", "key: [sale]", "line 16: key is sale; write one of sale_id"),
        ("type: money", "type: cash", "line 22: type is cash; write one of id, text"),
        ("{type: id, descr", "{typ: id, descr", "line 12: .*did you mean type"),
        ("America/New_York", "Mars/Olympus", "line 5: there is no time zone Mars"),
        ("record: sample", "record: some", "line 4: record is some; write one of cens"),
        (
            "from: buyers",
            "from: people",
            "line 26: from is people; write one of buyers",
        ),
        ("upper(town)", "upper(village)", "line 27: .*village.* the columns are buyer"),
        (
            "upper(town)",
            "'strftime(town, 1)'",
            "line 27: .*strftime.*not known on Spark",
        ),
        ("upper(town)", "town || (", "line 27: .*no expression that DuckDB can read"),
        ("amount: paid", "amount: paid / 2", "line 34: .*something else on DuckDB"),
        (
            "currency: {column: cur",
            "currency: {column: mon",
            "line 6: column is monren",
        ),
        ("{buyer_id: buyers}", "{buyer: buyers}", "line 17: buyer is buyer; write one"),
        (*CIRCLE, "line 11: buyers and sales refer to each other in a circle"),
        (*STATUS, "line 35: nothing says which statuses are a purchase"),
        ("    first_by: sold_on\n", "", "line 31: transaction_id is .*add first_by"),
        ("  transactions:", "  customers:", "line 28: customers stands in line 25"),
        ("record: sample", "record: [", "line 6: .*mind colons"),
        ("description: A shop.\n", "", "line 1: the file lacks the key description"),
        ("source_system: shop", "source_system: kiosk", "line 2: .*Give both the same"),
        ("transacted_at: sold_on", "amount2: paid", "line 33: .*no key amount2"),
    ],
)
def test_a_mistake_is_named_with_its_line(old: str, new: str, message: str) -> None:
    assert old in SHOP
    text = SHOP.replace(old, new, 1)
    with pytest.raises(InputError, match=rf"^source_systems/shop.yml, {message}"):
        check_expressions(
            parse_mapping(read_located(text, "source_systems/shop.yml"), "shop")
        )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("filled: true", "filled: [yes, no]", "line 21: filled is .*write true or fal"),
        ("filled: true", "filled: 1", "line 21: filled is 1; write true or false"),
        (
            "  buyers:",
            "  1: {}\n  buyers:",
            "line 8: 1 is no name; write small letters",
        ),
        ("key: [sale_id]", "1: 2\n    key: [sale_id]", "line 16: sales has no key 1"),
        (
            "      town:",
            "      raw_values:",
            "line 13: raw_values is a name of the mod",
        ),
        ("Id of the buyer.", "'{% x %}'", "line 20: description has {%, which dbt"),
        ("Id of the buyer.", "[a]", r"line 20: description is \['a'\]; write a text"),
        ("is: USD", "is: [USD]", r"line 6: is says \['USD'\]; write GBP"),
        ("city: upper(town)", "city: [town]", r"line 27: city is \['town'\]; write an"),
        ("record: sample", "record: 2024-13-01", "line 1: .*month must be in 1..12"),
        (
            "    references: {buyer_id: buyers}",
            "    freshness: {column: sold_on, warn_after_days: soon}",
            "line 17: warn_after_days is 'soon'; write a whole number",
        ),
        (
            "    first_by: sold_on",
            "    first_by: sold_on\n    statuses: {purchase: sold}",
            "line 36: purchase is 'sold'; write a list of words",
        ),
        (
            "    first_by: sold_on",
            '    first_by: sold_on\n    statuses: {purchase: ["it\'s"]}',
            'line 36: "it\'s" is no word of a status',
        ),
    ],
)
def test_what_fuzzing_found_is_named_with_its_line(
    old: str, new: str, message: str
) -> None:
    assert old in SHOP
    text = SHOP.replace(old, new, 1)
    with pytest.raises(InputError, match=message):
        parse_mapping(read_located(text, "source_systems/shop.yml"), "shop")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("paid: {type: money", "paid: {type: id", "line 34: `paid` does not fit there"),
        ("upper(town)", "town > 1", "line 27: `town > 1` does not fit there"),
        ("town: {", "order: {", "line 13: `order` does not fit there"),
    ],
)
def test_an_expression_of_the_wrong_type_is_named(
    old: str, new: str, message: str
) -> None:
    text = SHOP.replace(old, new, 1).replace("upper(town)", "lower(buyer_id)")
    located = read_located(text, "source_systems/shop.yml")
    with pytest.raises(InputError, match=message):
        check_expressions(parse_mapping(located, "shop"))


@pytest.mark.parametrize("text", ["true", "2024-01-31", "*"])
def test_a_description_is_the_same_text_in_the_docs(text: str) -> None:
    declared = SHOP.replace("description: Town.", f"description: '{text}'")
    located = read_located(declared, "source_systems/shop.yml")
    files = generated_files(parse_mapping(located, "shop"))
    [source] = yaml.safe_load(files["models/staging/shop/_shop__sources.yml"])[
        "sources"
    ]
    [buyers, _] = source["tables"]
    assert buyers["columns"][1]["description"].strip() == text


@pytest.mark.parametrize(
    "expression",
    ["a", "lower(a)", "coalesce(a, b)", "case when a > 1 then b end", "a || b", "-a"],
)
def test_what_both_engines_read_alike_passes(expression: str) -> None:
    assert problem_of(expression, ["a", "b"]) is None


@pytest.mark.parametrize(
    "expression",
    [
        *("a)(b", "a as b", "a; b", "sum(a)", "(select 1)", '"a"', "{{ a }}", ""),
        *("date_format(a, 'y')", "concat(a, b)", "t.a"),
    ],
)
def test_what_one_engine_reads_otherwise_is_refused(expression: str) -> None:
    assert problem_of(expression, ["a", "b"]) is not None
