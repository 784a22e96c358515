"""What is built of the real data is what their provenance says of them."""

from decimal import Decimal
from typing import Any

import duckdb
import pytest
from dbt_project import (
    QUICK_SEARCH,
    WITHOUT_MODELS,
    WITHOUT_TESTS,
    Warehouse,
    differences,
)

AS_OF = "2011-09-01"
SEEN_EARLY = {
    "source_systems": ["online_retail"],
    "as_of_date": AS_OF,
    "product_categories": QUICK_SEARCH["product_categories"],
}


def lines_in(warehouse: Warehouse) -> int:
    """Return the invoice lines that have landed."""
    landed = warehouse.landing / "online_retail" / "invoice_lines" / "*.parquet"
    return warehouse.value(f"from '{landed}' select count(*)")


def test_coupons_keep_every_customer_and_merchant(real: Warehouse) -> None:
    [counts] = real.rows(
        "select count(*), count(*) filter (where lifetime_transactions > 0),"
        " sum(lifetime_purchases) from customers where source_system = 'marketplace'"
    )
    assert counts == (1_000, 989, 2_516)
    merchants = "select count(*) from merchants anti join branches using (merchant_key)"
    assert real.value(merchants) == 12


def test_coupons_have_no_money(real: Warehouse) -> None:
    [counts] = real.rows(
        "select count(*), count(recency_score), count(frequency_score),"
        " count(monetary), count(monetary_score)"
        " from customer_rfm where source_system = 'marketplace'"
    )
    buyers = real.value(
        "select count(*) from customers"
        " where source_system = 'marketplace' and lifetime_purchases > 0"
    )
    assert counts == (1_000, buyers, buyers, 0, 0)


def test_mall_has_its_customers_and_no_rfm(real: Warehouse) -> None:
    counts = (
        "from customers select count(*) where source_system = 'mall'",
        "from customer_rfm select count(*) where source_system = 'mall'",
    )
    assert [real.value(query) for query in counts] == [200, 0]


def test_clean_set_of_online_retail_is_that_of_the_literature(
    real: Warehouse, manifest: dict[str, Any]
) -> None:
    [query] = (
        node["compiled_code"]
        for node in manifest["nodes"].values()
        if node["name"] == "online_retail_clean_set"
    )
    assert real.rows(query) == [
        (
            *(392_692, Decimal("8887208.89")),
            *(397_884, Decimal("8911407.90"), 4_338, 18_532),
        )
    ]


def test_online_retail_rejects_only_exact_duplicates(real: Warehouse) -> None:
    rejected = real.rows(
        "select source_system, reasons, count(*) from rejected_records group by all"
    )
    assert rejected == [("online_retail", "exact_duplicate", 5_268)]


def test_online_retail_invoices_have_their_status(real: Warehouse) -> None:
    counts = real.rows(
        "select status, count(*) from transactions"
        " where source_system = 'online_retail' group by all"
    )
    # the stock write-offs are one line each
    assert dict(counts) == {
        "sold": 25_900 - 1_336 - 3_836 - 3,
        "written_off": 1_336,
        "returned": 3_836,
        "adjusted": 3,
    }


def test_online_retail_reconciles_to_the_whole_file(real: Warehouse) -> None:
    kept = real.value("from transaction_lines select sum(amount)")
    duplicates = real.value(
        "select sum((raw_record->>'quantity')::int"
        " * (raw_record->>'price')::decimal(18, 4))::decimal(18, 2)"
        " from rejected_records where source_system = 'online_retail'"
    )
    assert kept + duplicates == Decimal("9747747.93")


def test_both_years_keep_every_line_of_the_one_and_the_other(
    both_years: Warehouse,
) -> None:
    assert lines_in(both_years) == 1_044_847
    staged = both_years.value("from transaction_lines select count(*)")
    rejected = both_years.rows(
        "select reasons, count(*) from rejected_records group by all"
    )
    assert {reason for reason, _ in rejected} == {"exact_duplicate"}
    assert staged + sum(count for _, count in rejected) == 1_044_847


def test_both_years_have_each_customer_once(both_years: Warehouse) -> None:
    # 2,813 of the first year's customers come back in the second
    [counts] = both_years.rows(
        "select count(*), count(distinct customer_key), count(country) from customers"
    )
    assert counts == (4_383 + 4_372 - 2_813,) * 3
    [bounds] = both_years.rows(
        "select min(transacted_at)::text, max(transacted_at)::text from transactions"
    )
    assert bounds == ("2009-12-01 07:45:00", "2011-12-09 12:50:00")


def test_dirty_mall_file_loses_its_duplicates_only(mall_dirty: Warehouse) -> None:
    rejected = mall_dirty.rows(
        "select reasons, count(*) from rejected_records group by all"
    )
    assert rejected == [("exact_duplicate", 12)]
    [counts] = mall_dirty.rows(
        "select count(*), count(*) - count(age), count(*) - count(annual_income),"
        " count(*) - count(spending_score) from customers"
    )
    assert counts == (800, 10, 30, 60)


@pytest.fixture(scope="module")
def seen_early(real: Warehouse) -> Warehouse:
    """Return Online Retail as of a day in its past."""
    early = real.beside("seen_early")
    early.build(
        *WITHOUT_TESTS,
        *WITHOUT_MODELS,
        variables=SEEN_EARLY,
    )
    return early


def test_nothing_is_seen_from_the_as_of_date_on(seen_early: Warehouse) -> None:
    # the calendar has whole years
    columns = seen_early.rows(
        "select table_name, column_name from duckdb_columns()"
        " where schema_name = 'main' and column_name <> 'as_of_date'"
        " and table_name <> 'dates'"
        " and data_type in ('DATE', 'TIMESTAMP') and table_name in"
        " (select table_name from duckdb_tables() where schema_name = 'main')"
    )
    assert len(columns) > 5
    late = {
        f"{table}.{column}": seen_early.value(
            f"select max({column})::text from {table} where {column} >= '{AS_OF}'"
        )
        for table, column in columns
    }
    assert {column: last for column, last in late.items() if last} == {}


@pytest.fixture(scope="module")
def seen_without_later_rows(seen_early: Warehouse) -> Warehouse:
    """Return the same day with a landing zone that ends before it."""
    without = seen_early.beside("without_later_rows", same_landing=False)
    folder = "online_retail/invoice_lines"
    (without.landing / folder).mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (from '{seen_early.landing / folder}/*.parquet'"
            f" where invoice_date < '{AS_OF}')"
            f" to '{without.landing / folder}/part-00000.parquet'"
        )
    without.build(
        *WITHOUT_TESTS,
        *WITHOUT_MODELS,
        variables=SEEN_EARLY,
    )
    assert 0 < lines_in(without) < lines_in(seen_early)
    return without


# rejected records are about the files, not about the shop as of a day
@pytest.mark.parametrize(
    "table",
    [
        *("customers", "transactions", "transaction_lines", "products", "dates"),
        *("source_systems", "customer_rfm", "rfm_cut_points"),
        *("customer_features", "customer_rfm_history", "customer_cohorts"),
    ],
)
def test_what_happens_later_changes_nothing(
    seen_early: Warehouse, seen_without_later_rows: Warehouse, table: str
) -> None:
    query = {f"main.{table}": "select * from {}"}
    assert not differences(seen_early, seen_without_later_rows, query)
