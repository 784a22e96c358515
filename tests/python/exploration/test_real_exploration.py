"""What is explored of Online Retail is what is known of it."""

from typing import Any

import pytest
from dbt_project import Warehouse


def test_concentration_is_that_of_the_literature(real: Warehouse) -> None:
    rows = real.rows(
        "select top_percent, entities, revenue::text, revenue_share"
        " from revenue_concentration where source_system = 'online_retail'"
        " and entity = 'customer' and measure = 'gross_revenue'"
    )
    assert {row[1:3] for row in rows} == {(4_338, "8887208.89")}
    shares = {percent: share for percent, _, _, share in rows}
    assert shares[20] == pytest.approx(0.746, abs=1e-3)
    assert shares[1] == pytest.approx(0.321, abs=1e-3)


def test_a_third_of_the_customers_bought_once(
    real: Warehouse, manifest: dict[str, Any]
) -> None:
    [query] = (
        node["compiled_code"]
        for node in manifest["nodes"].values()
        if node["name"] == "customers_who_bought_once"
    )
    rows = {row[0]: row for row in real.rows(query)}
    # one of them bought what was free
    assert rows["online_retail"][1] == 4_339
    assert rows["online_retail"][3] == pytest.approx(0.344, abs=1e-3)
    # coupons have no money
    assert rows["marketplace"][5] is None


def test_months_have_the_revenue_of_the_year(real: Warehouse) -> None:
    assert real.value(
        "select sum(revenue) - (select sum(amount) from transactions"
        " where source_system = 'online_retail')"
        " from monthly_sales where source_system = 'online_retail'"
    ) == pytest.approx(0)
    assert real.rows(
        "select count(*), count(*) filter (where is_partial), count(revenue),"
        " arg_max(month_date, purchases)::text"
        " from monthly_sales where source_system = 'online_retail'"
    ) == [(13, 1, 13, "2011-11-01")]
    coupons = "from monthly_sales select count(revenue) where source_system = '{}'"
    assert real.value(coupons.format("marketplace")) == 0


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("GREEN REGENCY TEACUP AND SAUCER", "PINK REGENCY TEACUP AND SAUCER"),
        ("POPPY'S PLAYHOUSE BEDROOM", "POPPY'S PLAYHOUSE KITCHEN"),
        ("JAM JAR WITH PINK LID", "JAM JAR WITH GREEN LID"),
    ],
)
def test_sets_go_together(real: Warehouse, name: str, other: str) -> None:
    with real.connected() as connection:
        [(rank, lift, q_value)] = connection.execute(
            "select affinity_rank, lift, q_value from product_affinities"
            " where segmentation = 'all' and trim(entity_name) = ?"
            " and trim(other_entity_name) = ?",
            [name, other],
        ).fetchall()
    assert rank <= 3
    assert lift > 5
    assert q_value < 1e-50
