"""Product categories: learned from descriptions, or the shop's own, filled by text.

=========  ==========================================================================
step       modules
=========  ==========================================================================
declare    ``declare`` reads the var ``product_categories``
words      ``words``: descriptions as terms, in any script
kinds      ``kinds``: what things are, such as tableware, by the seed ``product_kinds``
space      ``space``: products as points, near each other if they share rare terms
group      ``topics``: micro-topics merged into categories
judge      ``judge``: stability, and a null of shuffled words
fits       ``fits``: names, ids that last, stored as JSON
=========  ==========================================================================

``tables`` has the schemas, ``steps`` what dbt runs.
"""

from customer_segmentation.products.steps import (
    assign_products,
    fit_categories,
    list_terms,
)

__all__ = ["assign_products", "fit_categories", "list_terms"]
