"""Segment targets: the segment of customers some time after their first purchase."""

from collections.abc import Sequence

import pandas as pd

from customer_segmentation import engine
from customer_segmentation.prediction.settings import RFM
from customer_segmentation.segmentation.fits import FittedSegmentation
from customer_segmentation.segmentation.tables import _last_fits, _model

__all__ = ["read_segment_targets"]

ON_TARGET_DATE = {"is_segment_target_date": True}
KEYS = ["customer_key", "source_system", "as_of_date"]
TARGETS = ["customer_key", "segment", "has_returned"]


def read_segment_targets(
    customer_days: engine.Relation,
    rfm_segments: engine.Relation,
    fits: engine.Relation,
    segmentations: Sequence[str],
) -> dict[tuple[str, str], pd.DataFrame]:
    """Return the segment of each customer on the date of the segment targets.

    Customers missing a feature on that date have no segment.

    Parameters
    ----------
    customer_days, rfm_segments, fits : engine.Relation
        ``int_features__customer_days``, ``int_rfm__segments`` and
        ``int_segmentation__fits``, of which the last one of each segmentation counts.
    segmentations : sequence of str
        ``rfm`` or names of segmentations.

    Returns
    -------
    dict
        By source system and segmentation, in the order of the segmentations:
        ``customer_key``, ``segment``, and whether the customer ``has_returned`` by that
        date. Segmentations without customers are missing.
    """
    models = _last_models(fits, segmentations)
    read = {one.name for _, model in models.values() for one in model.design.features}
    customers = engine.read(
        customer_days,
        list(dict.fromkeys([*KEYS, "purchase_days", *sorted(read)])),
        where=ON_TARGET_DATE,
    )
    customers["has_returned"] = customers["purchase_days"] > 1
    targets = {}
    for segmentation in segmentations:
        if segmentation == RFM:
            found = _rfm_segments(rfm_segments, customers)
        elif segmentation in models:
            found = _assigned(models[segmentation], customers)
        else:
            continue
        for source_system, rows in found.groupby("source_system"):
            targets[str(source_system), segmentation] = rows[TARGETS].reset_index(
                drop=True
            )
    return targets


def _rfm_segments(
    rfm_segments: engine.Relation, customers: pd.DataFrame
) -> pd.DataFrame:
    rows = engine.read(
        rfm_segments,
        ["customer_key", "as_of_date", "rfm_segment"],
        where=ON_TARGET_DATE,
    ).rename(columns={"rfm_segment": "segment"})
    kept = customers[[*KEYS, "has_returned"]]
    return kept.merge(rows, on=["customer_key", "as_of_date"]).dropna(subset="segment")


def _last_models(fits, segmentations):
    last = _last_fits(fits)
    return {
        name: (
            last[name]["source_system"],
            FittedSegmentation.from_json(_model(fits, last[name]["fit_id"])),
        )
        for name in segmentations
        if name in last
    }


def _assigned(fit, customers):
    source_system, model = fit
    rows = customers[customers["source_system"] == source_system]
    assignment, _, is_kept = model.assign(rows)
    return rows[is_kept].assign(segment=assignment.segment.astype(str))
