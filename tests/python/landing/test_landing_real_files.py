"""The public data sets land with all their rows."""

import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from raw_files import land, landed

from customer_segmentation.raw_tables import MARKETPLACE, ONLINE_RETAIL, SOURCE_SYSTEMS

MALL = SOURCE_SYSTEMS["mall"]

pytestmark = pytest.mark.real

REPOSITORY = Path(__file__).parents[3]
SHARED = Path(
    os.environ.get("CUSTOMER_SEGMENTATION_SHARED", REPOSITORY.parent / "shared")
)


def shared(path: str) -> Path:
    found = SHARED / "data" / path
    if not found.exists():
        pytest.skip(f"{found} is absent; set CUSTOMER_SEGMENTATION_SHARED")
    return found


def test_online_retail_has_as_many_lines_either_way(tmp_path, capsys):
    year_1 = shared("online-retail-ii/online_retail_II_2009-2010.parquet")
    year_2 = shared("online-retail/online_retail.csv.gz")
    land(ONLINE_RETAIL, tmp_path / "one", year_2, year_1)
    land(ONLINE_RETAIL, tmp_path / "two", year_1)
    land(ONLINE_RETAIL, tmp_path / "two", year_2, append=True)
    skipped = "skipped 22,523 rows of 1,088 invoices that had landed before"
    assert capsys.readouterr().err.count(skipped) == 2
    for zone in ("one", "two"):
        parts = (tmp_path / zone / "online_retail" / "invoice_lines").iterdir()
        assert sum(pq.read_metadata(p).num_rows for p in parts) == 1_044_847


def test_the_workbook_and_its_csv_files_land_the_same(tmp_path):
    land(MARKETPLACE, tmp_path / "x", shared("ecommerce-coupons/E-commerce_data.xlsx"))
    land(MARKETPLACE, tmp_path / "c", shared("ecommerce-coupons/csv"))
    n_rows = {}
    for table in MARKETPLACE.tables:
        rows = landed(tmp_path / "x", f"marketplace/{table.name}")
        assert rows == landed(tmp_path / "c", f"marketplace/{table.name}")
        n_rows[table.name] = len(rows)
    assert n_rows["customers"] == 1_000
    assert n_rows["transactions"] == 5_000


def test_mall_customers_of_windows_land(tmp_path):
    land(MALL, tmp_path, shared("mall-customers/Mall_Customers.csv"))
    rows = landed(tmp_path, "mall/customers")
    assert len(rows) == 200
    assert rows[0] == ("1", "Male", "19", "15", "39")
