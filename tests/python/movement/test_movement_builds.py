"""Movement through whole builds: the sample, and Online Retail against its raw rows."""

from decimal import Decimal

import duckdb
import pandas as pd
import pytest
from dbt_project import QUICK_SEARCH, Warehouse, shared_file

MONTHS = "from rfm_history_months select count(*) where "


def test_only_those_who_are_called_active_come_back_as_if_they_were(
    sample: Warehouse,
) -> None:
    # the shares of fewer customers are chance
    shares = sample.rows(
        "pivot (from lifecycle_backtests where grouping_name = 'stage'"
        " and group_name in ('active', 'slipping', 'lapsed')"
        " qualify min(customers) over (partition by source_system, as_of_date) >= 40)"
        " on group_name in ('active', 'slipping', 'lapsed') using first(return_share)"
        " group by source_system, as_of_date"
    )
    assert len(shares) > 10
    for _, _, active, slipping, lapsed in shares:
        assert active > slipping > 2 * lapsed


def test_return_probabilities_are_calibrated(sample: Warehouse) -> None:
    errors = sample.rows(
        "select source_system, sum(abs(expected_return_share - return_share))"
        " / sum(return_share) from lifecycle_backtests"
        " where grouping_name = 'decile' group by all"
    )
    assert {source_system for source_system, _ in errors} == {
        "marketplace",
        "online_retail",
    }
    assert max(error for _, error in errors) < 0.25


def test_a_later_build_adds_a_month_changes_none_and_names_what_differs(
    rebuilt: Warehouse,
) -> None:
    last = (
        "(select max(month_date) from customer_rfm_history where source_system = '{}')"
    )
    # the last build was a month ago; since then a purchase of September has arrived
    with duckdb.connect(rebuilt.database) as connection:
        connection.execute("create table before as from customer_rfm_history")
        for shop in ("online_retail", "marketplace"):
            connection.execute(
                f"delete from customer_rfm_history where source_system = '{shop}'"
                f" and month_date = {last.format(shop)}"
            )
        connection.execute(
            "update customer_segment_history"
            " set month_date = month_date - interval 1 month"
        )
        [late] = connection.execute(
            "update customer_rfm_history set month_purchases = month_purchases - 1"
            " where month_date = '2011-09-01' and month_purchases > 0"
            " and customer_key = (select min(customer_key) from customer_rfm_history"
            " where month_date = '2011-09-01' and month_purchases > 0)"
            " returning customer_key"
        ).fetchall()
    rebuilt.build(
        *("--select", "customer_rfm_history", "customer_segment_history"),
        *("int_movement__history_changes", "rfm_history_months", "segment_migrations"),
        *("--exclude", "resource_type:unit_test"),
        variables=QUICK_SEARCH,
    )
    assert "assert_recorded_months_have_not_changed" in rebuilt.messages.read_text()
    changed = rebuilt.rows(
        "select customer_key, month_date::text"
        " from main_private.int_movement__history_changes"
    )
    assert changed == [(*late, "2011-09-01")]
    outdated = rebuilt.rows(
        "select month_date::text from rfm_history_months where is_outdated order by all"
    )
    assert outdated == [("2011-09-01",), ("2011-10-01",), ("2011-11-01",)]
    # the month that was added is that of the first build, and the others stay
    differing = rebuilt.rows(
        "(from before except from customer_rfm_history)"
        " union all (from customer_rfm_history except from before)"
    )
    assert {(row[0], str(row[2])) for row in differing} == {(*late, "2011-09-01")}
    moved = rebuilt.rows(
        "select segmentation, sum(customers), count(distinct month_date)"
        " from segment_migrations where segmentation <> 'rfm' group by all order by 1"
    )
    assert moved == [
        ("marketplace_coupons", 4_000, 1),
        ("online_retail_behaviour", 4_000, 1),
        ("online_retail_taste", 4_000, 1),
        ("online_retail_value", 4_000, 1),
    ]


@pytest.fixture(scope="module")
def invoices() -> pd.DataFrame:
    """Return customers' invoices, summed from the raw rows without exact duplicates."""
    file = shared_file("online-retail/online_retail.csv.gz")
    lines = pd.read_csv(file, dtype=str, encoding="utf-8").drop_duplicates()
    lines = lines.dropna(subset=["CustomerID"])
    lines["customer"] = "online_retail:" + lines["CustomerID"].str.removesuffix(".0")
    lines["at"] = pd.to_datetime(lines["InvoiceDate"], format="mixed")
    lines["quantity"] = lines["Quantity"].astype(int)
    cents = lines["UnitPrice"].map(Decimal) * lines["quantity"].map(Decimal) * 100
    lines["cents"] = cents.astype("int64")
    found = lines.groupby("InvoiceNo").agg(
        customer=("customer", "min"),
        at=("at", "min"),
        quantity=("quantity", "max"),
        cents=("cents", "sum"),
    )
    is_sale = ~found.index.str.startswith(("C", "A"))
    return found.assign(is_purchase=is_sale & (found["quantity"] > 0))


def test_cohorts_are_those_of_the_raw_rows(
    real: Warehouse, invoices: pd.DataFrame
) -> None:
    purchases = invoices[invoices["is_purchase"]]
    month = purchases["at"].dt.to_period("M")
    first = month.groupby(purchases["customer"]).transform("min")
    active = purchases["customer"].groupby([first, month]).nunique()
    expected = {
        (str(cohort), str(later)): count for (cohort, later), count in active.items()
    }
    cohorts = real.rows(
        "select strftime(cohort_month_date, '%Y-%m'), strftime(month_date, '%Y-%m'),"
        " active_customers from customer_cohorts where source_system = 'online_retail'"
    )
    assert len(cohorts) == 13 * 14 / 2
    assert {row[:2]: row[2] for row in cohorts if row[2]} == expected


def test_history_is_what_the_raw_rows_said_then(
    real: Warehouse, invoices: pd.DataFrame
) -> None:
    then = pd.Timestamp("2011-06-01")
    known = invoices[invoices["at"] < then]
    bought = known[known["is_purchase"]].groupby("customer")["at"]
    expected = pd.DataFrame(
        {
            "recency_days": (then - bought.max().dt.normalize()).dt.days,
            "frequency": bought.count(),
            "cents": known.groupby("customer")["cents"].sum(),
        }
    )
    expected["frequency"] = expected["frequency"].fillna(0)
    recorded = real.rows(
        "select customer_key, recency_days, frequency, (100 * monetary)::bigint"
        " from customer_rfm_history where source_system = 'online_retail'"
        " and month_date = '2011-05-01'"
    )
    found = pd.DataFrame(recorded, columns=["customer", *expected]).set_index(
        "customer"
    )
    pd.testing.assert_frame_equal(
        found.sort_index().astype(float), expected.sort_index().astype(float)
    )
