"""A small shop, and the same shop with its later dates scrambled or deleted.

It is built by dbt once. Then raw files are changed, and all tables are filled anew by
the SQL that dbt has compiled.
"""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
import pandas as pd
from dbt_project import VARS, WITHOUT_TESTS, Warehouse, run_command

from customer_segmentation.prediction import (
    PredictionSettings,
    PurchaseData,
    backtest_purchases,
)
from customer_segmentation.prediction.splits import Split, read_splits

__all__ = [
    "CATEGORY_HISTORIES",
    "CUSTOMER_DAYS",
    "FIRST_PURCHASES",
    "HORIZON",
    "OUTCOMES",
    "RFM_SEGMENTS",
    "World",
    "built_small",
    "with_changes_after_cutoff",
    "with_changes_after_first_purchase",
]

# pinned, for a shop without its last days would end earlier
AS_OF = {"marketplace": "2024-10-11", "online_retail": "2011-12-10"}
VARIABLES = {"source_systems": list(AS_OF), "as_of_date": AS_OF}
CUSTOMERS = 700
# in the folder of a landed version
VERSION = re.compile(r"/\.versions/([a-z_]+)-[0-9a-f]{12}/")
HORIZON = 90
SELECTED = (
    *("+int_features__customer_days", "+int_features__first_purchases"),
    *("+int_prediction__outcomes", "+int_prediction__seasons", "+int_rfm__segments"),
    *("+int_prediction__category_histories", "+int_prediction__category_outcomes"),
    "+int_prediction__category_seasons",
)
CUSTOMER_DAYS = "from main_training.int_features__customer_days"
FIRST_PURCHASES = "from main_training.int_features__first_purchases"
OUTCOMES = "from main_training.int_prediction__outcomes"
SEASONS = "from main_training.int_prediction__seasons"
CATEGORY_HISTORIES = "from main_training.int_prediction__category_histories"
SPLITS = "from main_private.int_features__splits"
RFM_SEGMENTS = "from main_private.int_rfm__segments"
FIRSTS = "main_private.int_features__first_transactions"
TESTS = f"{SPLITS} where split = 'test' and horizon_days = {HORIZON}"
# transactions that began before the cutoff and ended after it are partly late
AFTER_CUTOFF = """
    select
        transaction_key,
        transacted_at >= cutoff_date as is_late,
        '{change}' as change
    from transactions join cutoffs using (source_system)
    where coalesce(completed_at, transacted_at) >= cutoff_date
"""
AFTER_FIRST_PURCHASE = f"""
    select
        transactions.transaction_key,
        transactions.transacted_at > firsts.completed_at as is_late,
        ['deleted', 'swapped', 'changed'][(hash(customer_key) % 3)::int + 1] as change
    from transactions join {FIRSTS} as firsts using (customer_key)
    where transactions.transaction_key <> firsts.transaction_key
        and coalesce(transactions.completed_at, transactions.transacted_at)
        >= firsts.completed_at
"""
# a swapped transaction goes to the neighbour of who made it
NEIGHBOURS = """
    select
        customer_id,
        coalesce(
            lead(customer_id) over (order by customer_id), min(customer_id) over ()
        ) as other_id
    from (select distinct customer_id from raw where customer_id is not null)
"""
# or to the customer whose first purchase was the first of all, and stays it
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
    """A warehouse of the shop, and what the candidates predict in it."""

    @cached_property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """Read-only, and shared by all relations, as in dbt's Python models."""
        return duckdb.connect(self.database, read_only=True)

    def relation(self, query: str) -> duckdb.DuckDBPyRelation:
        """Return a query as dbt.ref returns a table."""
        return self.connection.query(query)

    def frame(self, query: str) -> pd.DataFrame:
        """Return what a query finds."""
        return self.relation(query).df()

    def tests(self, task: str) -> list[Split]:
        """Return the tests at the horizon."""
        return list(read_splits(self.relation(TESTS), task))

    @cached_property
    def cutoffs(self) -> dict[str, pd.Timestamp]:
        """The as-of date of the predicted existing customers, by source system."""
        return {
            split.source_system: pd.Timestamp(split.test.first)
            for split in self.tests("next_purchases")
            if split.population == "existing" and split.test
        }

    @cached_property
    def data(self) -> PurchaseData:
        """What the tests at the horizon learn from and predict."""
        queries = (CUSTOMER_DAYS, FIRST_PURCHASES, OUTCOMES, SEASONS, TESTS)
        return PurchaseData.read(*map(self.relation, queries))

    @cached_property
    def backtests(self) -> pd.DataFrame:
        """What every candidate predicts for each customer, and the outcomes."""
        settings = PredictionSettings.read(VARS)
        found = backtest_purchases(self.data, settings).to_pandas()
        keys = ["population", "algorithm", "source_system", "customer_key"]
        return found.set_index(keys).sort_index()


def built_small(workshop: Path) -> World:
    """Return a small shop, built up to the features and outcomes."""
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


def with_changes_after_cutoff(base: World, change: str) -> World:
    """Return the shop with its dates from the cutoff on ``swapped`` or ``deleted``.

    Swapped: other customers buy other quantities of other products at other prices.
    """
    with base.connected() as connection:
        cutoffs = pd.DataFrame(
            base.cutoffs.items(), columns=["source_system", "cutoff_date"]
        )
        connection.register("cutoffs", cutoffs)
        late = connection.query(AFTER_CUTOFF.format(change=change)).to_arrow_table()
    return _changed(base, f"{change}_after_cutoff", late, NEIGHBOURS)


def with_changes_after_first_purchase(base: World) -> World:
    """Return the shop with other transactions after the first purchases.

    Each transaction is deleted, moves to the oldest customer or has other amounts.
    """
    late = base.relation(AFTER_FIRST_PURCHASE).to_arrow_table()
    return _changed(base, "changed_after_first_purchase", late, OLDEST)


def _changed(base: World, name: str, late: object, others: str) -> World:
    world = base.beside(name, same_landing=False)
    for table, change in CHANGED.items():
        source_system = table.split("/")[0]
        folder = world.landing / table
        folder.mkdir(parents=True)
        with duckdb.connect() as connection:
            rows = f"from '{base.landing / table}/*.parquet'"
            connection.execute(f"create view raw as {rows}")
            connection.register("late", late)
            query = others.format(oldest=_oldest(base, source_system))
            connection.execute(f"create view others as {query}")
            connection.execute(
                f"copy ({change} {KEPT}) to '{folder / 'part-00000.parquet'}'"
            )
        for other in (base.landing / source_system).iterdir():
            if other.name != folder.name:
                (folder.parent / other.name).symlink_to(other)
    world.database.write_bytes(base.database.read_bytes())
    _fill_anew(world)
    return world


def _oldest(base: World, source_system: str) -> str:
    order = "(completed_at, transaction_key)"
    return base.value(
        f"select split_part(min_by(customer_key, {order}), ':', 2) from {FIRSTS}"
        f" where source_system = '{source_system}'"
    )


def _fill_anew(world: World) -> None:
    """Fill the tables in the order in which dbt did; views need no filling."""
    world.put_in_place()
    file = world.target(VARIABLES) / "run_results.json"
    results = json.loads(file.read_text())["results"]
    tables = {name.split(".")[-1] for name in world.tables()}
    with duckdb.connect(world.database) as connection:
        for result in results:
            kind, *_, name = result["unique_id"].split(".")
            if kind != "model" or name not in tables:
                continue
            # dbt read a landed version of the base, where this world has plain folders
            query = VERSION.sub(r"/\1/", result["compiled_code"])
            # categories are kept, as in a build without training
            if name.startswith("int_products__"):
                continue
            table = result["relation_name"]
            connection.execute(f"delete from {table}")
            connection.execute(f"insert into {table} by name {query}")
