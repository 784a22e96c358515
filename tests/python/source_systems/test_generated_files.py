"""The models of mapped source systems are those that their mappings write."""

import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from dbt_project import REPOSITORY

from customer_segmentation.cli import cli
from customer_segmentation.source_systems.declare import (
    SourceMapping,
    parse_mapping,
    read_mapping,
    read_mappings,
)
from customer_segmentation.source_systems.generate import (
    generated_files,
    write_source_system,
)
from customer_segmentation.source_systems.located import read_located

MAPPINGS = read_mappings(REPOSITORY)
SHOP = """
source_system: shop
description: A shop.
record: sample
time_zone: America/New_York
currency: {column: currency, is: USD}
tables:
  buyers:
    description: Buyers. One row per buyer.
    key: [buyer_id]
    columns:
      buyer_id: {type: id, description: Id.}
      town: {type: text, description: Town.}
  sales:
    description: Sales. One row per sale.
    key: [sale_id]
    references: {buyer_id: buyers}
    columns:
      sale_id: {type: id, description: Id.}
      buyer_id: {type: id, description: Id of the buyer.}
      sold_on: {type: date, filled: true, description: Time.}
      paid: {type: money, description: Amount.}
      currency: {type: text, description: Currency.}
relations:
  customers:
    from: buyers
    columns: {customer_id: buyer_id, city: upper(town)}
  transactions:
    from: sales
    columns:
      transaction_id: "'S' || sale_id"
      customer_id: buyer_id
      transacted_at: sold_on
      amount: paid
    first_by: sold_on
"""


def shop() -> SourceMapping:
    return parse_mapping(read_located(SHOP, "source_systems/shop.yml"), "shop")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a copy of what the generator reads and writes."""
    for name in ("vars.yml", "dbt_project.yml"):
        shutil.copy(REPOSITORY / name, tmp_path / name)
    for name in ("source_systems", "models/staging/mall"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    shutil.copytree(
        REPOSITORY / "models/core/intermediate/mall",
        tmp_path / "models/core/intermediate/mall",
    )
    return tmp_path


@pytest.mark.parametrize("name", MAPPINGS)
def test_committed_files_are_those_that_the_mapping_writes(name: str) -> None:
    committed = {
        path: (REPOSITORY / path).read_text("utf-8")
        for path in generated_files(MAPPINGS[name])
    }
    assert committed == generated_files(MAPPINGS[name])


def test_a_second_run_changes_nothing(project: Path) -> None:
    assert write_source_system(project, MAPPINGS["mall"]) == []


def test_an_edited_file_is_written_again(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = project / "models/staging/mall/stg_mall__customers.sql"
    text = model.read_text("utf-8")
    model.write_text(text.replace("120", "150"), "utf-8")
    monkeypatch.chdir(project)
    said = CliRunner().invoke(cli, ["generate-source", "mall"]).output
    assert said == "models/staging/mall/stg_mall__customers.sql is written.\n"
    assert model.read_text("utf-8") == text


def test_a_file_by_hand_stays(project: Path) -> None:
    model = project / "models/staging/mall/stg_mall__customers.sql"
    model.write_text("select 1 as customer_id\n", "utf-8")
    assert write_source_system(project, MAPPINGS["mall"]) == [
        "models/staging/mall/stg_mall__customers.sql is written by hand; it stays as "
        "it is."
    ]
    assert model.read_text("utf-8") == "select 1 as customer_id\n"


def test_a_table_that_is_no_longer_declared_goes(project: Path) -> None:
    old = project / "models/staging/mall/stg_mall__visits.sql"
    old.write_text("-- Written from source_systems/mall.yml; do not edit.\n", "utf-8")
    [said] = write_source_system(project, MAPPINGS["mall"])
    assert said.startswith("models/staging/mall/stg_mall__visits.sql is removed")
    assert not old.exists()


def test_a_new_source_system_is_registered_once(project: Path) -> None:
    write_source_system(project, shop())
    assert write_source_system(project, shop()) == []
    variables = yaml.safe_load((project / "vars.yml").read_text("utf-8"))["vars"]
    assert variables["source_system_catalog"]["shop"] == {
        "raw_tables": ["buyers", "sales"],
        "relations": ["customers", "transactions"],
    }
    assert "shop" not in variables["source_systems"]
    text = (project / "dbt_project.yml").read_text("utf-8")
    models = yaml.safe_load(text)["models"]["customer_segmentation"]
    assert models["staging"]["shop"] == models["core"]["intermediate"]["shop"]
    assert "'shop' in" in models["staging"]["shop"]["+enabled"]


def test_references_currency_and_time_zone_are_in_the_models() -> None:
    files = generated_files(shop())
    sales = files["models/staging/shop/stg_shop__sales.sql"]
    assert "coalesce(upper(currency), '') <> 'USD'" in sales
    assert "shop_time('sold_on', 'America/New_York')" in sales
    assert "on typed.buyer_id = known_1.buyer_id" in sales
    assert "'orphan_buyer': 'buyer_id is not null" in sales
    transactions = files["models/core/intermediate/shop/int_shop__transactions.sql"]
    assert """entity_key('shop', "('S' || sale_id)")""" in transactions


def test_a_missing_mapping_is_one_message(project: Path) -> None:
    with pytest.raises(
        Exception, match=r"source_systems/kiosk.yml: declare the source"
    ):
        read_mapping(project / "source_systems" / "kiosk.yml")


@pytest.mark.parametrize(
    ("expression", "column", "is_computed"),
    [("buyer_id", "buyer_id", False), ("lower(buyer_id)", "buyer_id", True)],
)
def test_raw_tables_say_which_column_has_the_customer(
    expression: str, column: str, is_computed: bool
) -> None:
    text = SHOP.replace("customer_id: buyer_id\n", f"customer_id: {expression}\n")
    mapping = parse_mapping(read_located(text, "source_systems/shop.yml"), "shop")
    buyers, sales = mapping.source_system.tables
    assert (buyers.customer_column, buyers.is_customer_computed) == ("buyer_id", False)
    # a reference to the customers tells, too
    assert (sales.customer_column, sales.is_customer_computed) == (column, is_computed)
