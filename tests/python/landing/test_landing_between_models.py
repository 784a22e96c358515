"""A landing between two models of a build: its tables are of one version."""

from pathlib import Path

from dbt_project import QUICK_SEARCH, WITHOUT_TESTS, Warehouse, land_no_rows
from raw_files import MARKETPLACE_TABLES, land, write_numbered

from customer_segmentation.raw_tables import MARKETPLACE

# dbt builds them in the order of their names, those that read others last
FIRST = "1 of 6 OK created sql table model main_private.stg_marketplace__"
STAGING = ("--select", "path:models/staging/marketplace", *WITHOUT_TESTS)


def landings_in(warehouse: Warehouse) -> dict[str, object]:
    """Return the id in each staging table, which is the number of the landing."""
    return {
        name: warehouse.value(f"select {key} from main_private.stg_marketplace__{name}")
        for name, ((key, *_), _) in MARKETPLACE_TABLES.items()
    }


def test_all_tables_of_a_build_are_of_one_landing(workshop: Path) -> None:
    warehouse = Warehouse(workshop / "landed_meanwhile", workshop)
    zone = warehouse.landing
    land_no_rows(zone, ["mall", "online_retail"])
    land(MARKETPLACE, zone, write_numbered(warehouse.folder, 1))
    [first] = (zone / ".versions").glob("marketplace-*")

    def land_again() -> None:
        land(MARKETPLACE, zone, write_numbered(warehouse.folder, 2))

    warehouse.build_around(FIRST, land_again, *STAGING, variables=QUICK_SEARCH)
    assert landings_in(warehouse) == dict.fromkeys(MARKETPLACE_TABLES, "1")
    assert first.exists()

    # what dbt parsed for one build does not settle what the next one reads
    warehouse.build(*STAGING, variables=QUICK_SEARCH)
    assert landings_in(warehouse) == dict.fromkeys(MARKETPLACE_TABLES, "2")
    land(MARKETPLACE, zone, write_numbered(warehouse.folder, 3))
    [last] = (zone / ".versions").glob("marketplace-????????????")
    assert last == (zone / "marketplace").resolve()
