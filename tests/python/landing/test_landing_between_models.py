"""A landing between two models of a build: its tables are of one version."""

import shutil
from pathlib import Path

from dbt_project import QUICK_SEARCH, WITHOUT_TESTS, Warehouse, land_no_rows
from raw_files import MARKETPLACE_TABLES, write_numbered

# dbt builds them in the order of their names, those that read others last
FIRST = "1 of 6 OK created sql table model main_private.stg_marketplace__"
STAGING = ("--select", "path:models/staging/marketplace", *WITHOUT_TESTS)


def landings_in(warehouse: Warehouse) -> dict[str, str]:
    """Return, for each staging table, the ids in it: the number of the landing."""
    return {
        name: ", ".join(
            str(row[0]) for row in warehouse.rows(f"select {key} from {of}")
        )
        for name, ((key, *_), _) in MARKETPLACE_TABLES.items()
        if (of := f"main_private.stg_marketplace__{name}")
    }


def test_all_tables_of_a_build_are_of_one_landing(workshop: Path) -> None:
    warehouse = Warehouse(workshop / "landed_meanwhile", workshop)
    shutil.rmtree(warehouse.folder, ignore_errors=True)
    land_no_rows(warehouse.landing, ["mall", "online_retail"])
    warehouse.land("marketplace", write_numbered(warehouse.folder, 1))
    [first] = (warehouse.landing / ".versions").glob("marketplace-*")

    def land_again() -> None:
        warehouse.land("marketplace", write_numbered(warehouse.folder, 2))

    warehouse.build_around(FIRST, land_again, *STAGING, variables=QUICK_SEARCH)
    assert landings_in(warehouse) == dict.fromkeys(MARKETPLACE_TABLES, "1")
    assert first.exists()

    # what dbt parsed for one build does not settle what the next one reads
    warehouse.build(*STAGING, variables=QUICK_SEARCH)
    assert landings_in(warehouse) == dict.fromkeys(MARKETPLACE_TABLES, "2")
    warehouse.land("marketplace", write_numbered(warehouse.folder, 3))
    [last] = (warehouse.landing / ".versions").glob("marketplace-????????????")
    assert last == (warehouse.landing / "marketplace").resolve()
