"""Uplift and Qini curves of all campaigns, as the dbt Python models compute them."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa

from customer_segmentation import engine
from customer_segmentation.parallel import single_threaded
from customer_segmentation.serving.qini import TENTHS, compare_rankings
from customer_segmentation.serving.uplift import expected_uplift, tenths_of

__all__ = ["QINI", "UPLIFT_SCORES", "compare_targeting", "score_uplift"]

KEYS = ["campaign", "source_system"]
# what is known of a customer before the first message
FEATURES = ["spend_before", "purchases_before", "recency_days", "age_days"]
CELL = ["side", "uplift_tenth", "value_tenth"]
COUNTS = ["customers", "buyers"]
SIDES = ["control", "treated"]
UPLIFT_SCORES = pa.schema(
    [
        *((name, pa.string()) for name in [*KEYS, "customer_key"]),
        ("expected_uplift", pa.float64()),
        ("uplift_tenth", pa.int32()),
    ]
)
QINI = pa.schema(
    [
        *((name, pa.string()) for name in KEYS),
        ("tenth", pa.int32()),
        *(
            (name, pa.float64())
            for name in (
                *("uplift_gain", "value_gain", "random_gain"),
                *("uplift_qini", "uplift_qini_low", "uplift_qini_high"),
                *("value_qini", "value_qini_low", "value_qini_high"),
                *("qini_difference", "qini_difference_low", "qini_difference_high"),
            )
        ),
    ]
)


@single_threaded()
def score_uplift(customers: engine.Relation, group_sums: engine.Relation) -> pa.Table:
    """Predict what each message adds, campaign by campaign.

    Parameters
    ----------
    customers : Relation
        From ``dbt.ref``: customers of campaigns that are large enough, with
        ``FEATURES``, ``is_treated`` and ``buyers``.
    group_sums : Relation
        From ``dbt.ref``: a row of each campaign, source system, measure and side.

    Returns
    -------
    pyarrow.Table
        ``UPLIFT_SCORES``: a row of each customer and campaign.
    """
    columns = ["customer_key", *FEATURES, "is_treated", "buyers"]
    scores = []
    for campaign in _campaigns(group_sums):
        rows = engine.read(customers, columns, where=campaign)
        if rows.empty:
            continue
        uplift, fold = expected_uplift(
            rows[FEATURES].to_numpy(float),
            rows["is_treated"].to_numpy(bool),
            rows["buyers"].to_numpy(float),
        )
        scores.append(
            pa.table(
                {
                    **{name: [text] * len(rows) for name, text in campaign.items()},
                    "customer_key": rows["customer_key"],
                    "expected_uplift": uplift,
                    "uplift_tenth": tenths_of(uplift, fold),
                }
            ).cast(UPLIFT_SCORES)
        )
    return pa.concat_tables([UPLIFT_SCORES.empty_table(), *scores])


def compare_targeting(cells: engine.Relation) -> pa.Table:
    """Compare the rankings by uplift and by value, campaign by campaign.

    Parameters
    ----------
    cells : Relation
        From ``dbt.ref``: customers and buyers by campaign, source system, ``side``,
        ``uplift_tenth`` and ``value_tenth``.

    Returns
    -------
    pyarrow.Table
        ``QINI``: a row of each campaign, source system and tenth. Coefficients are
        those of the campaign, in each of its rows.
    """
    columns = [*KEYS, *CELL, *COUNTS]
    counted = engine.read(cells, columns, order_by=[*KEYS, *CELL])
    curves = []
    for key, cells_of_campaign in counted.groupby(KEYS, sort=True):
        campaign = dict(zip(KEYS, key, strict=True))
        curves += _curve(campaign, cells_of_campaign)
    return pa.Table.from_pylist(curves, QINI)


def _campaigns(group_sums: engine.Relation) -> Iterator[dict[str, str | bool]]:
    sides = engine.read(group_sums, KEYS, order_by=[*KEYS, "measure", "side"])
    for campaign, source_system in sides.drop_duplicates().itertuples(index=False):
        yield {"campaign": campaign, "source_system": source_system}


def _curve(campaign: dict[str, str], cells: pd.DataFrame) -> list[dict[str, object]]:
    counts = np.zeros((len(COUNTS), len(SIDES), TENTHS, TENTHS), np.int64)
    positions = (
        cells["side"].map(SIDES.index).to_numpy(int),
        cells["uplift_tenth"].to_numpy(int) - 1,
        cells["value_tenth"].to_numpy(int) - 1,
    )
    for number, name in enumerate(COUNTS):
        np.add.at(counts[number], positions, cells[name].to_numpy(int))
    found = compare_rankings(*counts)
    coefficients = {
        "uplift_qini": found.uplift.coefficient,
        "uplift_qini_low": found.uplift.low,
        "uplift_qini_high": found.uplift.high,
        "value_qini": found.value.coefficient,
        "value_qini_low": found.value.low,
        "value_qini_high": found.value.high,
        "qini_difference": found.difference,
        "qini_difference_low": found.low,
        "qini_difference_high": found.high,
    }
    curves = zip(found.uplift.curve, found.value.curve, strict=True)
    return [
        {
            **campaign,
            "tenth": tenth,
            "uplift_gain": uplift,
            "value_gain": value,
            "random_gain": found.uplift.curve[-1] * tenth / TENTHS,
            **coefficients,
        }
        for tenth, (uplift, value) in enumerate(curves, start=1)
    ]
