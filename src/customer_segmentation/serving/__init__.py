"""Serving: what people read is published whole, audiences, and what campaigns did."""

from customer_segmentation.serving.campaigns import measure_campaigns
from customer_segmentation.serving.effects import Effect, GroupSums, estimate_effect
from customer_segmentation.serving.export import export_campaign, export_segment
from customer_segmentation.serving.publishing import Publisher

__all__ = [
    "Effect",
    "GroupSums",
    "Publisher",
    "estimate_effect",
    "export_campaign",
    "export_segment",
    "measure_campaigns",
]
