"""Serving: what people read is published whole, or not at all."""

from customer_segmentation.serving.publishing import Publisher

__all__ = ["Publisher"]
