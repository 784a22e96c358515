"""Whatever happens after the day of a prediction, not one prediction changes.

A small shop is built once. Then what came later is scrambled or deleted in its raw
files, and all tables are filled anew by the SQL that dbt has compiled.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import yaml
from dbt_project import REPOSITORY, WITHOUT_TESTS, Warehouse, run_command

from customer_segmentation.prediction import backtest_purchases, split_records
from customer_segmentation.prediction.candidates import CANDIDATES, candidates_of
from customer_segmentation.prediction.classifiers import CLASSIFIERS, fit_classifiers
from customer_segmentation.prediction.purchase_backtests import read_purchase_samples
from customer_segmentation.prediction.samples import NEW, Sample
from customer_segmentation.prediction.seasons import UNKNOWN, InSeason
from customer_segmentation.prediction.split_tables import read_splits
from customer_segmentation.prediction.splits import Split

RULES = yaml.safe_load((REPOSITORY / "vars.yml").read_text(encoding="utf-8"))["vars"]
# pinned, for a shop without its last days would end earlier
AS_OF = {"marketplace": "2024-10-11", "online_retail": "2011-12-10"}
VARIABLES = {"source_systems": list(AS_OF), "as_of_date": AS_OF}
CUSTOMERS = 700
HORIZON = 90
SELECTED = (
    *("+customer_snapshots", "+first_purchase_features", "+int_prediction__outcomes"),
    *("+int_prediction__seasons", "+int_prediction__later_features"),
    "+int_rfm__segments",
)
PREDICTED = [
    *("return_probability", "expected_purchases", "expected_spend"),
    *("spend_low", "spend_high"),
]
CASES = [
    (population, one.name)
    for population in ("existing", "new")
    for one in candidates_of(population)
]
SPLITS = "from main_intermediate.int_prediction__splits"
OUTCOMES = "from main_intermediate.int_prediction__outcomes"
SEASONS = "from main_intermediate.int_prediction__seasons"
FIRSTS = "main_intermediate.int_observations__first_purchases"
CUTOFFS = f"""
    select distinct source_system, test_from_date as cutoff_date {SPLITS}
    where population = 'existing' and part = 'test' and horizon_days = {HORIZON}
"""
# a transaction that was begun before, and completed after, is not wholly late
AFTER_CUTOFF = f"""
    select
        transaction_key,
        transacted_at >= cutoff_date as is_late,
        '{{change}}' as change
    from transactions join ({CUTOFFS}) using (source_system)
    where coalesce(completed_at, transacted_at) >= cutoff_date
"""
AFTER_FIRST_PURCHASE = f"""
    select
        transaction_key,
        transactions.transacted_at > firsts.completed_at as is_late,
        ['deleted', 'swapped', 'changed'][hash(customer_key) % 3 + 1] as change
    from transactions join {FIRSTS} as firsts using (customer_key)
    where transaction_key <> firsts.transaction_key
        and coalesce(transactions.completed_at, transactions.transacted_at)
        >= firsts.completed_at
"""
# everyone's neighbour, or for all the one whose first purchase was the first of all
NEIGHBOURS = """
    select
        customer_id,
        coalesce(lead(customer_id) over (order by customer_id), min(customer_id) over ())
            as other_id
    from (select distinct customer_id from raw where customer_id is not null)
"""
OLDEST = """
    select distinct customer_id, '{oldest}' as other_id
    from raw
    where customer_id is not null
"""
CHANGED = {
    "marketplace/transactions": """
        select raw.* replace (
            case when change = 'swapped' and is_late then other_id
                else raw.customer_id end as customer_id,
            case when change = 'deleted' then 'subscribed'
                else transaction_status end as transaction_status,
            case when change is distinct from 'deleted' then burn_date end as burn_date,
            case when change is null then amount
                when change <> 'deleted' then (try_cast(amount as double) * 3)::text
                end as amount
        )
        from raw
        left join late on 'marketplace:' || trim(transaction_id) = transaction_key
        left join others using (customer_id)
    """,
    "online_retail/invoice_lines": """
        select raw.* replace (
            case when change = 'swapped' then other_id
                else raw.customer_id end as customer_id,
            case when change is null then stock_code
                else '8' || stock_code end as stock_code,
            case when change is null then quantity
                else (try_cast(quantity as int) * 7)::text end as quantity,
            case when change is null then price
                else (try_cast(price as double) * 2)::text end as price
        )
        from raw
        left join late on 'online_retail:' || trim(invoice) = transaction_key
        left join others using (customer_id)
    """,
}
KEPT = "where not coalesce(is_late and change = 'deleted', false)"


@dataclass(frozen=True)
class World(Warehouse):
    """A warehouse of the shop, and what the candidates say in it."""

    @cached_property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """Read-only, and shared, as that of dbt's Python models."""
        return duckdb.connect(self.database, read_only=True)

    def frame(self, query: str) -> pd.DataFrame:
        """Return what a query finds."""
        return self.connection.query(query).df()

    def splits(self, task: str, part: str, horizon: int) -> list[Split]:
        """Return the splits of a part at a horizon."""
        found = read_splits(self.connection.query(SPLITS), task)
        return [one for one in found if (one.part, one.horizon_days) == (part, horizon)]

    @cached_property
    def backtests(self) -> pd.DataFrame:
        """What every candidate predicted of each customer, and what came."""
        wanted = f"{SPLITS} where part = 'test' and horizon_days = {HORIZON}"
        queries = (
            *("from customer_snapshots", "from first_purchase_features"),
            *(OUTCOMES, wanted, SEASONS),
        )
        found = backtest_purchases(*map(self.connection.query, queries), RULES)
        keys = ["population", "algorithm", "source_system", "customer_key"]
        return found.to_pandas().set_index(keys).sort_index()


@pytest.fixture(scope="module")
def base(workshop: Path) -> World:
    world = World(workshop / "small_shop", workshop)
    raw = world.folder / "raw"
    run_command(
        *("customer-segmentation", "simulate", "--output", str(raw)),
        *("--customers", str(CUSTOMERS)),
    )
    for source_system in AS_OF:
        world.land(source_system, raw / source_system)
    world.build("--select", *SELECTED, *WITHOUT_TESTS, variables=VARIABLES)
    return world


def changed(base: World, name: str, late: str, others: str) -> World:
    """Return the shop with late transactions changed."""
    world = base.beside(name, same_landing=False)
    for table, change in CHANGED.items():
        source_system = table.split("/")[0]
        to = world.landing / table
        to.mkdir(parents=True)
        with duckdb.connect() as connection:
            rows = f"from '{base.landing / table}/*.parquet'"
            connection.execute(f"create view raw as {rows}")
            connection.register("late", base.connection.query(late).to_arrow_table())
            query = others.format(oldest=oldest(base, source_system))
            connection.execute(f"create view others as {query}")
            connection.execute(f"copy ({change} {KEPT}) to '{to / 'part-0.parquet'}'")
        for folder in (base.landing / source_system).iterdir():
            if not (to.parent / folder.name).exists():
                (to.parent / folder.name).symlink_to(folder)
    world.database.write_bytes(base.database.read_bytes())
    fill_anew(world)
    return world


def oldest(base: World, source_system: str) -> str:
    """Return the id of the customer whose first purchase was the first of all."""
    return base.value(
        "select split_part(min_by(customer_key, (completed_at, transaction_key)), ':', 2)"
        f" from {FIRSTS} where source_system = '{source_system}'"
    )


def fill_anew(world: World) -> None:
    """Fill all tables in the order in which dbt did, by the SQL that it compiled."""
    link = world.workshop / "current"
    link.unlink()
    link.symlink_to(world.folder)
    results = json.loads((world.target(VARIABLES) / "run_results.json").read_text())
    with duckdb.connect(world.database) as connection:
        views = {
            f'"warehouse"."{schema}"."{name}"'
            for schema, name in connection.execute(
                "select schema_name, view_name from duckdb_views() where not internal"
            ).fetchall()
        }
        for result in results["results"]:
            table = result["relation_name"]
            if not result["unique_id"].startswith("model.") or table in views:
                continue
            query = result["compiled_code"]
            if result["unique_id"].endswith("int_prediction__splits"):
                records = "from main_intermediate.int_prediction__records"
                split = split_records(connection.query(records), RULES)
                connection.register("split", split)
                query = "from split"
            connection.execute(f"delete from {table}")
            connection.execute(f"insert into {table} by name {query}")


@pytest.fixture(scope="module")
def worlds(base: World) -> dict[str, World]:
    return {
        name: changed(base, f"{name}_later", AFTER_CUTOFF.format(change=change), NEIGHBOURS)
        for name, change in (("scrambled", "swapped"), ("deleted", "deleted"))
    }
