"""The tables of the sample are what pandas computes, and planted tastes come out."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from dbt_project import Sample

from customer_segmentation.simulation.online_retail_catalogue import FAMILIES
from customer_segmentation.simulation.online_retail_shoppers import SEGMENTS

SHOP = "online_retail"
NUMBERS = ("int", "bigint", "double", "decimal")
TABLES = (
    *("product_affinities", "feature_distributions", "feature_correlations"),
    *("missing_values", "monthly_sales", "revenue_concentration", "top_entities"),
)


@pytest.fixture(scope="module")
def tables(sample: Sample) -> dict[str, pd.DataFrame]:
    with sample.connected() as connection:
        return {name: connection.table(name).df() for name in TABLES}


@pytest.fixture(scope="module")
def features(sample: Sample) -> pd.DataFrame:
    query = "from main_training.int_features__customer_days where is_today"
    with sample.connected() as connection:
        return connection.sql(query).df()


def contract(manifest: dict[str, Any], model: str) -> dict[str, str]:
    """Return the columns of a model with their types."""
    columns = manifest["nodes"][f"model.customer_segmentation.{model}"]["columns"]
    return {name: column["data_type"] for name, column in columns.items()}


def test_every_number_of_a_customer_is_explored(
    tables: dict[str, pd.DataFrame], manifest: dict[str, Any]
) -> None:
    columns = contract(manifest, "int_features__customer_days")
    numbers = {
        name for name, kind in columns.items() if kind.partition("(")[0] in NUMBERS
    }
    found = tables["feature_distributions"].groupby("source_system")["feature"]
    assert {name: set(one) for name, one in found} == dict.fromkeys(
        ("mall", "marketplace", SHOP), numbers
    )


def test_every_column_has_its_missing_values_counted(
    sample: Sample, tables: dict[str, pd.DataFrame], manifest: dict[str, Any]
) -> None:
    missing = tables["missing_values"]
    counted = missing.groupby("table_name")["column_name"].agg(set).to_dict()
    assert counted == {
        table: set(contract(manifest, table)) - {"source_system"} for table in counted
    }
    assert len(counted) == 4
    for table, columns in counted.items():
        with sample.connected() as connection:
            frame = connection.table(table).df()
        expected = frame.groupby("source_system")[sorted(columns)].agg(
            lambda column: column.isna().sum()
        )
        ours = missing[missing["table_name"] == table].pivot_table(
            index="source_system", columns="column_name", values="missing"
        )
        pd.testing.assert_frame_equal(
            ours, expected, check_names=False, check_dtype=False
        )


@pytest.mark.parametrize("source_system", ["mall", "marketplace", SHOP])
def test_distributions_are_those_of_pandas(
    tables: dict[str, pd.DataFrame], features: pd.DataFrame, source_system: str
) -> None:
    found = tables["feature_distributions"].query("source_system == @source_system")
    found = found.set_index("feature").sort_index()
    values = features.query("source_system == @source_system")[list(found.index)]
    values = values.astype(float)
    assert found["customers"].tolist() == values.notna().sum().tolist()
    assert (found["customers"] + found["missing"] == len(values)).all()
    known = found[found["customers"] > 0]
    values = values[known.index]
    np.testing.assert_allclose(known["mean"], values.mean(), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(
        known["standard_deviation"], values.std(ddof=0), rtol=1e-5, atol=1e-6
    )
    for decile in range(1, 10):
        expected = values.quantile(decile / 10, interpolation="inverted_cdf")
        np.testing.assert_array_equal(known[f"decile_{decile}"], expected)
    assert known["minimum"].tolist() == values.min().tolist()
    assert known["maximum"].tolist() == values.max().tolist()
    unknown = found[found["customers"] == 0]
    assert unknown[["mean", "minimum", "decile_5", "maximum"]].isna().all(axis=None)


def test_correlations_are_those_of_pandas(
    tables: dict[str, pd.DataFrame], features: pd.DataFrame
) -> None:
    names = ["monetary", "recency_days", "interpurchase_days", "return_rate"]
    of_shop = features.query("source_system == @SHOP")[names].astype(float)
    expected = of_shop.corr("spearman")
    found = tables["feature_correlations"].query("source_system == @SHOP")
    found = found.set_index(["feature", "other_feature"])["correlation"]
    for name in names:
        others = [one for one in names if one != name]
        np.testing.assert_allclose(
            found.loc[name].loc[others], expected.loc[name, others], atol=1e-6
        )
    # a mall has no transactions
    mall = tables["feature_correlations"].query("source_system == 'mall'")
    assert set(mall["feature"]) == {"age", "annual_income", "spending_score"}


def test_months_are_complete_and_add_up(
    sample: Sample, tables: dict[str, pd.DataFrame]
) -> None:
    sales = tables["monthly_sales"]
    totals = sample.rows(
        "select source_system, count(*), count(*) filter (where is_completed),"
        " count(*) filter (where is_return), sum(amount), sum(case when customer_key is"
        " null then amount else 0 end) from transactions group by all"
    )
    assert {one[0] for one in totals} == set(sales["source_system"])
    for source_system, *expected in totals:
        of_one = sales[sales["source_system"] == source_system]
        columns = ("transactions", "purchases", "returns", "revenue", "guest_revenue")
        found = [float(of_one[column].sum()) for column in columns]
        assert found == pytest.approx([float(one) for one in expected])
        months = of_one["month_date"].dt.to_period("M")
        assert set(months) == set(pd.period_range(months.min(), months.max(), freq="M"))
        buyers = sample.value(
            "select count(distinct customer_key) from transactions"
            f" where is_completed and source_system = '{source_system}'"
        )
        assert of_one["new_customers"].sum() == buyers
    assert sales.query("source_system == @SHOP").set_index("month_date")[
        "is_partial"
    ].sort_index().tolist() == [False] * 24 + [True]


def test_concentration_is_that_of_pandas(
    sample: Sample, tables: dict[str, pd.DataFrame]
) -> None:
    with sample.connected() as connection:
        customers = connection.table("customers").df()
    buyers = customers.query("source_system == @SHOP and lifetime_purchases > 0")
    spent = buyers["lifetime_spent"].astype(float).sort_values(ascending=False)
    found = tables["revenue_concentration"].query(
        "source_system == @SHOP and entity == 'customer' and measure == 'net_revenue'"
    )
    assert set(found["top_percent"]) == {1, 5, 10, 20, 50}
    for row in found.itertuples():
        top = int(np.ceil(len(spent) * row.top_percent / 100))
        assert row.top_entities == top
        assert row.revenue_share == pytest.approx(spent[:top].sum() / spent.sum())
    # a mall has no transactions, and coupons have no products
    kinds = tables["revenue_concentration"][["source_system", "entity"]]
    assert set(kinds.itertuples(index=False, name=None)) == {
        ("marketplace", "customer"),
        (SHOP, "customer"),
        (SHOP, "product"),
    }


def test_top_products_and_merchants_are_those_of_the_transactions(
    sample: Sample, tables: dict[str, pd.DataFrame]
) -> None:
    top = tables["top_entities"].set_index(["entity", "entity_key"])
    lines = sample.rows(
        "select product_key, sum(amount) from transaction_lines where is_product"
        " group by all order by sum(amount) desc, product_key limit 100"
    )
    found = top.loc["product"].sort_values("entity_rank")
    assert found.index.tolist() == [key for key, _ in lines]
    assert found["revenue"].tolist() == [float(amount) for _, amount in lines]
    merchants = sample.rows(
        "select merchant_key, count(*) from transactions where is_completed"
        " and merchant_key is not null group by all"
    )
    assert top.loc["merchant", "purchases"].to_dict() == dict(merchants)


def test_categories_are_ranked_and_compared_like_products(
    sample: Sample, tables: dict[str, pd.DataFrame]
) -> None:
    lines = """
        select source_system || ':' || category_id as category_key, transaction_key,
            transaction_lines.amount, quantity
        from transaction_lines
        join product_categories using (source_system, product_key)
        join transactions using (source_system, transaction_key)
        where is_product
    """
    sold = dict(
        sample.rows(f"select category_key, sum(amount) from ({lines}) group by all")
    )
    top = tables["top_entities"].set_index(["entity", "entity_key"]).loc["category"]
    assert top["revenue"].to_dict() == {key: float(sold[key]) for key in sold}
    pairs = tables["product_affinities"].query(
        "segmentation == 'all' and entity == 'category'"
    )
    assert len(pairs) > 0
    row = pairs.iloc[0]
    # one basket of each buyer, of those with two categories at least
    together = sample.value(f"""
        select count(*) from (
            select transaction_key, coalesce(customer_key, transaction_key) as buyer,
                count(distinct category_key) filter (where category_key in
                    ('{row.entity_key}', '{row.other_entity_key}')) as of_pair
            from ({lines}) join transactions using (transaction_key)
            where quantity > 0 and is_completed
            group by 1, 2 having count(distinct category_key) > 1
            qualify row_number() over (
                partition by buyer order by md5(transaction_key)) = 1
        ) where of_pair = 2
    """)
    assert row.baskets_together == together == row.buyers_together


def family_of(product_name: str) -> str:
    [family] = {
        family.name
        for family in FAMILIES
        for noun in family.nouns
        if product_name.endswith(noun)
    }
    return family


def test_planted_tastes_are_affinities(tables: dict[str, pd.DataFrame]) -> None:
    affinities = tables["product_affinities"].query(
        "segmentation == 'all' and entity == 'product'"
    )
    pairs = affinities[["entity_name", "other_entity_name"]].map(family_of)
    # no pair is planted: customers of a segment prefer the same few families
    favourites = [set(segment.favourites) for segment in SEGMENTS]
    is_taste = [
        one == other or any({one, other} <= families for families in favourites)
        for one, other in pairs.itertuples(index=False, name=None)
    ]
    assert np.mean(is_taste) > 0.99
    assert len(affinities) > 1_000
    assert pairs["entity_name"].nunique() == len(FAMILIES)


def test_affinities_of_segments_are_about_their_customers(
    sample: Sample, tables: dict[str, pd.DataFrame]
) -> None:
    affinities = tables["product_affinities"]
    assert set(affinities["source_system"]) == {SHOP}
    assert set(affinities["segmentation"]) == {"all", "rfm", "online_retail_value"}
    segments = sample.rows(
        "select rfm_segment from customer_rfm union"
        " select segment_name from customer_segments"
        " where segmentation = 'online_retail_value' union select 'all'"
    )
    assert set(affinities["segment"]) <= {segment for (segment,) in segments}
    first = affinities.query(
        "segmentation == 'rfm' and entity == 'product'"
    ).sort_values(["p_value", "entity_key"])
    row = first.iloc[0]
    together = sample.value(f"""
        select count(*) from (
            select transaction_key, customer_key
            from transaction_lines
            join transactions using (transaction_key)
            join customer_rfm using (customer_key)
            where product_key in ('{row.entity_key}', '{row.other_entity_key}')
                and is_product and quantity > 0 and is_completed
                and rfm_segment = '{row.segment.replace("'", "''")}'
            group by all having count(distinct product_key) = 2
        )
    """)
    assert row.baskets_together == together
