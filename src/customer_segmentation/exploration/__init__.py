"""Exploration: what goes with what, and which features go together.

``chance`` says how often products come together by chance, ``affinities`` compares the
pairs in baskets with it, and ``correlations`` compares the features of customers.
"""

from customer_segmentation.exploration.affinities import compare_with_chance
from customer_segmentation.exploration.correlations import correlate_features

__all__ = ["compare_with_chance", "correlate_features"]
