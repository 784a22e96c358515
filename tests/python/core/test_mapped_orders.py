"""The source system ``orders``, which a mapping declares, builds and reconciles.

It is off by default. Only staging and core are built: all else reads their relations.
"""

import csv
from collections import Counter
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from dbt_project import REPOSITORY, Warehouse

from customer_segmentation.cli import cli
from customer_segmentation.simulation.orders import simulate_orders

CDNOW = REPOSITORY / ".." / "shared" / "data" / "cdnow" / "CDNOW_sample.txt"
SELECTION = ("+path:models/core", "thresholds")
# what the published relations say, to be compared with the files
TOTALS = """
    select
        (select count(*) from main.customers),
        count(*),
        sum(amount)
    from main.transactions
"""


def built(workshop: Path, name: str, orders: Path) -> Warehouse:
    """Land a file of orders, and build staging and core with their tests."""
    warehouse = Warehouse(workshop / name, workshop)
    warehouse.folder.mkdir()
    warehouse.land("orders", orders)
    warehouse.build(
        *("--select", *SELECTION, "--indirect-selection", "buildable"),
        variables={"source_systems": ["orders"]},
    )
    return warehouse


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("orders")


def test_a_check_says_what_a_build_would_find(
    raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = simulate_orders(raw)
    monkeypatch.chdir(REPOSITORY)
    ended = CliRunner().invoke(cli, ["check-source", "orders", str(truth.path)])
    assert ended.exit_code == 0, ended.exception
    rejected = sum(truth.rejected.values())
    said = ended.output.splitlines()
    counted = f"orders: {rejected} of {truth.orders + rejected} rows would be rejected"
    assert counted in said
    for reason, count in truth.rejected.items():
        assert f"  {count:,} rows: {reason}" in said
    assert [line for line in said if line.startswith(f"customers: {truth.customers},")]
    assert [line for line in said if line.startswith("record: ")]
    assert [line for line in said if line.startswith("predictions: ")]
    # nothing is kept
    assert not (REPOSITORY / "data" / "landing" / "orders").exists()


def test_a_sample_of_orders_reconciles(workshop: Path, raw: Path) -> None:
    truth = simulate_orders(raw)
    warehouse = built(workshop, "orders", truth.path)
    reconciled = (truth.customers, truth.orders, truth.amount)
    assert warehouse.rows(TOTALS) == [reconciled]
    reasons = warehouse.rows("select reasons from main.rejected_records")
    assert Counter(reason for (reason,) in reasons) == truth.rejected
    # pending orders are no purchase, and refunds are no revenue
    assert warehouse.rows("""
        select status, is_completed, bool_and(coalesce(amount < 0, false))
        from main.transactions group by status, is_completed order by status
    """) == [
        ("adjusted", False, False),
        ("returned", False, True),
        ("sold", True, False),
    ]


@pytest.mark.real
@pytest.mark.skipif(not CDNOW.is_file(), reason="CDNOW is not in ../shared/data")
def test_cdnow_reconciles(workshop: Path, raw: Path) -> None:
    rows = [line.split() for line in CDNOW.read_text("utf-8").splitlines()]
    path = raw / "cdnow.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("order_id", "customer_id", "order_date", "amount"))
        for number, (_, customer, day, _, dollars) in enumerate(rows):
            date = f"{datetime.strptime(day, '%Y%m%d'):%Y-%m-%d}"
            writer.writerow((number, customer, date, dollars))
    warehouse = built(workshop, "cdnow", path)
    amount = sum(Decimal(row[4]) for row in rows)
    assert warehouse.rows(TOTALS) == [(2_357, 6_919, amount)]
    assert warehouse.value("select count(*) from main.rejected_records") == 0
