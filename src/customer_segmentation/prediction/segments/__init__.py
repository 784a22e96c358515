"""What predicts the segment of a new customer."""

from customer_segmentation.prediction.segments.classifiers import (
    CLASSIFIERS,
    MAJORITY,
    fit_classifiers,
)

__all__ = ["CLASSIFIERS", "MAJORITY", "fit_classifiers"]
