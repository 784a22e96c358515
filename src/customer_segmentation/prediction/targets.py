"""Segment targets: the segment of customers some time after their first purchase."""

from collections.abc import Sequence

import pandas as pd

from customer_segmentation import engine
from customer_segmentation.prediction.settings import RFM
from customer_segmentation.segmentation import assign_frame, fit_columns

__all__ = ["read_segment_targets"]

ON_TARGET_DATE = {"is_segment_target_date": True}
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
    needed = ["purchase_days", *fit_columns(fits, segmentations)]
    customers = engine.read(
        customer_days,
        list(dict.fromkeys(["customer_key", "source_system", *needed])),
        where=ON_TARGET_DATE,
    )
    segments = pd.concat(
        [_read_rfm_segments(rfm_segments), _assign(customers, fits, segmentations)],
        ignore_index=True,
    )
    returned = customers["purchase_days"] > 1
    known = customers[["customer_key", "source_system"]].assign(has_returned=returned)
    labelled = known.merge(segments, on="customer_key")
    groups = dict(list(labelled.groupby(["segmentation", "source_system"])))
    return {
        (source_system, segmentation): rows[TARGETS].reset_index(drop=True)
        for segmentation in segmentations
        for (name, source_system), rows in groups.items()
        if name == segmentation
    }


def _read_rfm_segments(rfm_segments: engine.Relation) -> pd.DataFrame:
    """Return ``customer_key``, ``segmentation`` and ``segment`` by RFM."""
    rows = engine.read(
        rfm_segments, ["customer_key", "rfm_segment"], where=ON_TARGET_DATE
    ).dropna()
    return rows.rename(columns={"rfm_segment": "segment"}).assign(segmentation=RFM)


def _assign(
    customers: pd.DataFrame, fits: engine.Relation, segmentations: Sequence[str]
) -> pd.DataFrame:
    """Return the same columns by the last fits; a segment is its number as text."""
    assigned = assign_frame(customers, fits, segmentations).dropna()
    return assigned.assign(segment=assigned.pop("segment_id").astype(str))
