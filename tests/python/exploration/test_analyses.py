"""Every analysis runs on the sample, and pandas finds the same answers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dbt_project import REPOSITORY, Sample

Frames = dict[str, pd.DataFrame]
Answers = dict[str, pd.DataFrame]
# that of the literature has a test of its own
ELSEWHERE = {"online_retail_clean_set"}
TABLES = ("customers", "transactions", "transaction_lines", "customer_rfm", "segments")
SHOP = "online_retail"


@pytest.fixture(scope="module")
def frames(sample: Sample) -> Frames:
    """Return what the answers are computed from, amounts as floats."""
    with sample.connected() as connection:
        found = {name: connection.table(name).df() for name in TABLES}
    for frame in found.values():
        for column in {"amount", "lifetime_spent", "monetary"} & set(frame):
            frame[column] = frame[column].astype(float)
    return found


@pytest.fixture(scope="module")
def answers(sample: Sample, manifest: dict[str, Any]) -> Answers:
    """Return the rows of every analysis."""
    queries = {
        node["name"]: node["compiled_code"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "analysis" and node["name"] not in ELSEWHERE
    }
    with sample.connected() as connection:
        return {name: connection.sql(query).df() for name, query in queries.items()}


def test_every_analysis_is_described_and_has_an_answer(
    answers: Answers, manifest: dict[str, Any]
) -> None:
    files = {path.stem for path in (REPOSITORY / "analyses").glob("*.sql")}
    described = {
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "analysis" and node["description"]
    }
    assert described == files
    assert set(answers) == files - ELSEWHERE == set(CHECKS)
    assert [name for name, rows in answers.items() if rows.empty] == []


def of_shop(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["source_system"] == SHOP]


def purchases_of(frames: Frames) -> pd.DataFrame:
    return of_shop(frames["transactions"]).query("is_completed")


def best_customers(rows: pd.DataFrame, frames: Frames) -> None:
    spent = of_shop(frames["customers"]).set_index("customer_key")["lifetime_spent"]
    first = of_shop(rows).set_index("customer_key")
    assert first["lifetime_spent"].astype(float).tolist() == pytest.approx(
        spent.nlargest(20).tolist()
    )
    assert first["spend_share"].sum() == pytest.approx(
        spent.nlargest(20).sum() / spent.sum()
    )


def revenue_by_segment(rows: pd.DataFrame, frames: Frames) -> None:
    spent = of_shop(frames["customers"])["lifetime_spent"].sum()
    # summed within one segmentation, nothing counts twice
    totals = of_shop(rows).groupby("segmentation")[["revenue", "customer_share"]].sum()
    assert set(totals.index) == {
        *("online_retail_value", "online_retail_behaviour"),
        *("online_retail_taste", "rfm"),
    }
    assert totals["revenue"].astype(float).tolist() == pytest.approx([spent] * 4)
    assert totals["customer_share"].tolist() == pytest.approx([1] * 4)
    published = frames["segments"].set_index(["segmentation", "segment_name"])
    ours = rows.set_index(["segmentation", "segment"]).loc[published.index]
    assert ours["customers"].tolist() == published["customers"].tolist()
    mall = rows[rows["source_system"] == "mall"]
    assert mall["revenue"].isna().all()


def customers_who_bought_once(rows: pd.DataFrame, frames: Frames) -> None:
    counts = purchases_of(frames).groupby("customer_key").size()
    found = rows.set_index("source_system").loc[SHOP]
    assert found["buyers"] == len(counts)
    assert found["bought_once"] == (counts == 1).sum()
    spent = of_shop(frames["customers"]).set_index("customer_key")["lifetime_spent"]
    once = spent[counts.index[counts == 1]].sum() / spent[counts.index].sum()
    assert found["bought_once_revenue_share"] == pytest.approx(once)
    assert set(rows["source_system"]) == {"marketplace", SHOP}


def cost_of_returns(rows: pd.DataFrame, frames: Frames) -> None:
    returned = of_shop(frames["transactions"]).query("is_return")
    [found] = rows.to_dict("records")
    assert found["source_system"] == SHOP
    assert found["returns"] == len(returned)
    assert float(found["returned_revenue"]) == pytest.approx(-returned["amount"].sum())
    assert found["returners"] == returned["customer_key"].nunique()


def sales_by_weekday(rows: pd.DataFrame, frames: Frames) -> None:
    days = purchases_of(frames)["completed_at"].dt.day_of_week + 1
    found = of_shop(rows).set_index("weekday_number")
    assert found["purchases"].to_dict() == days.value_counts().to_dict()
    # the shop is closed on Saturdays
    assert 6 not in found.index
    assert found["revenue_share"].sum() == pytest.approx(1)


def best_months(rows: pd.DataFrame, frames: Frames) -> None:
    days = purchases_of(frames)["completed_at"]
    # the record ends on 9 December 2011
    counts = days[days < "2011-12-01"].dt.to_period("M").value_counts()
    means = counts.groupby(counts.index.month).mean()
    found = of_shop(rows).set_index("month_of_year")
    assert found["mean_purchases"].to_dict() == pytest.approx(means.to_dict())
    assert found["purchase_index"].to_dict() == pytest.approx(
        (means / counts.mean()).to_dict()
    )
    assert found.loc[12, "months"] == 2


def products_bought_together(rows: pd.DataFrame, frames: Frames) -> None:
    assert len(rows) == 50
    assert (rows["entity_key"] < rows["other_entity_key"]).all()
    first = rows.iloc[0]
    lines = of_shop(frames["transaction_lines"]).query("is_product and quantity > 0")
    lines = lines[
        lines["transaction_key"].isin(purchases_of(frames)["transaction_key"])
    ]
    baskets = lines.groupby("product_key")["transaction_key"].agg(set)
    together = baskets[first["entity_key"]] & baskets[first["other_entity_key"]]
    assert first["baskets_together"] == len(together)


def lapsing_customers_of_value(rows: pd.DataFrame, frames: Frames) -> None:
    rfm = frames["customer_rfm"]
    is_lapsing = rfm["rfm_segment"].isin(["At Risk", "Can't Lose Them"])
    expected = rfm[is_lapsing & (rfm["monetary_score"] == 5)]
    assert set(rows["customer_key"]) == set(expected["customer_key"])
    assert of_shop(rows)["monetary"].is_monotonic_decreasing


def basket_by_segment(rows: pd.DataFrame, frames: Frames) -> None:
    bought = purchases_of(frames).merge(
        frames["customer_rfm"][["customer_key", "rfm_segment"]], on="customer_key"
    )
    found = of_shop(rows).set_index("rfm_segment")
    means = bought.groupby("rfm_segment")["amount"].mean()
    assert found["mean_basket_value"].to_dict() == pytest.approx(means.to_dict())
    lines = frames["transaction_lines"].query("is_product and quantity > 0")
    products = lines.groupby("transaction_key")["product_key"].nunique()
    bought["products"] = bought["transaction_key"].map(products)
    means = bought.groupby("rfm_segment")["products"].mean()
    assert found["mean_basket_products"].to_dict() == pytest.approx(means.to_dict())


def new_and_returning_revenue(rows: pd.DataFrame, frames: Frames) -> None:
    parts = ["new_customer_revenue", "returning_customer_revenue", "guest_revenue"]
    found = of_shop(rows).astype(dict.fromkeys([*parts, "revenue"], float))
    np.testing.assert_allclose(found[parts].sum(axis=1), found["revenue"])
    total = of_shop(frames["transactions"])["amount"].sum()
    assert found["revenue"].sum() == pytest.approx(total)
    buyers = purchases_of(frames)["customer_key"].nunique()
    assert found["new_customers"].sum() == buyers


def guest_share(rows: pd.DataFrame, frames: Frames) -> None:
    bought = purchases_of(frames)
    is_guest = bought["customer_key"].isna()
    found = rows.set_index("source_system")
    assert found.loc[SHOP, "guest_purchases"] == is_guest.sum() > 0
    assert found.loc[SHOP, "guest_revenue_share"] == pytest.approx(
        bought.loc[is_guest, "amount"].sum() / bought["amount"].sum()
    )
    assert found.loc["marketplace", "guest_revenue_share"] == 0


def sales_by_place(rows: pd.DataFrame, frames: Frames) -> None:
    found = of_shop(rows).set_index("place")
    spent = of_shop(frames["customers"]).groupby("country")["lifetime_spent"].sum()
    assert found["revenue"].astype(float).to_dict() == pytest.approx(spent.to_dict())
    assert found["revenue_share"].sum() == pytest.approx(1)
    places = rows[["source_system", "entity"]].drop_duplicates()
    assert set(places.itertuples(index=False, name=None)) == {
        ("marketplace", "city"),
        (SHOP, "country"),
    }


def coupon_redemption(rows: pd.DataFrame, frames: Frames) -> None:
    coupons = frames["transactions"].dropna(subset=["coupon_code"])
    rates = coupons.groupby("merchant_name")["is_completed"].mean()
    found = rows[rows["place_kind"] == "merchant"].set_index("place")
    assert found["redemption_rate"].to_dict() == pytest.approx(rates.to_dict())
    counts = rows.groupby("place_kind")["coupons"].sum()
    assert counts.to_dict() == {"city": len(coupons), "merchant": len(coupons)}


CHECKS: dict[str, Callable[[pd.DataFrame, Frames], None]] = {
    check.__name__: check
    for check in (
        *(best_customers, revenue_by_segment, customers_who_bought_once),
        *(cost_of_returns, sales_by_weekday, best_months, products_bought_together),
        *(lapsing_customers_of_value, basket_by_segment, new_and_returning_revenue),
        *(guest_share, sales_by_place, coupon_redemption),
    )
}


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_pandas_finds_the_same_answer(
    name: str, answers: Answers, frames: Frames
) -> None:
    CHECKS[name](answers[name], frames)
