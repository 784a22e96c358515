"""Whatever a mapping says, its models are written, or it is refused with its line.

``make fuzz`` tries many more mappings, other ones each time, and counts the outcomes.
"""

from typing import Any

import duckdb
import yaml
from hostile import event, refused_or, texts, yaml_values
from hypothesis import given
from hypothesis import strategies as st
from rendered_models import make_views

from customer_segmentation.source_systems.declare import SourceMapping, parse_mapping
from customer_segmentation.source_systems.generate import generated_files
from customer_segmentation.source_systems.located import read_located

WHERE = "source_systems/shop.yml"
SOURCES = "models/staging/shop/_shop__sources.yml"
# every key that a mapping may have
SHOP = """
source_system: shop
description: A shop.
record: sample
time_zone: America/New_York
currency: {column: currency, is: USD}
tables:
  buyers:
    description: Buyers. One row per buyer.
    staged: Buyers of the shop
    key: [buyer_id]
    columns:
      buyer_id: {type: id, description: Id.}
      town: {type: text, description: Town., aliases: [City], optional: true}
      age: {type: whole, description: Age.}
    reject: {impossible_value: age < 0}
  sales:
    description: Sales. One row per sale.
    key: [sale_id]
    references: {buyer_id: buyers}
    freshness: {column: sold_on, warn_after_days: 30}
    columns:
      sale_id: {type: id, description: Id.}
      buyer_id: {type: id, description: Id of the buyer.}
      sold_on: {type: date, filled: true, description: Time.}
      paid: {type: money, description: Amount.}
      state: {type: text, description: Status.}
      currency: {type: text, description: Currency.}
relations:
  customers:
    from: buyers
    columns: {customer_id: buyer_id, city: upper(town), age: age}
  transactions:
    from: sales
    columns:
      transaction_id: "'S' || sale_id"
      customer_id: buyer_id
      transacted_at: sold_on
      status: state
      amount: paid
    first_by: sold_on
    statuses: {purchase: [done, paid], return: [back], neither: [open]}
"""
Place = tuple[str, ...]


def places_of(content: Any, place: Place = ()) -> list[Place]:
    """Return where the keys of a mapping stand, outer ones first."""
    if not isinstance(content, dict):
        return []
    inner = [
        one for key, value in content.items() for one in places_of(value, (*place, key))
    ]
    return [*((*place, key) for key in content), *inner]


PLACES = places_of(yaml.safe_load(SHOP))
# what an author may well write, beside what nobody does
WORDS = ("sales", "buyers", "shop", "paid", "sold_on", "id", "money", "UTC", "x.y")
EXPRESSIONS = ("lower(town)", "paid + 1", "'it''s'", "a(", "select 1", "town; town")
near = st.one_of(
    st.sampled_from([*WORDS, *EXPRESSIONS]),
    st.lists(st.sampled_from(WORDS), max_size=2),
    yaml_values,
)


def replaced(place: Place, key: str | None, value: Any) -> dict[str, Any]:
    """Return the mapping of a shop with another key or value at a place."""
    content: dict[str, Any] = yaml.safe_load(SHOP)
    parent = content
    for one in place[:-1]:
        parent = parent[one]
    if key is None:
        parent[place[-1]] = value
    else:
        changed = {key if k == place[-1] else k: v for k, v in parent.items()}
        parent.clear()
        parent.update(changed)
    return content


def written(text: str) -> None:
    """Write the models of a mapping, unless it is refused, and look at them."""

    def accept() -> tuple[SourceMapping, dict[str, str]]:
        mapping = parse_mapping(read_located(text, WHERE), "shop")
        return mapping, generated_files(mapping)

    accepted = refused_or(accept)
    if accepted is None:
        return
    mapping, files = accepted
    with duckdb.connect(config={"threads": 1}) as connection:
        make_views(connection, mapping, files)
    models = [yaml.safe_load(text) for path, text in files.items() if ".yml" in path]
    assert all(isinstance(one, dict) for one in models)
    [source] = yaml.safe_load(files[SOURCES])["sources"]
    assert {
        (table["name"], table["description"].strip()): {
            one["name"]: one["description"].strip() for one in table["columns"]
        }
        for table in source["tables"]
    } == {
        (table.name, table.description): {
            column.name: column.description for column in table.columns
        }
        for table in mapping.tables
    }
    event("written")


@given(place=st.sampled_from(PLACES), value=near)
def test_any_value_in_a_mapping_is_taken_or_refused(place: Place, value: Any) -> None:
    written(yaml.safe_dump(replaced(place, None, value), sort_keys=False))


@given(place=st.sampled_from(PLACES), key=st.one_of(st.sampled_from(WORDS), texts))
def test_any_key_in_a_mapping_is_taken_or_refused(place: Place, key: str) -> None:
    written(yaml.safe_dump(replaced(place, key, None), sort_keys=False))


@given(
    begin=st.integers(0, len(SHOP)),
    removed=st.integers(0, 40),
    added=st.one_of(st.text("{}[]:-#&*!|>'\"%@` \n\t0x.", max_size=6), texts),
)
def test_any_damage_of_a_mapping_is_taken_or_refused(
    begin: int, removed: int, added: str
) -> None:
    written(SHOP[:begin] + added + SHOP[begin + removed :])
