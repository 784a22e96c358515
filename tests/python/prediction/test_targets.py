"""The segment of new customers some time later, by RFM or by the last fit."""

from collections.abc import Iterator
from datetime import date

import duckdb
import pandas as pd
import pytest

from customer_segmentation.prediction.targets import read_segment_targets
from customer_segmentation.segmentation import fit_segmentations

VARIABLES = {
    "segmentations": {
        "value": {
            "source_system": "shop",
            "features": [{"name": "monetary", "transform": "standard"}],
            "algorithms": ["kmeans"],
            "k": [2, 3],
            "value_feature": "monetary",
        }
    },
    "source_systems": ["shop", "mall"],
    "source_system_catalog": {"shop": {}, "mall": {}},
    "segmentation_resamples": 2,
    "segmentation_null_draws": 2,
    "segmentation_refits": 2,
}
TODAY, LATER = date(2011, 12, 10), date(2011, 6, 1)
# spend, days with purchases: on the date of the target
ON_TARGET_DATE = [(1.0, 1), (99.0, 2), (None, 3), (2.0, 1)]


def customer_days() -> pd.DataFrame:
    today = pd.DataFrame(
        {
            "customer_key": [f"shop:{number}" for number in range(10)],
            "as_of_date": TODAY,
            "is_today": True,
            "is_segment_target_date": False,
            "purchase_days": 9,
            # two segments: of little and of much
            "monetary": [1.0, 2.0, 3.0, 1.5, 2.5, 101.0, 102.0, 103.0, 99.0, 98.0],
        }
    )
    later = pd.DataFrame(
        {
            "customer_key": [f"shop:{n}" for n in range(len(ON_TARGET_DATE))],
            "as_of_date": LATER,
            "is_today": False,
            "is_segment_target_date": True,
            "purchase_days": [days for _, days in ON_TARGET_DATE],
            "monetary": [spend for spend, _ in ON_TARGET_DATE],
        }
    )
    shop = pd.concat([today, later], ignore_index=True).assign(source_system="shop")
    mall = later.assign(
        source_system="mall", customer_key="mall:" + later["customer_key"]
    )
    return pd.concat([shop, mall], ignore_index=True)


@pytest.fixture(scope="module")
def relations() -> Iterator[dict[str, duckdb.DuckDBPyRelation]]:
    """Return the tables, with a fit of the segmentation ``value``."""
    with duckdb.connect() as connection:
        days = connection.from_df(customer_days())
        choices = connection.query(
            "select 'value' as segmentation, 'kmeans' as algorithm, 'k=2' as setting"
        )
        fits = fit_segmentations(days, choices, VARIABLES, None)
        rfm = customer_days()[["customer_key", "as_of_date", "is_segment_target_date"]]
        rfm["rfm_segment"] = "Loyal"
        rfm.loc[rfm["customer_key"] == "shop:1", "rfm_segment"] = None
        rfm.loc[~rfm["is_segment_target_date"], "rfm_segment"] = "Lost"
        yield {
            "customer_days": days,
            "rfm_segments": connection.from_df(rfm),
            "fits": connection.from_arrow(fits),
        }


def test_segments_are_those_of_the_last_fit_on_the_date_of_the_target(
    relations: dict[str, duckdb.DuckDBPyRelation],
) -> None:
    targets = read_segment_targets(**relations, segmentations=["value"])
    assert list(targets) == [("shop", "value")]
    found = targets["shop", "value"].set_index("customer_key")
    # the most valuable segment is the first; no spend, no segment
    assert found["segment"].to_dict() == {"shop:0": "2", "shop:1": "1", "shop:3": "2"}
    assert found["has_returned"].to_dict() == {
        "shop:0": False,
        "shop:1": True,
        "shop:3": False,
    }


def test_rfm_segments_are_those_on_the_date_of_the_target(
    relations: dict[str, duckdb.DuckDBPyRelation],
) -> None:
    targets = read_segment_targets(**relations, segmentations=["rfm", "value"])
    assert list(targets) == [("mall", "rfm"), ("shop", "rfm"), ("shop", "value")]
    found = targets["shop", "rfm"]
    assert found["customer_key"].tolist() == ["shop:0", "shop:2", "shop:3"]
    assert set(found["segment"]) == {"Loyal"}


def test_a_segmentation_without_a_fit_has_no_targets(
    relations: dict[str, duckdb.DuckDBPyRelation],
) -> None:
    assert read_segment_targets(**relations, segmentations=["other"]) == {}
