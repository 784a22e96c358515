"""What predicts the next purchases of customers."""

from customer_segmentation.prediction.purchases.candidates import (
    CANDIDATES,
    Candidate,
    candidates_of,
)
from customer_segmentation.prediction.purchases.next_purchases import (
    PREDICTED,
    NextPurchases,
)
from customer_segmentation.prediction.purchases.season import (
    UNKNOWN,
    InSeason,
    Season,
)

__all__ = [
    "CANDIDATES",
    "PREDICTED",
    "UNKNOWN",
    "Candidate",
    "InSeason",
    "NextPurchases",
    "Season",
    "candidates_of",
]
