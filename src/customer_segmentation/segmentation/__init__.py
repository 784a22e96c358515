"""Segmentations: declared in YAML, searched, judged, fitted, assigned and explained.

========  ======================================================================
step      modules
========  ======================================================================
declare   ``declare`` (the vars), ``declared_mapping`` (its messages)
space     ``transforms``, ``encoders``, ``blocks``, ``space``: customers as points
cluster   ``algorithms``, ``weighted`` (many customers), ``cluster``
judge     ``measures``, ``structure`` (null data), ``judge``
assign    ``prototypes``, ``matching`` (ids that last), ``fits``
explain   ``explain`` (rules in words)
========  ======================================================================

``tables`` reads relations and writes Arrow tables; ``steps`` has what dbt runs. Other
subjects assign customers in memory with ``assign_frame``, by the last fits in
``int_segmentation__fits``. ``fit_columns`` lists the features that these fits need.
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
