"""Segmentations: declared in YAML, searched, judged, fitted, assigned and explained.

=========  ==========================================================================
step       modules
=========  ==========================================================================
declare    ``declare`` (reads the vars), ``declared_mapping`` (values and messages)
space      ``transforms``, ``encoders``, ``blocks``, ``space``: customers as points
cluster    ``algorithms``, ``weighted`` (many customers), ``cluster``
judge      ``measures``, ``structure`` (null data), ``judge`` (all candidates)
assign     ``prototypes``, ``fits`` (stored as JSON)
explain    ``rule_tree``, ``explain`` (rules in words)
=========  ==========================================================================

``tables`` reads relations and makes Arrow tables. ``steps`` has what dbt runs, and what
other subjects use: ``assign_frame`` assigns customers in memory, of any as-of date, by
the last fits in ``int_segmentation__fits``; ``fit_columns`` lists the features that
these fits need.
"""

from customer_segmentation.segmentation.steps import (
    assign_customers,
    assign_frame,
    expand_prototypes,
    explain_segments,
    fit_columns,
    fit_segmentations,
    search_segmentations,
)

__all__ = [
    "assign_customers",
    "assign_frame",
    "expand_prototypes",
    "explain_segments",
    "fit_columns",
    "fit_segmentations",
    "search_segmentations",
]
