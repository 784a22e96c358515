"""Movement: in which rhythm customers buy, and how much of it is left.

``rhythm`` has the model and what follows from it, ``lifecycle`` what dbt runs.
"""

from customer_segmentation.movement.lifecycle import fit_rhythms, score_rhythms

__all__ = ["fit_rhythms", "score_rhythms"]
