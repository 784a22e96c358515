"""Segmentations: declared in YAML, fitted, measured, chosen, assigned and explained."""

from customer_segmentation.segmentation.tables import (
    assign_customers,
    expand_prototypes,
    explain_segments,
    fit_segmentations,
    search_segmentations,
)

__all__ = [
    "assign_customers",
    "expand_prototypes",
    "explain_segments",
    "fit_segmentations",
    "search_segmentations",
]
